import { countrySpellings } from '../lists/countries.ts';
import type { NameWeights } from './config.ts';
import type { Part, Pool, PreparedName, Role } from './name.ts';
import { capped, normaliseName, type Word, wordsOf } from './normalise.ts';
import { isWrittenWithoutVowels, writingOf } from './prepare-person.ts';
import { type FormClass, legalForms } from './tables/legal-forms.ts';
import { numberWords, romanValue } from './tables/numbers.ts';
import { genericWords, stopWords } from './tables/org-words.ts';
import type { Writing } from './token.ts';

const MAX_PHRASE = 6;
const STOP = new Set(stopWords);
const VESSEL_PREFIX = new Set('mv mt ms ss mts fv mtv my vessel'.split(' '));
const CAMEL = /(?<=[a-z])(?=[A-Z]{2}|[A-Z][a-z])/g;

/** Phrase of normalised words, joined by spaces, to what it stands for. */
const FORMS = new Map<string, FormClass>();
const FORM_WORDS = new Set<string>();
for (const [kind, spelling] of legalForms) {
  const phrase = joinLetters(normaliseName(spelling).split(' ')).join(' ');
  if (phrase === '' || FORMS.has(phrase)) continue;
  FORMS.set(phrase, kind);
  for (const word of phrase.split(' ')) if (word.length >= 6) FORM_WORDS.add(word);
}
/** Every form word with one letter left out, to find those with a typing error. */
const FORM_WORD_BY_GAP = new Map<string, string>();
for (const word of FORM_WORDS) for (const gap of gapsOf(word)) FORM_WORD_BY_GAP.set(gap, word);

const CONCEPTS = new Map<string, string>();
for (const [concept, ...words] of genericWords) {
  for (const word of [concept!, ...words]) {
    const key = normaliseName(word).replaceAll(' ', '');
    if (key !== '' && !CONCEPTS.has(key)) CONCEPTS.set(key, concept!.replaceAll('-', ''));
  }
}
const LIGHT = new Set('group holding enterprise organization'.split(' '));
const PLACES = new Map<string, string>();
for (const [code, spelling] of countrySpellings) {
  const phrase = normaliseName(spelling);
  if (phrase.length > 2 || phrase === 'uk' || phrase === 'rf') PLACES.set(phrase, code.toLowerCase());
}
for (const region of 'europe european:europe asia asian:asia africa african:africa america:us americas:us eurasia eurasian:eurasia'.split(
  ' ',
)) {
  const [word, code = word] = region.split(':');
  if (!PLACES.has(word!)) PLACES.set(word!, `region${code}`);
}

/** An organisation's name (`object`: the name of a vessel or an aircraft, in which no word is generic). */
export function prepareOrganisation(
  whole: string,
  weights: NameWeights,
  pool: Pool,
  kind: 'organisation' | 'object' = 'organisation',
): PreparedName {
  const name = capped(whole);
  const read = wordsOf(/[a-z][A-Z]/.test(name) ? name.replace(CAMEL, ' ') : name);
  const script = new Map(read.words.map((word: Word) => [word.text, word.script]));
  let words = joinLetters(read.words.map((word) => word.text));
  const forms = new Set<FormClass>();
  if (kind === 'organisation') words = takeForms(words, forms);
  else if (words.length > 1 && VESSEL_PREFIX.has(words[0]!)) words = words.slice(1);
  const numbers: number[] = [];
  words = takeNumbers(words, numbers);
  const left = words.filter((word) => !STOP.has(word));
  if (left.length > 0) words = left;
  const parts: Part[] = [];
  let acronym = '';
  let bearing = 0;
  let weight = 0;
  for (let at = 0; at < words.length; ) {
    const [part, length] = partAt(words, at, weights, pool, kind, writingOf(script.get(words[at]!) ?? 'latin'));
    parts.push(part);
    for (let i = at; i < at + length; i += 1) acronym += words[i]![0];
    if (part.role === 'word') bearing += 1;
    weight += part.weight;
    at += length;
  }
  return {
    class: kind,
    text: whole,
    parts,
    weight,
    bearing,
    numbers: numbers.sort((a, b) => a - b),
    forms: [...forms].sort(),
    acronym: acronym.length >= 3 && kind === 'organisation' ? acronym : '',
    explicit: false,
    abjad: read.words.some(isWrittenWithoutVowels),
    cut: read.cut,
  };
}

