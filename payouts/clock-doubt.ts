// A foreign clock proves nothing by itself: what rests on it counts only while it agrees with ours.
import type { ErrorCode } from '../ports/error-codes.ts';
import { openCase } from './changes.ts';
import type { Payout, QueryResult, SubmitResult } from './payout.ts';
import type { PayoutPolicy } from './policy.ts';

/** How far the provider's clock is ahead of ours, ms; undefined: the answer bears none. */
export function clockAhead(result: object, at: number): number | undefined {
  return 'asOf' in result && typeof result.asOf === 'number' ? result.asOf - at : undefined;
}

/** The answer's clock is implausibly far from ours, one way or the other. */
export function isClockDoubtful(result: object, at: number, policy: PayoutPolicy): boolean {
  const ahead = clockAhead(result, at);
  if (ahead === undefined || policy.unsafe?.noOwnClock) return false;
  // Not a number is as far away as can be.
  return !(Math.abs(ahead) <= policy.maxClockSkewMs);
}

/** What an answer with a doubtful clock is worth: nothing where it speaks of time, as much as ever where it does not. */
export function withoutClock<R extends QueryResult | SubmitResult, K extends 'no-answer' | 'unknown'>(
  result: R,
  kind: K,
): R | { readonly kind: K; readonly code: ErrorCode; readonly detail: string } {
  const speaksOfTime = result.kind === 'not-found' || (result.kind === 'observed' && result.state === 'EXPIRED');
  return speaksOfTime ? { kind, code: 'PROVIDER_CLOCK', detail: "the provider's clock is far from ours" } : result;
}

/** Counts a doubtful answer that changed the payout; each further `maxClockDoubts` of them open a case. It goes by count, since clocks are what is in doubt. */
export function countDoubt(before: Payout, next: Payout, at: number, policy: PayoutPolicy): Payout {
  if (next === before) return before;
  const counted = { ...next, clockDoubts: before.clockDoubts + 1 };
  if (counted.clockDoubts % policy.maxClockDoubts !== 0) return counted;
  if (counted.cases.some(({ code, closedAt }) => code === 'PROVIDER_CLOCK' && closedAt === null)) return counted;
  const detail = `${counted.clockDoubts} answers about it bore a clock that is more than ${policy.maxClockSkewMs} ms from ours.`;
  return openCase(counted, 'PROVIDER_CLOCK', detail, at);
}
