// Which of several quotations of a pair sets the price. One source alone must not: what a feed says by mistake, or in malice,
// is ten times the market as easily as it is right. Pure.
import { ceil, multiply, type Ratio } from '../money/decimals.ts';
import { ECB_FIXING, type Fixing } from './rate-age.ts';

/** How sources of rates must agree before a rate prices anything. */
export interface AgreementTerms {
  /** Sources that count, the preferred one first; undefined: every source, the latest observation first. */
  readonly sources?: readonly string[] | undefined;
  /** How many sources must say the same, the chosen one among them; 1: one is enough as long as no other contradicts. */
  readonly quorum: number;
  /** How far apart two rates may be that say the same, in basis points of the lower one. */
  readonly maxDistanceBps: number;
  /** Currencies over which a pair may be crossed, the preferred one first. */
  readonly pivots: readonly string[];
}

/** What a rate must be before it prices anything. */
export interface RateTerms extends AgreementTerms {
  /** How far it may be from the rate that was last gone by, in basis points of the lower one. */
  readonly maxJumpBps: number;
  /** How old it may be while currencies are not traded, ms; undefined: no older than ever. */
  readonly maxClosedRateAgeMs?: number | undefined;
  /** Sources that publish once a day: their rates are good until the next one is due. */
  readonly fixings: readonly Fixing[];
}

/**
 * Two independent fixings of one hour are some tenths of a percent apart at most; a wrong digit is far more. Fixings of two days
 * in a row are seldom 5 % apart.
 */
export const DEFAULT_RATE_TERMS: RateTerms = {
  quorum: 1,
  maxDistanceBps: 100,
  maxJumpBps: 500,
  fixings: [ECB_FIXING],
  pivots: ['EUR', 'USD'],
};

/** What one source says of a pair now. */
export interface Quotation {
  readonly source: string;
  /** ms since 1970 */
  readonly observedAt: number;
  /** Units of one currency for one unit of the other, all quotations the same way round; above zero. */
  readonly value: Ratio;
}

export type Agreement<Q extends Quotation> =
  /** `sources` say what `chosen` says, the chosen one first; `distanceBps` is the largest distance from it, rounded up. */
  | { readonly kind: 'agreed'; readonly chosen: Q; readonly sources: readonly string[]; readonly distanceBps: number }
  /** Fewer sources than the quorum. */
  | { readonly kind: 'few'; readonly sources: readonly string[] }
  /** They contradict each other, so that no rate, or more than one, has its quorum. */
  | { readonly kind: 'disputed'; readonly sources: readonly string[] }
  | { readonly kind: 'none' };

const SCALE = 10_000n;

/** Distance of two positive values in basis points of the lower one, rounded up. Pure. */
export function distanceBps(a: Ratio, b: Ratio): bigint {
  const [left, right] = [a.numerator * b.denominator, b.numerator * a.denominator];
  const [low, high] = left < right ? [left, right] : [right, left];
  return ceil(multiply({ numerator: high - low, denominator: low }, { numerator: SCALE, denominator: 1n }));
}

/**
 * The rate on which enough sources agree, each of which counts once. A rate that has its quorum is chosen by the order of
 * sources; when two that have it contradict each other, none is: which of them is right is for a person to find out.
 */
export function agreeOn<Q extends Quotation>(quotations: readonly Q[], terms: AgreementTerms): Agreement<Q> {
  const counted = quotations.filter(({ source }) => terms.sources?.includes(source) ?? true).sort(inOrder(terms));
  const sources = counted.map(({ source }) => source);
  if (counted.length === 0) return { kind: 'none' };
  if (counted.length < terms.quorum) return { kind: 'few', sources };
  const places = byValue(counted);
  const reaches = reachesOf(places, BigInt(terms.maxDistanceBps));
  const supported = new Set(places.filter((_, at) => reaches[at]!.to - reaches[at]!.from >= terms.quorum));
  const chosen = counted.find((one) => supported.has(one));
  const [lowest, highest] = [
    places.findIndex((one) => supported.has(one)),
    places.findLastIndex((one) => supported.has(one)),
  ];
  // Those that have their quorum say the same when the lowest and the highest do.
  if (chosen === undefined || reaches[lowest]!.to <= highest) return { kind: 'disputed', sources };
  const { from, to } = reaches[places.indexOf(chosen)]!;
  const agreeing = new Set(places.slice(from, to));
  return {
    kind: 'agreed',
    chosen,
    sources: [chosen, ...counted.filter((other) => other !== chosen && agreeing.has(other))].map(
      ({ source }) => source,
    ),
    // No larger than the distance of the terms, so no larger than a number holds.
    distanceBps: Math.max(...[from, to - 1].map((at) => Number(distanceBps(chosen.value, places[at]!.value)))),
  };
}

/** The lowest first. */
function byValue<Q extends Quotation>(quotations: readonly Q[]): Q[] {
  return quotations.toSorted(({ value: a }, { value: b }) => {
    const [left, right] = [a.numerator * b.denominator, b.numerator * a.denominator];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

/** The places from `from` to before `to`. */
interface Reach {
  readonly from: number;
  readonly to: number;
}

/**
 * For each of these, the lowest first, the places of those that say the same. They stand together, and both ends go up from one
 * to the next, so each is looked at once or twice: whoever may write rates says how many sources there are.
 */
function reachesOf(places: readonly Quotation[], most: bigint): Reach[] {
  const reaches: Reach[] = [];
  let [from, to] = [0, 0];
  for (const { value } of places) {
    while (distanceBps(places[from]!.value, value) > most) from++;
    while (to < places.length && distanceBps(value, places[to]!.value) <= most) to++;
    reaches.push({ from, to });
  }
  return reaches;
}

/** By the order of the terms; without one the latest observation first, and of two at once the name that sorts first. */
const inOrder =
  ({ sources }: AgreementTerms) =>
  (a: Quotation, b: Quotation): number => {
    if (sources !== undefined) return sources.indexOf(a.source) - sources.indexOf(b.source);
    if (a.observedAt !== b.observedAt) return b.observedAt - a.observedAt;
    return a.source < b.source ? -1 : 1;
  };
