// Holding a transfer for what screening found, at whichever stage found it. Pure.
import { reason } from '../../domain/reasons.ts';
import type { Instruction, Reason, ScreenedParty, ScreeningEvidence } from '../../schemas/types.generated.ts';
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

/** Why the check of name and account holds a transfer, by the rules that ask for a person. */
export const verificationReasons = ({ reviewRules, payeeVerification }: Instruction): readonly Reason[] =>
  reviewRules.map((id) =>
    reason('BE01', `rule ${id}: the check of name and account said ${payeeVerification?.result ?? 'nothing'}`),
  );

/** Rules of data ask for a person, and nobody has looked yet: whoever approves a hold has seen all of its reasons. */
export const mustAskAPerson = ({ reviewRules }: Instruction, { review, rechecks }: ScreeningEvidence): boolean =>
  reviewRules.length > 0 && review === null && rechecks.every((look) => look.review === null);

/** Why a transfer ends that was held for what screening found, or for a check of name and account. */
export function declinedAtScreening(evidence: ScreeningEvidence, lapsed: boolean): Reason {
  if (reasonsOf(evidence).length === 0) {
    return reason(
      'BE01',
      lapsed
        ? 'held since the name is not that of the account, and the hold lapsed before it was approved'
        : 'declined after review: the name is not that of the account',
    );
  }
  return declined(lapsed);
}

/** Why a transfer ends that was held for what lists say. */
export const declined = (lapsed: boolean): Reason =>
  reason(
    'RR04',
    lapsed
      ? 'held for a possible sanctions match, and the hold lapsed before it was approved'
      : 'declined after review of a possible sanctions match',
  );
