// Settings of the executor. Durations are milliseconds.
import { DEFAULT_PAYOUT_POLICY, type PayoutPolicy } from './policy.ts';

export interface PayoutExecutorConfig {
  readonly policy: PayoutPolicy;
  /** Submits on their way at once, per process (the bulkhead). */
  readonly maxInFlight: number;
  /** Polls on their way at once, per process. */
  readonly maxPolls: number;
  /** Payouts that may wait in hand for their first query; of those beyond, it is stored first that the provider has them. */
  readonly maxWaiting: number;
  /** How long a consumed batch may wait for a free place before the rest of it is stored to be sent later. */
  readonly admitWaitMs: number;
  /** Most payouts in one round trip to the store. */
  readonly maxStoreBatch: number;
  /** How often overdue payouts are looked for, how long overdue they must be, and how many are taken at once. */
  readonly sweepEveryMs: number;
  readonly overdueMs: number;
  readonly sweepPage: number;
  /** What is due later than this is left to the sweeper instead of the timer. */
  readonly timerHorizonMs: number;
}

export const DEFAULT_EXECUTOR_CONFIG: PayoutExecutorConfig = {
  policy: DEFAULT_PAYOUT_POLICY,
  maxInFlight: 128,
  maxPolls: 128,
  maxWaiting: 4_096,
  admitWaitMs: 1_000,
  maxStoreBatch: 500,
  sweepEveryMs: 1_000,
  overdueMs: 2_000,
  sweepPage: 1_000,
  timerHorizonMs: 60_000,
};
