// Holding a transfer for what screening found, at whichever stage found it. Pure.
import { reason } from '../../domain/reasons.ts';
import type { Reason, ScreenedParty, ScreeningEvidence } from '../../schemas/types.generated.ts';
import { wordFor } from '../../screening/counterparties.ts';

/** Why the last look of the evidence holds. */
export const reasonsOf = (evidence: ScreeningEvidence): readonly Reason[] =>
  (evidence.rechecks.at(-1) ?? evidence).parties.flatMap(reasonOf);

function reasonOf({ role, outcome, candidates }: ScreenedParty, place: number): readonly Reason[] {
  if (outcome === 'CLEAR') return [];
  const who = wordFor(role, place);
  if (outcome === 'UNSCREENABLE') return [reason('RR04', `the name of the ${who} cannot be screened`)];
  const entries = candidates.filter(({ isHit }) => isHit).map(({ source, entityId }) => `${source} ${entityId}`);
  const verb = outcome === 'TRUE_MATCH' ? 'has an identifier of' : 'resembles';
  return [reason('RR04', `the ${who} ${verb} ${entries.join(', ')}`)];
}

/** Why a transfer ends that was held for what screening found. */
export const declined = (lapsed: boolean): Reason =>
  reason(
    'RR04',
    lapsed
      ? 'held for a possible sanctions match, and the hold lapsed before it was approved'
      : 'declined after review of a possible sanctions match',
  );
