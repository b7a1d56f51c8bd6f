// Answers that contradict what is known: a case for a person, and nothing begins before it is closed. Pure.
import { lastAttempt, openCase, withAttempt, withUpdate } from './changes.ts';
import type { Attempt, Observation, Payout, PayoutCase } from './payout.ts';
import type { PayoutPolicy } from './policy.ts';
import { markUnknown, pollAgain, watchForReturn } from './polling.ts';

/** No attempt may begin before a person has closed a case: money may have moved, or attempts keep dying. */
export function isContested({ cases }: Payout): boolean {
  return cases.some(({ code, closedAt }) => HOLDING_BACK.includes(code) && closedAt === null);
}

/** Cases that hold back the next attempt and a new price for as long as they are open. */
const HOLDING_BACK: readonly PayoutCase['code'][] = ['CONTRADICTION', 'ANSWER_DIFFERS', 'ATTEMPTS_DIED', 'ROLLED_BACK'];

/**
 * Cases after which no attempt ever begins: as long as one is open the payout waits, and when a person has closed it before
 * the payout had its end, the payout has failed. What is still to be paid is sent as a new transfer.
 */
export function endsPayout({ code }: Pick<PayoutCase, 'code'>): boolean {
  return code === 'CONTRADICTION' || code === 'ANSWER_DIFFERS' || code === 'ROLLED_BACK';
}

/** A person has closed a case after which nothing may begin. */
export function isWrittenOff({ cases }: Payout): boolean {
  return cases.some((one) => endsPayout(one) && one.closedAt !== null);
}

/** ACCEPTED does not contradict: a late answer may describe a state from before the case was closed. */
export function contradicts(seen: Observation): boolean {
  return seen.state === 'PAID' || seen.state === 'RETURNED';
}

/**
 * The answer speaks of another payout than was asked for: nothing that it states is taken. What is open stays open, is asked
 * about again, and waits for a person.
 */
export function differing(
  payout: Payout,
  attempt: Attempt,
  seen: Observation,
  at: number,
  policy: PayoutPolicy,
): Payout {
  const { key } = attempt;
  const known = payout.cases.some((one) => one.code === 'ANSWER_DIFFERS' && one.attemptKey === key && !one.closedAt);
  const detail = `The provider says ${seen.state}, with another ${seen.differs?.join(', ')} than was asked for.`;
  const flagged = known ? payout : openCase(payout, 'ANSWER_DIFFERS', detail, at, key);
  if (payout.phase === 'PAID') return watchForReturn(flagged, at, policy);
  if (payout.phase === 'RETURNED') return flagged;
  const reason = { code: 'NARR', detail };
  const reported = known ? flagged : withUpdate(flagged, 'OUTCOME_UNKNOWN', at, reason);
  if (payout.phase === 'SUBMITTING') return markUnknown(reported, attempt, at, at + policy.pollFirstMs);
  return pollAgain(reported, at, policy);
}

/** Money moved under a key that was provably dead. Nothing more is sent before a person looks. */
export function contradiction(payout: Payout, key: string, seen: Observation, at: number): Payout {
  const detail = `The provider says ${seen.state} of a key that was provably dead.`;
  const known = payout.cases.some((one) => one.code === 'CONTRADICTION' && one.attemptKey === key && !one.closedAt);
  const flagged = known ? payout : openCase(payout, 'CONTRADICTION', detail, at, key);
  const attempt = lastAttempt(payout);
  if (payout.phase !== 'NEW') return flagged;
  // The key of an attempt before the last: this attempt is dead too, and must be the last.
  if (attempt?.key !== key) return flagged === payout ? payout : { ...flagged, nextPollAt: null };
  return markUnknown(withAttempt(flagged, { ...attempt, end: null }), { ...attempt, end: null }, at, at);
}
