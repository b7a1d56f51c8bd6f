// The payout's state machine: a payout and what was learnt in, the payout after it out. No I/O, no clock, no chance.
//
// One rule carries it: a key is sent at most once, and the next attempt begins only when the last is provably dead.
// Silence is never proof; neither is "not found", as a stopped worker may still be about to write to its socket.

import { attemptKey, changed, lastAttempt, openCase, settleCases, withAttempt, withUpdate } from './changes.ts';
import { countDoubt, isClockDoubtful, withoutClock } from './clock-doubt.ts';
import { contradiction, contradicts, differing, isContested, isWrittenOff } from './contradictions.ts';
import { isSpent, nextStep, priceIsOver } from './next-step.ts';
import type {
  Attempt,
  AttemptEnd,
  CancelResult,
  Observation,
  Payout,
  QueryResult,
  RequestProof,
  SubmitResult,
} from './payout.ts';
import { type PayoutPolicy, payoutBackoffMs } from './policy.ts';
import { markUnknown, pollAgain, watchForReturn } from './polling.ts';
import { giveBack } from './put-back.ts';
import { afterStatedUnpaid, contradicted, statementOf, unansweredStatement } from './statement.ts';

export { nextStep, type Step } from './next-step.ts';

/** What a new payout is made from. */
export interface PayoutRequest {
  readonly payoutId: string;
  readonly provider: string;
  readonly homePartition: number;
  readonly pricingAttempt: number;
  /** ms since the epoch. */
  readonly priceExpiresAt: number;
  readonly requested: Uint8Array;
  /** See `Payout.proof`. */
  readonly proof?: RequestProof | null;
}

/** A payout as it is first requested. */
export function openPayout(request: PayoutRequest, at: number): Payout {
  return {
    ...request,
    revision: 1,
    phase: 'NEW',
    attempts: [],
    lastAttempt: 0,
    deadAtProvider: 0,
    deadAttempts: 0,
    clockDoubts: 0,
    polls: 0,
    nextPollAt: at,
    updates: [],
    publishedVersion: 0,
    cases: [],
    createdAt: at,
    changedAt: at,
  };
}

/**
 * A payout whose request may have been handled before, by whoever knew a document that is gone: its first attempt counts as
 * sent, and may live as long as the price. It is asked about and cancelled like any whose outcome is unknown, never sent.
 */
export function openAsSent(request: PayoutRequest, at: number): Payout {
  const { payoutId, pricingAttempt, priceExpiresAt } = request;
  const attempt: Attempt = {
    number: 1,
    key: attemptKey(payoutId, 1),
    pricingAttempt,
    startedAt: at,
    leaseUntil: at,
    expiresAt: priceExpiresAt,
    unknownSince: at,
    acceptedAt: null,
    notFound: false,
    end: null,
  };
  return { ...openPayout(request, at), phase: 'OUTCOME_UNKNOWN', attempts: [attempt], lastAttempt: 1 };
}

/**
 * NEW to SUBMITTING: the attempt, its key and its expiry, to be stored before anything is sent. With a price that is
 * over, EXPIRED instead.
 * @param token made anew, for an attempt that will be claimed
 */
export function beginAttempt(payout: Payout, at: number, policy: PayoutPolicy, token?: string): Payout {
  if (payout.phase !== 'NEW') throw new Error(`an attempt cannot begin in ${payout.phase}`);
  if (isContested(payout) || isWrittenOff(payout) || isSpent(payout, policy))
    throw new Error('an attempt cannot begin before a person has looked');
  if (priceIsOver(payout, at, policy)) return expire(payout, at);
  const number = payout.lastAttempt + 1;
  const attempt: Attempt = {
    number,
    key: attemptKey(payout.payoutId, number),
    pricingAttempt: payout.pricingAttempt,
    startedAt: at,
    ...(token === undefined ? {} : { token }),
    leaseUntil: at + policy.leaseMs,
    expiresAt: Math.min(payout.priceExpiresAt, at + policy.attemptTtlMs),
    unknownSince: null,
    acceptedAt: null,
    notFound: false,
    end: null,
  };
  return changed(payout, at, {
    phase: 'SUBMITTING',
    attempts: [...payout.attempts, attempt],
    lastAttempt: number,
    nextPollAt: attempt.leaseUntil,
  });
}

