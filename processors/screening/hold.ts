// Holding a transfer for what screening found, at whichever stage found it. Pure.
import { reason } from '../../domain/reasons.ts';
import type { Hold, Reason, ScreenedParty, ScreeningEvidence, Stage } from '../../schemas/types.generated.ts';
import { holdOf } from '../holds.ts';
import { wordFor } from './counterparties.ts';
import { evidenceHashOf } from './evidence.ts';

interface ScreeningHoldTerms {
  readonly transferId: string;
  /** Sequence of the held event. */
  readonly sequence: number;
  readonly stage: Stage;
  /** ms since 1970 */
  readonly expiresAt: number;
}

/** The hold for the last look of the evidence. */
export function screeningHold(evidence: ScreeningEvidence, terms: ScreeningHoldTerms): Hold {
  const { parties } = evidence.rechecks.at(-1) ?? evidence;
  return holdOf({ ...terms, reasons: parties.flatMap(reasonOf), evidenceHash: evidenceHashOf(evidence) });
}

function reasonOf({ role, outcome, candidates }: ScreenedParty, place: number): readonly Reason[] {
  if (outcome === 'CLEAR') return [];
  const who = wordFor(role, place);
  if (outcome === 'UNSCREENABLE') return [reason('RR04', `the name of the ${who} cannot be screened`)];
  const entries = candidates.filter(({ isHit }) => isHit).map(({ source, entityId }) => `${source} ${entityId}`);
  const verb = outcome === 'TRUE_MATCH' ? 'has an identifier of' : 'resembles';
  return [reason('RR04', `the ${who} ${verb} ${entries.join(', ')}`)];
}
