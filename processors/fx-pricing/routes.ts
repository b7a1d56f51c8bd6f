// From one currency to another over quoted rates: directly, against the quotation, or over one common currency. Pure.
import { parseDecimal } from '../../domain/money/decimals.ts';
import { isLongerThan, isPlainText } from '../../domain/text/text.ts';
import type { FxRate, RateLeg } from '../../schemas/types.generated.ts';

/** The freshest usable rate of each pair, by base and quote. */
export type RateBook = ReadonlyMap<string, FxRate>;

/** Builds the book; what a feed wrote that is no rate (no code, no decimal above zero, a source without a name) is left out. */
export function rateBookOf(rates: Iterable<FxRate>): RateBook {
  const book = new Map<string, FxRate>();
  for (const rate of rates) {
    const value = parseDecimal(rate.rate);
    if (value === undefined || value.coef <= 0n || rate.base === rate.quote || !isNamed(rate)) continue;
    const pair = `${rate.base}/${rate.quote}`;
    const known = book.get(pair);
    if (known === undefined || fresher(rate, known)) book.set(pair, rate);
  }
  return book;
}

const CODE = /^[A-Z]{3}$/;
const MAX_SOURCE_CHARACTERS = 64;

/** What goes on into prices, logs and analytics is a code or a name, not whatever a feed wrote. */
const isNamed = ({ base, quote, source }: FxRate): boolean =>
  CODE.test(base) && CODE.test(quote) && !isLongerThan(source, MAX_SOURCE_CHARACTERS) && isPlainText(source);

/** Later observed; of two observed at once, the source that sorts first. */
const fresher = (a: FxRate, b: FxRate): boolean =>
  a.observedAt > b.observedAt || (a.observedAt === b.observedAt && a.source < b.source);

export type Route =
  | { readonly kind: 'fresh'; readonly legs: readonly RateLeg[] }
  /** There is a route, but a rate on each is too old (or from the future). */
  | { readonly kind: 'stale'; readonly pair: string }
  | { readonly kind: 'none' };

/** How far the clock of a rate source may be ahead, in ms. */
const MAX_SOURCE_SKEW_MS = 5 * 60_000;

/** The first route on which every rate is at most `maxAgeMs` old, direct ones first. */
export function findRoute(book: RateBook, source: string, target: string, now: number, maxAgeMs: number): Route {
  const usable = (rate: FxRate) => now - rate.observedAt <= maxAgeMs && rate.observedAt <= now + MAX_SOURCE_SKEW_MS;
  let stale: FxRate | undefined;
  for (const rates of routesBetween(book, source, target)) {
    const old = rates.find((rate) => !usable(rate));
    if (old === undefined) return { kind: 'fresh', legs: rates.map(legOf) };
    stale ??= old;
  }
  return stale === undefined ? { kind: 'none' } : { kind: 'stale', pair: `${stale.base}/${stale.quote}` };
}

function* routesBetween(book: RateBook, source: string, target: string): Generator<readonly FxRate[]> {
  for (const rate of quotesOf(book, source, target)) yield [rate];
  for (const pivot of pivotsOf(book)) {
    if (pivot === source || pivot === target) continue;
    for (const first of quotesOf(book, source, pivot)) {
      for (const second of quotesOf(book, pivot, target)) yield [first, second];
    }
  }
}

/** The rate as quoted from one to the other, then the one quoted the other way (by which is divided). */
function quotesOf(book: RateBook, from: string, to: string): readonly FxRate[] {
  return [book.get(`${from}/${to}`), book.get(`${to}/${from}`)].filter((rate) => rate !== undefined);
}

const PREFERRED_PIVOTS = ['EUR', 'USD'];

function pivotsOf(book: RateBook): readonly string[] {
  const codes = new Set<string>();
  for (const { base, quote } of book.values()) codes.add(base).add(quote);
  const rest = [...codes].filter((code) => !PREFERRED_PIVOTS.includes(code)).sort();
  return [...PREFERRED_PIVOTS.filter((code) => codes.has(code)), ...rest];
}

const legOf = ({ base, quote, rate, source, observedAt }: FxRate): RateLeg => ({
  base,
  quote,
  rate,
  source,
  observedAt,
});
