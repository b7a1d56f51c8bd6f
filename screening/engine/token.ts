/** Words ready to be compared, and how alike two of them are. */
import {
  ABJAD_COSTS,
  ABJAD_SECOND_COSTS,
  type Costs,
  distance,
  LATIN_COSTS,
  SIZE,
  SOUND_COSTS,
  sameLetters,
} from './distance.ts';
import {
  abjadKey,
  bitsOf,
  classMaskOf,
  foldWord,
  isVowelCode,
  joinFolded,
  lettersKey,
  lettersOf,
  maskOf,
  patternKey,
  skeletonKey,
} from './fold.ts';
import { genderedPairs, nicknames, spellings } from './tables/person-words.ts';

/**
 * How the word was written: with an alphabet; without its short vowels (`poor`); in characters that are read in one
 * way only, so that there are no misspellings to expect (`exact`); in characters for the sounds of a foreign word.
 */
export type Writing = 'full' | 'poor' | 'exact' | 'sounds';

/** Everything about a spelling that does not depend on the name it stands in. Shared by all names with that word. */
export interface Spelling {
  readonly text: string;
  /** The folded word. */
  readonly codes: Uint8Array;
  readonly mask: number;
  readonly classes: number;
  /** Hashes under which the word is found, see fold.ts. */
  readonly skeleton: number;
  readonly pattern: number;
  readonly abjad: number;
  readonly letters: number;
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
const GENDERED = new Map<string, string[]>();
for (const [a, b] of genderedPairs) {
  GENDERED.set(a, [...(GENDERED.get(a) ?? []), b]);
  GENDERED.set(b, [...(GENDERED.get(b) ?? []), a]);
}
const NONE: readonly number[] = [];
const MIN_SKELETON_LENGTH = 3;

export function spellingOf(text: string, writing: Writing): Spelling {
  return fromCodes(text, foldWord(text), writing);
}

/** Two neighbouring words read as one. */
export function joinSpellings(a: Spelling, b: Spelling): Spelling {
  const codes = joinFolded(a.codes, b.codes);
  const writing = a.writing === 'full' ? b.writing : a.writing;
  return {
    text: a.text + b.text,
    codes,
    mask: a.mask | b.mask,
    classes: a.classes | b.classes,
    skeleton: skeletonKey(codes, MIN_SKELETON_LENGTH),
    pattern: patternKey(codes),
    abjad: abjadKey(codes),
    letters: 0,
    writing,
    group: -1,
    nicknameSets: NONE,
    digits: a.digits || b.digits,
  };
}

function fromCodes(text: string, codes: Uint8Array, writing: Writing): Spelling {
  const mask = maskOf(codes);
  return {
    text,
    codes,
    mask,
    classes: classMaskOf(codes),
    skeleton: skeletonKey(codes, MIN_SKELETON_LENGTH),
    pattern: patternKey(codes),
    abjad: abjadKey(codes),
    letters: lettersKey(text),
    writing,
    group: GROUP_BY_WORD.get(text) ?? -1,
    nicknameSets: NICKNAME_SETS.get(text) ?? NONE,
    digits: mask >>> 30 === 1,
  };
}

/** Below this two words are taken for different ones. */
export const MIN_LIKENESS = 0.64;
export const MIN_LIKENESS_EXACT = 0.85;
const EQUAL_FOLD = 0.97;
/** Likeness of two spellings of one name. */
export const SAME_GROUP = 0.95;
const NICKNAME = 0.88;
const SAME_LETTERS = 0.82;
const MIN_ANAGRAM_LENGTH = 5;
const OTHER_GENDER = 0.5;
const SECOND_EDIT = 0.35;
const OTHER_START = 0.6;
const CHEAPEST_EDIT = 0.55;
const CHEAPEST_GAP = 0.75;
const LETTERS = 26;

// What one edit takes away, by the length of the longer word: an edit in a short word makes another word of it.
const LOSS_BY_LENGTH = [1, 1, 0.62, 0.46, 0.31, 0.235, 0.195, 0.165, 0.145, 0.13, 0.12, 0.11, 0.1];
const LAST_LOSS = LOSS_BY_LENGTH.length - 1;
/** The most that the edits of two words may cost, so that the words are still alike: solves 1 - loss(cost) = MIN_LIKENESS. */
const LIMIT_BY_LENGTH = Float64Array.from(LOSS_BY_LENGTH, (loss) => {
  const room = (1 - MIN_LIKENESS) / loss;
  if (room <= 1) return room;
  const b = 1 - SECOND_EDIT;
  return (Math.sqrt(b * b + 4 * SECOND_EDIT * room) - b) / (2 * SECOND_EDIT);
});

/** Likeness of two words from 0 to 1; 0 when they are different words. Symmetric. */
export function alike(a: Spelling, b: Spelling): number {
  // Texts are compared last: those of joined words are not built before somebody looks at them.
  if (sameLetters(a.codes, b.codes, 0, b.codes.length)) return a.text === b.text ? 1 : EQUAL_FOLD;
  if (a.digits || b.digits) return 0;
  if (a.group >= 0 && a.group === b.group) return SAME_GROUP;
  if (a.nicknameSets.length > 0 && b.nicknameSets.length > 0 && shareNickname(a, b)) return NICKNAME;
  if (
    a.letters === b.letters &&
    a.letters !== 0 &&
    a.text.length >= MIN_ANAGRAM_LENGTH &&
    lettersOf(a.text) === lettersOf(b.text)
  ) {
    return Math.max(SAME_LETTERS, alikeByEdits(a, b));
  }
  if (a.writing !== 'full' || b.writing !== 'full') return alikeByEdits(a, b);
  return cannotBeAlike(a.codes.length, a.mask, a.classes, b.codes.length, b.mask, b.classes) ? 0 : alikeByEdits(a, b);
}

/** A quick look at lengths and letters of words written with an alphabet: true when edits cannot make them alike. */
export function cannotBeAlike(
  lengthA: number,
  maskA: number,
  classesA: number,
  lengthB: number,
  maskB: number,
  classesB: number,
): boolean {
  const limit = LIMIT_BY_LENGTH[Math.min(Math.max(lengthA, lengthB), LAST_LOSS)]!;
  // A class of consonants that only one has costs an edit, any letter at least half a one.
  return (
    Math.abs(lengthA - lengthB) * CHEAPEST_GAP > limit ||
    bitsOf(classesA & ~classesB) > limit ||
    bitsOf(classesB & ~classesA) > limit ||
    bitsOf(maskA & ~maskB) * CHEAPEST_EDIT > limit ||
    bitsOf(maskB & ~maskA) * CHEAPEST_EDIT > limit
  );
}

// Letters by the least that one costs when only one of the two words has it, where one is written without vowels.
const CHEAP_LETTER = 0.4;
const [DEAR, CHEAP] = lettersByCost(ABJAD_COSTS);

function lettersByCost({ substitute, onlyFirst, onlySecond }: Costs): [dear: number, cheap: number] {
  let dear = 0;
  let cheap = 0;
  for (let letter = 0; letter < LETTERS; letter += 1) {
    let least = Math.min(onlyFirst[letter]!, onlySecond[letter]!);
    for (let other = 0; other < SIZE; other += 1) {
      if (other !== letter) least = Math.min(least, substitute[letter * SIZE + other]!);
    }
    if (least >= 1) dear |= 1 << letter;
    else if (least >= CHEAP_LETTER) cheap |= 1 << letter;
  }
  return [dear, cheap];
}

/** The same for a word written without vowels and one with them, by the letters that occur in each. */
export function cannotBeRead(poor: number, full: number, longer: number): boolean {
  const limit = LIMIT_BY_LENGTH[Math.min(longer, LAST_LOSS)]!;
  const onlyPoor = poor & ~full;
  const onlyFull = full & ~poor;
  return (
    bitsOf(onlyPoor & DEAR) + CHEAP_LETTER * bitsOf(onlyPoor & CHEAP) > limit ||
    bitsOf(onlyFull & DEAR) + CHEAP_LETTER * bitsOf(onlyFull & CHEAP) > limit
  );
}

/**
 * Upper bound of the likeness of two words by their folded letters alone: what `alike` says of them is not more, unless
 * they are related by a table or are anagrams.
 * @param b read from `from`, `length` letters
 * @param costs those of `costsFor`
 */
export function mostAlike(a: Uint8Array, b: Uint8Array, from: number, length: number, costs: Costs): number {
  if (sameLetters(a, b, from, length)) return 1;
  const longer = Math.min(Math.max(a.length, length), LAST_LOSS);
  const limit = LIMIT_BY_LENGTH[longer]!;
  const cost = distance(a, b, limit, costs, from, length);
  if (cost > limit) return 0;
  return 1 - cost * LOSS_BY_LENGTH[longer]! * (cost > 1 ? 1 + SECOND_EDIT * (cost - 1) : 1);
}

function alikeByEdits(a: Spelling, b: Spelling): number {
  const x = a.codes;
  const y = b.codes;
  const longer = Math.max(x.length, y.length);
  const loss = LOSS_BY_LENGTH[Math.min(longer, LAST_LOSS)]!;
  const limit = LIMIT_BY_LENGTH[Math.min(longer, LAST_LOSS)]!;
  const costs = costsFor(a.writing, b.writing);
  // Hardly a consonant to go by: then they must be the same.
  const oneIsPoor = costs === ABJAD_COSTS || costs === ABJAD_SECOND_COSTS;
  if (oneIsPoor && (a.skeleton === 0 || b.skeleton === 0) && a.abjad !== b.abjad) return 0;
  let cost = distance(x, y, limit, costs);
  if (cost > limit) return 0;
  if (costs === LATIN_COSTS) {
    if (GENDERED.get(a.text)?.includes(b.text)) return 0;
    if (cost > 0.8 && startsDiffer(x, y)) cost += OTHER_START;
  }
  // A second edit tells more than the first: one is a slip, two are another word.
  const surplus = cost > 1 ? 1 + SECOND_EDIT * (cost - 1) : 1;
  const likeness = 1 - cost * loss * surplus;
  if (likeness < (a.writing === 'exact' || b.writing === 'exact' ? MIN_LIKENESS_EXACT : MIN_LIKENESS)) return 0;
  return isGenderEnding(x, y) ? Math.min(likeness, OTHER_GENDER) : likeness;
}

/** What edits cost between a first and a second word, by how each is written. */
export function costsFor(a: Writing, b: Writing): Costs {
  if (a === 'poor' && b !== 'poor') return ABJAD_COSTS;
  if (b === 'poor' && a !== 'poor') return ABJAD_SECOND_COSTS;
  return a === 'sounds' || b === 'sounds' ? SOUND_COSTS : LATIN_COSTS;
}

/** Slips seldom hit the first letter, unless it is a vowel or the first two changed places. */
function startsDiffer(a: Uint8Array, b: Uint8Array): boolean {
  if (a[0] === b[0] || (a[0] === b[1] && a[1] === b[0])) return false;
  const vowelA = isVowelCode(a[0]!) === 1;
  const vowelB = isVowelCode(b[0]!) === 1;
  if (a[0] === b[1]) return !vowelB;
  if (a[1] === b[0]) return !vowelA;
  return !vowelA || !vowelB;
}

/** One is the other with an `a` at its end: Ivan and Ivana are two people, whatever the edit costs. */
function isGenderEnding(a: Uint8Array, b: Uint8Array): boolean {
  const [longer, shorter] = a.length > b.length ? [a, b] : [b, a];
  if (longer.length !== shorter.length + 1 || longer[longer.length - 1] !== 0) return false;
  return shorter.every((letter, at) => letter === longer[at]);
}

/** The same word, spellings of one name, or a name and its short form. */
export const related = (a: Spelling, b: Spelling): boolean =>
  a.text === b.text || (a.group >= 0 && a.group === b.group) || shareNickname(a, b);

function shareNickname(a: Spelling, b: Spelling): boolean {
  for (const id of a.nicknameSets) {
    if (!b.nicknameSets.includes(id)) continue;
    // Two short forms of one name are not each other: one of the two must be the full name.
    const full = nicknames[id]![0];
    if (a.text === full || b.text === full) return true;
  }
  return false;
}