function partAt(
  words: readonly string[],
  at: number,
  weights: NameWeights,
  pool: Pool,
  kind: 'organisation' | 'object',
  writing: Writing,
): [Part, number] {
  const part = (text: string, role: Role, weight: number): Part => ({
    spelling: pool.of(text, writing),
    role,
    weight,
    side: undefined,
  });
  const word = words[at]!;
  if (kind === 'object') return [part(word, 'word', word.length <= 2 ? weights.short : 1), 1];
  for (let length = Math.min(4, words.length - at); length >= 1; length -= 1) {
    const place = PLACES.get(length === 1 ? word : words.slice(at, at + length).join(' '));
    if (place !== undefined) return [part(place, 'place', weights.place), length];
  }
  const pair = at + 1 < words.length ? CONCEPTS.get(word + words[at + 1]!) : undefined;
  if (pair !== undefined) return [part(pair, 'generic', weights.generic), 2];
  const concept = CONCEPTS.get(word);
  if (concept !== undefined) return [part(concept, 'generic', LIGHT.has(concept) ? weights.light : weights.generic), 1];
  return [part(word, 'word', word.length <= 2 ? weights.short : 1), 1];
}

/** `a b c` is an abbreviation written apart: `abc`. */
export function joinLetters(words: readonly string[]): string[] {
  const out: string[] = [];
  let run = '';
  for (const word of [...words, '']) {
    if (word.length === 1 && word >= 'a') {
      run += word;
      continue;
    }
    if (run !== '') out.push(run);
    run = '';
    if (word !== '') out.push(word);
  }
  return out;
}

/** Takes legal forms out, longest phrase first; short ones only from the ends, where they cannot be part of a name. */
function takeForms(words: readonly string[], forms: Set<FormClass>): string[] {
  const repaired = words.map(repairFormWord);
  const left: string[] = [];
  for (let at = 0; at < repaired.length; ) {
    const length = formLengthAt(repaired, at);
    if (length === 0) {
      left.push(words[at]!);
      at += 1;
      continue;
    }
    forms.add(FORMS.get(repaired.slice(at, at + length).join(' '))!);
    at += length;
  }
  if (left.length > 0) return left;
  // Nothing but forms: then they are the name.
  forms.clear();
  return [...words];
}

function formLengthAt(words: readonly string[], at: number): number {
  for (let length = Math.min(MAX_PHRASE, words.length - at); length >= 1; length -= 1) {
    const phrase = length === 1 ? words[at]! : words.slice(at, at + length).join(' ');
    if (!FORMS.has(phrase)) continue;
    if (phrase.length > 3 || at === 0 || isEnd(words, at + length)) return length;
  }
  return 0;
}

/** Only forms and places follow. */
function isEnd(words: readonly string[], from: number): boolean {
  for (let at = from; at < words.length; at += 1) {
    if (!FORMS.has(words[at]!) && !PLACES.has(words[at]!)) return false;
  }
  return true;
}

function repairFormWord(word: string): string {
  if (word.length < 6 || FORM_WORDS.has(word)) return word;
  const missing = FORM_WORD_BY_GAP.get(word);
  if (missing !== undefined) return missing;
  if (CONCEPTS.has(word) || PLACES.has(word)) return word;
  for (const gap of gapsOf(word)) {
    if (FORM_WORDS.has(gap)) return gap;
  }
  return word;
}

function gapsOf(word: string): string[] {
  return Array.from({ length: word.length }, (_, at) => word.slice(0, at) + word.slice(at + 1));
}

/** Takes numbers out: digits, number words (`forty four`), ordinals, Roman numerals behind the first word. */
function takeNumbers(words: readonly string[], numbers: number[]): string[] {
  const left: string[] = [];
  let open: number | undefined;
  words.forEach((word, at) => {
    const digits = /^(\d{1,15})(?:st|nd|rd|th)?$/.exec(word)?.[1];
    const value =
      digits !== undefined ? Number(digits) : (numberWords.get(word) ?? (at > 0 ? romanValue(word) : undefined));
    if (value === undefined) {
      left.push(word);
      open = undefined;
      return;
    }
    if (open !== undefined && open >= 20 && open < 100 && open % 10 === 0 && value < 10) {
      numbers[numbers.length - 1] = open + value;
      open = undefined;
      return;
    }
    numbers.push(value);
    open = value;
  });
  if (left.length > 0) return left;
  numbers.length = 0;
  return [...words];
}
