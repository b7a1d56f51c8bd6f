// What a set of terms says of one corridor, for people.
import type { Corridor } from '../corridors/corridors.ts';
import { rankOf, type TermRow, type TermSet } from './terms.ts';

/** The rows that can be meant by a transfer of the corridor, the least specific first. */
export function termsOn(
  set: TermSet,
  { id, source: { currency } }: Corridor,
): Omit<TermSet, 'name' | 'version' | 'calendars'> {
  const on = <R extends TermRow>(rows: readonly R[]): readonly R[] =>
    rows
      .filter(
        ({ where: { corridors, amount } }) =>
          corridors?.includes(id) !== false && (!amount || amount.currency === currency),
      )
      .toSorted((a, b) => rankOf(a.where) - rankOf(b.where));
  return {
    markets: on(set.markets),
    margins: on(set.margins),
    fees: on(set.fees.filter((fee) => fee.currency === currency)),
    taxes: on(set.taxes),
    lifetimes: on(set.lifetimes),
    settlements: on(set.settlements),
    cancellations: on(set.cancellations),
  };
}

/** The row that counts where no other does: it names the corridor at most. */
export const plainest = <R extends TermRow>(rows: readonly R[]): R | undefined =>
  rows.findLast(({ where: { corridors: _, ...more } }) => Object.values(more).every((value) => value === undefined));
