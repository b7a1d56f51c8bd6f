// Ends as unpaid that settlement may not hear of yet: a transfer that is rejected is refunded, and must never be paid. Pure.
import { type ClaimedAttempt, isBehind, isToBeStopped } from './attempt-ledger.ts';
import type { Payout } from './payout.ts';
import { unpublished } from './payout-updated.ts';
import { isReconciled } from './put-back.ts';

/**
 * Why the end of a payout waits. `LOG`: the log does not know yet that nothing of it begins any more. `PERSON`: the document
 * lacks what the log has, and nobody has said what became of that.
 */
export type EndWait = 'LOG' | 'PERSON';

/**
 * What could happen: a payout ends as unpaid by a person's word, settlement hears it, and then the database is put back to
 * before that, or a worker goes on that held an older state: it begins an attempt, and the transfer is refunded and paid. What
 * stops it: no such end is told before the log has it that nothing begins; behind that record no claim stands, and every claim
 * that stands before it is known here, so that an attempt of which the document knows nothing is found.
 * @param claimed as the log has it, read up to the record that stops the payout
 */
export function waitOfEnd(payout: Payout, claimed: ClaimedAttempt | undefined): EndWait | undefined {
  if (!unpublished(payout).some(({ status }) => status === 'FAILED')) return undefined;
  if (isToBeStopped(payout, claimed)) return 'LOG';
  if (claimed && isBehind(payout, claimed) && !isReconciled(payout, claimed)) return 'PERSON';
  return undefined;
}
