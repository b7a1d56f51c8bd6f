import type { NameWeights } from './config.ts';
import type { Part, Pool, PreparedName, Role } from './name.ts';
import { capped, type Word, wordsOf } from './normalise.ts';
import type { Script } from './romanise.ts';
import { legalForms } from './tables/legal-forms.ts';
import { commonNames, kunyas, particles, softTitles, titles } from './tables/person-words.ts';
import type { Writing } from './token.ts';

const TITLE = 1;
const SOFT_TITLE = 2;
const PARTICLE = 4;
const KUNYA = 8;
const COMMON = 16;
/** What is known of a word: one look-up for all tables. */
const KNOWN = new Map<string, number>();
for (const [mark, words] of [
  [TITLE, titles],
  [SOFT_TITLE, softTitles],
  [PARTICLE, particles],
  [KUNYA, kunyas],
  [COMMON, commonNames],
] as const) {
  for (const word of words) KNOWN.set(word, (KNOWN.get(word) ?? 0) | mark);
}
const FORMS = new Set(legalForms.map(([, spelling]) => spelling).filter((spelling) => /^[a-z]{2,5}$/.test(spelling)));
// Digits people write for letters: Ig0r Sech1n.
const LETTER_FOR_DIGIT: Record<string, string> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', 8: 'b', 9: 'g' };
const CAMEL = /(?<=[A-Za-z][a-z]{2,})(?=[A-Z][a-z]{2,})/g;

/** A person's name, whole or in parts. */
export interface PersonName {
  readonly name?: string;
  readonly given?: string;
  readonly middle?: string;
  readonly family?: string;
}

interface Piece {
  readonly word: Word;
  readonly side: Part['side'];
}

export function preparePerson(input: PersonName, weights: NameWeights, pool: Pool, explicit: boolean): PreparedName {
  const structured = input.family !== undefined && (input.given ?? input.middle) !== undefined;
  const pieces: Piece[] = [];
  let cut = false;
  const add = (text: string | undefined, side: Part['side']): void => {
    if (text === undefined) return;
    const read = wordsOf(camelSplit(capped(text)));
    cut ||= read.cut;
    for (const word of read.words) pieces.push({ word: side === undefined ? word : { ...word, part: 0 }, side });
  };
  if (structured) {
    add(input.given, 'given');
    add(input.middle, 'middle');
    add(input.family, 'family');
  } else {
    add(
      input.name ?? [input.given, input.middle, input.family].filter((part) => part !== undefined).join(' '),
      undefined,
    );
  }
  const text = input.name ?? [input.given, input.middle, input.family].filter((part) => part !== undefined).join(' ');
  return assemble(text, pieces, weights, pool, explicit && structured, cut);
}

const camelSplit = (text: string): string => (/[a-z][A-Z]/.test(text) ? text.replace(CAMEL, ' ') : text);

function assemble(
  text: string,
  pieces: readonly Piece[],
  weights: NameWeights,
  pool: Pool,
  explicit: boolean,
  cut: boolean,
): PreparedName {
  const familyByComma =
    pieces.some(({ word }) => word.part > 0) && pieces.filter(({ word }) => word.part === 0).length <= 3;
  const parts: Part[] = [];
  let bearing = 0;
  let total = 0;
  let names = pieces.length;
  for (const { word } of pieces) if (roleOf(word.text, pieces.length) !== 'name') names -= 1;
  const seen = new Set<string>();
  pieces.forEach((piece, at) => {
    const word =
      /\d/.test(piece.word.text) && /[a-z]/.test(piece.word.text) ? lettersForDigits(piece.word.text) : piece.word.text;
    let role: Role = roleOf(word, pieces.length);
    // Somebody named only by titles or particles is named by them.
    if (names === 0 && role !== 'initial') role = 'name';
    if (role === 'name' && at === pieces.length - 1 && names > 2 && FORMS.has(word)) role = 'form';
    if (role === 'name' && seen.has(word)) role = 'repeat';
    seen.add(word);
    const side = piece.side ?? (familyByComma ? (piece.word.part === 0 ? 'family' : 'given') : undefined);
    const weight = weightOf(role, word, side, weights);
    parts.push({
      spelling: pool.of(word, writingOf(piece.word.script)),
      role,
      weight,
      side,
    });
    total += weight;
    if (role === 'name') bearing += 1;
  });
  const abjad = pieces.some(({ word }) => isWrittenWithoutVowels(word));
  const whole = { numbers: [], forms: [], acronym: '', explicit, abjad, cut };
  return { class: 'person', text, parts, weight: total, bearing, ...whole };
}

/** Written in a script without vowels. */
export const isWrittenWithoutVowels = ({ script }: Word): boolean => script === 'abjad' || script === 'known';

export function writingOf(script: Script): Writing {
  if (script === 'abjad' || script === 'other') return 'poor';
  if (script === 'sounds') return 'sounds';
  return script === 'han' || script === 'hangul' ? 'exact' : 'full';
}

/** A title that is often a name as well. */
export const isSoftTitle = (word: string): boolean => ((KNOWN.get(word) ?? 0) & SOFT_TITLE) !== 0;

function roleOf(word: string, words: number): Role {
  if (word.length === 1) return words > 1 ? 'initial' : 'name';
  if (words === 1) return 'name';
  const known = KNOWN.get(word);
  if (known === undefined) return 'name';
  if ((known & KUNYA) !== 0) return 'kunya';
  if ((known & PARTICLE) !== 0) return 'particle';
  return (known & (TITLE | SOFT_TITLE)) !== 0 ? 'title' : 'name';
}

function weightOf(role: Role, word: string, side: Part['side'], weights: NameWeights): number {
  if (role === 'initial') return weights.initial;
  if (role === 'particle') return weights.particle;
  if (role === 'kunya') return weights.kunya;
  if (role === 'title') return ((KNOWN.get(word) ?? 0) & SOFT_TITLE) !== 0 ? weights.softTitle : weights.title;
  if (role === 'form' || role === 'repeat') return weights.title;
  const base = ((KNOWN.get(word) ?? 0) & COMMON) !== 0 ? weights.common : word.length <= 2 ? weights.short : 1;
  return side === 'family' ? base * weights.family : base;
}

function lettersForDigits(word: string): string {
  const letters = word.replace(/\d/g, '').length;
  if (letters < 2 || word.length - letters > letters) return word;
  return word.replace(/\d/g, (digit) => LETTER_FOR_DIGIT[digit] ?? '');
}
