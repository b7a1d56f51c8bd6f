/** What else is known of the two parties: dates of birth, countries, gender, identifiers. */
import { type Gender, type Identifier, identifierKey, type PartialDate } from '../lists/entity.ts';
import type { QualifierWeights } from './config.ts';
import { birthPlaceFeatures, type Places } from './places.ts';

export interface Qualifiers {
  readonly birthDates: readonly PartialDate[];
  /** ISO alpha-2: nationality, residence, registration, flag. */
  readonly countries: readonly string[];
  readonly gender?: Gender | undefined;
  readonly identifiers: readonly Identifier[];
  /** Of the party: what its address and birth add. */
  readonly places?: Places | undefined;
  /** Of the listed one: where it was born, as the list writes it. */
  readonly birthPlaces?: readonly string[] | undefined;
}

export type BirthDateVerdict =
  | 'equal'
  | 'year-equal'
  | 'near'
  | 'day-differs'
  | 'year-apart'
  | 'year-differs'
  | 'year-far'
  | 'unknown';

/** A year further off than this is far. */
const FAR_YEARS = 5;

/**
 * What a list knows only roughly may be wrong by some years: up to `near` it contradicts nothing, up to `apart` it speaks
 * against the person but never decides alone. Figures of the choice: docs/screening.md.
 */
const ROUGH_YEARS = {
  'year-only': { near: 2, apart: 5 },
  range: { near: 2, apart: 5 },
  circa: { near: 5, apart: 10 },
} as const;
type Precision = 'exact' | keyof typeof ROUGH_YEARS;

/** The verdict of the pair of dates that agrees best. */
export function compareBirthDates(a: readonly PartialDate[], b: readonly PartialDate[]): BirthDateVerdict {
  let best: BirthDateVerdict = 'unknown';
  for (const x of a) for (const y of b) best = better(best, compareDates(x, y));
  return best;
}

const ORDER: readonly BirthDateVerdict[] = [
  'unknown',
  'year-far',
  'year-differs',
  'year-apart',
  'day-differs',
  'near',
  'year-equal',
  'equal',
];
const better = (a: BirthDateVerdict, b: BirthDateVerdict): BirthDateVerdict =>
  ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b;

function compareDates(a: PartialDate, b: PartialDate): BirthDateVerdict {
  const gap = yearGap(a, b);
  if (gap > 0) {
    // A digit mistyped or two years swapped in a calendar conversion: near, when day and month agree.
    if (gap === 1 || sameDay(a, b)) return 'near';
    const { near, apart } = toleranceOf(a, b);
    if (gap <= near) return 'near';
    if (gap <= apart) return 'year-apart';
    return gap > FAR_YEARS ? 'year-far' : 'year-differs';
  }
  if (a.month === undefined || b.month === undefined || isPlaceholder(a) || isPlaceholder(b)) return 'year-equal';
  if (a.month === b.month && (a.day === undefined || b.day === undefined)) return 'year-equal';
  if (a.month === b.month && a.day === b.day) return 'equal';
  if (a.month === b.day && a.day === b.month) return 'near';
  return a.month === b.month ? 'near' : 'day-differs';
}

/** The years that the rougher one of two dates may be wrong by. */
function toleranceOf(a: PartialDate, b: PartialDate): { readonly near: number; readonly apart: number } {
  let widest = { near: 0, apart: 0 };
  for (const precision of [precisionOf(a), precisionOf(b)]) {
    if (precision !== 'exact' && ROUGH_YEARS[precision].apart > widest.apart) widest = ROUGH_YEARS[precision];
  }
  return widest;
}

function precisionOf(date: PartialDate): Precision {
  if (date.circa) return 'circa';
  if (date.toYear !== undefined) return 'range';
  return date.month === undefined || isPlaceholder(date) ? 'year-only' : 'exact';
}

/** First of January is what registers write when they know the year only. */
const isPlaceholder = (date: PartialDate): boolean => date.month === 1 && date.day === 1;

