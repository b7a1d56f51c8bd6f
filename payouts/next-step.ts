// What is due on a payout, and what keeps an attempt from beginning. Pure.

import { lastAttempt } from './changes.ts';
import { isContested, isWrittenOff } from './contradictions.ts';
import type { Payout } from './payout.ts';
import type { PayoutPolicy } from './policy.ts';
import { isStatedUnpaid } from './statement.ts';

/** What is to be done with a payout now. */
export type Step =
  /** Nothing before `nextPollAt`, or ever. */
  | 'rest'
  /** Begin an attempt; the price is still good. */
  | 'submit'
  /** The price is over and nothing is alive: have the transfer priced again. */
  | 'expire'
  /** Too many attempts have died, or money may have moved, and a person has seen it: the payout has failed. */
  | 'give-up'
  /** The worker that held the attempt is gone or stuck: its outcome is unknown from here on. */
  | 'give-up-lease'
  | 'query'
  | 'cancel';

/** What is due at `at`. */
export function nextStep(payout: Payout, at: number, policy: PayoutPolicy): Step {
  if (payout.nextPollAt === null || at < payout.nextPollAt) return 'rest';
  switch (payout.phase) {
    case 'NEW':
      if (isContested(payout)) return 'rest';
      if (isSpent(payout, policy) || isWrittenOff(payout)) return 'give-up';
      return priceIsOver(payout, at, policy) ? 'expire' : 'submit';
    case 'SUBMITTING':
      return 'give-up-lease';
    case 'OUTCOME_UNKNOWN':
      return cancelIsDue(payout, at, policy) ? 'cancel' : 'query';
    case 'ACCEPTED':
    case 'PAID':
      return 'query';
    case 'FAILED':
      return isStatedUnpaid(payout) ? 'query' : 'rest';
    default:
      return 'rest';
  }
}

/** The transfer has had all the attempts that it may have in its life, over all prices. */
export function isSpent({ deadAttempts, lastAttempt: begun }: Payout, policy: PayoutPolicy): boolean {
  return deadAttempts >= policy.maxDeadAttempts || begun >= policy.maxAttempts;
}

export function priceIsOver(payout: Payout, at: number, policy: PayoutPolicy): boolean {
  return at + policy.priceMarginMs >= payout.priceExpiresAt;
}

/** A cancel follows a query that found nothing; when queries stay unanswered, every other poll is a cancel instead. */
function cancelIsDue(payout: Payout, at: number, policy: PayoutPolicy): boolean {
  const attempt = lastAttempt(payout);
  if (!attempt || attempt.unknownSince === null) return false;
  if (attempt.notFound) return true;
  return at >= attempt.unknownSince + 3 * policy.cancelAfterMs && payout.polls % 2 === 1;
}
