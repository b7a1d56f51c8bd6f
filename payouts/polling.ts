// Asking again: when the next query is due, and when a person is asked beside it. Pure.
import { changed, lastAttempt, openCase, withAttempt, withUpdate } from './changes.ts';
import type { Attempt, Payout } from './payout.ts';
import { type PayoutPolicy, payoutBackoffMs } from './policy.ts';
import { isStatedUnpaid } from './statement.ts';

/** What became of the attempt is not known from here on. */
export function markUnknown(payout: Payout, attempt: Attempt, at: number, nextPollAt: number): Payout {
  const unknown = withAttempt(payout, { ...attempt, unknownSince: at });
  return changed(unknown, at, { phase: 'OUTCOME_UNKNOWN', polls: 0, nextPollAt });
}

/** Nothing new: ask again later, and ask a person when the attempt should long have been over. */
export function pollAgain(payout: Payout, at: number, policy: PayoutPolicy): Payout {
  const polls = payout.polls + 1;
  const wait = payoutBackoffMs(polls, { firstMs: policy.pollFirstMs, maxMs: policy.pollMaxMs }, payout.payoutId);
  const next = changed(payout, at, { polls, nextPollAt: at + wait });
  const attempt = lastAttempt(payout);
  const open = payout.phase === 'OUTCOME_UNKNOWN' || payout.phase === 'ACCEPTED';
  if (!open || !attempt || at < attempt.expiresAt + policy.visibilityMs + policy.caseAfterMs) return next;
  if (payout.cases.some((one) => one.closedAt === null && one.code === 'NO_PROOF')) return next;
  const detail = `The attempt expired, and the provider has not stated what became of it (${payout.phase}).`;
  const reason = { code: 'NARR', detail };
  return withUpdate(openCase(next, 'NO_PROOF', detail, at), 'OUTCOME_UNKNOWN', at, reason);
}

/** PAID: the next look for a return, as long as there is one left. */
export function watchForReturn(payout: Payout, at: number, policy: PayoutPolicy): Payout {
  const wait = policy.returnPollsMs[payout.polls];
  return changed(payout, at, { polls: payout.polls + 1, nextPollAt: wait === undefined ? null : at + wait });
}

/** Sees to it that a payout is looked at now: somebody (a webhook) hints at news. A hint is never taken for the truth. */
export function dueNow(payout: Payout, at: number): Payout {
  const listens =
    payout.phase === 'ACCEPTED' ||
    payout.phase === 'OUTCOME_UNKNOWN' ||
    payout.phase === 'PAID' ||
    isStatedUnpaid(payout);
  return listens ? { ...payout, nextPollAt: Math.min(payout.nextPollAt ?? at, at) } : payout;
}
