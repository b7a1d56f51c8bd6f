// Makes a recorded decision again, from the event alone: its evidence and its parties. Pure.
import type { Parties, ScreenedParty, ScreeningEvidence } from '../schemas/types.generated.ts';
import { configFrom } from './configuration.ts';
import { counterpartiesOf, wordFor } from './counterparties.ts';
import { type Candidate, reproduce } from './engine/index.ts';
import { overallOutcome } from './evidence.ts';
import { withCandidates } from './exceptions.ts';
import { canonicalJson } from './lists/index.ts';
import { queryOf } from './query.ts';
import { fromCandidate, toScreenedParty, worstOf } from './screened-party.ts';
import { engineReference } from './versions/version.ts';

export interface ReproducedDecision {
  readonly identical: boolean;
  /** One sentence for each thing that is not as recorded; empty when all is. */
  readonly differences: readonly string[];
}

type Look = Pick<ScreeningEvidence, 'lists' | 'engineVersion' | 'configurationHash' | 'configuration' | 'parties'>;

/** Scores every recorded candidate anew, applies the recorded exceptions, and compares all that comes out. */
export function reproduceDecision(evidence: ScreeningEvidence, parties: Parties): ReproducedDecision {
  const base = lookAgain('screening', evidence, parties, false);
  const later = evidence.rechecks.map((recheck, i) => {
    const look = lookAgain(`look ${i + 1} (${recheck.reason})`, recheck, parties, true);
    const outcome = worstOf(look.parties);
    if (outcome !== recheck.outcome) look.differences.push(`${recheck.reason}: the outcome would be ${outcome}`);
    return { ...recheck, ...look };
  });
  const differences = [...base.differences, ...later.flatMap((look) => look.differences)];
  const outcome = overallOutcome({ parties: base.parties, review: evidence.review, rechecks: later });
  if (outcome !== evidence.outcome) differences.push(`the outcome would be ${outcome}, not ${evidence.outcome}`);
  return { identical: differences.length === 0, differences };
}

interface LookedAgain {
  readonly parties: readonly ScreenedParty[];
  readonly differences: string[];
}

function lookAgain(name: string, look: Look, parties: Parties, difference: boolean): LookedAgain {
  const differences: string[] = [];
  const made: ScreenedParty[] = [];
  const { config, hash } = configFrom(look.configuration);
  if (hash !== look.configurationHash) differences.push(`${name}: the configuration is not the one recorded`);
  const counterparties = counterpartiesOf(parties);
  if (look.parties.length > counterparties.length)
    differences.push(`${name}: more parties are recorded than there are`);
  counterparties.forEach(({ role, party }, place) => {
    const found = look.parties[place];
    const recorded = found?.role === role ? found : undefined;
    const who = wordFor(role, place);
    const query = queryOf(party);
    const candidates = recorded?.candidates.map((candidate) => fromCandidate(candidate, party.name));
    if (recorded === undefined || candidates === undefined || candidates.includes(undefined)) {
      differences.push(`${name}: what is recorded of the ${who} is not complete`);
      return;
    }
    const { screening } = reproduce({
      party: query,
      config,
      outcome: 'clear',
      hits: [],
      candidates: candidates as readonly Candidate[],
      normalised: [],
      lists: look.lists.map(engineReference),
      engineVersion: look.engineVersion,
      configHash: look.configurationHash,
    });
    if (screening.engineVersion !== look.engineVersion) {
      differences.push(`${name}: engine ${look.engineVersion} was used, this is ${screening.engineVersion}`);
    }
    const again = excuse(toScreenedParty(role, query, screening, difference), recorded);
    made.push(again);
    if (canonicalJson(again) !== canonicalJson(recorded)) differences.push(`${name}: the ${who} comes out differently`);
  });
  return { parties: made, differences };
}

/** Applies the exceptions that are recorded. */
function excuse(party: ScreenedParty, recorded: ScreenedParty): ScreenedParty {
  const applied = new Map(recorded.candidates.map((each) => [`${each.source}:${each.entityId}`, each.exceptionId]));
  const candidates = party.candidates.map((each) => {
    const exceptionId = applied.get(`${each.source}:${each.entityId}`) ?? null;
    return exceptionId === null ? each : { ...each, exceptionId, isHit: false };
  });
  return withCandidates(party, candidates);
}
