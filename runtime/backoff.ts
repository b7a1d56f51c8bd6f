// Delays between attempts at something that is down.

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

export const DEFAULT_BACKOFF: BackoffLimits = { firstMs: 200, maxMs: 15_000 };

/** Exponential with jitter: between half and all of `first * 2^failures`, at most `max`; `failures` counts from 0. */
export function backoffMs(failures: number, limits: BackoffLimits = DEFAULT_BACKOFF, random = Math.random): number {
  const whole = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(failures, 30));
  return Math.round(whole * (0.5 + random() / 2));
}
