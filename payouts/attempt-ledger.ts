// Which attempts of payouts have been claimed, as the log has them: what a document in the database is held against.
//
// A worker claims an attempt after the attempt is stored and before its first byte is sent. So no document may be behind a
// claim: one that is was put back to an older state of its own. Pure.
import type { Payout } from './payout.ts';

/** A worker is about to send this attempt. */
export interface AttemptClaim {
  readonly payoutId: string;
  readonly attempt: number;
  /** Made anew for each claim. */
  readonly claimId: string;
  /** As the attempt is stored, ms since the epoch: tells it from another of the same number. */
  readonly startedAt: number;
  /** The attempts before it that the document has. */
  readonly earlier: readonly { readonly number: number; readonly startedAt: number }[];
}

/** The highest attempt of a payout that was claimed. */
export interface ClaimedAttempt extends Pick<AttemptClaim, 'attempt' | 'startedAt'> {
  /** When the log took it, ms since the epoch. */
  readonly at: number;
}

export class AttemptLedger {
  readonly #keptMs: number;
  /** In the order in which they were claimed. */
  readonly #highest = new Map<string, ClaimedAttempt>();

  /** @param keptMs how long a claim is remembered after the log took it: not longer than the log keeps it */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /**
   * Takes in the next claim of the log. True: it stands, and who made it may send. One that a document makes which lacks the
   * claim that stood last never stands, whatever its number: a document that was put back may have counted on by itself.
   */
  take({ payoutId, attempt, startedAt, earlier }: AttemptClaim, at: number): boolean {
    const known = this.#highest.get(payoutId);
    if (known && (attempt <= known.attempt || !has(earlier, known))) return false;
    this.#highest.delete(payoutId);
    this.#highest.set(payoutId, { attempt, startedAt, at });
    for (const [oldest, { at: taken }] of this.#highest) {
      if (taken > at - this.#keptMs) break;
      this.#highest.delete(oldest);
    }
    return true;
  }

  highest(payoutId: string): ClaimedAttempt | undefined {
    return this.#highest.get(payoutId);
  }

  get size(): number {
    return this.#highest.size;
  }
}

/** Whether the document was put back: it lacks an attempt that was claimed, or has begun it a second time. */
export const isBehind = ({ attempts }: Payout, claimed: ClaimedAttempt | undefined): boolean =>
  claimed !== undefined && !has(attempts, claimed);

const has = (attempts: AttemptClaim['earlier'], { attempt, startedAt }: ClaimedAttempt): boolean =>
  attempts.some((one) => one.number === attempt && one.startedAt === startedAt);