/** Until when the worker that began this attempt may send it. */
export function sendBefore(attempt: Attempt): number {
  return Math.min(attempt.leaseUntil, attempt.expiresAt);
}

/**
 * Prices that may expire before a payout is made; each leaves a message in its document for good. With prices of a quarter of
 * an hour those of five days.
 */
export const MAX_EXPIRED_PRICES = 500;

/** NEW to EXPIRED: nothing is alive and the price is over. FAILED, when so many have expired that no further one is asked for. */
export function expire(payout: Payout, at: number): Payout {
  const expiredBefore = payout.updates.filter(({ status }) => status === 'EXPIRED').length;
  if (expiredBefore >= MAX_EXPIRED_PRICES - 1) {
    const detail = `${expiredBefore + 1} prices expired before the payout was made.`;
    return failed(payout, at, { code: 'XPRD', detail });
  }
  const reason = { code: 'XPRD', detail: 'The price expired before the payout was made.' };
  const expired = changed(payout, at, { phase: 'EXPIRED', polls: 0, nextPollAt: null });
  return withUpdate(settleCases(expired, at), 'EXPIRED', at, reason);
}

/** NEW to FAILED: no attempt may begin any more, and a person has closed the case that says why. */
export function giveUp(payout: Payout, at: number): Payout {
  const why = isWrittenOff(payout) ? 'a person has ended the payout' : 'none of them paid';
  const detail = `${payout.lastAttempt} attempts were begun, and ${why}.`;
  return failed(payout, at, { code: 'NARR', detail });
}

/** NEW, and the gate says not now. */
export function postpone(payout: Payout, at: number, untilMs: number): Payout {
  return payout.phase === 'NEW' ? changed(payout, at, { nextPollAt: Math.max(at, untilMs) }) : payout;
}

/** SUBMITTING to OUTCOME_UNKNOWN, when the lease is over. */
export function giveUpLease(payout: Payout, at: number): Payout {
  const attempt = lastAttempt(payout);
  if (payout.phase !== 'SUBMITTING' || !attempt || at < attempt.leaseUntil) return payout;
  return markUnknown(payout, attempt, at, at);
}

/** An answer about one key, or that there was none. */
export interface Answer<R> {
  readonly key: string;
  readonly result: R;
  /** When it came, by our clock, ms since the epoch. */
  readonly at: number;
}

export interface QueryAnswer extends Answer<QueryResult> {
  /** The earliest of all clocks of ours, ms since the epoch: no attempt is over before it says so too. Default: `at`. */
  readonly earliest?: number;
}

/** What was learnt of one attempt. The same makes the same of the same payout, however often and by whomever it is decided. */
export type Learnt =
  /** Its claim does not stand, so it was not sent. */
  | { readonly call: 'claim'; readonly key: string; readonly at: number }
  | ({ readonly call: 'submit' } & Answer<SubmitResult>)
  | ({ readonly call: 'query' } & QueryAnswer)
  | ({ readonly call: 'cancel' } & Answer<CancelResult>);

/** The payout after something was learnt; the same one when it changes nothing. */
export function after(payout: Payout, learnt: Learnt, policy: PayoutPolicy): Payout {
  switch (learnt.call) {
    case 'claim':
      if (isStatedPaidUnder(payout, learnt.key)) return contradicted(payout, learnt.key, NOT_SENT, learnt.at);
      return giveBack(payout, learnt.key, learnt.at);
    case 'submit':
      return afterSubmit(payout, learnt, policy);
    case 'query':
      return afterQuery(payout, learnt, policy);
    case 'cancel':
      return afterCancel(payout, learnt, policy);
  }
}

/** A submit ended, as seen by the one worker that was allowed to send the key. */
export function afterSubmit(payout: Payout, { key, result, at }: Answer<SubmitResult>, policy: PayoutPolicy): Payout {
  if (!isClockDoubtful(result, at, policy)) return submitted(payout, key, result, at, policy);
  return countDoubt(payout, submitted(payout, key, withoutClock(result, 'unknown'), at, policy), at, policy);
}

