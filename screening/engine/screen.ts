/** Screens a party against an index and says what was found, with the evidence that reproduces it. */
import {
  entityHash,
  type Gender,
  type Identifier,
  identifierKey,
  type ListEntity,
  type ListedName,
  type ListVersionRef,
  type PartialDate,
} from '../lists/entity.ts';
import { configHash, type ScreeningConfig } from './config.ts';
import { type Feature, nameFeatures } from './features.ts';
import { ENGINE_VERSION, prepareListed, type ScreeningIndex } from './index-build.ts';
import { type NameClass, noPool, type PreparedName } from './name.ts';
import { normaliseName } from './normalise.ts';
import { finish, looksLikeOrganisation, prepareName } from './pair.ts';
import { classesOf, type Party } from './party.ts';
import { placeBonus } from './places.ts';
import { scoreNames } from './score-name.ts';

/**
 * `clear`: nothing at or above a threshold. `potential`: hold and let somebody decide. `true_match`: an identifier is
 * the same. `unscreenable`: the name could not be compared (or not all of it); never to be taken for clear.
 */
export type Outcome = 'clear' | 'potential' | 'true_match' | 'unscreenable';
export type UnscreenableCode = 'UNSCREENABLE_NAME' | 'NAME_TOO_LONG';

/** What a listed entity was at the time: enough to score it again. */
export interface ListedFacts {
  readonly id: string;
  readonly source: string;
  readonly type: ListEntity['type'];
  readonly entityHash: string;
  readonly birthDates: readonly PartialDate[];
  readonly countries: readonly string[];
  readonly gender?: Gender;
  readonly identifiers: readonly Identifier[];
  /** As the list writes them, the first ones; absent: the list has none. */
  readonly birthPlaces?: readonly string[];
}

export interface Candidate {
  readonly entity: ListedFacts;
  readonly listedName: ListedName;
  /** The name of the party that matched best, as given. */
  readonly queryName: string;
  readonly comparedAs: NameClass;
  readonly score: number;
  readonly threshold: number;
  readonly alert: boolean;
  readonly features: readonly Feature[];
}

export interface Screening {
  readonly outcome: Outcome;
  readonly code?: UnscreenableCode;
  /** At or above their threshold, best first. */
  readonly hits: readonly Candidate[];
  /** At or above the floor, and those with nearly the same name; hits included, best first. */
  readonly candidates: readonly Candidate[];
  /** The party's names in their normal form. */
  readonly normalised: readonly string[];
  readonly lists: readonly ListVersionRef[];
  readonly engineVersion: string;
  readonly configHash: string;
}

/** A screening with everything that is needed to do it again. Holds personal data. */
export interface Evidence extends Screening {
  readonly party: Party;
  readonly config: ScreeningConfig;
}

interface Best {
  score: number;
  name: number;
  query: PreparedName;
  listed: PreparedName;
  queryName: string;
}

/** The best strong and the best weak name of one entity. */
interface Found {
  strong?: Best;
  weak?: Best;
}

/** Other facts can add this much to the score of the names, so names below the floor by less are looked at. */
function bonusOf({ qualifiers }: ScreeningConfig, { places }: Party): number {
  const ofPlace = places && places.birthTowns.length > 0 ? placeBonus(qualifiers) : 0;
  return (
    Math.max(0, qualifiers.birthDateEqual, qualifiers.birthYearEqual) + Math.max(0, qualifiers.countryEqual) + ofPlace
  );
}

/** Screens one party. Pure: the same party, index and configuration give the same result, byte for byte. */
export function screenParty(index: ScreeningIndex, party: Party): Screening {
  const { config } = index;
  const normalised = party.names.map((name) => normaliseName(wholeOf(name)));
  const readable = normalised.some((name) => name !== '');
  let cut = false;
  const found = new Map<number, Found>();
  const nameFloor = config.floor - bonusOf(config, party);
  if (readable) {
    for (const kind of classesFor(party, config)) {
      const partition = index.partitions[kind];
      for (const name of party.names) {
        for (const query of prepareName(name, kind, config, noPool, true)) {
          cut ||= query.cut;
          if (query.parts.length === 0) continue;
          partition.search(query, nameFloor, config.weights, (number, score) => {
            const { entity, weak, prepared } = partition.names[number]!;
            keep(found, entity, weak, { score, name: number, query, listed: prepared, queryName: wholeOf(name) });
          });
        }
      }
    }
  }
  const candidates = judge(index, party, found);
  return conclude(index, candidates, normalised, readable, cut);
}

const wholeOf = (name: Party['names'][number]): string =>
  name.name ?? [name.given, name.middle, name.family].filter((part) => part !== undefined).join(' ');

function classesFor(party: Party, config: ScreeningConfig): readonly NameClass[] {
  const classes = classesOf(party.schema);
  if (classes.length < 2) return classes;
  return party.names.some((name) => looksLikeOrganisation(wholeOf(name), config)) ? ['organisation'] : classes;
}