const sameDay = (a: PartialDate, b: PartialDate): boolean =>
  a.day !== undefined && a.month !== undefined && a.day === b.day && a.month === b.month && !isPlaceholder(a);

function yearGap(a: PartialDate, b: PartialDate): number {
  const aEnd = a.toYear ?? a.year;
  const bEnd = b.toYear ?? b.year;
  if (a.year > bEnd) return a.year - bEnd;
  return b.year > aEnd ? b.year - aEnd : 0;
}

export type IdentifierVerdict = 'equal' | 'differs' | 'unknown';

const MIN_IDENTIFIER_LENGTH = 5;
/** Kinds of which a bearer has only one, so that two different ones are two bearers. */
const UNIQUE_KINDS = new Set(['imo', 'lei', 'mmsi']);

export function compareIdentifiers(a: readonly Identifier[], b: readonly Identifier[]): IdentifierVerdict {
  let verdict: IdentifierVerdict = 'unknown';
  for (const x of a) {
    const key = identifierKey(x.value);
    if (key.length < MIN_IDENTIFIER_LENGTH) continue;
    for (const y of b) {
      if (x.country !== undefined && y.country !== undefined && x.country !== y.country) continue;
      const kindsAgree = x.kind === y.kind || x.kind === 'other' || y.kind === 'other';
      if (kindsAgree && key === identifierKey(y.value)) return 'equal';
      if (x.kind === y.kind && UNIQUE_KINDS.has(x.kind)) verdict = 'differs';
    }
  }
  return verdict;
}

export interface QualifierFeature {
  readonly name: string;
  readonly value: string;
  /** What it adds to the score. */
  readonly effect: number;
}

const BIRTH_EFFECTS: Readonly<Record<BirthDateVerdict, keyof QualifierWeights | undefined>> = {
  equal: 'birthDateEqual',
  'year-equal': 'birthYearEqual',
  near: 'birthDateNear',
  'day-differs': 'birthDayDiffers',
  'year-apart': 'birthYearApart',
  'year-differs': 'birthYearDiffers',
  'year-far': 'birthYearFar',
  unknown: undefined,
};

/** The features that apply, in a fixed order; identifiers are judged apart. */
export function qualifierFeatures(
  query: Qualifiers,
  listed: Qualifiers,
  person: boolean,
  weights: QualifierWeights,
): QualifierFeature[] {
  const features: QualifierFeature[] = [];
  const birth = compareBirthDates(query.birthDates, listed.birthDates);
  const setting = BIRTH_EFFECTS[birth];
  if (setting !== undefined) features.push({ name: 'birth_date', value: birth, effect: weights[setting] });
  const differs = person ? weights.countryDiffers : weights.organisationCountryDiffers;
  const country = countryVerdict(query, listed);
  // What address and birth add counts for a match alone: it may not lower what stood before.
  const byPlace = country !== 'equal' && isShared(query.places?.countries ?? [], listed.countries);
  const before = country === 'differs' ? differs : 0;
  if (byPlace && weights.countryEqual > before) {
    features.push({ name: 'country', value: 'equal', effect: weights.countryEqual });
  } else if (country !== 'unknown') {
    features.push({ name: 'country', value: country, effect: country === 'equal' ? weights.countryEqual : differs });
  }
  if (query.gender !== undefined && listed.gender !== undefined && query.gender !== listed.gender) {
    features.push({ name: 'gender', value: 'differs', effect: weights.genderDiffers });
  }
  if (query.places) features.push(...birthPlaceFeatures(query.places, listed.birthPlaces ?? [], weights));
  return features;
}

function countryVerdict(query: Qualifiers, listed: Qualifiers): 'equal' | 'differs' | 'unknown' {
  if (query.countries.length === 0 || listed.countries.length === 0) return 'unknown';
  return isShared(query.countries, listed.countries) ? 'equal' : 'differs';
}

const isShared = (some: readonly string[], others: readonly string[]): boolean =>
  some.some((each) => others.includes(each));