function submitted(payout: Payout, key: string, result: SubmitResult, at: number, policy: PayoutPolicy): Payout {
  if (result.kind === 'observed') return observe(payout, key, result, at, policy);
  const attempt = lastAttempt(payout);
  if (result.kind === 'not-sent' && isStatedPaidUnder(payout, key)) return contradicted(payout, key, NOT_SENT, at);
  if (!attempt || attempt.key !== key || attempt.end) return payout;
  // Only this worker could have sent the key, so its word that it did not is proof, also after its lease.
  if (result.kind === 'not-sent') return endAttempt(payout, attempt, 'not-sent', result.code, at, policy);
  if (payout.phase !== 'SUBMITTING') return payout;
  const wait = payoutBackoffMs(1, { firstMs: policy.pollFirstMs, maxMs: policy.pollMaxMs }, payout.payoutId);
  return markUnknown(payout, attempt, at, at + wait);
}

/** What the one worker that could have sent a key has to say, when two persons had the provider's word that it was paid. */
const NOT_SENT = 'cannot have paid: the worker that held the attempt never sent it,';
const isStatedPaidUnder = (payout: Payout, key: string): boolean =>
  statementOf(payout)?.outcome === 'PAID' && lastAttempt(payout)?.key === key;

/** The answer to a query. */
export function afterQuery(payout: Payout, answer: QueryAnswer, policy: PayoutPolicy): Payout {
  const { key, result, at, earliest = at } = answer;
  if (!isClockDoubtful(result, at, policy)) return queried(payout, { key, result, at, earliest }, policy);
  const believed = withoutClock(result, 'no-answer');
  return countDoubt(payout, queried(payout, { key, result: believed, at, earliest }, policy), at, policy);
}

/** Would this answer prove the last attempt dead by its expiry, if all clocks of ours said so? */
export function seemsUnseen(payout: Payout, result: QueryResult, at: number, policy: PayoutPolicy): boolean {
  const attempt = lastAttempt(payout);
  if (!attempt || result.kind !== 'not-found' || attempt.acceptedAt !== null) return false;
  const over = attempt.expiresAt + policy.visibilityMs;
  // The provider's clock alone would be a foreign clock as proof.
  return result.asOf >= over && (policy.unsafe?.noOwnClock === true || at >= over);
}

function queried(payout: Payout, { key, result, at, earliest }: Required<QueryAnswer>, policy: PayoutPolicy): Payout {
  if (result.kind === 'observed') {
    const next = observe(payout, key, result, at, policy);
    return next === payout && nextStep(payout, at, policy) === 'query' ? pollAgain(payout, at, policy) : next;
  }
  const attempt = lastAttempt(payout);
  if (!attempt || attempt.key !== key || payout.nextPollAt === null) return payout;
  if (statementOf(payout)) return queriedAfterStatement(payout, { key, result, at, earliest }, policy);
  if (result.kind === 'no-answer' || payout.phase !== 'OUTCOME_UNKNOWN') return pollAgain(payout, at, policy);

  if (seemsUnseen(payout, result, Math.min(at, earliest), policy))
    return endAttempt(payout, attempt, 'unseen-at-expiry', null, at, policy);
  const cancelFrom = (attempt.unknownSince ?? at) + policy.cancelAfterMs;
  if (at < cancelFrom) return pollAgain(payout, at, policy);
  return changed(withAttempt(payout, { ...attempt, notFound: true }), at, { nextPollAt: at });
}

/** No statement to a query, after the outcome was stated in writing. */
function queriedAfterStatement(
  payout: Payout,
  { key, result, at, earliest }: Required<QueryAnswer>,
  policy: PayoutPolicy,
): Payout {
  // Where time alone would prove the attempt dead, the provider has no such payment.
  const isUnseen = seemsUnseen(payout, result, Math.min(at, earliest), policy) && isStatedPaidUnder(payout, key);
  return unansweredStatement(isUnseen ? contradicted(payout, key, 'does not know the key', at) : payout, at);
}

/** The answer to a cancel. */
export function afterCancel(payout: Payout, { key, result, at }: Answer<CancelResult>, policy: PayoutPolicy): Payout {
  // A confirmed cancel closes the key whatever the clock says.
  const next = cancelled(payout, key, result, at, policy);
  return isClockDoubtful(result, at, policy) ? countDoubt(payout, next, at, policy) : next;
}

