// What a person may say to a case. Pure.
import type { ProviderStatement } from '../../../payouts/payout.ts';
import { CodedError } from '../../../ports/fault.ts';
import type { CaseKind } from './row.ts';

/**
 * APPROVE, REJECT: what is held goes on, or is declined. CLOSE: a person has dealt with what happened to a payout. PAID,
 * UNPAID: the provider states so in writing of a payout that it does not tell. CLEAR, CONFIRM: the customer is not the listed
 * entity, or is.
 */
export type Verdict = 'APPROVE' | 'REJECT' | 'CLOSE' | 'PAID' | 'UNPAID' | 'CLEAR' | 'CONFIRM';
export type StatedVerdict = Extract<Verdict, ProviderStatement['outcome']>;

/** Whether it settles a payout by the provider's statement. */
export const isStated = (verdict: Verdict): verdict is StatedVerdict => verdict === 'PAID' || verdict === 'UNPAID';

/** What may be said to a case of each kind. None is the one that is meant when nothing is said. */
export const VERDICTS: Readonly<Record<CaseKind, readonly Verdict[]>> = {
  HOLD: ['APPROVE', 'REJECT'],
  PAYOUT: ['CLOSE', 'PAID', 'UNPAID'],
  CUSTOMER: ['CLEAR', 'CONFIRM'],
};

/** The verdict, when it is one of this kind of case. @throws CodedError VERDICT_UNFIT */
export function fitting({ kind, id }: { readonly kind: CaseKind; readonly id: string }, verdict: Verdict): Verdict {
  if (VERDICTS[kind].includes(verdict)) return verdict;
  const may = VERDICTS[kind].join(' or ').toLowerCase();
  throw new CodedError('VERDICT_UNFIT', `case ${id} is of the kind ${kind}: say ${may}`);
}
