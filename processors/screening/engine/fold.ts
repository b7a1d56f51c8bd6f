/**
 * The folded form of a word: letters that transliterations use for one another become one letter, so that `Khamenei`
 * and `Hamenei`, `Yusuf` and `Iousouf` meet. Letters of the result: a b c(=ch) d e f g h i j k l m n o p r s t u v z 0-9.
 */

const VOWELS = 'aeiou';
const isVowel = (letter: string | undefined): boolean => letter !== undefined && VOWELS.includes(letter);

/** Longest first; each is replaced as a whole, then reading goes on behind it. */
const CLUSTERS: readonly (readonly [string, string])[] = [
  ['shch', 's'],
  ['dzh', 'j'],
  ['sch', 's'],
  ['tch', 'c'],
  ['tsch', 'c'],
  ['ough', 'o'],
  ['ck', 'k'],
  ['ch', 'c'],
  ['kh', 'h'],
  ['sh', 's'],
  ['zh', 'j'],
  ['dj', 'j'],
  ['dh', 'd'],
  ['th', 't'],
  ['ph', 'f'],
  ['gh', 'g'],
  ['bh', 'b'],
  ['jh', 'j'],
  ['tz', 'ts'],
  ['cz', 'c'],
  ['ou', 'u'],
  ['oo', 'u'],
  ['ee', 'i'],
  ['ea', 'ia'],
  ['ie', 'i'],
  ['ei', 'i'],
  ['ey', 'i'],
  ['iy', 'i'],
  ['yi', 'i'],
  ['ij', 'i'],
  ['yj', 'i'],
  ['qu', 'k'],
  ['ks', 'ks'],
];
const BY_FIRST = new Map<string, (readonly [string, string])[]>();
for (const cluster of [...CLUSTERS].sort((a, b) => b[0].length - a[0].length)) {
  const first = cluster[0][0]!;
  BY_FIRST.set(first, [...(BY_FIRST.get(first) ?? []), cluster]);
}
const SINGLES: Record<string, string> = { q: 'k', w: 'v', y: 'i' };

/** @param word a-z and 0-9 */
export function foldWord(word: string): string {
  let out = '';
  for (let at = 0; at < word.length; ) {
    const [text, length] = foldAt(word, at);
    // Double letters are one; so are equal letters that folding brought together.
    for (const letter of text) if (!out.endsWith(letter) || letter <= '9') out += letter;
    at += length;
  }
  if (out.length > 3 && out.endsWith('h') && isVowel(out.at(-2))) out = out.slice(0, -1);
  if (out.length > 3 && out.endsWith('of')) out = `${out.slice(0, -1)}v`;
  return out;
}

function foldAt(word: string, at: number): readonly [string, number] {
  const letter = word[at]!;
  for (const [cluster, folded] of BY_FIRST.get(letter) ?? []) {
    if (word.startsWith(cluster, at)) return [folded, cluster.length];
  }
  if (letter === 'x') return [at === 0 ? 's' : 'ks', 1];
  if (letter === 'c') return ['eiy'.includes(word[at + 1] ?? '-') ? 's' : 'k', 1];
  if (letter === 'e' && word[at + 1] === 'j' && !isVowel(word[at + 2])) return ['i', 2];
  // `j` is a consonant before a vowel and a vowel elsewhere: Jabhat, Sergej.
  if (letter === 'j') return [isVowel(word[at + 1]) ? 'j' : 'i', 1];
  return [SINGLES[letter] ?? letter, 1];
}

/** The consonants: equal for words that differ in vowels only. */
export function skeletonOf(fold: string): string {
  let out = '';
  for (const letter of fold) if (!isVowel(letter)) out += letter;
  return out;
}

/** The word with one sign for every vowel: equal for words that differ in which vowels they have. */
export const patternOf = (fold: string): string => fold.replace(/[aeiou]+/g, 'a');

/** Consonants that a script without vowels writes for certain: no h, v (waw) or vowel. */
export function abjadKeyOf(fold: string): string {
  let out = '';
  for (const letter of fold) {
    if (isVowel(letter) || letter === 'h' || letter === 'v') continue;
    const kind = letter === 'j' || letter === 'c' || letter === 'z' ? 's' : letter === 'g' ? 'k' : letter;
    if (!out.endsWith(kind)) out += kind;
  }
  return out;
}

/** The letters in alphabetical order: equal for words that are anagrams of each other. */
export const lettersOf = (word: string): string => [...word].sort().join('');

/** Folded letters as small numbers: a-z are 0-25, 0-9 are 26-35. */
export function codesOf(fold: string): Uint8Array {
  const codes = new Uint8Array(fold.length);
  for (let at = 0; at < fold.length; at += 1) {
    const code = fold.charCodeAt(at);
    codes[at] = code >= 97 ? code - 97 : code - 48 + 26;
  }
  return codes;
}

/** One bit for each letter that occurs. */
export function maskOf(codes: Uint8Array): number {
  let mask = 0;
  for (const code of codes) mask |= 1 << Math.min(code, 30);
  return mask;
}
