/** From a name as somebody wrote it to words of lower-case ASCII, with what the writing itself told us about them. */
import { joinedNames } from './abjad.ts';
import { romanise, type Script, scriptOf } from './romanise.ts';

/** Characters of a name that are looked at. What is cut off is reported, and such a name is never `clear`. */
export const MAX_NAME_CHARACTERS = 512;
/** The part of a name that is looked at, and one character more when there is more: for patterns that read it first. */
export const capped = (name: string): string =>
  name.length > MAX_NAME_CHARACTERS ? name.slice(0, MAX_NAME_CHARACTERS + 1) : name;

/** Words of a name that are looked at, with the same rule. */
export const MAX_NAME_WORDS = 32;

export interface Word {
  /** a-z and 0-9 only, never empty. */
  readonly text: string;
  readonly script: Script;
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
// Letters and digits with the marks that only part words: the bulk of all names.
const SIMPLE = /^[A-Za-z0-9 ,.()/"-]*$/;
const ASCII_WORD = /[A-Za-z0-9]+/g;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/** Splits a name into words. Deterministic; never throws; no words means that there was nothing to compare. */
export function wordsOf(name: string): Words {
  if (name === lastName) return lastWords;
  lastWords = readWords(name);
  lastName = name;
  return lastWords;
}

// A name is read for its normal form and for its comparison, one after the other.
let lastName = '';
let lastWords: Words = { words: [], cut: false };

function readWords(name: string): Words {
  if (name.length <= MAX_NAME_CHARACTERS && SIMPLE.test(name)) return readSimple(name);
  const cut = name.length > MAX_NAME_CHARACTERS;
  // A surrogate pair may be split by the cut: the half left over is dropped with the other marks.
  let text = cut ? name.slice(0, MAX_NAME_CHARACTERS) : name;
  const ascii = PLAIN_ASCII.test(text);
  if (!ascii) text = joinedNames(cleanUnicode(text));
  text = text.replace(POSSESSIVE, '').replace(APOSTROPHES, '').replaceAll('&', ' and ').replaceAll('%', ' percent ');
  const words: Word[] = [];
  let part = 0;
  let end = 0;
  const matches = [...text.matchAll(ascii ? ASCII_WORD : WORD)];
  for (const match of matches) {
    const raw = match[0];
    if (text.slice(end, match.index).includes(',')) part += 1;
    end = match.index + raw.length;
    if (words.length >= MAX_NAME_WORDS) return { words, cut: true };
    let script: Script = ascii ? 'latin' : scriptOf(raw);
    // Beside other words a Chinese name has one or two characters.
    if (script === 'han' && raw.length > 2 && matches.length > 1) script = 'sounds';
    const read = ascii ? [{ text: raw.toLowerCase(), script }] : romanise(raw, script, matches.length === 1);
    for (const word of read) if (word.text !== '') words.push({ ...word, part });
  }
  return { words, cut };
}

function readSimple(name: string): Words {
  const words: Word[] = [];
  let part = 0;
  let start = -1;
  for (let at = 0; at <= name.length; at += 1) {
    const unit = at < name.length ? name.charCodeAt(at) : 32;
    if ((unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || (unit >= 48 && unit <= 57)) {
      if (start < 0) start = at;
      continue;
    }
    if (start >= 0) {
      if (words.length >= MAX_NAME_WORDS) return { words, cut: true };
      words.push({ text: name.slice(start, at).toLowerCase(), script: 'latin', part });
      start = -1;
    }
    if (unit === 44 && words.length > 0) part += 1;
  }
  return { words, cut: false };
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
