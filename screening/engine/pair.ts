/** Compares two parties given in full: the score that the index finds, without an index. */

import { partedReading } from './abjad.ts';
import type { ScreeningConfig } from './config.ts';
import { type Feature, nameFeatures, rounded } from './features.ts';
import { type NameClass, noPool, type Pool, type PreparedName } from './name.ts';
import { capped } from './normalise.ts';
import { classesOf, type Party, readParty } from './party.ts';
import { prepareOrganisation } from './prepare-organisation.ts';
import { type PersonName, preparePerson } from './prepare-person.ts';
import { compareIdentifiers, type Qualifiers, qualifierFeatures } from './qualifiers.ts';
import { scoreNames } from './score-name.ts';

export interface PairResult {
  /** 0 to 1, four decimals. */
  readonly score: number;
  /** Whether the score reaches the configured threshold. */
  readonly match: boolean;
  readonly features: readonly Feature[];
}

/** Names inside a name: `Al-Qa'ida/Islamic Army`, `X a.k.a. Y`. The whole comes first. */
export function alternatesOf(whole: string): string[] {
  const name = capped(whole);
  if (!ALTERNATES.test(name)) return [whole];
  const parts = name.split(ALTERNATES).map((part) => part.trim());
  const long = parts.filter((part) => (part.match(/\p{L}/gu)?.length ?? 0) >= 4);
  return parts.length > 1 && long.length === parts.length ? [whole, ...long] : [whole];
}
const ALTERNATES =
  /\s*\/\s*|[\s(,;]+(?:a\.?k\.?a\.?|f\.?k\.?a\.?|n\.?k\.?a\.?|d\.?b\.?a\.?|also known as|formerly known as|formerly|trading as|doing business as)[\s:.]+/i;

const wholeName = (name: PersonName): string =>
  name.name ?? [name.given, name.middle, name.family].filter((part) => part !== undefined).join(' ');

/** A name written twice, in Latin script and in another: `Hassan Ghul (حسن غول)`. The words of each, in their order. */
export function scriptsOf(whole: string): string[] {
  const name = capped(whole);
  if (!OTHER_SCRIPT.test(name) || !LATIN.test(name)) return [];
  const words = name.match(WORD) ?? [];
  // A word in two scripts is somebody's trick, not a second name.
  if (words.some((word) => OTHER_SCRIPT.test(word) && LATIN.test(word))) return [];
  const latin = words.filter((word) => !OTHER_SCRIPT.test(word)).join(' ');
  const other = words.filter((word) => OTHER_SCRIPT.test(word)).join(' ');
  return latin.length >= MIN_NAME_LENGTH && other.length >= (HAN.test(other) ? MIN_HAN_LENGTH : MIN_NAME_LENGTH)
    ? [latin, other]
    : [];
}
const LATIN = /\p{Script=Latin}/u;
const OTHER_SCRIPT = /(?!\p{Script=Latin}|\p{Script=Common}|\p{Script=Inherited})\p{L}/u;
const HAN = /\p{Script=Han}|\p{Script=Hangul}/u;
const WORD = /[\p{L}\p{M}\p{N}'’-]+/gu;
const MIN_NAME_LENGTH = 4;
const MIN_HAN_LENGTH = 2;

/** The other texts under which a name is compared: names inside it, and other readings of what has no vowels. */
function othersOf(whole: string): string[] {
  const alternates = alternatesOf(whole);
  const texts = alternates.length > 1 ? alternates : [whole, ...scriptsOf(whole)];
  const parted = texts.map((text) => partedReading(capped(text))).filter((text) => text !== undefined);
  return [...texts.slice(1), ...parted];
}

/** A name read as `kind`, with its alternates and readings. */
export function prepareName(
  name: PersonName,
  kind: NameClass,
  config: ScreeningConfig,
  pool: Pool,
  explicit: boolean,
): PreparedName[] {
  if (kind === 'person') {
    const whole = preparePerson(name, config.weights, pool, explicit);
    return [
      whole,
      ...othersOf(wholeName(name)).map((text) => preparePerson({ name: text }, config.weights, pool, false)),
    ];
  }
  const whole = wholeName(name);
  return [whole, ...othersOf(whole)].map((text) => prepareOrganisation(text, config.weights, pool, kind));
}

/**
 * Score of a pair from plain properties (`name`, or `firstName` and `lastName`; optionally `alias`, `weakAlias`,
 * `birthDate`, `country`, `nationality`, `gender`, identifiers). A side without a usable name scores 0.
 */
export function comparePair(
  schema: string,
  query: Readonly<Record<string, unknown>>,
  candidate: Readonly<Record<string, unknown>>,
  config: ScreeningConfig,
): PairResult {
  return compareParties(readParty(schema, query), readParty(schema, candidate), config);
}

/** A legal entity of unknown kind is an organisation when either side is named like one. */
function classesFor(query: Party, candidate: Party, config: ScreeningConfig): readonly NameClass[] {
  const classes = classesOf(query.schema);
  if (classes.length < 2) return classes;
  const names = [...query.names, ...candidate.names];
  return names.some((name) => looksLikeOrganisation(wholeName(name), config)) ? ['organisation'] : classes;
}

/** Has a legal form, a number or a word for what organisations do. */
export function looksLikeOrganisation(name: string, config: ScreeningConfig): boolean {
  const { forms, numbers, parts } = prepareOrganisation(name, config.weights, noPool);
  return forms.length > 0 || numbers.length > 0 || parts.some(({ role }) => role === 'generic' || role === 'place');
}

interface BestPair {
  score: number;
  query?: PreparedName;
  listed?: PreparedName;
  weak: boolean;
}

export function compareParties(query: Party, candidate: Party, config: ScreeningConfig): PairResult {
  let best: BestPair = { score: 0, weak: false };
  for (const kind of classesFor(query, candidate, config)) {
    const queries = query.names.flatMap((name) => prepareName(name, kind, config, noPool, true));
    const strong = candidate.names.flatMap((name) => prepareName(name, kind, config, noPool, true));
    const weak = candidate.weakNames.flatMap((name) => prepareName({ name }, kind, config, noPool, true));
    best = bestOf(queries, strong, false, best, config);
    best = bestOf(queries, weak, true, best, config);
  }
  const person = best.query === undefined || best.query.class === 'person';
  if (best.query && best.listed) scoreNames(best.query, best.listed, config.weights);
  const features = best.query ? nameFeatures() : [];
  return finish(best.score, best.weak, features, query, candidate, person, config, config.threshold);
}

function bestOf(
  queries: readonly PreparedName[],
  listed: readonly PreparedName[],
  weak: boolean,
  best: BestPair,
  config: ScreeningConfig,
): BestPair {
  let found = best;
  for (const a of queries) {
    for (const b of listed) {
      const score = scoreNames(a, b, config.weights);
      const better = score > found.score + 1e-9 || (score >= found.score - 1e-9 && found.weak && !weak);
      if (score > 0 && better) found = { score, query: a, listed: b, weak };
    }
  }
  return found;
}

/** Adds the other facts to the score of the names and applies the policy on weak aliases. */
export function finish(
  nameScore: number,
  weak: boolean,
  nameFeaturesFound: readonly Feature[],
  query: Qualifiers,
  listed: Qualifiers,
  person: boolean,
  config: ScreeningConfig,
  threshold: number,
): PairResult {
  const features = [...nameFeaturesFound];
  let score = nameScore;
  let confirmed = false;
  if (score > 0) {
    for (const { name, value, effect } of qualifierFeatures(query, listed, person, config.qualifiers)) {
      features.push({ name: name as Feature['name'], value, effect: rounded(effect), kind: 'add' });
      score += effect;
      confirmed ||= name === 'birth_date' && value === 'equal';
    }
  }
  if (weak && !confirmed && score > config.weakAliasCap) {
    features.push({ name: 'weak_alias', value: 'does not alert alone', effect: config.weakAliasCap, kind: 'cap' });
    score = config.weakAliasCap;
  }
  const identifiers = compareIdentifiers(query.identifiers, listed.identifiers);
  if (identifiers === 'equal') {
    features.push({ name: 'identifier', value: 'equal', effect: config.qualifiers.identifierEqual, kind: 'score' });
    score = Math.max(score, config.qualifiers.identifierEqual);
  } else if (identifiers === 'differs' && score > 0) {
    features.push({ name: 'identifier', value: 'differs', effect: config.qualifiers.identifierDiffers, kind: 'add' });
    score += config.qualifiers.identifierDiffers;
  }
  const final = rounded(Math.min(1, Math.max(0, score)));
  return { score: final, match: final >= threshold, features };
}
