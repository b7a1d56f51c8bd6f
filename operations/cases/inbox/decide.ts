// The decision on a case, whichever kind it is of, bound to what the person has seen of it.
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { CodedError } from '../../../ports/fault.ts';
import { decideFoundCustomerCase } from '../customers/cases.ts';
import type { DecidableCustomerCases } from '../customers/ports.ts';
import { decideCase } from '../holds/cases.ts';
import type { HoldCases } from '../holds/ports.ts';
import { closePayoutCase } from '../payouts/cases.ts';
import type { PayoutsWithCases } from '../payouts/ports.ts';
import { type FoundCase, findCase } from './find.ts';
import type { CaseKind } from './row.ts';

/**
 * APPROVE, REJECT: what is held goes on, or is declined. CLOSE: a person has dealt with what happened to a payout. CLEAR,
 * CONFIRM: the customer is not the listed entity, or is.
 */
export type Verdict = 'APPROVE' | 'REJECT' | 'CLOSE' | 'CLEAR' | 'CONFIRM';

/** What may be said to a case of each kind. None is the one that is meant when nothing is said. */
export const VERDICTS: Readonly<Record<CaseKind, readonly Verdict[]>> = {
  HOLD: ['APPROVE', 'REJECT'],
  PAYOUT: ['CLOSE'],
  CUSTOMER: ['CLEAR', 'CONFIRM'],
};

export interface CaseVerdict {
  readonly caseId: string;
  readonly verdict: Verdict;
  /** `seen` of the case as it was shown to the person. */
  readonly seen: string;
  readonly by: string;
  readonly reason: string;
  /** ms since 1970 */
  readonly at: number;
}

export interface DecidingStores {
  readonly holds: Pick<HoldCases, 'find' | 'decide'>;
  readonly customers: Pick<DecidableCustomerCases, 'find' | 'decide'>;
  /** Writes under the executor's seal, and knows no payout that does not bear it. */
  readonly payouts: Pick<PayoutsWithCases, 'load' | 'apply'>;
}

/**
 * Decides an open case once, by compare-and-set.
 * @returns the case as it was found
 * @throws CodedError VERDICT_UNFIT, EVIDENCE_CHANGED, CASE_UNKNOWN, and what the decision of its kind throws
 */
export async function decideInboxCase(
  stores: DecidingStores,
  asked: CaseVerdict,
  operators: KeyRing,
): Promise<FoundCase> {
  const found = await findCase({ ...stores, operators }, asked.caseId);
  const verdict = fitting(found, asked.verdict);
  if (asked.seen !== found.seen) throw changed(found.id);
  const { by, reason, at } = asked;
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

/** @throws CodedError VERDICT_UNFIT */
export function fitting({ kind, id }: Pick<FoundCase, 'kind' | 'id'>, verdict: Verdict): Verdict {
  if (VERDICTS[kind].includes(verdict)) return verdict;
  const may = VERDICTS[kind].join(' or ').toLowerCase();
  throw new CodedError('VERDICT_UNFIT', `case ${id} is of the kind ${kind}: say ${may}`);
}

const changed = (id: string): CodedError =>
  new CodedError('EVIDENCE_CHANGED', `case ${id} is not as it was shown: look at it again`);
