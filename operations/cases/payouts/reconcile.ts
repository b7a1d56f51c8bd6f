// Whether the document that is closed as unpaid has all that the log says was about to be sent. Pure.
import { type ClaimedAttempt, isBehind, lackedBy } from '../../../payouts/attempt-ledger.ts';
import { attemptKey } from '../../../payouts/changes.ts';
import { endsPayout } from '../../../payouts/contradictions.ts';
import type { Payout } from '../../../payouts/payout.ts';
import { isNamedBehind, isReconciled } from '../../../payouts/put-back.ts';
import type { CaseClosing } from './decide.ts';

/**
 * What the log has and the document lacks, in a clause; undefined: nothing, or the person says with this closing, or has said
 * before, what became of it.
 */
export function attemptUnknownTo(
  payout: Payout,
  { number, statement }: Pick<CaseClosing, 'number' | 'statement'>,
  claimed: ClaimedAttempt | undefined,
): string | undefined {
  if (!claimed || !isBehind(payout, claimed) || !endsAsUnpaid(payout, number, statement !== undefined))
    return undefined;
  const closed = { ...payout, cases: payout.cases.with(number - 1, { ...payout.cases[number - 1]!, closedAt: 0 }) };
  if (statement ? isReconciled(payout, claimed) : isReconciled(closed, claimed)) return undefined;
  const { payoutId } = payout;
  const lacked = lackedBy(payout, claimed);
  const toDo = isNamedBehind(payout, claimed) ? 'its case ROLLED_BACK says so' : 'it has a case ROLLED_BACK now';
  if (!lacked)
    return `the log says that it was stopped, and its document does not: it was put back to an older state; ${toDo}`;
  const key = attemptKey(payoutId, lacked.number);
  return `the log has attempt ${key}, which may have been sent and paid, and the document does not: it was put back to an older state. Ask the provider about ${key}; ${toDo}, and is closed first`;
}

/** Whether the payout is unpaid by this closing, or by what follows from it. */
function endsAsUnpaid({ phase, cases }: Payout, number: number, isStated: boolean): boolean {
  const found = cases[number - 1]!;
  if (phase === 'PAID' || phase === 'RETURNED') return false;
  return isStated || found.code === 'ATTEMPTS_DIED' || endsPayout(found);
}
