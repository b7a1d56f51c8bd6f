// From one currency to another over quoted rates: directly, whichever way round they are quoted, or over one common currency.
// Each pair is priced by what its sources agree on. Pure.

import { parseDecimal, type Ratio, ratioOf } from '../../domain/money/decimals.ts';
import { type Agreement, agreeOn, type Quotation, type RateTerms } from '../../domain/pricing/agreement.ts';
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
 * a source without a name) is left out.
 */
export function rateBookOf(rates: Iterable<FxRate>): RateBook {
  const book = new Map<string, Map<string, KnownRate>>();
  for (const rate of rates) {
    const decimal = parseDecimal(rate.rate);
    if (decimal === undefined || decimal.coef <= 0n || rate.base === rate.quote || !isNamed(rate)) continue;
    const pair = `${rate.base}/${rate.quote}`;
    const bySource = book.get(pair) ?? new Map<string, KnownRate>();
    const known = bySource.get(rate.source);
    if (known === undefined || rate.observedAt > known.rate.observedAt) {
      bySource.set(rate.source, { rate, value: ratioOf(decimal) });
    }
    book.set(pair, bySource);
  }
  return book;
}

const CODE = /^[A-Z]{3}$/;
const MAX_SOURCE_CHARACTERS = 64;

/** What goes on into prices, logs and analytics is a code or a name, not whatever a feed wrote. */
const isNamed = ({ base, quote, source }: FxRate): boolean =>
  CODE.test(base) && CODE.test(quote) && !isLongerThan(source, MAX_SOURCE_CHARACTERS) && isPlainText(source);

export type Route =
  | { readonly kind: 'fresh'; readonly legs: readonly RateLeg[] }
  /** There is a route, but a rate on each is too old (or from the future). */
  | { readonly kind: 'stale'; readonly pair: string }
  /** There is a route, but fewer sources than the corridor asks for quote a pair on it. */
  | { readonly kind: 'few'; readonly pair: string; readonly sources: readonly string[] }
  /** There is a route, but the sources of a pair on it contradict each other. */
  | { readonly kind: 'disputed'; readonly pair: string; readonly sources: readonly string[] }
  | { readonly kind: 'none' };

/** How far the clock of a rate source may be ahead, in ms. */
const MAX_SOURCE_SKEW_MS = 5 * 60_000;

export interface RouteTerms extends RateTerms {
  /** ms */
  readonly maxRateAgeMs: number;
}

/**
 * The first route on which every pair has a rate that its sources agree on, none older than the terms say: the direct pair,
 * then over each pivot. A direct pair whose sources contradict each other is not gone round: something is wrong with it, and
 * a cross rate would be priced by whichever of them quotes the rest.
 */
export function findRoute(book: RateBook, source: string, target: string, now: number, terms: RouteTerms): Route {
  const direct = pairOf(book, source, target, now, terms);
  if (direct.kind === 'fresh' || direct.kind === 'disputed') return direct;
  let found: Route = direct;
  for (const pivot of terms.pivots) {
    if (pivot === source || pivot === target) continue;
    const over = [pairOf(book, source, pivot, now, terms), pairOf(book, pivot, target, now, terms)];
    const legs = over.flatMap((leg) => (leg.kind === 'fresh' ? leg.legs : []));
    if (legs.length === 2) return { kind: 'fresh', legs };
    // Without one of the pairs it is no route, whatever is wrong with the other.
    if (over.some(({ kind }) => kind === 'none')) continue;
    const worst = over.find(({ kind }) => kind !== 'fresh')!;
    if (found.kind === 'none' || worst.kind === 'disputed') found = worst;
  }
  return found;
}

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
      if (now - rate.observedAt > terms.maxRateAgeMs || rate.observedAt > now + MAX_SOURCE_SKEW_MS) old ??= rate;
      else if (!bySource.has(rate.source)) bySource.set(rate.source, quoted(rate, inverse ? inverseOf(value) : value));
    }
  }
  const pair = `${from}/${to}`;
  const agreed = agreeOn([...bySource.values()], terms);
  if (agreed.kind === 'agreed') return { kind: 'fresh', legs: [legOf(agreed)] };
  if (agreed.kind !== 'none') return { ...agreed, pair };
  return old === undefined ? { kind: 'none' } : { kind: 'stale', pair: `${old.base}/${old.quote}` };
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
