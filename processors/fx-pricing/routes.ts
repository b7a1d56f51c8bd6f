// From one currency to another over quoted rates: directly, whichever way round they are quoted, or over one common currency.
// Each pair is priced by what its sources agree on, unless that is far from what it was last priced by. Pure.

import { parseDecimal, type Ratio, ratioOf, showRatio } from '../../domain/money/decimals.ts';
import { type Agreement, agreeOn, type Quotation, type RateTerms } from '../../domain/pricing/agreement.ts';
import { type AcceptedJump, type LastAccepted, pairName, type Step, stepOf } from '../../domain/pricing/jumps.ts';
import { goodUntil } from '../../domain/pricing/rate-age.ts';
import { crossRate } from '../../domain/pricing/rates.ts';
import { isLongerThan, isPlainText } from '../../domain/text/text.ts';
import type { FxRate, RateLeg } from '../../schemas/types.generated.ts';

interface KnownRate {
  readonly rate: FxRate;
  readonly value: Ratio;
}

/** What each source says of a pair, by base and quote, then by source. */
export type RateBook = ReadonlyMap<string, ReadonlyMap<string, KnownRate>>;

/**
 * Builds the book: the latest rate of each source and pair. What a feed wrote that is no rate (no code, no decimal above zero,
 * a source without a name, a time before 1970) is left out.
 */
export function rateBookOf(rates: Iterable<FxRate>): RateBook {
  const book = new Map<string, Map<string, KnownRate>>();
  for (const rate of rates) {
    if (!isRate(rate)) continue;
    const pair = `${rate.base}/${rate.quote}`;
    const bySource = book.get(pair) ?? new Map<string, KnownRate>();
    const known = bySource.get(rate.source);
    if (known === undefined || rate.observedAt > known.rate.observedAt) {
      bySource.set(rate.source, { rate, value: ratioOf(parseDecimal(rate.rate)!) });
    }
    book.set(pair, bySource);
  }
  return book;
}

/** Whether it is a rate: something could be priced by it. */
export function isRate(rate: FxRate): boolean {
  const decimal = parseDecimal(rate.rate);
  if (decimal === undefined || decimal.coef <= 0n) return false;
  return rate.base !== rate.quote && isNamed(rate) && rate.observedAt >= 0;
}

const CODE = /^[A-Z]{3}$/;
const MAX_SOURCE_CHARACTERS = 64;

/** What goes on into prices, logs and analytics is a code or a name, not whatever a feed wrote. */
const isNamed = ({ base, quote, source }: FxRate): boolean =>
  CODE.test(base) && CODE.test(quote) && !isLongerThan(source, MAX_SOURCE_CHARACTERS) && isPlainText(source);

/** What a corridor has gone by, and which jumps from that two persons accepted; by `pairName`. */
export interface PairMemory {
  last(pair: string): LastAccepted | undefined;
  jump(pair: string): AcceptedJump | undefined;
}

/** Nothing was gone by yet. */
export const NO_MEMORY: PairMemory = { last: () => undefined, jump: () => undefined };

/** A leg by which the corridor goes from now on, in the place of what it last went by. */
export interface Taken {
  readonly leg: RateLeg;
  readonly version: number;
  readonly approvalId: string | null;
}

export type Route =
  /** `taken`: what the corridor has to remember before it prices anything by these legs. */
  | { readonly kind: 'fresh'; readonly legs: readonly RateLeg[]; readonly taken: readonly Taken[] }
  /** There is a route, but a rate on each is too old (or from the future). */
  | { readonly kind: 'stale'; readonly pair: string }
  /** There is a route, but fewer sources than the corridor asks for quote a pair on it. */
  | { readonly kind: 'few'; readonly pair: string; readonly sources: readonly string[] }
  /** There is a route, but the sources of a pair on it contradict each other. */
  | { readonly kind: 'disputed'; readonly pair: string; readonly sources: readonly string[] }
  /** There is a route, but the rate of a pair on it is too far from what the corridor last went by. */
  | {
      readonly kind: 'jumped';
      readonly pair: string;
      readonly leg: RateLeg;
      readonly step: Extract<Step, { kind: 'jumped' }>;
    }
  | { readonly kind: 'none' };

/** How far the clock of a rate source may be ahead, in ms. */
const MAX_SOURCE_SKEW_MS = 5 * 60_000;

export interface RouteTerms extends RateTerms {
  /** ms */
  readonly maxRateAgeMs: number;
  readonly memory: PairMemory;
}

/**
 * The first route on which every pair has a rate that its sources agree on, none older than the terms say: the direct pair,
 * then over each pivot. A direct pair whose sources contradict each other, or that jumped, is not gone round: something is
 * wrong with it, and a cross rate would be priced by whichever of them quotes the rest.
 */
