// Exact amounts: a bigint of minor units and a currency. Amounts of two currencies never meet.
import { DomainError } from '../fault.ts';

/** An exact amount of one currency, in minor units (pence, paise, fils). */
export interface Money {
  readonly minor: bigint;
  /** ISO 4217 alphabetic code. */
  readonly currency: string;
}

/** Bounds of an Avro long: an amount outside of them cannot be written. */
export const INT64_MAX = 9_223_372_036_854_775_807n;
export const INT64_MIN = -9_223_372_036_854_775_808n;

export const money = (minor: bigint, currency: string): Money => ({ minor, currency });

export const fitsInt64 = (minor: bigint): boolean => minor >= INT64_MIN && minor <= INT64_MAX;

/** @throws DomainError CURRENCY_MISMATCH, AMOUNT_OVERFLOW */
export function add(a: Money, b: Money): Money {
  return bounded(a.minor + b.minor, sameCurrency(a, b));
}

/** a - b. @throws DomainError CURRENCY_MISMATCH, AMOUNT_OVERFLOW */
export function subtract(a: Money, b: Money): Money {
  return bounded(a.minor - b.minor, sameCurrency(a, b));
}

/** Sum of amounts of one currency; zero of `currency` when there are none. @throws DomainError as `add` */
export function sum(amounts: Iterable<Money>, currency: string): Money {
  let total = money(0n, currency);
  for (const amount of amounts) total = add(total, amount);
  return total;
}

/** Negative, zero or positive, as a is less than, equal to or more than b. @throws DomainError CURRENCY_MISMATCH */
export function compare(a: Money, b: Money): -1 | 0 | 1 {
  sameCurrency(a, b);
  if (a.minor === b.minor) return 0;
  return a.minor < b.minor ? -1 : 1;
}

function sameCurrency(a: Money, b: Money): string {
  if (a.currency === b.currency) return a.currency;
  throw new DomainError(
    'CURRENCY_MISMATCH',
    `cannot combine ${a.currency} with ${b.currency}: convert one of them first`,
  );
}

function bounded(minor: bigint, currency: string): Money {
  if (fitsInt64(minor)) return { minor, currency };
  throw new DomainError('AMOUNT_OVERFLOW', `an amount in ${currency} does not fit into 64 bits`);
}
