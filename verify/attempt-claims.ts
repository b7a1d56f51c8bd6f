// Claims of attempts as the log has them, by payout: which stand, and which do not although they should.
import { PROBE_ID, STOPPED } from '../payouts/attempt-ledger.ts';
import type { LogRecord } from '../ports/log.ts';
import type { PayoutAttemptClaimed } from '../schemas/types.generated.ts';

/** A claim that stands: an attempt that may have been sent, or (number STOPPED) that none begins any more. */
export interface ClaimFact {
  readonly attempt: number;
  /** ms since the epoch, as the attempt is stored. */
  readonly startedAt: number;
  /** As the attempt is stored; null or absent: of before tokens. */
  readonly token?: string | null;
  /** The attempts before it that the document had. */
  readonly earlier: readonly Begun[];
}

/** What tells an attempt from all others. */
interface Begun {
  readonly number: number;
  readonly startedAt: number;
  readonly token?: string | null;
}

/** The same without its place, for a checkpoint. */
export const claimFact = ({ attempt, startedAt, token = null, earlier }: ClaimFact): ClaimFact => ({
  attempt,
  startedAt,
  token,
  earlier,
});

interface ReadClaim extends ClaimFact {
  readonly claimId: string;
  readonly offset: number;
}

/** What the log says of the attempts of one payout. */
export interface ClaimsOfPayout {
  readonly standing: readonly ClaimFact[];
  /** Claims that do not stand and are neither copies nor late: made from a document that was put back. */
  readonly outOfOrder: readonly { readonly attempt: number; readonly offset: number }[];
  /** Offsets of claims that are in the log a second time. */
  readonly copies: readonly number[];
}

const NONE: ClaimsOfPayout = { standing: [], outOfOrder: [], copies: [] };

export class ClaimBooks {
  readonly #read = new Map<string, ReadClaim[]>();
  readonly #restored = new Map<string, readonly ClaimFact[]>();
  readonly #matched = new Set<string>();
  /** Every claim of a payout that was asked for at this time (ms) or later is known. */
  knownSince: number;

  /** @param isWhole every claim that was ever made is here, those included that a checkpoint has */
  constructor(isWhole: boolean) {
    this.knownSince = isWhole ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }

  /** The next claim of the log. */
  add(
    { payoutId, attempt, claimId, startedAt, token, earlier }: PayoutAttemptClaimed,
    { offset, timestamp }: LogRecord,
  ): void {
    this.knownSince = Math.min(this.knownSince, timestamp);
    if (payoutId === PROBE_ID) return;
    const known = this.#read.get(payoutId);
    const claim = { attempt, claimId, startedAt, token, earlier, offset };
    if (known) known.push(claim);
    else this.#read.set(payoutId, [claim]);
  }

  /** What a checkpoint knows of a payout. */
  restore(payoutId: string, standing: readonly ClaimFact[]): void {
    this.#restored.set(payoutId, standing);
  }

  /** Of a payout that the log knows. */
  match(payoutId: string): ClaimsOfPayout {
    this.#matched.add(payoutId);
    const standing = [...(this.#restored.get(payoutId) ?? [])];
    const read = this.#read.get(payoutId);
    if (read === undefined) return standing.length === 0 ? NONE : { ...NONE, standing };
    const others: ReadClaim[] = [];
    const copies: number[] = [];
    const ids = new Set<string>();
    for (const claim of read) {
      if (ids.has(claim.claimId)) copies.push(claim.offset);
      else (stands(claim, standing.at(-1)) ? standing : others).push(claim);
      ids.add(claim.claimId);
    }
    // That it is stopped is said by each process that finds it so, and by the first of them for all.
    const isKnown = (claim: ReadClaim) =>
      claim.attempt === STOPPED ||
      standing.some((one) => isOf(claim, begunBy(one)) || one.earlier.some((before) => isOf(claim, before)));
    return { standing, outOfOrder: others.filter((claim) => !isKnown(claim)), copies };
  }

  /** Payouts with claims that `match` was never asked for. */
  *orphans(): Iterable<readonly [payoutId: string, offset: number]> {
    for (const [payoutId, [first]] of this.#read) if (!this.#matched.has(payoutId)) yield [payoutId, first!.offset];
  }
}

/** The rule of the executor (payouts/attempt-ledger.ts), written a second time on purpose. */
function stands({ attempt, earlier }: ClaimFact, last: ClaimFact | undefined): boolean {
  if (last === undefined) return true;
  if (attempt <= last.attempt) return false;
  return attempt === STOPPED || earlier.some((one) => isOf(last, one));
}

const begunBy = ({ attempt, startedAt, token = null }: ClaimFact): Begun => ({ number: attempt, startedAt, token });

/** Whether the claim is of this attempt; without a token on either side its number and time tell. */
const isOf = ({ attempt, startedAt, token }: ClaimFact, one: Begun): boolean =>
  one.number === attempt && one.startedAt === startedAt && (!one.token || !token || one.token === token);
