// What the use-cases of payout cases need of a store.
import type { Payout } from '../../../payouts/payout.ts';
import type { AttemptClaims, PayoutStore } from '../../../payouts/ports.ts';

/** Payouts that a person looks at. Every method throws a coded error when the store cannot be asked. */
export interface PayoutsWithCases extends Pick<PayoutStore, 'load' | 'apply'> {
  /** Payouts with an open case, the oldest case first. */
  openCases(limit: number): Promise<PayoutPage>;
}

export interface PayoutPage {
  /** Without those that no executor has written. */
  readonly payouts: readonly Payout[];
  /** There are more than the limit, with those that are left out. */
  readonly isCut: boolean;
}

/** Attempts as the log has them, read up to its end as it was at the call. Throws a coded error when it cannot be read. */
export type ClaimsInLog = () => Promise<Pick<AttemptClaims, 'highest'>>;

/** What a case of a payout is closed in. */
export interface ClosingStore extends Pick<PayoutsWithCases, 'load' | 'apply'> {
  /** Absent: this program closes nothing by itself, or a test believes the document. */
  readonly claims?: ClaimsInLog;
}
