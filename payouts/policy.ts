// The times and counts that steer a payout. All durations are milliseconds.
import { type BackoffLimits, doubledMs } from '../ports/backoff.ts';

export interface PayoutPolicy {
  /** From the start of an attempt until its worker may not send any more; longer than the provider's submit timeout. */
  readonly leaseMs: number;
  /** A price must be valid at least this much longer when an attempt begins. */
  readonly priceMarginMs: number;
  /** Longest life of an attempt; it never outlives its price. */
  readonly attemptTtlMs: number;
  /** The provider's queries show an accepted key at most this much later. */
  readonly visibilityMs: number;
  /** An attempt of unknown outcome that no query finds is cancelled after this long. */
  readonly cancelAfterMs: number;
  /** A person is asked when there is still no proof this long after the attempt expired. */
  readonly caseAfterMs: number;
  /** A payout whose attempts the provider took and let die this often has failed. */
  readonly maxDeadAtProvider: number;
  /** After this many dead attempts in the life of a transfer, whatever killed them, no further one begins: a case. */
  readonly maxDeadAttempts: number;
  /** The same for attempts in all, those included that were never sent. */
  readonly maxAttempts: number;
  /** An answer whose clock is further from ours than this, either way, proves nothing by that clock. */
  readonly maxClockSkewMs: number;
  /** After each further this many such answers about one payout, a person is asked. */
  readonly maxClockDoubts: number;
  /** Spacing of queries: the first wait, doubled each time up to the last. */
  readonly pollFirstMs: number;
  readonly pollMaxMs: number;
  /** Spacing of attempts, in the same way. */
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** How long after the payment to ask whether the money came back; empty: never (webhooks still are heard). */
  readonly returnPollsMs: readonly number[];
  /** Test only: the provider's clock alone says when an attempt is over. The negative control of our own clock. */
  readonly unsafe?: { readonly noOwnClock?: boolean };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const DEFAULT_PAYOUT_POLICY: PayoutPolicy = {
  leaseMs: 20_000,
  priceMarginMs: 1_000,
  attemptTtlMs: 15 * MINUTE_MS,
  visibilityMs: 5_000,
  cancelAfterMs: 6_000,
  caseAfterMs: MINUTE_MS,
  maxDeadAtProvider: 5,
  maxDeadAttempts: 5,
  maxAttempts: 100,
  maxClockSkewMs: MINUTE_MS,
  maxClockDoubts: 10,
  pollFirstMs: 250,
  pollMaxMs: 30_000,
  retryFirstMs: 500,
  retryMaxMs: 30_000,
  returnPollsMs: [MINUTE_MS, HOUR_MS, 24 * HOUR_MS, 72 * HOUR_MS],
};

/**
 * The wait after so many failures or queries without an answer (from 1), ms: doubled each time, capped, and moved by up to a
 * quarter so that payouts that failed together do not come back together. The move depends on the payout alone, so that
 * decisions stay reproducible.
 */
export function payoutBackoffMs(failures: number, limits: BackoffLimits, payoutId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < payoutId.length; i++) hash = Math.imul(hash ^ payoutId.charCodeAt(i), 0x01000193);
  return Math.round(doubledMs(failures, limits) * (0.75 + ((hash >>> 0) / 0x1_0000_0000) * 0.5));
}
