/** Numbers written as words, and Roman numerals, to their digits. */
const UNITS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen';
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety';
const ORDINALS = 'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth';
const OTHER = `eins:1 zwei:2 drei:3 vier:4 funf:5 sechs:6 sieben:7 acht:8 neun:9 zehn:10 uno:1 tres:3 cuatro:4 cinco:5 seis:6 siete:7
ocho:8 nueve:9 diez:10 deux:2 trois:3 quatre:4 cinq:5 huit:8 neuf:9 dix:10 odin:1 dva:2 chetyre:4 pyat:5 shest:6 vosem:8
primero:1 primera:1 segundo:2 segunda:2 tercero:3 erste:1 zweite:2 pervyy:1 pervaya:1 vtoroy:2 tretiy:3 hundred:100 thousand:1000`;

export const numberWords: ReadonlyMap<string, number> = new Map([
  ...UNITS.split(' ').map((word, at) => [word, at] as const),
  ...TENS.split(' ').map((word, at) => [word, 20 + 10 * at] as const),
  ...ORDINALS.split(' ').map((word, at) => [word, at + 1] as const),
  ...OTHER.split(/\s+/).map((pair) => [pair.split(':')[0]!, Number(pair.split(':')[1])] as const),
]);

const ROMAN = /^(?=[ivx])x{0,3}(?:ix|iv|v?i{0,3})$/;
const ROMAN_DIGITS: Record<string, number> = { i: 1, v: 5, x: 10 };

/** Value of a Roman numeral up to 39, undefined when the word is no such number. */
export function romanValue(word: string): number | undefined {
  if (!ROMAN.test(word)) return undefined;
  let value = 0;
  for (let at = 0; at < word.length; at += 1) {
    const digit = ROMAN_DIGITS[word[at]!]!;
    value += digit < (ROMAN_DIGITS[word[at + 1] ?? ''] ?? 0) ? -digit : digit;
  }
  return value;
}
