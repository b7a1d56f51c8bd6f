/**
 * Any script to lower-case ASCII. Where a script does not write its vowels, or writes them in a way a general table
 * loses, it is read by rules of its own here; everything else goes through any-ascii.
 */
import anyAscii from 'any-ascii';
import { isAbjad, wordsOfAbjad } from './abjad.ts';

/** `known`: a word of a script without vowels that is known with them. `sounds`: Chinese characters for the sounds of a foreign word. */
export type Script = 'latin' | 'abjad' | 'known' | 'han' | 'sounds' | 'hangul' | 'kana' | 'indic' | 'other';

const HAN = /[\u3400-\u9fff\uf900-\ufaff]/;
const HANGUL = /[\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f]/;
const KANA = /[\u3040-\u30ff]/;
const INDIC = /[\u0900-\u0d7f]/;
const LATIN_ALIKE =
  // oxlint-disable-next-line no-misleading-character-class -- ranges of scripts, combining marks included
  /[\u0041-\u058f\u10a0-\u10ff\u1c80-\u1cbf\u1e00-\u1fff\u2c60-\u2c7f\u2de0-\u2dff\ua640-\ua69f\ua720-\ua7ff\uff21-\uff5a]/;

/** The script of a word, by the first character that decides it. */
export function scriptOf(word: string): Script {
  if (isAbjad(word)) return 'abjad';
  if (KANA.test(word)) return 'kana';
  if (HAN.test(word)) return 'han';
  if (HANGUL.test(word)) return 'hangul';
  if (INDIC.test(word)) return 'indic';
  return LATIN_ALIKE.test(word) || /^[\p{ASCII}]*$/u.test(word) ? 'latin' : 'other';
}

/** A word in Latin script, and what script says of how sure its letters are. */
export interface Romanised {
  readonly text: string;
  readonly script: Script;
}

/**
 * Words of a word: most give one. A Chinese or Korean name written as one word gives family and given name (`alone`:
 * the word is the whole name), and the Arabic article becomes a word of its own, as romanised names write it.
 */
export function romanise(word: string, script: Script, alone: boolean): Romanised[] {
  if (script === 'abjad') {
    return wordsOfAbjad(word).map(({ text, known }) => ({ text, script: known ? 'known' : 'abjad' }));
  }
  return textsOf(word, script, alone).map((text) => ({ text, script }));
}

function textsOf(word: string, script: Script, alone: boolean): string[] {
  if (script === 'indic') return [readIndic(word)];
  if (script === 'hangul') return alone ? familyFirst(syllablesOfHangul(word)) : [syllablesOfHangul(word).join('')];
  if (script === 'han' && alone) {
    return familyFirst(syllablesOfHan(word), COMPOUND_SURNAMES.has(word.slice(0, 2)) ? 2 : 1);
  }
  return [letters(anyAscii(word))];
}

const letters = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');

/** `LiKeQiang` is a family name and a given name of two syllables; a longer word is a transcription, kept whole. */
function familyFirst(syllables: string[], familyLength = 1): string[] {
  const name = syllables.length - familyLength;
  if (syllables.length < 2 || name < 1 || name > 2) return [syllables.join('')];
  return [syllables.slice(0, familyLength).join(''), syllables.slice(familyLength).join('')];
}

const COMPOUND_SURNAMES = new Set(
  '欧阳 歐陽 司马 司馬 上官 诸葛 諸葛 夏侯 皇甫 尉迟 尉遲 公孙 公孫 慕容 令狐 司徒 端木 东方 東方 独孤 獨孤 南宫 南宮'.split(
    ' ',
  ),
);

function syllablesOfHan(word: string): string[] {
  const syllables: string[] = [];
  for (const character of word) {
    const syllable = letters(anyAscii(character));
    if (syllable !== '') syllables.push(syllable);
  }
  return syllables;
}

// Korean as the lists romanise it (close to McCune-Reischauer without its marks): Kim Jong Un, Pak Mun Il.
const HANGUL_INITIALS = 'k kk n t tt r m p pp s ss  j jj ch k t p h'.split(' ');
const HANGUL_VOWELS = 'a ae ya yae o e yo ye o wa wae oe yo u wo we wi yu u ui i'.split(' ');
const HANGUL_FINALS = ' k k k n n n t l k m l l l p l m p p t t ng t t k t p t'.split(' ');
const HANGUL_SURNAMES: Record<string, string> = { 이: 'ri', 임: 'rim', 유: 'ryu', 양: 'ryang', 노: 'ro', 여: 'ryo' };

function syllablesOfHangul(word: string): string[] {
  const syllables: string[] = [];
  for (const character of word.normalize('NFC')) {
    const index = character.codePointAt(0)! - 0xac00;
    if (index < 0 || index > 11_171) continue;
    const initial = HANGUL_INITIALS[Math.floor(index / 588)]!;
    const vowel = HANGUL_VOWELS[Math.floor((index % 588) / 28)]!;
    syllables.push(initial + vowel + HANGUL_FINALS[index % 28]!);
  }
  const surname = HANGUL_SURNAMES[word[0] ?? ''];
  if (surname !== undefined && syllables.length > 1) syllables[0] = surname;
  return syllables;
}

// The Indic blocks share one layout, so one table by position in the block serves all nine.
const INDIC_BLOCK = 0x80;
const INDIC_CONSONANTS =
  'k kh g gh n ch chh j jh n t th d dh n t th d dh n n p ph b bh m y r r l l l v sh sh s h'.split(' ');
const INDIC_VOWELS = 'a a i i u u ri li e e e ai o o o au'.split(' ');
const INDIC_SIGNS = 'a i i u u ri ri e e e ai o o o au'.split(' ');
const INDIC_VIRAMA = 77;

function readIndic(word: string): string {
  let out = '';
  let open = false;
  for (const character of word.normalize('NFC')) {
    const point = character.codePointAt(0)!;
    const at = point >= 0x900 && point < 0xd80 ? point % INDIC_BLOCK : -1;
    const consonant = at >= 21 && at <= 57 ? INDIC_CONSONANTS[at - 21] : undefined;
    const sign = INDIC_SIGNS[at - 62];
    if (consonant !== undefined) {
      out += (open ? 'a' : '') + consonant;
      open = true;
    } else if (sign !== undefined || INDIC_VOWELS[at - 5] !== undefined) {
      out += sign ?? (open ? 'a' : '') + INDIC_VOWELS[at - 5]!;
      open = false;
    } else if (at === INDIC_VIRAMA) {
      open = false;
    } else if (at === 1 || at === 2) {
      out += open ? 'an' : 'n';
      open = false;
    } else if (at < 0) {
      out += letters(anyAscii(character));
      open = false;
    }
  }
  return out;
}
