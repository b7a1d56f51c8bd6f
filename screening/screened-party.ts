// What the engine found for one party, as it stands in events, and back. Pure.
import type {
  ListedEntity,
  PartyRole,
  ScreenedParty,
  ScreeningCandidate,
  ScreeningOutcome,
} from '../schemas/types.generated.ts';
import type { Candidate, Party as EngineParty, ListedFacts, Outcome, Screening } from './engine/index.ts';
import type { Gender, IdentifierKind, ListedName } from './lists/index.ts';
import { queryHashOf } from './query.ts';

const OUTCOMES: Readonly<Record<Outcome, ScreeningOutcome>> = {
  clear: 'CLEAR',
  potential: 'POTENTIAL_MATCH',
  true_match: 'TRUE_MATCH',
  unscreenable: 'UNSCREENABLE',
};

/** Mildest first. */
const SEVERITY: readonly ScreeningOutcome[] = ['CLEAR', 'UNSCREENABLE', 'POTENTIAL_MATCH', 'TRUE_MATCH'];

export const worstOf = (parties: readonly ScreenedParty[]): ScreeningOutcome =>
  parties.map(({ outcome }) => outcome).reduce((a, b) => (SEVERITY.indexOf(a) >= SEVERITY.indexOf(b) ? a : b), 'CLEAR');

/**
 * @param difference only what changed of the lists was looked at: that a name cannot be screened was found before
 */
export function toScreenedParty(
  role: PartyRole,
  query: EngineParty,
  screening: Screening,
  difference: boolean,
): ScreenedParty {
  const outcome = OUTCOMES[screening.outcome];
  return {
    role,
    outcome: difference && outcome === 'UNSCREENABLE' ? 'CLEAR' : outcome,
    queryHash: queryHashOf(query),
    candidates: screening.candidates.map(toCandidate),
    unscreenableCode: difference ? null : (screening.code ?? null),
  };
}

function toCandidate({
  entity,
  listedName,
  comparedAs,
  score,
  threshold,
  alert,
  features,
}: Candidate): ScreeningCandidate {
  const { quality, kind, full, family, given } = listedName;
  return {
    source: entity.source,
    entityId: entity.id.slice(entity.source.length + 1),
    matchedName: full,
    aliasQuality: quality === 'weak' ? 'WEAK' : kind === 'primary' ? 'PRIMARY' : 'STRONG',
    score,
    isHit: alert,
    exceptionId: null,
    features: features.map(({ name, value, effect, kind: acts }) => ({
      name,
      value: effect,
      detail: String(value),
      kind: acts,
    })),
    nameKind: kind,
    family: family ?? null,
    given: given ?? null,
    comparedAs,
    threshold,
    entity: toListedEntity(entity),
  };
}

const toListedEntity = ({
  type,
  entityHash,
  birthDates,
  countries,
  gender,
  identifiers,
  birthPlaces = [],
}: ListedFacts): ListedEntity => ({
  type,
  entityHash,
  birthDates: birthDates.map(({ year, month, day, toYear, circa }) => ({
    year,
    month: month ?? null,
    day: day ?? null,
    toYear: toYear ?? null,
    circa: circa ?? false,
  })),
  countries,
  gender: gender ?? null,
  identifiers: identifiers.map(({ kind, value, country }) => ({ kind, value, country: country ?? null })),
  birthPlaces,
});

/** The candidate as the engine knew it; undefined when the event does not hold enough of it. */
export function fromCandidate(candidate: ScreeningCandidate, queryName: string): Candidate | undefined {
  const { entity, source, entityId, matchedName, nameKind, aliasQuality, family, given } = candidate;
  if (entity === null) return undefined;
  const listedName: ListedName = {
    full: matchedName,
    kind: nameKind as ListedName['kind'],
    quality: aliasQuality === 'WEAK' ? 'weak' : 'strong',
    ...(family === null ? {} : { family }),
    ...(given === null ? {} : { given }),
  };
  return {
    entity: fromListedEntity(`${source}:${entityId}`, source, entity),
    listedName,
    queryName,
    comparedAs: candidate.comparedAs as Candidate['comparedAs'],
    score: candidate.score,
    threshold: candidate.threshold,
    alert: candidate.isHit || candidate.exceptionId !== null,
    features: candidate.features.map(({ name, value, detail, kind }) => ({
      name: name as Candidate['features'][number]['name'],
      value: detail,
      effect: value,
      kind: kind as Candidate['features'][number]['kind'],
    })),
  };
}

function fromListedEntity(id: string, source: string, entity: ListedEntity): ListedFacts {
  const { type, entityHash, birthDates, countries, gender, identifiers, birthPlaces } = entity;
  return {
    id,
    source,
    type: type as ListedFacts['type'],
    entityHash,
    birthDates: birthDates.map(({ year, month, day, toYear, circa }) => ({
      year,
      ...(month === null ? {} : { month }),
      ...(day === null ? {} : { day }),
      ...(toYear === null ? {} : { toYear }),
      ...(circa ? { circa } : {}),
    })),
    countries,
    ...(gender === null ? {} : { gender: gender as Gender }),
    identifiers: identifiers.map(({ kind, value, country }) => ({
      kind: kind as IdentifierKind,
      value,
      ...(country === null ? {} : { country }),
    })),
    ...(birthPlaces.length === 0 ? {} : { birthPlaces }),
  };
}

/** True when an identifier of the party is a listed one: what no exception excuses. */
export const isIdentified = ({ features }: ScreeningCandidate): boolean =>
  features.some(({ name, detail }) => name === 'identifier' && detail === 'equal');
