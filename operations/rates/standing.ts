// How the rates of a pair stand, for people: what each source says, how old that is, whether it counts, and what is waited for. Pure.
import type { Corridor } from '../../domain/corridors/corridors.ts';
import { goodUntil } from '../../domain/pricing/rate-age.ts';
import type { Route } from '../../processors/fx-pricing/routes.ts';
import type { FxRate } from '../../schemas/types.generated.ts';

/** What one source says of a pair. */
export interface SourceStanding {
  readonly source: string;
  /** As it quotes it: `GBP/INR`. */
  readonly pair: string;
  readonly rate: string;
  /** ms since 1970 */
  readonly observedAt: number;
  readonly ageMs: number;
  /** `NOT_ASKED`: the corridor does not go by this source. `AHEAD`: observed at a time that has not come yet. */
  readonly state: 'COUNTS' | 'TOO_OLD' | 'AHEAD' | 'NOT_ASKED';
}

/** How far the clock of a source may be ahead, ms; as pricing has it. */
const MAX_AHEAD_MS = 5 * 60_000;

/**
 * What sources say of a pair, whichever way round, the latest first.
 * @param pair `GBP/INR`
 * @param now ms since 1970
 */
export function sourcesOf(
  pair: string,
  { rates: terms, maxRateAgeMs }: Pick<Corridor, 'rates' | 'maxRateAgeMs'>,
  rates: readonly FxRate[],
  now: number,
): readonly SourceStanding[] {
  const [from, to] = pair.split('/');
  const stateOf = (rate: FxRate): SourceStanding['state'] => {
    if (terms.sources?.includes(rate.source) === false) return 'NOT_ASKED';
    if (rate.observedAt > now + MAX_AHEAD_MS) return 'AHEAD';
    return now > goodUntil(rate, now, { ...terms, maxRateAgeMs }) ? 'TOO_OLD' : 'COUNTS';
  };
  return rates
    .filter(({ base, quote }) => (base === from && quote === to) || (base === to && quote === from))
    .map((rate) => ({
      ...{ source: rate.source, pair: `${rate.base}/${rate.quote}`, rate: rate.rate, observedAt: rate.observedAt },
      ...{ ageMs: Math.max(0, now - rate.observedAt), state: stateOf(rate) },
    }))
    .toSorted((a, b) => b.observedAt - a.observedAt);
}

/** What transfers of the corridor wait for, in words; undefined: for nothing. */
export function waitsFor(route: Route, { source, target, rates }: Pick<Corridor, 'source' | 'target' | 'rates'>) {
  switch (route.kind) {
    case 'fresh':
      return undefined;
    case 'stale':
      return `a fresh rate of ${route.pair}`;
    case 'few':
      return `${rates.quorum - route.sources.length} more sources of ${route.pair} that are young enough`;
    case 'disputed':
      return `agreement on ${route.pair}: somebody stops the feed that is wrong`;
    case 'jumped':
      return `two persons: corridor rates accept, or the rate of before (${route.step.distanceBps} bps from it)`;
    case 'none':
      return `a rate from ${source.currency} to ${target.currency}, directly or over ${rates.pivots.join(', ')}`;
  }
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
] as const;

/** An age for people: `5 h`. @param ms */
export function ageInWords(ms: number): string {
  for (const [unit, name] of UNITS) if (ms >= unit) return `${Math.floor(ms / unit)} ${name}`;
  return `${Math.floor(ms / 1_000)} s`;
}
