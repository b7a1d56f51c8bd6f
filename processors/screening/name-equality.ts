// The plainest screener: a party is a potential match when its normalised name equals a listed one, whatever the order
// of its words. It finds no misspelling; what it finds, it proves.
import { hash } from 'node:crypto';
import type {
  ListReference,
  Parties,
  Party,
  PartyRole,
  ScreenedParty,
  ScreeningCandidate,
  ScreeningOutcome,
} from '../../schemas/types.generated.ts';
import { wordsOf } from './engine/normalise.ts';
import type { ListVersion } from './lists/entity.ts';
import type { Findings, Screener } from './ports.ts';

const ENGINE_VERSION = 'name-equality/1';
const CONFIGURATION = { order: 'ignored', weakAliases: 'never alert alone', threshold: 1 };

interface Entry {
  readonly source: string;
  readonly entityId: string;
  readonly name: string;
  readonly quality: 'PRIMARY' | 'STRONG' | 'WEAK';
}

/** A screener over these list versions. */
export function createNameEqualityScreener(versions: readonly ListVersion[]): Screener {
  const index = indexOf(versions);
  const lists = versions.map(listReference);
  const configurationHash = hash('sha256', JSON.stringify(CONFIGURATION), 'hex');
  const screen = (parties: Parties): Findings => {
    const screened = [screenParty(index, 'DEBTOR', parties.debtor), screenParty(index, 'CREDITOR', parties.creditor)];
    return {
      outcome: worst(screened),
      lists,
      engineVersion: ENGINE_VERSION,
      configurationHash,
      threshold: CONFIGURATION.threshold,
      parties: screened,
    };
  };
  return { screen: (batch) => batch.map(screen) };
}

/** How evidence refers to a list version. */
export const listReference = (version: ListVersion): ListReference => ({
  source: version.source,
  versionId: `${version.source}-${version.entitiesHash.slice(0, 16)}`,
  publishedOn: version.publicationDate ?? '',
  contentHash: version.entitiesHash,
});

function indexOf(versions: readonly ListVersion[]): ReadonlyMap<string, readonly Entry[]> {
  const index = new Map<string, Entry[]>();
  for (const { entities } of versions) {
    for (const { source, sourceId, names } of entities) {
      for (const { full, kind, quality } of names) {
        const { key } = keyOf(full);
        if (key === '') continue;
        const rank = quality === 'weak' ? 'WEAK' : kind === 'primary' ? 'PRIMARY' : 'STRONG';
        const entry: Entry = { source, entityId: sourceId, name: full, quality: rank };
        index.set(key, [...(index.get(key) ?? []), entry]);
      }
    }
  }
  return index;
}

/** The words of a name in alphabetical order. `whole` is false when the name was too long to be looked at entirely. */
function keyOf(name: string): { key: string; whole: boolean } {
  const { words, cut } = wordsOf(name);
  const key = words
    .map((word) => word.text)
    .sort()
    .join(' ');
  return { key, whole: !cut };
}

function screenParty(index: ReadonlyMap<string, readonly Entry[]>, role: PartyRole, party: Party): ScreenedParty {
  const { key, whole } = keyOf(party.name);
  const candidates = (index.get(key) ?? []).map(candidateOf);
  return {
    role,
    outcome: outcomeOf(key !== '' && whole, candidates),
    queryHash: hash('sha256', `${party.kind}\n${key}`, 'hex'),
    candidates,
  };
}

function candidateOf({ source, entityId, name, quality }: Entry): ScreeningCandidate {
  return {
    source,
    entityId,
    matchedName: name,
    aliasQuality: quality,
    score: 1,
    isHit: quality !== 'WEAK',
    exceptionId: null,
    features: [{ name: 'name-equality', value: 1, detail: 'all words are equal after normalisation' }],
  };
}

function outcomeOf(screenable: boolean, candidates: readonly ScreeningCandidate[]): ScreeningOutcome {
  if (candidates.some((candidate) => candidate.isHit)) return 'POTENTIAL_MATCH';
  return screenable ? 'CLEAR' : 'UNSCREENABLE';
}

const SEVERITY: readonly ScreeningOutcome[] = ['CLEAR', 'UNSCREENABLE', 'POTENTIAL_MATCH', 'TRUE_MATCH'];

function worst(parties: readonly ScreenedParty[]): ScreeningOutcome {
  return parties.map((party) => party.outcome).reduce((a, b) => (SEVERITY.indexOf(a) >= SEVERITY.indexOf(b) ? a : b));
}
