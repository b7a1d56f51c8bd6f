/** Which words a listed name is filed under: its own, and neighbouring ones read as one. */
import type { Part, PreparedName } from './name.ts';
import { isSoftTitle } from './prepare-person.ts';
import { joinSpellings, type Spelling } from './token.ts';
import type { ListedWord } from './word-index.ts';

const HARD_ROLES = new Set(['name', 'word', 'generic', 'place', 'kunya']);
/** Longer words are not read as one. */
export const MAX_JOINED_LENGTH = 24;

export interface IndexedName {
  readonly prepared: PreparedName;
  /** Number of the entity in the index. */
  readonly entity: number;
  /** Number of the name within the entity. */
  readonly name: number;
  readonly weak: boolean;
  /** Compared only with names that are written without vowels as well. */
  readonly sameScript: boolean;
}

/** Number of a word, number of the name that has it, weight of the word in it. */
export type Entry = [word: number, name: number, weight: number];

/** Whether a word is filed. A title that is often a name (Said, Khan) is filed like one: the other side may mean the name. */
export const isHard = (part: Part): boolean =>
  HARD_ROLES.has(part.role) || (part.role === 'title' && isSoftTitle(part.spelling.text));

interface Filed {
  readonly words: ListedWord[];
  readonly entries: Entry[];
  /** Those of plain words. */
  readonly plainEntries: Entry[];
  readonly idByText: ReadonlyMap<string, number>;
}

/** Gives the words of the names numbers, and says which names have them. */
export function fileWords(names: readonly IndexedName[]): Filed {
  const words: ListedWord[] = [];
  const entries: Entry[] = [];
  const plain = new Map<Spelling, number>();
  const idByText = new Map<string, number>();
  // Words without vowels that must be found by names with vowels.
  const open = new Set<Spelling>();
  for (const { prepared, sameScript } of names) {
    if (!sameScript) for (const { spelling } of prepared.parts) open.add(spelling);
  }
  const sameScriptOnly = (spelling: Spelling): boolean => spelling.writing === 'poor' && !open.has(spelling);
  names.forEach(({ prepared }, name) => {
    for (const part of prepared.parts) {
      if (!isHard(part)) continue;
      const { spelling } = part;
      let id = plain.get(spelling);
      if (id === undefined) {
        id = words.push({ spelling, special: false, joined: false, sameScript: sameScriptOnly(spelling) }) - 1;
        plain.set(spelling, id);
        idByText.set(spelling.text, id);
      }
      entries.push([id, name, part.weight]);
    }
  });
  const plainEntries = entries.slice();
  const special = new Map<Spelling, number>();
  const joined = new Map<string, number>();
  names.forEach(({ prepared: { parts } }, name) => {
    if (parts.some(({ role }) => role === 'initial')) {
      for (const part of parts) {
        if (!isHard(part)) continue;
        const { spelling } = part;
        let id = special.get(spelling);
        if (id === undefined) {
          id = words.push({ spelling, special: true, joined: false, sameScript: sameScriptOnly(spelling) }) - 1;
          special.set(spelling, id);
        }
        entries.push([id, name, part.weight]);
      }
    }
    fileJoined(parts, joined, words, (id, weight) => entries.push([id, name, weight]));
  });
  return { words, entries, plainEntries, idByText };
}

/** Files two and three neighbouring words of a name as one. */
function fileJoined(
  parts: readonly Part[],
  ids: Map<string, number>,
  words: ListedWord[],
  file: (id: number, weight: number) => void,
): void {
  const closed = ({ role, spelling }: Part): boolean => role === 'place' || role === 'initial' || spelling.digits;
  for (let at = 0; at + 1 < parts.length; at += 1) {
    let spelling = parts[at]!.spelling;
    let weight = parts[at]!.weight;
    if (closed(parts[at]!)) continue;
    for (let to = at + 1; to < parts.length && to < at + 3 && !closed(parts[to]!); to += 1) {
      spelling = joinSpellings(spelling, parts[to]!.spelling);
      weight += parts[to]!.weight;
      if (spelling.text.length > MAX_JOINED_LENGTH) break;
      const key = spelling.writing === 'full' ? spelling.text : `${spelling.text}/${spelling.writing}`;
      let id = ids.get(key);
      if (id === undefined) {
        id = words.push({ spelling, special: true, joined: true, sameScript: false }) - 1;
        ids.set(key, id);
      }
      file(id, weight);
    }
  }
}
