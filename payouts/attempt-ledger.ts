// Which attempts of payouts have been claimed, as the log has them: what a document in the database is held against.
//
// A worker claims an attempt after the attempt is stored and before its first byte is sent. So no document may be behind a
// claim: one that is was put back to an older state of its own. Beside them stand the payouts of which nothing begins any
// more, whatever their document says by then. Pure.
import { lastAttempt } from './changes.ts';
import { endsPayout } from './contradictions.ts';
import type { Payout } from './payout.ts';
import { statementOf } from './statement.ts';

/** Number of no attempt, and above all: nothing of the payout begins any more. Frozen: it stands in the log. */
export const STOPPED = 2 ** 31 - 1;
/** Whose claim tells whether claims come back, and is of no attempt: no transfer id begins like this. */
export const PROBE_ID = '-probe';

/** A worker is about to send this attempt. */
export interface AttemptClaim {
  readonly payoutId: string;
  readonly attempt: number;
  /** Made anew for each claim. */
  readonly claimId: string;
  /** As the attempt is stored, ms since the epoch: tells it from another of the same number. */
  readonly startedAt: number;
  /** As the attempt is stored: tells it from another of the same number and millisecond; null or absent: of before tokens. */
  readonly token?: string | null;
  /** The attempts before it that the document has. */
  readonly earlier: readonly BegunAttempt[];
}

/** What tells an attempt of a document from all others. */
export interface BegunAttempt {
  readonly number: number;
  readonly startedAt: number;
  readonly token?: string | null;
}

/** The highest attempt of a payout that was claimed. */
export interface ClaimedAttempt extends Pick<AttemptClaim, 'attempt' | 'startedAt' | 'token'> {
  /** When the log took it, ms since the epoch. */
  readonly at: number;
  /** Of a payout that is stopped: the highest attempt that was claimed before. */
  readonly before?: BegunAttempt;
}

/** Times of a claim, ms since the epoch. */
export interface ClaimTimes {
  /** When the log took it, as the broker says. */
  readonly at: number;
  readonly now: number;
}

export class AttemptLedger {
  readonly #keptMs: number;
  /** In the order in which they were claimed. */
  readonly #highest = new Map<string, ClaimedAttempt>();
  #lastAt = 0;

  /** @param keptMs how long a claim is remembered after the log took it: not longer than the log keeps it */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /**
   * Takes in the next claim of the log. True: it stands, and who made it may send. One that a document makes which lacks the
   * claim that stood last never stands, whatever its number: a document that was put back may have counted on by itself.
   * That a payout is stopped always stands.
   */
  take({ payoutId, attempt, startedAt, token = null, earlier }: AttemptClaim, times: ClaimTimes): boolean {
    const at = this.#timeOf(times);
    const known = this.#highest.get(payoutId);
    if (known && (attempt <= known.attempt || (attempt !== STOPPED && !has(earlier, known)))) return false;
    this.#highest.delete(payoutId);
    const before = attempt === STOPPED && known ? { before: begunBy(known) } : {};
    this.#highest.set(payoutId, { attempt, startedAt, token, at, ...before });
    for (const [oldest, { at: taken }] of this.#highest) {
      if (taken > at - this.#keptMs) break;
      this.#highest.delete(oldest);
    }
    return true;
  }

  /**
   * A broker whose clock runs ahead would have everything forgotten, one whose clock runs behind the claim itself: never
   * later than our clock, and never earlier than the claim before it.
   */
  #timeOf({ at, now }: ClaimTimes): number {
    this.#lastAt = Math.max(this.#lastAt, Math.min(at, now));
    return this.#lastAt;
  }

  highest(payoutId: string): ClaimedAttempt | undefined {
    return this.#highest.get(payoutId);
  }

  get size(): number {
    return this.#highest.size;
  }
}

/** Whether the document was put back: it lacks an attempt that was claimed, has begun it a second time, or lacks what stopped it. */
export function isBehind(payout: Payout, claimed: ClaimedAttempt | undefined): boolean {
  if (claimed === undefined) return false;
  return lackedBy(payout, claimed) !== undefined || (claimed.attempt === STOPPED && !isStopped(payout));
}

/** The highest attempt that was claimed, when the document lacks it or has begun it a second time. */
export function lackedBy({ attempts }: Pick<Payout, 'attempts'>, claimed: ClaimedAttempt): BegunAttempt | undefined {
  const highest = claimed.attempt === STOPPED ? claimed.before : begunBy(claimed);
  return highest && !attempts.some((one) => isSameAttempt(one, highest)) ? highest : undefined;
}

const begunBy = ({ attempt: number, startedAt, token = null }: ClaimedAttempt): BegunAttempt => ({
  number,
  startedAt,
  token,
});

/** A case says that nothing begins any more, the provider's statement has settled it, or it has failed without its last word. */
const isStopped = (payout: Payout): boolean =>
  payout.cases.some(endsPayout) || statementOf(payout) !== undefined || hasFailedUnsaid(payout);

/** By what the provider says of its last key a payout fails each time; by anything else it need not fail a second time. */
function hasFailedUnsaid(payout: Payout): boolean {
  const how = lastAttempt(payout)?.end?.how;
  return payout.phase === 'FAILED' && how !== 'refused' && how !== 'failed';
}

/** Whether the log does not know yet that nothing of this payout begins any more. */
export const isToBeStopped = (payout: Payout, claimed: ClaimedAttempt | undefined): boolean =>
  claimed?.attempt !== STOPPED && isStopped(payout);

const has = (attempts: readonly BegunAttempt[], claimed: ClaimedAttempt): boolean =>
  attempts.some((one) => isSameAttempt(one, begunBy(claimed)));

/**
 * Whether two stand for one attempt.
 *
 * What could happen: attempt 2 begins, cannot be claimed and ends as not sent; its document is put back, attempt 2 begins in
 * the same millisecond, is claimed and paid; then the first of the two is put back, and its number and time are those of the
 * claim. What stops it: each has a token of its own. One of before tokens is told by number and time, as it was.
 */
export const isSameAttempt = (a: BegunAttempt, b: BegunAttempt): boolean =>
  a.number === b.number && a.startedAt === b.startedAt && (!a.token || !b.token || a.token === b.token);
