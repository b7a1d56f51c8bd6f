/** Words ready to be compared, and how alike two of them are. */

import { ABJAD_COSTS, type Costs, distance, LATIN_COSTS, SOUND_COSTS } from './distance.ts';
import { abjadKeyOf, codesOf, foldWord, lettersOf, maskOf, patternOf, skeletonOf } from './fold.ts';
import { genderedPairs, nicknames, spellings } from './tables/person-words.ts';

/**
 * How the word was written: with an alphabet; without its short vowels (`poor`); in characters that are read in one
 * way only, so that there are no misspellings to expect (`exact`); in characters for the sounds of a foreign word.
 */
export type Writing = 'full' | 'poor' | 'exact' | 'sounds';

/** Everything about a spelling that does not depend on the name it stands in. Shared by all names with that word. */
export interface Spelling {
  readonly text: string;
  readonly fold: string;
  readonly codes: Uint8Array;
  readonly mask: number;
  readonly skeleton: string;
  readonly pattern: string;
  readonly abjadKey: string;
  readonly letters: string;
  readonly writing: Writing;
  /** Group of spellings that are one name, -1 for none. */
  readonly group: number;
  /** Names this one is a short form of, or the short forms of it; empty for most. */
  readonly nicknameSets: readonly number[];
  readonly digits: boolean;
}

const GROUP_BY_WORD = new Map<string, number>();
spellings.forEach((group, id) => {
  for (const word of group) if (!GROUP_BY_WORD.has(word)) GROUP_BY_WORD.set(word, id);
});
const NICKNAME_SETS = new Map<string, number[]>();
nicknames.forEach((set, id) => {
  for (const word of set) NICKNAME_SETS.set(word, [...(NICKNAME_SETS.get(word) ?? []), id]);
});
const GENDERED = new Set(genderedPairs.flatMap(([a, b]) => [`${a}:${b}`, `${b}:${a}`]));
const NONE: readonly number[] = [];

export function spellingOf(text: string, writing: Writing): Spelling {
  const fold = foldWord(text);
  const codes = codesOf(fold);
  return {
    text,
    fold,
    codes,
    mask: maskOf(codes),
    skeleton: skeletonOf(fold),
    pattern: patternOf(fold),
    abjadKey: abjadKeyOf(fold),
    letters: lettersOf(text),
    writing,
    group: GROUP_BY_WORD.get(text) ?? -1,
    nicknameSets: NICKNAME_SETS.get(text) ?? NONE,
    digits: /\d/.test(text),
  };
}

/** Words of one group: the canonical spelling and its variants. */
export const groupMembers = (group: number): readonly string[] => spellings[group] ?? [];
/** Words that a short form may stand for, itself included. */
export const nicknameMembers = (set: number): readonly string[] => nicknames[set] ?? [];

/** Below this two words are taken for different ones. */
export const LEAST_ALIKE = 0.64;
const LEAST_ALIKE_EXACT = 0.85;
const EQUAL_FOLD = 0.97;
const SAME_GROUP = 0.95;
const NICKNAME = 0.88;
const SAME_LETTERS = 0.82;
const OTHER_GENDER = 0.5;
const SECOND_EDIT = 0.35;
const OTHER_START = 0.6;

// What one edit takes away, by the length of the longer word: an edit in a short word makes another word of it.
const LOSS_BY_LENGTH = [1, 1, 0.62, 0.46, 0.31, 0.235, 0.195, 0.165, 0.145, 0.13, 0.12, 0.11, 0.1];
const lossFor = (length: number): number => LOSS_BY_LENGTH[Math.min(length, LOSS_BY_LENGTH.length - 1)]!;

/** Likeness of two words from 0 to 1; 0 when they are different words. Symmetric. */
export function alike(a: Spelling, b: Spelling): number {
  if (a.text === b.text) return 1;
  if (a.digits || b.digits) return a.fold === b.fold ? EQUAL_FOLD : 0;
  if (a.group >= 0 && a.group === b.group) return SAME_GROUP;
  if (a.nicknameSets.length > 0 && b.nicknameSets.length > 0 && shareNickname(a, b)) return NICKNAME;
  if (GENDERED.has(`${a.text}:${b.text}`)) return 0;
  if (a.fold === b.fold) return EQUAL_FOLD;
  const edited = alikeByEdits(a, b);
  if (edited >= SAME_LETTERS || a.text.length < 5 || a.letters !== b.letters) return edited;
  return SAME_LETTERS;
}

function alikeByEdits(a: Spelling, b: Spelling): number {
  const x = a.codes;
  const y = b.codes;
  const longer = Math.max(x.length, y.length);
  const loss = lossFor(longer);
  const limit = (1 - LEAST_ALIKE) / loss;
  const costs = costsFor(a.writing, b.writing);
  if (costs === LATIN_COSTS) {
    const gap = longer - (x.length + y.length - longer);
    if (gap * 0.75 > limit) return 0;
    // Each letter that only one of them has costs at least half an edit.
    if (bits(a.mask & ~b.mask) * 0.5 > limit || bits(b.mask & ~a.mask) * 0.5 > limit) return 0;
  } else if (Math.min(a.skeleton.length, b.skeleton.length) < 3 && a.abjadKey !== b.abjadKey) {
    // Hardly a consonant to go by: then they must be the same.
    return 0;
  }
  let cost =
    costs === ABJAD_COSTS && b.writing === 'poor' ? distance(y, x, limit, costs) : distance(x, y, limit, costs);
  if (cost > limit) return 0;
  if (cost > 0.8 && costs === LATIN_COSTS && startsDiffer(a.fold, b.fold)) cost += OTHER_START;
  // A second edit tells more than the first: one is a slip, two are another word.
  const surplus = cost > 1 ? 1 + SECOND_EDIT * (cost - 1) : 1;
  const likeness = 1 - cost * loss * surplus;
  if (likeness < (a.writing === 'exact' || b.writing === 'exact' ? LEAST_ALIKE_EXACT : LEAST_ALIKE)) return 0;
  return isGenderEnding(a.fold, b.fold) ? Math.min(likeness, OTHER_GENDER) : likeness;
}

export function costsFor(a: Writing, b: Writing): Costs {
  if ((a === 'poor') !== (b === 'poor')) return ABJAD_COSTS;
  return a === 'sounds' || b === 'sounds' ? SOUND_COSTS : LATIN_COSTS;
}

/** Slips seldom hit the first letter, unless it is a vowel or the first two changed places. */
function startsDiffer(a: string, b: string): boolean {
  if (a[0] === b[0] || (a[0] === b[1] && a[1] === b[0])) return false;
  if (a[0] === b[1]) return !startsWithVowel(b);
  if (a[1] === b[0]) return !startsWithVowel(a);
  return !startsWithVowel(a) || !startsWithVowel(b);
}

const startsWithVowel = (word: string): boolean => 'aeiou'.includes(word[0] ?? '-');

/** One is the other with an `a` at its end: Ivan and Ivana are two people, whatever the edit costs. */
function isGenderEnding(a: string, b: string): boolean {
  return (a.length === b.length + 1 && a === `${b}a`) || (b.length === a.length + 1 && b === `${a}a`);
}

function shareNickname(a: Spelling, b: Spelling): boolean {
  for (const id of a.nicknameSets) {
    if (!b.nicknameSets.includes(id)) continue;
    // Two short forms of one name are not each other: one of the two must be the full name.
    const full = nicknames[id]![0];
    if (a.text === full || b.text === full) return true;
  }
  return false;
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
