// Sums of money by currency, of a list of any length, with how many have no known amount. Pure.
import type { Money } from '../../domain/money/money.ts';

export interface Tally {
  readonly count: number;
  /** By currency, in the order of their codes. */
  readonly money: readonly Money[];
  readonly withoutAmount: number;
}

/** Adds up amounts; null: it is not known. Sums may grow beyond 64 bits. */
export class Tallying {
  readonly #sums = new Map<string, bigint>();
  #count = 0;
  #withoutAmount = 0;

  add(amount: Money | null, count = 1): void {
    this.#count += count;
    if (amount === null) this.#withoutAmount += count;
    else this.#sums.set(amount.currency, (this.#sums.get(amount.currency) ?? 0n) + amount.minor);
  }

  get tally(): Tally {
    const money = [...this.#sums]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([currency, minor]) => ({ minor, currency }));
    return { count: this.#count, money, withoutAmount: this.#withoutAmount };
  }
}

/** The tallies of several lists that have nothing in common, as one. */
export function tallyOf(tallies: readonly Tally[]): Tally {
  const sums = new Map<string, bigint>();
  for (const { money } of tallies)
    for (const { currency, minor } of money) sums.set(currency, (sums.get(currency) ?? 0n) + minor);
  const money = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([currency, minor]) => ({ minor, currency }));
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  return { count: sum(({ count }) => count), money, withoutAmount: sum(({ withoutAmount }) => withoutAmount) };
}
