/** What the index finds of what comparing with every listed name finds. */
import {
  buildIndex,
  readParty,
  type ScreeningConfig,
  type ScreeningIndex,
  screenParty,
} from '../../screening/engine/index.ts';
import { noPool } from '../../screening/engine/name.ts';
import { prepareName } from '../../screening/engine/pair.ts';
import type { ListVersion } from '../../screening/lists/index.ts';
import { misspelt, randomFrom, type Slip } from './names.ts';

export interface IndexRecall {
  readonly slip: Slip | typeof WITHOUT_VOWELS;
  readonly queries: number;
  /** Pairs of query and listed name at or above the threshold, by full scan. */
  readonly pairs: number;
  readonly missed: number;
}

/** Names in Arabic script as they are listed, against all listed names, those in Latin script included. */
export const WITHOUT_VOWELS = 'Arabic script, as listed';

export const SLIPS: readonly Slip[] = ['typo', 'transposition', 'transliteration'];

/** Misspells listed names and compares the index with a full scan, pair by pair, at the shipped threshold. */
export function indexRecall(
  index: ScreeningIndex,
  listed: readonly string[],
  queries: number,
  seed: number,
): IndexRecall[] {
  return SLIPS.map((slip, at) => {
    const random = randomFrom(seed + at);
    const made: string[] = [];
    while (made.length < queries) {
      const name = misspelt(listed[Math.floor(random() * listed.length)]!, slip, random);
      if (name !== undefined) made.push(name);
    }
    return { slip, ...compareWithScan(index, made) };
  });
}

/** The same for some of the listed names that are written without vowels, as they are. */
export function indexRecallWithoutVowels(
  index: ScreeningIndex,
  listed: readonly string[],
  queries: number,
  seed: number,
): IndexRecall {
  const random = randomFrom(seed);
  const made = Array.from({ length: queries }, () => listed[Math.floor(random() * listed.length)]!);
  return { slip: WITHOUT_VOWELS, ...compareWithScan(index, made) };
}

function compareWithScan(index: ScreeningIndex, names: readonly string[]): Omit<IndexRecall, 'slip'> {
  const { config } = index;
  const partition = index.partitions.person;
  let pairs = 0;
  let missed = 0;
  for (const name of names) {
    // A name is found or missed in all its readings together.
    const found = new Set<string>();
    const all = new Set<string>();
    const pairOf = (number: number): string => `${partition.names[number]!.entity}/${partition.names[number]!.name}`;
    for (const query of prepareName({ name }, 'person', config, noPool, true)) {
      partition.search(query, config.threshold, config.weights, (number) => void found.add(pairOf(number)));
      partition.scan(query, config.threshold, config.weights, (number) => void all.add(pairOf(number)));
    }
    pairs += all.size;
    for (const pair of all) if (!found.has(pair)) missed += 1;
  }
  return { queries: names.length, pairs, missed };
}

/** Share of misspelt listed names whose own entity alerts. */
export function slipRecall(
  index: ScreeningIndex,
  listed: readonly string[],
  queries: number,
  seed: number,
): { slip: Slip; recall: number }[] {
  return SLIPS.map((slip, at) => {
    const random = randomFrom(seed + 100 + at);
    let made = 0;
    let found = 0;
    while (made < queries) {
      const original = listed[Math.floor(random() * listed.length)]!;
      const name = misspelt(original, slip, random);
      if (name === undefined) continue;
      made += 1;
      if (screenParty(index, readParty('Person', { name })).hits.length > 0) found += 1;
    }
    return { slip, recall: found / made };
  });
}

export interface ScriptRecall {
  readonly script: string;
  readonly names: number;
  /** Share of the names whose own entity alerts. */
  readonly recall: number;
}

const SCRIPTS = [
  { script: 'Arabic', pattern: /\p{Script=Arabic}/u },
  { script: 'Cyrillic', pattern: /\p{Script=Cyrillic}/u },
];
const LATIN = /\p{Script=Latin}/u;

/**
 * Persons listed in Latin script and in another: their name in the other script, screened against lists that hold
 * nothing but Latin names. The lists say which names are one person's, so nobody had to make up pairs. Some of the
 * names are aliases that no Latin name of the person resembles: what is missed is not all the engine's.
 */
export function ownScriptRecall(lists: readonly ListVersion[], config: ScreeningConfig): ScriptRecall[] {
  const inLatin = ({ full }: { readonly full: string }): boolean =>
    LATIN.test(full) && !SCRIPTS.some(({ pattern }) => pattern.test(full));
  const latin = lists.map((list) => ({
    ...list,
    entities: list.entities
      .filter(({ type, names }) => type === 'person' && names.some(inLatin))
      .map((entity) => ({ ...entity, names: entity.names.filter(inLatin) })),
  }));
  const index = buildIndex(latin, config);
  const listed = new Set(index.entities.map(({ id }) => id));
  const persons = lists.flatMap(({ entities }) => entities).filter(({ id }) => listed.has(id));
  return SCRIPTS.map(({ script, pattern }) => {
    let names = 0;
    let found = 0;
    for (const { id, names: own } of persons) {
      for (const { full } of own.filter((name) => pattern.test(name.full))) {
        names += 1;
        if (screenParty(index, readParty('Person', { name: full })).hits.some(({ entity }) => entity.id === id)) {
          found += 1;
        }
      }
    }
    return { script, names, recall: found / Math.max(1, names) };
  });
}
