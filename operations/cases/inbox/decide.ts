// The decision on a case, whichever kind it is of, bound to what the person has seen of it.
import type { CorridorBook } from '../../../domain/corridors/corridors.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { CodedError } from '../../../ports/fault.ts';
import { decideFoundCustomerCase } from '../customers/cases.ts';
import type { DecidableCustomerCases } from '../customers/ports.ts';
import { decideCase } from '../holds/cases.ts';
import type { HoldCases } from '../holds/ports.ts';
import { closePayoutCase } from '../payouts/cases.ts';
import type { PayoutsWithCases } from '../payouts/ports.ts';
import { justificationOf } from './decision-reasons.ts';
import { type FoundCase, findCase } from './find.ts';
import { type CasePolicy, secondReasons } from './policy.ts';
import { fitting, type Verdict } from './verdict.ts';

export interface CaseVerdict {
  readonly caseId: string;
  readonly verdict: Verdict;
  /** `seen` of the case as it was shown to the person. */
  readonly seen: string;
  readonly by: string;
  /** Of `REASONS_OF` the verdict. */
  readonly code: string;
  readonly reason: string;
  /** ms since 1970 */
  readonly at: number;
  /** Who let it through, where the policy asks for a second person; only `second-person.ts` says so. */
  readonly agreedBy?: string;
}

export interface DecidingStores {
  readonly holds: Pick<HoldCases, 'find' | 'decide'>;
  readonly customers: Pick<DecidableCustomerCases, 'find' | 'decide'>;
  /** Writes under the executor's seal, and knows no payout that does not bear it. */
  readonly payouts: Pick<PayoutsWithCases, 'load' | 'apply'>;
  /** Says where one person alone may not decide. */
  readonly policy: CasePolicy;
  readonly corridors: CorridorBook;
}

/**
 * Decides an open case once, by compare-and-set.
 * @returns the case as it was found
 * @throws CodedError VERDICT_UNFIT, EVIDENCE_CHANGED, DECISION_REASON_UNFIT, CASE_UNKNOWN, SECOND_APPROVER_NEEDED (see
 *   `askToDecide`), and what the decision of its kind throws
 */
export async function decideInboxCase(
  stores: DecidingStores,
  asked: CaseVerdict,
  operators: KeyRing,
): Promise<FoundCase> {
  const found = await findCase({ ...stores, operators }, asked.caseId);
  const verdict = fitting(found, asked.verdict);
  if (asked.seen !== found.seen) throw changed(found.id);
  const { by, at } = asked;
  const reason = justificationOf(verdict, asked.code, asked.reason);
  const why = asked.agreedBy === undefined ? secondReasons(found, verdict, stores.policy, stores.corridors) : [];
  if (found.isOpen && why.length > 0) throw secondNeeded(found.id, why);
  if (found.kind === 'HOLD') {
    const hold = { holdId: found.id, evidenceHash: asked.seen, by, reason, at: new Date(at) };
    await decideCase(stores.holds, { ...hold, decision: verdict === 'APPROVE' ? 'APPROVE' : 'REJECT' }, operators);
  } else if (found.kind === 'CUSTOMER') {
    const state = verdict === 'CLEAR' ? 'CLEARED' : 'CONFIRMED';
    await decideFoundCustomerCase(stores.customers, found.id, found.found, { state, by, reason, at }, operators);
  } else {
    const { number, transferId } = found;
    await closePayoutCase(stores.payouts, transferId, { number, by, reason, operators, seen: asked.seen }, at);
  }
  return found;
}

export const secondNeeded = (id: string, why: readonly string[]): CodedError =>
  new CodedError(
    'SECOND_APPROVER_NEEDED',
    `case ${id} is not for one person alone (${why.join(', ')}): ask, and another lets it through`,
  );

const changed = (id: string): CodedError =>
  new CodedError('EVIDENCE_CHANGED', `case ${id} is not as it was shown: look at it again`);