function cancelled(payout: Payout, key: string, result: CancelResult, at: number, policy: PayoutPolicy): Payout {
  if (result.kind === 'observed') return observe(payout, key, result, at, policy);
  const attempt = lastAttempt(payout);
  if (!attempt || attempt.key !== key || attempt.end) return payout;
  // Whatever came of it, the next thing to do is to ask.
  const asked = withAttempt(payout, { ...attempt, notFound: false });
  if (result.kind === 'too-late') return changed(asked, at, { polls: payout.polls + 1, nextPollAt: at });
  return pollAgain(asked, at, policy);
}

/**
 * A new price for the same transfer. It takes the place of the old one when nothing is alive and nothing was paid, for
 * all that is known. That it was asked for proves that what was published before has arrived.
 */
export function supersede(payout: Payout, request: PayoutRequest, at: number): Payout {
  if (request.pricingAttempt <= payout.pricingAttempt) return payout;
  const { phase } = payout;
  const contested = isContested(payout);
  if (contested || (phase !== 'EXPIRED' && phase !== 'NEW')) {
    const standing = contested ? 'contested' : phase;
    const detail = `Pricing attempt ${request.pricingAttempt} was requested while the payout was ${standing}.`;
    const known = payout.cases.some((one) => one.code === 'SUPERSEDE_REFUSED' && one.detail === detail);
    return known ? payout : openCase(payout, 'SUPERSEDE_REFUSED', detail, at);
  }
  return changed(payout, at, {
    phase: 'NEW',
    pricingAttempt: request.pricingAttempt,
    priceExpiresAt: request.priceExpiresAt,
    requested: request.requested,
    proof: request.proof ?? null,
    publishedVersion: payout.updates.at(-1)?.version ?? 0,
    polls: 0,
    nextPollAt: at,
  });
}

/** The provider states what became of a key. */
function observe(payout: Payout, key: string, seen: Observation, at: number, policy: PayoutPolicy): Payout {
  const attempt = lastAttempt(payout);
  if (!attempt || attempt.key !== key) return contradicts(seen) ? contradiction(payout, key, seen, at) : payout;
  if (attempt.end && attempt.end.how !== 'paid') {
    if (attempt.end.how === 'stated-unpaid') return afterStatedUnpaid(payout, key, seen, at, policy);
    return contradicts(seen) ? contradiction(payout, key, seen, at) : payout;
  }
  if (seen.differs && seen.differs.length > 0) return differing(payout, attempt, seen, at, policy);
  switch (payout.phase) {
    case 'SUBMITTING':
    case 'ACCEPTED':
    case 'OUTCOME_UNKNOWN':
      return observeOpen(payout, attempt, seen, at, policy);
    case 'PAID':
      return observePaid(payout, attempt, seen, at, policy);
    case 'RETURNED':
      return statementOf(payout) && isUnpaid(seen) ? contradicted(payout, key, `says ${seen.state}`, at) : payout;
    default:
      return payout;
  }
}

const isUnpaid = ({ state }: Observation): boolean => state !== 'PAID' && state !== 'RETURNED' && state !== 'ACCEPTED';

function observeOpen(payout: Payout, attempt: Attempt, seen: Observation, at: number, policy: PayoutPolicy): Payout {
  switch (seen.state) {
    case 'ACCEPTED':
      return accepted(payout, attempt, at, policy);
    case 'PAID':
      return paid(payout, attempt, seen, at, policy);
    case 'RETURNED':
      // The log gets both, so that the transfer takes every step.
      return returned(paid(payout, attempt, seen, at, policy), seen, at);
    case 'FAILED':
    case 'REFUSED':
      return failed(
        endedWith(payout, attempt, seen.state === 'FAILED' ? 'failed' : 'refused', seen.reasonCode, at),
        at,
        {
          code: seen.reasonCode ?? 'NARR',
          detail: `The provider ${seen.state === 'FAILED' ? 'could not pay' : 'refused the payout'}.`,
        },
      );
    case 'EXPIRED':
      return endAttempt(payout, attempt, 'expired', seen.reasonCode, at, policy);
    case 'CANCELLED':
      return endAttempt(payout, attempt, 'cancelled', seen.reasonCode, at, policy);
  }
}

