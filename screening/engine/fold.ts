/**
 * The folded form of a word: letters that transliterations use for one another become one letter, so that `Khamenei`
 * and `Hamenei`, `Yusuf` and `Iousouf` meet. Letters of the result: a b c(=ch) d e f g h i j k l m n o p r s t u v x(=ks) z 0-9,
 * as numbers: a-z are 0-25, 0-9 are 26-35. Runs for every word of every query, hence on numbers and without strings.
 */

const FIRST_DIGIT = 26;
const NOTHING = 99;

const code = (letter: string): number => letter.charCodeAt(0) - 97;
const A = code('a');
const C = code('c');
const E = code('e');
const F = code('f');
const H = code('h');
const I = code('i');
const J = code('j');
const K = code('k');
const O = code('o');
const S = code('s');
const V = code('v');
const X = code('x');

const IS_VOWEL = new Uint8Array(100);
for (const vowel of 'aeiou') IS_VOWEL[code(vowel)] = 1;
/** Whether a code is a vowel: 1 or 0. */
export const isVowelCode = (letter: number): number => IS_VOWEL[letter]!;

/** Letters read together, longest first within a first letter: what is written, what it becomes. */
const CLUSTERS: readonly (readonly [string, string])[] = [
  ['shch', 's'],
  ['sch', 's'],
  ['sh', 's'],
  ['tsch', 'c'],
  ['tch', 'c'],
  ['th', 't'],
  ['tz', 'ts'],
  ['dzh', 'j'],
  ['dj', 'j'],
  ['dh', 'd'],
  ['ough', 'o'],
  ['ou', 'u'],
  ['oo', 'u'],
  ['ck', 'k'],
  ['ks', 'x'],
  ['ch', 'c'],
  ['cz', 'c'],
  ['kh', 'h'],
  ['zh', 'j'],
  ['ph', 'f'],
  ['gh', 'g'],
  ['bh', 'b'],
  ['jh', 'j'],
  ['qu', 'k'],
  ['ee', 'i'],
  ['ea', 'ia'],
  ['ei', 'i'],
  ['ey', 'i'],
  ['ie', 'i'],
  ['iy', 'i'],
  ['ij', 'i'],
  ['yi', 'i'],
  ['yj', 'i'],
];
const BY_FIRST: { from: readonly number[]; to: readonly number[] }[][] = Array.from({ length: 36 }, () => []);
for (const [from, to] of CLUSTERS) BY_FIRST[code(from)]!.push({ from: [...from].map(code), to: [...to].map(code) });
const SINGLES = new Uint8Array(36).map((_, letter) => letter);
for (const [from, to] of ['qk', 'wv', 'yi']) SINGLES[code(from!)] = code(to!);

const MAX_WORD = 512;
const letters = new Uint8Array(MAX_WORD + 4);
const folded = new Uint8Array(2 * MAX_WORD);

/** @param word a-z and 0-9 */
export function foldWord(word: string): Uint8Array {
  const length = Math.min(word.length, MAX_WORD);
  for (let at = 0; at < length; at += 1) {
    const unit = word.charCodeAt(at);
    letters[at] = unit >= 97 ? unit - 97 : unit - 48 + FIRST_DIGIT;
  }
  letters.fill(NOTHING, length, length + 4);
  let out = 0;
  for (let at = 0; at < length; ) {
    const letter = letters[at]!;
    // The first of a double consonant says nothing, and must not hide what the second begins.
    if (letter === letters[at + 1] && IS_VOWEL[letter] === 0 && letter < FIRST_DIGIT) {
      // Of two `j` neither is a vowel: Hajj.
      if (letter === J) out = put(out, J);
      at += letter === J ? 2 : 1;
      continue;
    }
    const cluster = clusterAt(at);
    if (cluster !== undefined) {
      for (const folding of cluster.to) out = put(out, folding);
      at += cluster.from.length;
      continue;
    }
    if (letter === E && letters[at + 1] === J && IS_VOWEL[letters[at + 2]!] === 0) {
      out = put(out, I);
      at += 2;
      continue;
    }
    out = put(out, singleAt(at));
    at += 1;
  }
  if (out > 3 && folded[out - 1] === H && IS_VOWEL[folded[out - 2]!] === 1) out -= 1;
  if (out > 3 && folded[out - 1] === F && folded[out - 2] === O) folded[out - 1] = V;
  return folded.slice(0, out);
}

/** Double letters are one; so are equal letters that folding brought together. Digits stay. */
function put(out: number, letter: number): number {
  if (out > 0 && folded[out - 1] === letter && letter < FIRST_DIGIT) return out;
  folded[out] = letter;
  return out + 1;
}

function clusterAt(at: number): { from: readonly number[]; to: readonly number[] } | undefined {
  const list = BY_FIRST[letters[at]!]!;
  for (let i = 0; i < list.length; i += 1) {
    const { from } = list[i]!;
    let same = 1;
    while (same < from.length && letters[at + same] === from[same]) same += 1;
    if (same === from.length) return list[i];
  }
  return undefined;
}

