// How long to wait before the next try of something that failed. One counting rule for all: `failures` are the failures in a
// row, the one just met included, so the first wait comes after failure 1.

export interface BackoffLimits {
  /** The wait after the first failure, ms. */
  readonly firstMs: number;
  /** No wait is longer, ms. */
  readonly maxMs: number;
}

/** For dependencies that are down. */
export const DEPENDENCY_BACKOFF: BackoffLimits = { firstMs: 200, maxMs: 15_000 };

/** The wait after so many failures, ms, before any jitter: `firstMs`, doubled with each further failure up to `maxMs`. */
export function doubledMs(failures: number, { firstMs, maxMs }: BackoffLimits): number {
  const doublings = Math.max(0, failures - 1);
  // 2 ** 1024 is Infinity, and 0 times that is no number.
  return Math.min(maxMs, firstMs * 2 ** Math.min(doublings, 1_000));
}

/** The same with jitter: a whole number of ms between half of it and all of it. `random` gives numbers from 0 to 1. */
export function backoffMs(failures: number, limits: BackoffLimits, random: () => number = Math.random): number {
  return Math.round(doubledMs(failures, limits) * (0.5 + random() / 2));
}
