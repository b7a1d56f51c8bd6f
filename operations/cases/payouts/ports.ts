// What the use-cases of payout cases need of a store.
import type { Payout } from '../../../payouts/payout.ts';
import type { PayoutStore } from '../../../payouts/ports.ts';

/** Payouts that a person looks at. Every method throws a coded error when the store cannot be asked. */
export interface PayoutsWithCases extends Pick<PayoutStore, 'load' | 'apply'> {
  /** Payouts with an open case, the oldest case first. */
  openCases(limit: number): Promise<readonly Payout[]>;
}