function singleAt(at: number): number {
  const letter = letters[at]!;
  const next = letters[at + 1]!;
  if (letter === X) return at === 0 ? S : X;
  if (letter === C) return next === E || next === I || next === code('y') ? S : K;
  // `j` is a consonant before a vowel and a vowel elsewhere: Jabhat, Sergej.
  if (letter === J) return IS_VOWEL[next] === 1 ? J : I;
  return SINGLES[letter]!;
}

/** Two folded words written together, with the letters they share at the seam as one. */
export function joinFolded(a: Uint8Array, b: Uint8Array): Uint8Array {
  const shared = a.length > 0 && b.length > 0 && a[a.length - 1] === b[0] && b[0]! < FIRST_DIGIT ? 1 : 0;
  const all = new Uint8Array(a.length + b.length - shared);
  all.set(a);
  all.set(shared === 1 ? b.subarray(1) : b, a.length);
  return all;
}

const BASE = 0x01000193;

// Consonants that are taken for one another.
const SKELETON_CLASS = new Uint8Array(36).map((_, letter) => letter);
for (const [from, to] of ['zs', 'cs', 'js', 'gk', 'hk', 'bp', 'dt', 'fv', 'nm'])
  SKELETON_CLASS[code(from!)] = code(to!);

/** Hash of the consonants by class: equal for words that differ in vowels and in letters that sound alike. 0 when there are fewer than `least`. */
export function skeletonKey(codes: Uint8Array, least: number): number {
  let hash = 0x811c9dc5;
  let count = 0;
  for (let at = 0; at < codes.length; at += 1) {
    const letter = codes[at]!;
    if (IS_VOWEL[letter] === 1) continue;
    hash = Math.imul(hash ^ (SKELETON_CLASS[letter]! + 1), BASE);
    count += 1;
  }
  return count >= least ? hash | 1 : 0;
}

/** Hash of the word with one sign for every run of vowels: equal for words that differ in which vowels they have. */
export function patternKey(codes: Uint8Array): number {
  let hash = 0x2166f261;
  let before = NOTHING;
  for (let at = 0; at < codes.length; at += 1) {
    const letter = IS_VOWEL[codes[at]!] === 1 ? A : codes[at]!;
    if (letter === A && before === A) continue;
    before = letter;
    hash = Math.imul(hash ^ (letter + 1), BASE);
  }
  return hash | 1;
}

// Letters that scripts without vowels do not tell apart for certain.
const ABJAD_CLASS = new Uint8Array(36).map((_, letter) => letter);
for (const [from, to] of ['js', 'cs', 'zs', 'ds', 'gk']) ABJAD_CLASS[code(from!)] = code(to!);

/**
 * Hash of the consonants that a script without vowels writes for certain: no v (waw) and no vowel. 0 for none. `hardJ`:
 * j read as g, as Egypt does (Gamal for Jamal).
 */
export function abjadKey(codes: Uint8Array, hardJ = false): number {
  let hash = 0x1234567;
  let count = 0;
  let before = NOTHING;
  for (let at = 0; at < codes.length; at += 1) {
    const letter = codes[at]!;
    if (IS_VOWEL[letter] === 1 || letter === V) continue;
    const kind = ABJAD_CLASS[hardJ && letter === J ? K : letter]!;
    if (kind === before) continue;
    before = kind;
    hash = Math.imul(hash ^ (kind + 1), BASE);
    count += 1;
  }
  return count > 0 ? hash | 1 : 0;
}

/** Sum over the letters of a word as written: equal for words that are anagrams of each other. */
export function lettersKey(word: string): number {
  let sum = 0;
  for (let at = 0; at < word.length; at += 1) {
    const unit = word.charCodeAt(at);
    sum = (sum + Math.imul(unit * unit, 0x9e3779b1) + Math.imul(unit, 0x85ebca6b)) | 0;
  }
  return sum;
}

/** The letters in alphabetical order. */
export const lettersOf = (word: string): string => [...word].sort().join('');

/** One bit for each letter that occurs; digits share one. */
export function maskOf(codes: Uint8Array): number {
  let mask = 0;
  for (let at = 0; at < codes.length; at += 1) mask |= 1 << (codes[at]! < FIRST_DIGIT ? codes[at]! : 30);
  return mask;
}

/**
 * One bit for each class of consonants that occurs, without those that may stand for a vowel, be silent or be two:
 * a class that one of two words lacks costs a whole edit.
 */
export function classMaskOf(codes: Uint8Array): number {
  let mask = 0;
  for (let at = 0; at < codes.length; at += 1) {
    const letter = codes[at]!;
    if (letter < FIRST_DIGIT && IS_VOWEL[letter] === 0 && letter !== H && letter !== V && letter !== X) {
      mask |= 1 << SKELETON_CLASS[letter]!;
    }
  }
  return mask;
}

/** Number of bits set. */
export function bitsOf(mask: number): number {
  let n = mask - ((mask >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
