/** Names to screen, made from a fixed seed. */
import type { ListVersion } from '../../screening/lists/index.ts';
import type { Row } from './data.ts';

/** Random numbers from 0 to 1 that are the same in every run (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pick = <T>(items: readonly T[], random: () => number): T => items[Math.floor(random() * items.length)]!;

/** Distinct names of people who are on no list: given and family names of the negative cases, combined within a script. */
export function customerNames(rows: readonly Row[], count: number, random: () => number, latinOnly: boolean): string[] {
  const scripts = new Map<string, Row[]>();
  for (const row of rows) {
    const name = row['full_name'] ?? '';
    const script = SCRIPTS.find(({ pattern }) => pattern.test(name))?.name ?? 'latin';
    scripts.set(script, [...(scripts.get(script) ?? []), row]);
  }
  const latin = scripts.get('latin') ?? [];
  const names = new Set<string>();
  for (let tries = 0; names.size < count && tries < count * 20; tries += 1) {
    // A row picked from all decides the script, so scripts are as frequent as among the cases.
    const given = pick(latinOnly ? latin : rows, random);
    const script = SCRIPTS.find(({ pattern }) => pattern.test(given['full_name'] ?? ''))?.name ?? 'latin';
    const peers = scripts.get(script)!;
    const family = pick(peers, random);
    const middle = random() < 0.3 ? `${pick(peers, random)['first_name']} ` : '';
    names.add(`${given['first_name']} ${middle}${family['last_name']}`);
  }
  return [...names];
}

const SCRIPTS = [
  { name: 'arabic', pattern: /\p{Script=Arabic}/u },
  { name: 'han', pattern: /\p{Script=Han}/u },
  { name: 'hangul', pattern: /\p{Script=Hangul}/u },
  { name: 'cyrillic', pattern: /\p{Script=Cyrillic}/u },
  { name: 'devanagari', pattern: /\p{Script=Devanagari}/u },
  { name: 'hebrew', pattern: /\p{Script=Hebrew}/u },
  { name: 'thai', pattern: /\p{Script=Thai}/u },
];

export type Slip = 'typo' | 'transposition' | 'transliteration';

const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/kh/g, 'h'],
  [/ou/g, 'u'],
  [/oo/g, 'u'],
  [/dj/g, 'j'],
  [/dzh/g, 'j'],
  [/iy\b/g, 'y'],
  [/ey\b/g, 'ei'],
  [/ii\b/g, 'y'],
  [/sch/g, 'sh'],
  [/w/g, 'v'],
  [/v/g, 'w'],
  [/q/g, 'k'],
  [/ph/g, 'f'],
  [/y/g, 'i'],
  [/ee/g, 'i'],
  [/ck/g, 'k'],
  [/ss/g, 's'],
  [/zh/g, 'j'],
  [/yu/g, 'iu'],
  [/ya/g, 'ia'],
  [/th/g, 't'],
  [/gh/g, 'g'],
  [/mm/g, 'm'],
  [/ah\b/g, 'a'],
  [/ov\b/g, 'off'],
];

/** A listed name as somebody might misspell it: one slip in one of its longer words. Undefined when it has none. */
export function misspelt(name: string, slip: Slip, random: () => number): string | undefined {
  const words = name.toLowerCase().split(' ');
  const long = words.map((_, at) => at).filter((at) => /^[a-z]{5,}$/.test(words[at]!));
  if (long.length === 0) return undefined;
  const at = pick(long, random);
  const word = words[at]!;
  const changed = slip === 'transliteration' ? respelt(word, random) : slipped(word, slip, random);
  if (changed === undefined || changed === word) return undefined;
  return words.map((other, position) => (position === at ? changed : other)).join(' ');
}

function slipped(word: string, slip: Slip, random: () => number): string {
  const place = 1 + Math.floor(random() * (word.length - 2));
  if (slip === 'transposition') {
    return word.slice(0, place) + word[place + 1] + word[place] + word.slice(place + 2);
  }
  const letter = String.fromCharCode(97 + Math.floor(random() * 26));
  const kind = Math.floor(random() * 3);
  if (kind === 0) return word.slice(0, place) + word.slice(place + 1);
  return word.slice(0, place) + letter + word.slice(kind === 1 ? place : place + 1);
}

function respelt(word: string, random: () => number): string | undefined {
  const fitting = SPELLINGS.filter(([pattern]) => word.search(pattern) >= 0);
  if (fitting.length === 0) return undefined;
  const [pattern, replacement] = pick(fitting, random);
  return word.replace(pattern, replacement);
}

/** Strong primary names in Latin script of a kind of entity. */
export const listedNames = (lists: readonly ListVersion[], type: 'person' | 'organisation'): string[] =>
  lists
    .flatMap(({ entities }) => entities)
    .filter((entity) => entity.type === type)
    .map(({ names }) => names[0]!.full.replace(/^([^,]+), (.+)$/, '$2 $1'))
    .filter((name) => /^[\x20-\x7e]+$/.test(name));

/** All names of persons in Arabic script. */
export const listedNamesInArabic = (lists: readonly ListVersion[]): string[] =>
  lists
    .flatMap(({ entities }) => entities)
    .filter((entity) => entity.type === 'person')
    .flatMap(({ names }) => names.map(({ full }) => full))
    .filter((name) => /\p{Script=Arabic}/u.test(name));