function keep(found: Map<number, Found>, entity: number, weak: boolean, best: Best): void {
  const known = found.get(entity);
  if (known === undefined) {
    found.set(entity, weak ? { weak: best } : { strong: best });
    return;
  }
  const before = weak ? known.weak : known.strong;
  if (before !== undefined && before.score >= best.score) return;
  if (weak) known.weak = best;
  else known.strong = best;
}

function judge(index: ScreeningIndex, party: Party, found: ReadonlyMap<number, Found>): Candidate[] {
  const { config } = index;
  const candidates: Judged[] = [];
  const judged = new Set<number>();
  for (const [number, { strong, weak }] of found) {
    const entity = index.entities[number]!;
    const judgedOf = (best: Best | undefined, isWeak: boolean): Candidate | undefined =>
      best && candidateOf(entity, namedIn(index, best, entity), best, isWeak, party, config);
    const byStrong = judgedOf(strong, false);
    const byWeak = judgedOf(weak, true);
    const best = byWeak === undefined || (byStrong !== undefined && byStrong.score >= byWeak.score) ? byStrong : byWeak;
    if (best === undefined) continue;
    judged.add(number);
    const near = nameIsNear(strong, weak, config);
    if (best.score >= config.floor || near) candidates.push({ candidate: best, near });
  }
  for (const number of identified(index, party)) {
    if (judged.has(number) && candidates.some(({ candidate }) => candidate.entity.id === index.entities[number]!.id))
      continue;
    candidates.push({ candidate: byIdentifierOnly(index.entities[number]!, party, config), near: false });
  }
  return kept(candidates, config.maxCandidates);
}

const bestFirst = (a: Candidate, b: Candidate): number => b.score - a.score || (a.entity.id < b.entity.id ? -1 : 1);

/** Whether somebody who reads the two names would take them for the same, whatever else is known of the two. */
const nameIsNear = (strong: Best | undefined, weak: Best | undefined, { nearPerfectName }: ScreeningConfig): boolean =>
  Math.max(strong?.score ?? 0, weak?.score ?? 0) >= nearPerfectName;

/** A candidate, and whether its name alone is reason enough to keep it. */
interface Judged {
  readonly candidate: Candidate;
  readonly near: boolean;
}

/** At most this many, best first; when some must go, hits and names that are nearly the same stay. */
function kept(judged: readonly Judged[], most: number): Candidate[] {
  const rank = ({ candidate, near }: Judged) => (candidate.alert ? 0 : near ? 1 : 2);
  return judged
    .toSorted((a, b) => rank(a) - rank(b) || bestFirst(a.candidate, b.candidate))
    .slice(0, most)
    .map(({ candidate }) => candidate)
    .sort(bestFirst);
}

function namedIn(index: ScreeningIndex, best: Best, entity: ListEntity): ListedName {
  const indexed = index.partitions[best.query.class].names[best.name]!;
  return entity.names[indexed.name]!;
}

function candidateOf(
  entity: ListEntity,
  listedName: ListedName,
  best: Best,
  weak: boolean,
  party: Party,
  config: ScreeningConfig,
): Candidate {
  // Scored again, so that the features are those of this pair.
  scoreNames(best.query, best.listed, config.weights);
  const facts = factsOf(entity);
  const threshold = thresholdFor(entity.source, config);
  const person = best.query.class === 'person';
  const result = finish(best.score, weak, nameFeatures(), party, facts, person, config, threshold);
  return {
    entity: facts,
    listedName,
    queryName: best.queryName,
    comparedAs: best.query.class,
    score: result.score,
    threshold,
    alert: result.match,
    features: result.features,
  };
}

const thresholdFor = (source: string, config: ScreeningConfig): number =>
  config.thresholdBySource[source] ?? config.threshold;

export function factsOf(entity: ListEntity): ListedFacts {
  return {
    id: entity.id,
    source: entity.source,
    type: entity.type,
    entityHash: hashOf(entity),
    birthDates: entity.birthDates,
    countries: [...new Set([...entity.nationalities, ...entity.countries])],
    ...(entity.gender === undefined ? {} : { gender: entity.gender }),
    identifiers: entity.identifiers,
    ...(entity.birthPlaces.length === 0 ? {} : { birthPlaces: entity.birthPlaces.slice(0, MAX_BIRTH_PLACES) }),
  };
}

/** Lists give a handful; evidence holds no more. */
const MAX_BIRTH_PLACES = 10;

// Entities are immutable, so their hash is computed once.
const hashes = new WeakMap<ListEntity, string>();
function hashOf(entity: ListEntity): string {
  const known = hashes.get(entity);
  if (known !== undefined) return known;
  const hash = entityHash(entity);
  hashes.set(entity, hash);
  return hash;
}

function identified(index: ScreeningIndex, party: Party): number[] {
  const numbers = new Set<number>();
  for (const { kind, value, country } of party.identifiers) {
    for (const number of index.byIdentifier.get(identifierKey(value)) ?? []) {
      const same = index.entities[number]!.identifiers.some(
        (listed) =>
          identifierKey(listed.value) === identifierKey(value) &&
          (listed.kind === kind || listed.kind === 'other' || kind === 'other') &&
          (listed.country === undefined || country === undefined || listed.country === country),
      );
      if (same) numbers.add(number);
    }
  }
  return [...numbers];
}