export function findRoute(book: RateBook, source: string, target: string, now: number, terms: RouteTerms): Route {
  const direct = pairOf(book, source, target, now, terms);
  if (direct.kind === 'fresh' || isWrong(direct)) return direct;
  let found: Route = direct;
  for (const pivot of terms.pivots) {
    if (pivot === source || pivot === target) continue;
    const over = [pairOf(book, source, pivot, now, terms), pairOf(book, pivot, target, now, terms)];
    const fresh = over.filter((leg) => leg.kind === 'fresh');
    if (fresh.length === 2) {
      const legs = fresh.flatMap((leg) => leg.legs);
      return across({ source, target, pivot, legs, taken: fresh.flatMap(({ taken }) => taken) }, now, terms);
    }
    // Without one of the pairs it is no route, whatever is wrong with the other.
    if (over.some(({ kind }) => kind === 'none')) continue;
    const worst = over.find(({ kind }) => kind !== 'fresh')!;
    if (found.kind === 'none' || isWrong(worst)) found = worst;
  }
  return found;
}

interface Across {
  readonly source: string;
  readonly target: string;
  readonly pivot: string;
  readonly legs: readonly RateLeg[];
  readonly taken: readonly Taken[];
}

/**
 * The route over a pivot, unless what it comes to has jumped from what the corridor last went by between its two ends, directly
 * or over any pivot: legs that were never gone by are held against nothing else.
 */
function across({ source, target, pivot, legs, taken }: Across, now: number, terms: RouteTerms): Route {
  const rate = showRatio(crossRate(source, target, legs));
  const shown = parseDecimal(rate);
  const whole: RateLeg = {
    ...{ base: source, quote: target, rate, source: `over ${pivot}`, agreement: null },
    observedAt: Math.min(...legs.map(({ observedAt }) => observedAt)),
  };
  // Too small or too large to be remembered, so nothing could be held against it.
  if (shown === undefined || shown.coef <= 0n)
    return { kind: 'disputed', pair: `${source}/${target}`, sources: legs.map((leg) => leg.source) };
  const route = followed(whole, now, terms);
  if (route.kind === 'fresh') return { kind: 'fresh', legs, taken: [...taken, ...route.taken] };
  // Whoever accepted that a leg has jumped has accepted what the route comes to by it, unless another leg is held against nothing.
  const isKnown = taken.every(({ version }) => version > 1);
  const approvalId = isKnown ? taken.find((each) => each.approvalId !== null)?.approvalId : undefined;
  if (route.kind !== 'jumped' || approvalId == null) return route;
  return { kind: 'fresh', legs, taken: [...taken, { leg: whole, version: route.step.from.version + 1, approvalId }] };
}

const isWrong = ({ kind }: Route): boolean => kind === 'disputed' || kind === 'jumped';

interface Quoted extends Quotation {
  readonly rate: FxRate;
}

/** What the sources of one pair agree on, whichever way round each quotes it; each counts once. */
function pairOf(book: RateBook, from: string, to: string, now: number, terms: RouteTerms): Route {
  const bySource = new Map<string, Quoted>();
  let old: FxRate | undefined;
  // Quoted directly first: a source that quotes both ways counts by that.
  for (const [pair, inverse] of [[`${from}/${to}`, false] as const, [`${to}/${from}`, true] as const]) {
    for (const { rate, value } of book.get(pair)?.values() ?? []) {
      if (terms.sources?.includes(rate.source) === false) continue;
      // From the future first: until when a rate is good is said of times that a calendar has.
      if (rate.observedAt > now + MAX_SOURCE_SKEW_MS || now > goodUntil(rate, now, terms)) old ??= rate;
      else if (!bySource.has(rate.source)) bySource.set(rate.source, quoted(rate, inverse ? inverseOf(value) : value));
    }
  }
  const pair = `${from}/${to}`;
  const agreed = agreeOn([...bySource.values()], terms);
  if (agreed.kind === 'agreed') return followed(legOf(agreed), now, terms);
  if (agreed.kind !== 'none') return { ...agreed, pair };
  return old === undefined ? { kind: 'none' } : { kind: 'stale', pair: `${old.base}/${old.quote}` };
}

/** The leg, unless it jumped. */
function followed(leg: RateLeg, now: number, terms: RouteTerms): Route {
  const pair = pairName(leg);
  const { last, jump } = { last: terms.memory.last(pair), jump: terms.memory.jump(pair) };
  const step = stepOf(leg, { last, jump }, now, terms);
  if (step.kind === 'jumped') return { kind: 'jumped', pair: `${leg.base}/${leg.quote}`, leg, step };
  if (step.kind === 'stays') return { kind: 'fresh', legs: [leg], taken: [] };
  const approvalId = step.kind === 'accepted' ? step.approvalId : null;
  return { kind: 'fresh', legs: [leg], taken: [{ leg, version: (last?.version ?? 0) + 1, approvalId }] };
}

const quoted = (rate: FxRate, value: Ratio): Quoted => ({
  source: rate.source,
  observedAt: rate.observedAt,
  value,
  rate,
});
/** For comparing alone: a price divides by the rate as it was quoted. */
const inverseOf = ({ numerator, denominator }: Ratio): Ratio => ({ numerator: denominator, denominator: numerator });

/** As many sources as the evidence names. */
const MAX_SOURCES_TOLD = 16;

function legOf({ chosen, sources, distanceBps }: Extract<Agreement<Quoted>, { kind: 'agreed' }>): RateLeg {
  const { base, quote, rate, source, observedAt } = chosen.rate;
  const agreement = { sources: sources.slice(0, MAX_SOURCES_TOLD), distanceBps };
  return { base, quote, rate, source, observedAt, agreement };
}
