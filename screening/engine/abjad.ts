/**
 * Scripts that leave out short vowels: Arabic with its daughters, and Hebrew. The names that many bear are known by how
 * Latin script writes them; every other word is read letter by letter and waits for a comparison that expects no vowels.
 */
import anyAscii from 'any-ascii';
import { abjadWords } from './tables/abjad-words.ts';

const ABJAD = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

export const isAbjad = (text: string): boolean => ABJAD.test(text);

/** A word in Latin script; `known`: with its vowels. */
export interface AbjadWord {
  readonly text: string;
  readonly known: boolean;
}

// What writers leave out or write in more than one way: signs, the hamza, the forms of yeh, kaf and heh.
const SIGNS = /\p{M}|\p{Cf}|\u0640|ء/gu;
const VARIANTS = pairs('أ=ا إ=ا آ=ا ٱ=ا ى=ي ی=ي ې=ي ئ=ي ک=ك ة=ه ۀ=ه ہ=ه ھ=ه ؤ=و');
const VARIANT = new RegExp(`[${[...VARIANTS.keys()].join('')}]`, 'g');
const plain = (word: string): string =>
  word
    .normalize('NFKC')
    .replace(SIGNS, '')
    .replace(VARIANT, (letter) => VARIANTS.get(letter)!);

const KNOWN = new Map(abjadWords.flatMap(([latin, written]) => written.map((word) => [plain(word), latin])));

const ARTICLE = 'ال';
/** Words that are written together with the one before or after them, and apart in Latin script. */
const SERVANT = 'عبد';
const GOD = 'الله';
const FAITH = 'الدين';
/** Letters that a word must have beside the article, else it is no article. */
const MIN_BESIDE = 3;
/** The same for what stands before God or the faith. */
const MIN_BEFORE = 2;

/**
 * The words of a word: the article, and what often grows together with a name (`Abd al-Halim`, `Nasr Allah`,
 * `Nur al-Din`), become words of their own, as romanised names write them.
 */
export function wordsOfAbjad(written: string): AbjadWord[] {
  const word = plain(written);
  const known = KNOWN.get(word);
  if (known !== undefined) return [{ text: known, known: true }];
  const seam = seamOf(word);
  if (seam === 0) return [{ text: readLetters(written), known: false }];
  const at = positionOf(written, seam);
  return [written.slice(0, at), written.slice(at)].flatMap(wordsOfAbjad);
}

/** After how many letters a word parts; 0 when it does not. */
function seamOf(word: string): number {
  if (word.startsWith(SERVANT + ARTICLE)) return SERVANT.length;
  const start = [GOD, ARTICLE].find((known) => word.startsWith(known));
  if (start !== undefined && word.length - start.length >= MIN_BESIDE) return start.length;
  const end = [GOD, FAITH].find((known) => word.endsWith(known));
  return end !== undefined && word.length - end.length >= MIN_BEFORE ? word.length - end.length : 0;
}

/** Where in a word as it was written so many letters end: signs are not counted. */
function positionOf(written: string, letters: number): number {
  let at = 0;
  for (let left = letters; at < written.length; at += 1) {
    if (plain(written[at]!) === '') continue;
    if (left === 0) break;
    left -= 1;
  }
  return at;
}

const TWO_WORDS_FOR_ONE = /(?<![\p{L}\p{M}])(عبد|عبيد)\s+(الله|اللہ|لله)(?![\p{L}\p{M}])/gu;

/** `Abd Allah`, written apart, is the one name Abdullah. */
export const joinedNames = (text: string): string => text.replace(TWO_WORDS_FOR_ONE, '$1الله');

/** `a=b c=d` as a map. */
function pairs(text: string): Map<string, string> {
  return new Map(
    text
      .trim()
      .split(/\s+/)
      .map((pair) => pair.split('=') as [string, string]),
  );
}

const lettersOf = (character: string): string =>
  anyAscii(character)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');

// Consonants as usual in romanised names; alef, waw and yeh keep a letter because they often stand for a vowel.
const LETTERS = pairs(`
  ا=a أ=a إ=i آ=a ٱ=a ب=b پ=p ت=t ة=a ث=th ج=j چ=ch ح=h خ=kh د=d ذ=dh ر=r ز=z ژ=zh س=s ش=sh ص=s ض=d ط=t
  ظ=z ع=a غ=gh ف=f ق=q ك=k ک=k گ=g ل=l م=m ن=n ه=h ھ=h ہ=h ۀ=a و=w ؤ=w ي=y ی=y ى=y ئ=y ء= ے=y ٹ=t ڈ=d
  ڑ=r ں=n ې=y ۍ=y ړ=r ښ=sh ځ=z څ=ts ډ=d ټ=t ڼ=n ڤ=v ڨ=q ۇ=u ە=e ۆ=o ێ=e ڵ=l ڕ=r א=a ב=b ג=g ד=d ה=h ו=w
  ז=z ח=h ט=t י=y כ=k ך=k ל=l מ=m ם=m נ=n ן=n ס=s ע=a פ=p ף=f צ=ts ץ=ts ק=k ר=r ש=sh ת=t
`);
// Written out, the vowel signs say what the letters leave open.
const VOWEL_SIGNS: Record<string, string> = { '\u064e': 'a', '\u064f': 'u', '\u0650': 'i' };

// Before a consonant a Latin `j` is mostly read as a vowel; here it never is one, and `dj` says so.
const startsConsonant = (read: string | undefined): boolean => read !== undefined && !/^[aeiou]/.test(read);

const FINAL_HEH = /[هہۀھ]\p{M}*$/u;

function readLetters(word: string): string {
  const reads: string[] = [];
  for (const character of word.normalize('NFKC')) {
    const read =
      LETTERS.get(character) ?? VOWEL_SIGNS[character] ?? (ABJAD.test(character) ? '' : lettersOf(character));
    if (read !== '') reads.push(read);
  }
  // At the end of a word the letter heh is seldom heard: it stands for the vowel before it.
  if (reads.length > 2 && reads.at(-1) === 'h' && FINAL_HEH.test(word) && startsConsonant(reads.at(-2))) {
    reads.splice(-1, 0, 'a');
  }
  return reads.map((read, at) => (read === 'j' && startsConsonant(reads[at + 1]) ? 'dj' : read)).join('');
}

// Letters that, written one after the other in Latin script, are read as one: bh, th, sh, dj, tz, ks and their like.
const READ_AS_ONE =
  /(?<=[بپتطٹجدضسصزظكکگבדגכטתס])(?=[هحھہה])|(?<=[دד])(?=ج)|(?<=[تطدטתד])(?=[زظז])|(?<=[كکכק])(?=[سصס])/gu;
const FATHA = '\u064e';

/**
 * The other reading of a name without vowels, for letters that Latin script would read as one: with a vowel between them
 * (`bahman`, `tahran`), where without one they are one (`fathi`, `ishaq`). Undefined when there is none.
 */
export function partedReading(name: string): string | undefined {
  if (!ABJAD.test(name)) return undefined;
  const text = joinedNames(name.normalize('NFKC')); // presentation forms are letters as well
  const parted = text.replace(WORD, (word) => (isKnown(word) ? word : word.replace(READ_AS_ONE, FATHA)));
  return parted === text ? undefined : parted;
}

const WORD = /[\p{L}\p{M}]+/gu;
const isKnown = (word: string): boolean => wordsOfAbjad(word).every(({ known }) => known);