function byIdentifierOnly(entity: ListEntity, party: Party, config: ScreeningConfig): Candidate {
  const facts = factsOf(entity);
  const threshold = thresholdFor(entity.source, config);
  const result = finish(0, false, [], party, facts, entity.type === 'person', config, threshold);
  return {
    entity: facts,
    listedName: entity.names[0]!,
    queryName: party.names[0] === undefined ? '' : wholeOf(party.names[0]),
    comparedAs: entity.type === 'person' ? 'person' : entity.type === 'organisation' ? 'organisation' : 'object',
    score: result.score,
    threshold,
    alert: result.match,
    features: result.features,
  };
}

function conclude(
  index: Pick<ScreeningIndex, 'lists' | 'engineVersion' | 'configHash'>,
  candidates: readonly Candidate[],
  normalised: readonly string[],
  readable: boolean,
  cut: boolean,
): Screening {
  const hits = candidates.filter(({ alert }) => alert);
  const code: UnscreenableCode | undefined = !readable ? 'UNSCREENABLE_NAME' : cut ? 'NAME_TOO_LONG' : undefined;
  const identifierHit = hits.some(({ features }) =>
    features.some(({ name, value }) => name === 'identifier' && value === 'equal'),
  );
  const outcome: Outcome = identifierHit
    ? 'true_match'
    : hits.length > 0
      ? 'potential'
      : code !== undefined
        ? 'unscreenable'
        : 'clear';
  return {
    outcome,
    ...(code === undefined ? {} : { code }),
    hits,
    candidates,
    normalised,
    lists: index.lists,
    engineVersion: index.engineVersion,
    configHash: index.configHash,
  };
}

/** The record of a decision: what was screened, against what, with which settings, and what came out. */
export const evidenceOf = (party: Party, config: ScreeningConfig, screening: Screening): Evidence => ({
  ...screening,
  party,
  config,
});

export interface Reproduction {
  readonly screening: Screening;
  /** The decision made again is the decision recorded. */
  readonly identical: boolean;
  /** Why it could not be the same; empty when it is. */
  readonly differences: readonly string[];
}

/**
 * Makes a recorded decision again from its evidence alone: every candidate is scored anew from the recorded party and
 * the recorded facts of the listed entity. Says so when the engine or the configuration is another one.
 */
export function reproduce(evidence: Evidence): Reproduction {
  const { party, config } = evidence;
  const differences: string[] = [];
  if (evidence.engineVersion !== ENGINE_VERSION) {
    differences.push(`engine ${evidence.engineVersion} was used, this is ${ENGINE_VERSION}`);
  }
  const hash = configHash(config);
  if (hash !== evidence.configHash) differences.push('the configuration is not the one whose hash is recorded');
  const candidates = evidence.candidates.map((candidate) => rescore(candidate, party, config));
  candidates.sort(bestFirst);
  const normalised = party.names.map((name) => normaliseName(wholeOf(name)));
  const readable = normalised.some((name) => name !== '');
  const cut =
    readable &&
    classesFor(party, config).some((kind) =>
      party.names.some((name) => prepareName(name, kind, config, noPool, true).some((prepared) => prepared.cut)),
    );
  const index = { lists: evidence.lists, engineVersion: ENGINE_VERSION, configHash: hash };
  const screening = conclude(index, candidates, normalised, readable, cut);
  const { party: _, config: __, ...recorded } = evidence;
  if (JSON.stringify(screening) !== JSON.stringify(recorded)) differences.push('the decision comes out differently');
  return { screening, identical: differences.length === 0, differences };
}

function rescore(candidate: Candidate, party: Party, config: ScreeningConfig): Candidate {
  const { entity, listedName, comparedAs } = candidate;
  let best: Best | undefined;
  for (const name of party.names) {
    if (wholeOf(name) !== candidate.queryName) continue;
    for (const query of prepareName(name, comparedAs, config, noPool, true)) {
      for (const listed of prepareListed(listedName, comparedAs, config)) {
        const score = query.parts.length > 0 && listed.parts.length > 0 ? scoreNames(query, listed, config.weights) : 0;
        if (score > (best?.score ?? 0)) best = { score, name: 0, query, listed, queryName: candidate.queryName };
      }
    }
  }
  const byName = candidate.features.some(({ name }) => name === 'name_words');
  if (byName && best !== undefined) scoreNames(best.query, best.listed, config.weights);
  const features = byName && best !== undefined ? nameFeatures() : [];
  const score = byName ? (best?.score ?? 0) : 0;
  const weak = listedName.quality === 'weak';
  const person = comparedAs === 'person';
  const result = finish(
    score,
    byName && weak,
    features,
    party,
    entity,
    person,
    config,
    thresholdFor(entity.source, config),
  );
  return {
    entity,
    listedName,
    queryName: candidate.queryName,
    comparedAs,
    score: result.score,
    threshold: thresholdFor(entity.source, config),
    alert: result.match,
    features: result.features,
  };
}
