// A rate that is far from the one that a corridor last went by: nobody knows yet whether the market moved or a feed went wrong.
// Pure.
import type { Ratio } from '../money/decimals.ts';
import { distanceBps } from './agreement.ts';
import { type QuotedRate, rateValue } from './rates.ts';

/** The rate of a pair that a corridor last went by. */
export interface LastAccepted extends QuotedRate {
  /** Rises by one with each that follows. */
  readonly version: number;
}

/** What two persons let through: that the rate of a pair has jumped to this one, from exactly that one. */
export interface AcceptedJump extends QuotedRate {
  readonly fromRate: string;
  readonly fromVersion: number;
  /** ms since 1970; from then on it counts for nothing. */
  readonly expiresAt: number;
  readonly approvalId: string;
}

export interface JumpTerms {
  /** How far a rate may be from the one last gone by, in basis points of the lower one. */
  readonly maxJumpBps: number;
  /** How far apart two rates may be that say the same, likewise. */
  readonly maxDistanceBps: number;
}

/** How a rate follows the one that was last gone by. */
export type Step =
  /** There is none yet: nothing to hold it against. */
  | { readonly kind: 'first' }
  /** About the same: the one last gone by stays. */
  | { readonly kind: 'stays' }
  /** It moved, within the limit: the next one is held against this one. */
  | { readonly kind: 'moves' }
  /** It jumped, and two persons accepted that. */
  | { readonly kind: 'accepted'; readonly approvalId: string }
  /** It jumped; `distanceBps` is how far, rounded up. */
  | { readonly kind: 'jumped'; readonly distanceBps: number; readonly from: LastAccepted };

/**
 * The rate last gone by follows the market in steps of a tenth of the limit: a new one for each tick would be a record for
 * each tick.
 */
const STEPS_OF_LIMIT = 10n;

/** One name for a pair, whichever way round it is quoted: `GBP/INR`. */
export const pairName = ({ base, quote }: { readonly base: string; readonly quote: string }): string =>
  base < quote ? `${base}/${quote}` : `${quote}/${base}`;

/** Key of a pair of a corridor, whichever way round it is quoted. */
export const pairKey = ({ corridor, ...pair }: { corridor: string; base: string; quote: string }): string =>
  `${corridor}/${pairName(pair)}`;

/**
 * How this rate follows `last`.
 * @throws DomainError RATE_MALFORMED, RATE_NOT_POSITIVE
 */
export function stepOf(
  rate: QuotedRate,
  { last, jump }: { readonly last: LastAccepted | undefined; readonly jump: AcceptedJump | undefined },
  now: number,
  terms: JumpTerms,
): Step {
  if (last === undefined) return { kind: 'first' };
  const value = directValueOf(rate);
  const distance = distanceBps(value, directValueOf(last));
  const limit = BigInt(terms.maxJumpBps);
  if (distance * STEPS_OF_LIMIT <= limit) return { kind: 'stays' };
  if (distance <= limit) return { kind: 'moves' };
  const isAccepted =
    jump !== undefined &&
    isFrom(jump, last) &&
    now < jump.expiresAt &&
    distanceBps(value, directValueOf(jump)) <= BigInt(terms.maxDistanceBps);
  if (isAccepted) return { kind: 'accepted', approvalId: jump.approvalId };
  return { kind: 'jumped', distanceBps: shownBps(distance), from: last };
}

/** Whether what was accepted was a jump from this rate, and not from one that is long replaced. */
export const isFrom = (jump: AcceptedJump, last: LastAccepted): boolean =>
  jump.fromVersion === last.version && jump.fromRate === last.rate && pairName(jump) === pairName(last);

/** Distance of two rates of one pair in basis points of the lower one, rounded up. @throws DomainError as `rateValue` */
export const jumpBps = (a: QuotedRate, b: QuotedRate): number =>
  shownBps(distanceBps(directValueOf(a), directValueOf(b)));

/** Always the same way round. */
function directValueOf(quoted: QuotedRate): Ratio {
  const { numerator, denominator } = rateValue(quoted.rate);
  return quoted.base < quoted.quote ? { numerator, denominator } : { numerator: denominator, denominator: numerator };
}

const MAX_SHOWN_BPS = 1_000_000_000n;
const shownBps = (bps: bigint): number => Number(bps > MAX_SHOWN_BPS ? MAX_SHOWN_BPS : bps);
