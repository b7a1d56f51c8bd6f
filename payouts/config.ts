// Settings of the executor. Durations are milliseconds.
import { DEFAULT_PAYOUT_POLICY, type PayoutPolicy } from './policy.ts';

export interface PayoutExecutorConfig {
  readonly policy: PayoutPolicy;
  /** A payout older than this begins nothing: the log keeps claims of attempts for seven days alone. */
  readonly provableMs: number;
  /**
   * After a restore of the database: the first attempt of each payout that is new here counts as sent, so it is asked about
   * and cancelled before the next one is sent.
   */
  readonly asksFirst: boolean;
  /** Submits on their way at once, per process (the bulkhead). */
  readonly maxInFlight: number;
  /** Polls on their way at once, per process. */
  readonly maxPolls: number;
  /**
   * First attempts per process that may be between their first write and their second: being sent, waiting for their
   * first query, or waiting for the store. What comes beyond is stored to be sent later.
   */
  readonly maxUnsettled: number;
  /** How long a consumed batch may wait for a free place before the rest of it is stored to be sent later. */
  readonly admitWaitMs: number;
  /** How soon an outcome is offered to the store again that it did not take. */
  readonly retryStoreMs: number;
  /** Most payouts in one round trip to the store. */
  readonly maxStoreBatch: number;
  /** How often overdue payouts are looked for, how long overdue they must be, and how many are taken at once. */
  readonly sweepEveryMs: number;
  readonly overdueMs: number;
  readonly sweepPage: number;
  /** How soon a payout that a person has paused is looked at again. */
  readonly pausedLookMs: number;
  /** What is due later than this is left to the sweeper instead of the timer. */
  readonly timerHorizonMs: number;
}

export const DEFAULT_EXECUTOR_CONFIG: PayoutExecutorConfig = {
  policy: DEFAULT_PAYOUT_POLICY,
  provableMs: 6 * 86_400_000,
  asksFirst: false,
  maxInFlight: 128,
  maxPolls: 128,
  maxUnsettled: 2_048,
  admitWaitMs: 1_000,
  retryStoreMs: 500,
  maxStoreBatch: 500,
  sweepEveryMs: 1_000,
  overdueMs: 2_000,
  sweepPage: 1_000,
  pausedLookMs: 10_000,
  timerHorizonMs: 60_000,
};