function observePaid(payout: Payout, attempt: Attempt, seen: Observation, at: number, policy: PayoutPolicy): Payout {
  if (seen.state === 'RETURNED') return returned(payout, seen, at);
  if (seen.state === 'PAID') return watchForReturn(payout, at, policy);
  // An answer that was long on its way, from before the payment.
  if (seen.state === 'ACCEPTED') return statementOf(payout) ? unansweredStatement(payout, at) : payout;
  const detail = `The provider says ${seen.state} of a key that it had paid.`;
  // It may say so at each look: one open case tells it.
  const known = payout.cases.some(
    (one) => one.code === 'CONTRADICTION' && one.attemptKey === attempt.key && !one.closedAt,
  );
  const flagged = known ? payout : openCase(payout, 'CONTRADICTION', detail, at, attempt.key);
  return watchForReturn(flagged, at, policy);
}

function accepted(payout: Payout, attempt: Attempt, at: number, policy: PayoutPolicy): Payout {
  if (payout.phase === 'ACCEPTED') return pollAgain(payout, at, policy);
  const taken = withAttempt(payout, { ...attempt, acceptedAt: attempt.acceptedAt ?? at, notFound: false });
  return pollAgain({ ...taken, phase: 'ACCEPTED', polls: 0 }, at, policy);
}

function paid(payout: Payout, attempt: Attempt, seen: Observation, at: number, policy: PayoutPolicy): Payout {
  const ended = endedWith(payout, attempt, 'paid', null, at);
  const after = changed(settleCases(ended, at), at, { phase: 'PAID', polls: 0 });
  return watchForReturn(withUpdate(after, 'PAID', at, null, seen.reference), at, policy);
}

function returned(payout: Payout, seen: Observation, at: number): Payout {
  const reason = { code: seen.reasonCode ?? 'NARR', detail: 'The money came back after it had been paid.' };
  const after = changed(payout, at, { phase: 'RETURNED', polls: 0, nextPollAt: null });
  return withUpdate(after, 'RETURNED', at, reason, seen.reference);
}

function failed(payout: Payout, at: number, reason: { code: string; detail: string }): Payout {
  const after = changed(settleCases(payout, at), at, { phase: 'FAILED', polls: 0, nextPollAt: null });
  return withUpdate(after, 'FAILED', at, reason);
}

/** The attempt is provably dead: another one, another price, or the end. */
function endAttempt(
  payout: Payout,
  attempt: Attempt,
  how: AttemptEnd,
  code: string | null,
  at: number,
  policy: PayoutPolicy,
): Payout {
  const ended = settleCases(endedWith(payout, attempt, how, code, at), at);
  const deadAtProvider = payout.deadAtProvider + (attempt.acceptedAt === null ? 0 : 1);
  const deadAttempts = payout.deadAttempts + (how === 'not-sent' ? 0 : 1);
  const polls = payout.phase === 'NEW' ? payout.polls : 0;
  const free = { ...ended, deadAtProvider, deadAttempts, phase: 'NEW', polls } as const;
  if (isContested(free)) return changed(free, at, { nextPollAt: null });
  if (deadAtProvider >= policy.maxDeadAtProvider) {
    const detail = `The provider took ${deadAtProvider} attempts and paid none of them.`;
    return failed(openCase(free, 'ATTEMPTS_DIED', detail, at), at, { code: 'NARR', detail });
  }
  if (isSpent(free, policy)) {
    const detail = `${deadAttempts} attempts were sent and died, of ${free.lastAttempt} begun; no further one begins.`;
    return changed(openCase(free, 'ATTEMPTS_DIED', detail, at), at, { nextPollAt: null });
  }
  if (priceIsOver(free, at, policy)) return expire(free, at);
  const limits = { firstMs: policy.retryFirstMs, maxMs: policy.retryMaxMs };
  const wait = payoutBackoffMs(payout.attempts.length, limits, payout.payoutId);
  return changed(free, at, { nextPollAt: at + wait });
}

function endedWith(payout: Payout, attempt: Attempt, how: AttemptEnd, code: string | null, at: number): Payout {
  return withAttempt(payout, { ...attempt, end: { how, at, code } });
}
