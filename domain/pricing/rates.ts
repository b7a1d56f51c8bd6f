// Exchange rates as published. A rate is never inverted and never rounded: to go against the quotation, divide by it
// (Council Regulation (EC) No 1103/97, Articles 4 and 5). A triangulation is one exact fraction.

import { DomainError } from '../fault.ts';
import { divide, multiply, ONE, parseDecimal, power10, type Ratio, ratioOf } from '../money/decimals.ts';

/** A quoted rate: one unit of base costs `rate` units of quote. */
export interface QuotedRate {
  readonly base: string;
  readonly quote: string;
  /** Decimal string, as published. */
  readonly rate: string;
}

/** The exact value of a rate string. @throws DomainError RATE_MALFORMED, RATE_NOT_POSITIVE */
export function rateValue(rate: string): Ratio {
  const decimal = parseDecimal(rate);
  if (decimal === undefined) throw new DomainError('RATE_MALFORMED', 'a rate must be a decimal string such as 96.0853');
  if (decimal.coef <= 0n) throw new DomainError('RATE_NOT_POSITIVE', 'a rate must be above zero');
  return ratioOf(decimal);
}

/**
 * Units of `target` for one unit of `source` along the legs, in order. A leg whose base is the currency reached so far
 * multiplies, one whose quote is it divides.
 * @throws DomainError ROUTE_BROKEN when the legs do not lead from source to target; RATE_MALFORMED, RATE_NOT_POSITIVE
 */
export function crossRate(source: string, target: string, legs: readonly QuotedRate[]): Ratio {
  let rate = ONE;
  let reached = source;
  for (const leg of legs) {
    const value = rateValue(leg.rate);
    if (leg.base === reached) {
      rate = multiply(rate, value);
      reached = leg.quote;
    } else if (leg.quote === reached) {
      rate = divide(rate, value);
      reached = leg.base;
    } else {
      throw new DomainError('ROUTE_BROKEN', `the leg ${leg.base}/${leg.quote} does not take ${reached}`);
    }
  }
  if (reached === target) return rate;
  throw new DomainError('ROUTE_BROKEN', `the legs lead from ${source} to ${reached}, not to ${target}`);
}

/** The rate less a margin, in basis points of the rate (150 is 1.5 %). @throws DomainError MARGIN_OUT_OF_RANGE */
export function withMargin(rate: Ratio, marginBps: number): Ratio {
  if (!Number.isInteger(marginBps) || marginBps < 0 || marginBps >= 10_000) {
    throw new DomainError('MARGIN_OUT_OF_RANGE', 'a margin is a whole number of basis points from 0 to 9999');
  }
  return multiply(rate, { numerator: BigInt(10_000 - marginBps), denominator: 10_000n });
}

/** A rate between units as a rate between minor units of currencies with these exponents. */
export function perMinor(rate: Ratio, sourceExponent: number, targetExponent: number): Ratio {
  return {
    numerator: rate.numerator * power10(targetExponent),
    denominator: rate.denominator * power10(sourceExponent),
  };
}
