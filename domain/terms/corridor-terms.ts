// The terms that the table of corridors says by itself: margins, fees and lifetimes as rows, and nothing else. Where no terms are
// given, prices are by these.
import type { Corridor } from '../corridors/corridors.ts';
import type { FeeRow, TermSet } from './terms.ts';

/** @param as name and version of the set */
export function corridorTerms(corridors: readonly Corridor[], as: Pick<TermSet, 'name' | 'version'>): TermSet {
  return {
    ...as,
    ...{ calendars: [], markets: [], taxes: [], settlements: [], cancellations: [] },
    margins: corridors.map(({ id, marginBps }) => ({ termId: `${id}/margin`, where: { corridors: [id] }, marginBps })),
    lifetimes: corridors.map(({ id, priceTtlMs }) => ({
      ...{ termId: `${id}/lifetime`, where: { corridors: [id] } },
      bindsForMs: priceTtlMs,
    })),
    fees: corridors.flatMap(({ id, source, fees }) =>
      fees.map(
        ({ code, flatMinor, bps, bearers }, place): FeeRow => ({
          termId: `${id}/${code}${fees.findIndex((fee) => fee.code === code) === place ? '' : `/${place}`}`,
          where: { corridors: [id], ...(bearers === undefined ? {} : { bearers }) },
          ...{ code, currency: source.currency, flatMinor, bps, minMinor: null, maxMinor: null },
          // In a table every fee of a corridor counts, whatever its code.
          place,
        }),
      ),
    ),
  };
}

/** The terms of the corridors that are built in. */
export const BUILT_IN_TERMS = { name: 'built-in', version: '1' } as const;
