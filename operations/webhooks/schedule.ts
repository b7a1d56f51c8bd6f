// When a delivery is tried again, and when an endpoint is left alone for a while. Pure: chance comes in.
import { type BackoffLimits, backoffMs } from '../../ports/backoff.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** The wait after each failed try, ms, before jitter: together 23 h 42 min. */
export const WAITS_MS: readonly number[] = [
  ...[5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS],
  ...[1 * HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, 8 * HOUR_MS],
];
/** Tries of a delivery before it is given up. */
export const MAX_TRIES = WAITS_MS.length + 1;
/** A wait is longer than it says by up to this share, so that what failed together does not come together again. */
const JITTER = 0.2;
/** What an endpoint asks for by Retry-After counts up to here, ms. */
const MAX_RETRY_AFTER_MS = HOUR_MS;
/** What has waited so long for an endpoint that took nothing meanwhile is given up, ms: longer than all tries take. */
export const GIVE_UP_AFTER_MS = 30 * HOUR_MS;

/**
 * The wait before the next try, ms; undefined: there is none.
 * @param tries that have failed, the one just now included
 * @param random gives numbers from 0 to 1
 */
export function waitMs(tries: number, random: () => number, retryAfterMs = 0): number | undefined {
  const wait = WAITS_MS[tries - 1];
  if (wait === undefined) return undefined;
  const asked = Math.min(MAX_RETRY_AFTER_MS, Math.max(0, retryAfterMs));
  return Math.round(Math.max(wait, asked) * (1 + JITTER * random()));
}

/** How an endpoint has done lately. */
export interface Breaker {
  /** Failed tries in a row, of whatever delivery. */
  readonly failures: number;
  /** When the first of them failed. */
  readonly failingSince: Date | null;
  /** Nothing is tried until then; then one delivery is. */
  readonly openUntil: Date | null;
}

export const CLOSED: Breaker = { failures: 0, failingSince: null, openUntil: null };

/** Failures in a row that open the breaker. */
export const BREAK_AFTER = 5;
const OPEN: BackoffLimits = { firstMs: 30 * SECOND_MS, maxMs: HOUR_MS };

/** The breaker after one more failure. */
export function afterFailure({ failures, failingSince }: Breaker, now: number, random: () => number): Breaker {
  const more = Math.min(failures + 1, 1_000_000);
  const openings = more - BREAK_AFTER + 1;
  return {
    failures: more,
    failingSince: failingSince ?? new Date(now),
    openUntil: openings < 1 ? null : new Date(now + backoffMs(openings, OPEN, random)),
  };
}

/** How many deliveries may be on their way to an endpoint at once. One that fails is asked one by one. */
export function widthOf({ failures, openUntil }: Breaker, now: number, perEndpoint: number): number {
  if (openUntil !== null && openUntil.getTime() > now) return 0;
  return failures > 0 ? 1 : perEndpoint;
}
