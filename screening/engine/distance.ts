/**
 * Edit distance with costs of names: vowels are cheap, letters that transliteration or hearing confuse are cheaper
 * than letters that nothing confuses, neighbours swapped cost one.
 */

/** Letters and digits. */
export const SIZE = 36;
const VOWELS = [0, 4, 8, 14, 20]; // a e i o u

/** Which letters a script leaves unwritten decides what an edit means. */
export interface Costs {
  readonly substitute: Float64Array;
  /** A letter that only the first word has, and one that only the second has. */
  readonly onlyFirst: Float64Array;
  readonly onlySecond: Float64Array;
}

const code = (letter: string): number => letter.charCodeAt(0) - 97;

interface CostSettings {
  readonly vowelSwap: number;
  readonly vowelOnlyFirst: number;
  readonly vowelOnlySecond: number;
  /** Pairs of letters that stand for each other, and what that costs. */
  readonly pairs: string;
  readonly near: number;
  /** Consonants that are left out as easily as a vowel. */
  readonly silent: string;
  /** Any other consonant, in place of another or too many. */
  readonly consonant: number;
}

function costs(settings: CostSettings): Costs {
  const substitute = new Float64Array(SIZE * SIZE).fill(settings.consonant);
  const onlyFirst = new Float64Array(SIZE).fill(settings.consonant);
  const onlySecond = new Float64Array(SIZE).fill(settings.consonant);
  const set = (a: number, b: number, cost: number): void => {
    substitute[a * SIZE + b] = cost;
    substitute[b * SIZE + a] = cost;
  };
  for (const a of VOWELS) {
    onlyFirst[a] = settings.vowelOnlyFirst;
    onlySecond[a] = settings.vowelOnlySecond;
    for (let b = 0; b < 26; b += 1) set(a, b, VOWELS.includes(b) ? settings.vowelSwap : VOWEL_FOR_CONSONANT);
  }
  for (let i = 0; i < SIZE; i += 1) substitute[i * SIZE + i] = 0;
  for (const pair of settings.pairs.split(' ')) set(code(pair[0]!), code(pair[1]!), settings.near);
  for (const letter of settings.silent) {
    onlyFirst[code(letter)] = settings.vowelOnlyFirst;
    onlySecond[code(letter)] = settings.vowelOnlySecond;
  }
  // Digits never stand for one another.
  for (let digit = 26; digit < SIZE; digit += 1) {
    onlyFirst[digit] = 4;
    onlySecond[digit] = 4;
    for (let other = 0; other < SIZE; other += 1) if (other !== digit) set(digit, other, 4);
  }
  return { substitute, onlyFirst, onlySecond };
}

const VOWEL_FOR_CONSONANT = 1.3;

export const LATIN_COSTS = costs({
  vowelSwap: 0.55,
  vowelOnlyFirst: 0.75,
  vowelOnlySecond: 0.75,
  pairs: 'sz sc jc jz gj kh gk gh bp dt vf bv fp ck tc mn iv uv xk xs xh',
  near: 0.7,
  silent: 'h',
  consonant: 1,
});
/** The first word comes from a script that does not write its short vowels: those are free in the second. */
export const ABJAD_COSTS = costs({
  vowelSwap: 0.25,
  vowelOnlyFirst: 0.45,
  vowelOnlySecond: 0.12,
  pairs: 'sz jg ds dz kj bp vf vb gk uv ov iv ck sc',
  near: 0.4,
  silent: '',
  // Where vowels say nothing, consonants say all.
  consonant: 1.2,
});
/** The same with the words in the other order. */
export const ABJAD_SECOND_COSTS: Costs = {
  substitute: ABJAD_COSTS.substitute,
  onlyFirst: ABJAD_COSTS.onlySecond,
  onlySecond: ABJAD_COSTS.onlyFirst,
};
/** One word is the sounds of a foreign word in Chinese characters. */
export const SOUND_COSTS = costs({
  vowelSwap: 0.2,
  vowelOnlyFirst: 0.25,
  vowelOnlySecond: 0.25,
  pairs: 'sz jg bp vf vb gk uv ov iv ck sc lr dt kh fh sj',
  near: 0.3,
  silent: 'h',
  consonant: 1,
});

const WIDTH = 64;
const previous2 = new Float64Array(WIDTH);
const previous = new Float64Array(WIDTH);
const current = new Float64Array(WIDTH);

/**
 * Distance between two words of folded letters, Infinity as soon as it is certain to exceed `limit`.
 * @param from `b` is read from here, `m` letters
 * Uses module-level rows: synchronous callers only, which is what JavaScript gives.
 */
export function distance(
  a: Uint8Array,
  b: Uint8Array,
  limit: number,
  table: Costs,
  from = 0,
  length: number = b.length,
): number {
  // What both begin and end with costs nothing: most pairs differ in a few letters in the middle.
  let skipA = 0;
  let endA = a.length;
  let skipB = from;
  let endB = from + length;
  while (skipA < endA && skipB < endB && a[skipA] === b[skipB]) {
    skipA += 1;
    skipB += 1;
  }
  while (endA > skipA && endB > skipB && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  const n = endA - skipA;
  const m = endB - skipB;
  if (n >= WIDTH || m >= WIDTH) return Number.POSITIVE_INFINITY;
  const { substitute, onlyFirst, onlySecond } = table;
  let row0 = previous2;
  let row1 = previous;
  let row2 = current;
  row1[0] = 0;
  for (let j = 1; j <= m; j += 1) row1[j] = row1[j - 1]! + onlySecond[b[skipB + j - 1]!]!;
  for (let i = 1; i <= n; i += 1) {
    const x = a[skipA + i - 1]!;
    const gapX = onlyFirst[x]!;
    let best = row1[0]! + gapX;
    row2[0] = best;
    for (let j = 1; j <= m; j += 1) {
      const y = b[skipB + j - 1]!;
      let cost = row1[j - 1]! + substitute[x * SIZE + y]!;
      const up = row1[j]! + gapX;
      if (up < cost) cost = up;
      const left = row2[j - 1]! + onlySecond[y]!;
      if (left < cost) cost = left;
      if (i > 1 && j > 1 && x !== y && x === b[skipB + j - 2] && a[skipA + i - 2] === y) {
        const swapped = row0[j - 2]! + 1;
        if (swapped < cost) cost = swapped;
      }
      row2[j] = cost;
      if (cost < best) best = cost;
    }
    if (best > limit) return Number.POSITIVE_INFINITY;
    const spare = row0;
    row0 = row1;
    row1 = row2;
    row2 = spare;
  }
  return row1[m]! <= limit ? row1[m]! : Number.POSITIVE_INFINITY;
}

/** Whether `a` is the `length` letters of `b` from `from` on. */
export function sameLetters(a: Uint8Array, b: Uint8Array, from: number, length: number): boolean {
  if (a.length !== length) return false;
  for (let at = 0; at < length; at += 1) if (a[at] !== b[from + at]) return false;
  return true;
}
