/** From a name as somebody wrote it to words of lower-case ASCII, with what the writing itself told us about them. */
import { romanise, type Script, scriptOf } from './romanise.ts';

/** Characters of a name that are looked at. What is cut off is reported, and such a name is never `clear`. */
export const MAX_NAME_CHARACTERS = 512;
/** Words of a name that are looked at, with the same rule. */
export const MAX_NAME_WORDS = 32;

export interface Word {
  /** a-z and 0-9 only, never empty. */
  readonly text: string;
  readonly script: Script;
  /** Written in capitals although the name is not: `JC Juncker`. */
  readonly capitals: boolean;
  /** Stood directly before a full stop. */
  readonly dotted: boolean;
  /** Position of the comma-separated part the word stands in. */
  readonly part: number;
}

export interface Words {
  readonly words: readonly Word[];
  /** The name was longer than the limits above. */
  readonly cut: boolean;
}

// Controls, zero-width and bidirectional marks, variation selectors, combining marks of Latin, pictographs.
const INVISIBLE = /\p{Cc}|\p{Cf}|\u034f|\u115f|\u1160|\u17b4|\u17b5|[\ufe00-\ufe0f]/gu;
const PICTOGRAPHS = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u20e3/gu;
const APOSTROPHES = /['’‘‛`´ʻʼʽʾʿˈ′＇]/g;
const POSSESSIVE = /['’]s(?![\p{L}\p{N}])/giu;
const PLAIN_ASCII = /^[\x20-\x7e]*$/;
const ASCII_WORD = /[A-Za-z0-9]+/g;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/** Splits a name into words. Deterministic; never throws; no words means that there was nothing to compare. */
export function wordsOf(name: string): Words {
  const cut = name.length > MAX_NAME_CHARACTERS;
  // A surrogate pair may be split by the cut: the half left over is dropped with the other marks.
  let text = cut ? name.slice(0, MAX_NAME_CHARACTERS) : name;
  const ascii = PLAIN_ASCII.test(text);
  if (!ascii) text = cleanUnicode(text);
  text = text.replace(POSSESSIVE, '').replace(APOSTROPHES, '').replaceAll('&', ' and ').replaceAll('%', ' percent ');
  const shouting = !/[a-z]/.test(text);
  const words: Word[] = [];
  let part = 0;
  let end = 0;
  const matches = [...text.matchAll(ascii ? ASCII_WORD : WORD)];
  for (const match of matches) {
    const raw = match[0];
    if (text.slice(end, match.index).includes(',')) part += 1;
    end = match.index + raw.length;
    if (words.length >= MAX_NAME_WORDS) return { words, cut: true };
    const script = ascii ? 'latin' : scriptOf(raw);
    const capitals = !shouting && raw.length > 1 && raw === raw.toUpperCase() && raw !== raw.toLowerCase();
    const dotted = text.charCodeAt(end) === 46;
    const texts = ascii ? [raw.toLowerCase()] : romanise(raw, script, matches.length === 1);
    for (const word of texts) if (word !== '') words.push({ text: word, script, capitals, dotted, part });
  }
  return { words, cut };
}

function cleanUnicode(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\u200b\u2060\ufeff\u00ad]/g, '')
    .replace(/[\t\n\r\u2028\u2029]/g, ' ')
    .replace(INVISIBLE, '')
    .replace(PICTOGRAPHS, ' ')
    .replace(/\p{Cs}/gu, '')
    .replaceAll('،', ',')
    .replaceAll('，', ',');
}

/**
 * The plain normal form of a name: words of lower-case ASCII with one space between them, in the order written.
 * Equal for spellings that differ in case, marks, punctuation, script (as far as it can be romanised) and invisible
 * characters. Empty when the name holds no letter and no digit.
 */
export const normaliseName = (name: string): string =>
  wordsOf(name)
    .words.map((word) => word.text)
    .join(' ');
