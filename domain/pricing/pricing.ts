// The price of a transfer: exact until the one rounding, at the derived side, in favour of liquidity. A fixed source
// rounds the credit down, a fixed target rounds the debit up. What was rounded away is kept as the residual.

import { DomainError } from '../fault.ts';
import { currencyOf } from '../money/currencies.ts';
import { ceil, floor, multiply, type Ratio, showRatio } from '../money/decimals.ts';
import { fitsInt64, type Money, money } from '../money/money.ts';
import { crossRate, perMinor, type QuotedRate, withMargin } from './rates.ts';

/** A charge: a flat part plus basis points of the amount that is known first (debit or principal), rounded up. */
export interface FeeRule {
  readonly code: string;
  /** Minor units of the source currency. */
  readonly flatMinor: bigint;
  readonly bps: number;
  /** Charge bearers whose transfers pay it; absent: every transfer does. */
  readonly bearers?: readonly string[] | undefined;
}

export interface Fee {
  readonly code: string;
  readonly amount: Money;
}

export interface PricingTerms {
  readonly side: 'SOURCE' | 'TARGET';
  /** The fixed amount, in the currency of its side. */
  readonly amount: Money;
  readonly sourceCurrency: string;
  readonly targetCurrency: string;
  readonly legs: readonly QuotedRate[];
  readonly marginBps: number;
}

/** Amounts and rates of a price; debit = principal + fees, always. */
export interface Pricing {
  readonly midRate: string;
  readonly customerRate: string;
  readonly principal: Money;
  readonly debit: Money;
  readonly credit: Money;
  readonly fees: readonly Fee[];
  readonly rounding: 'DOWN' | 'UP';
  /** Exact minus rounded value of the derived side, in minor units; cut at 18 digits when it never ends. */
  readonly residual: string;
  /** What the exchange earns: the principal less what the credit costs at the mid rate, rounded up; the residual is within. */
  readonly margin: Money;
}

export type PricingResult =
  | { readonly ok: true; readonly pricing: Pricing }
  /** The amount cannot carry its fees, or is worth less than one minor unit. */
  | { readonly ok: false; readonly why: 'TOO_LOW' | 'TOO_HIGH' };

/**
 * Prices a transfer.
 * @throws DomainError CURRENCY_UNKNOWN, CURRENCY_MISMATCH, ROUTE_BROKEN, RATE_MALFORMED, RATE_NOT_POSITIVE, MARGIN_OUT_OF_RANGE
 */
export function priceOf(terms: PricingTerms, feeRules: readonly FeeRule[]): PricingResult {
  const { side, amount, sourceCurrency, targetCurrency } = terms;
  const { minor, midMinor, midRate, customerRate } = ratesFor(terms);
  const feesOn = (base: bigint): Fee[] =>
    feeRules.map((rule) => ({ code: rule.code, amount: money(feeOn(base, rule), sourceCurrency) }));

  let fees: Fee[];
  let principalMinor: bigint;
  let creditMinor: bigint;
  if (side === 'SOURCE') {
    fees = feesOn(amount.minor);
    principalMinor = amount.minor - total(fees);
    creditMinor = floor(times(minor, principalMinor));
  } else {
    creditMinor = amount.minor;
    principalMinor = ceil(dividedBy(creditMinor, minor));
    fees = feesOn(principalMinor);
  }
  const debitMinor = principalMinor + total(fees);
  if (principalMinor <= 0n || creditMinor <= 0n) return { ok: false, why: 'TOO_LOW' };
  if (!fitsInt64(debitMinor) || !fitsInt64(creditMinor)) return { ok: false, why: 'TOO_HIGH' };

  const exact = side === 'SOURCE' ? times(minor, principalMinor) : dividedBy(creditMinor, minor);
  const rounded = side === 'SOURCE' ? creditMinor : principalMinor;
  return {
    ok: true,
    pricing: {
      midRate,
      customerRate,
      principal: money(principalMinor, sourceCurrency),
      debit: money(debitMinor, sourceCurrency),
      credit: money(creditMinor, targetCurrency),
      fees,
      rounding: side === 'SOURCE' ? 'DOWN' : 'UP',
      residual: showRatio({
        numerator: exact.numerator - rounded * exact.denominator,
        denominator: exact.denominator,
      }),
      margin: money(marginOf(principalMinor, creditMinor, midMinor), sourceCurrency),
    },
  };
}

/** A price as an event carries it, as far as its amounts go. */
export interface StatedPrice {
  readonly legs: readonly QuotedRate[];
  readonly marginBps: number;
  readonly principal: Money;
  readonly debit: Money;
  readonly credit: Money;
  readonly fees: readonly { readonly amount: Money }[];
  /** Null: stated before prices said so. */
  readonly margin: Money | null;
}

/**
 * What is wrong with the amounts of a stated price, recomputed from its own legs; empty when all is right. The last look
 * before money moves, independent of what made the price.
 */
export function priceFaults(terms: Omit<PricingTerms, 'legs' | 'marginBps'>, price: StatedPrice): readonly string[] {
  const faults: string[] = [];
  const { sourceCurrency, targetCurrency, side, amount } = terms;
  const inSource = [price.principal, price.debit, ...price.fees.map((fee) => fee.amount)];
  if (inSource.some((part) => part.currency !== sourceCurrency)) faults.push('an amount is not in the source currency');
  if (price.credit.currency !== targetCurrency) faults.push('the credit is not in the target currency');
  if (price.principal.minor <= 0n || price.credit.minor <= 0n) faults.push('an amount is not above zero');
  if (price.fees.some((fee) => fee.amount.minor < 0n)) faults.push('a fee is negative');
  if (price.debit.minor !== price.principal.minor + total(price.fees)) faults.push('debit is not principal plus fees');
  const fixed = side === 'SOURCE' ? price.debit : price.credit;
  if (fixed.minor !== amount.minor || fixed.currency !== amount.currency) faults.push('the fixed side was changed');
  if (faults.length > 0) return faults;
  const { minor, midMinor } = ratesOf({ ...terms, legs: price.legs, marginBps: price.marginBps });
  const { margin } = price;
  if (
    margin !== null &&
    (margin.currency !== sourceCurrency ||
      margin.minor !== marginOf(price.principal.minor, price.credit.minor, midMinor))
  ) {
    return ['the margin does not follow from the rate'];
  }
  const right =
    side === 'SOURCE'
      ? price.credit.minor === floor(times(minor, price.principal.minor))
      : price.principal.minor === ceil(dividedBy(price.credit.minor, minor));
  return right ? [] : ['the derived side does not follow from the rate'];
}

/** What is left of the principal when the credit is bought at the mid rate. Not below zero, since the margin is not. */
function marginOf(principalMinor: bigint, creditMinor: bigint, midMinor: Ratio): bigint {
  return principalMinor - ceil(dividedBy(creditMinor, midMinor));
}

interface Rates {
  readonly minor: Ratio;
  readonly midMinor: Ratio;
  readonly midRate: string;
  readonly customerRate: string;
}

/** Of the legs of a route, which all transfers of a batch share: what follows from them is the same for each. */
const known = new WeakMap<readonly QuotedRate[], Map<string, Rates>>();

/** As `ratesOf`, once for each route and margin. */
function ratesFor(terms: PricingTerms): Rates {
  const { sourceCurrency, targetCurrency, legs, marginBps } = terms;
  checkFixed(terms);
  const ofLegs = known.get(legs) ?? new Map<string, Rates>();
  const key = `${sourceCurrency}/${targetCurrency}/${marginBps}`;
  const before = ofLegs.get(key);
  if (before !== undefined) return before;
  const { mid, customer, minor, midMinor } = ratesOf(terms);
  const rates = { minor, midMinor, midRate: showRatio(mid), customerRate: showRatio(customer) };
  ofLegs.set(key, rates);
  known.set(legs, ofLegs);
  return rates;
}

function ratesOf(terms: PricingTerms): { mid: Ratio; customer: Ratio; minor: Ratio; midMinor: Ratio } {
  const { sourceCurrency, targetCurrency } = terms;
  checkFixed(terms);
  const mid = crossRate(sourceCurrency, targetCurrency, terms.legs);
  const customer = withMargin(mid, terms.marginBps);
  const [from, to] = [exponentOf(sourceCurrency), exponentOf(targetCurrency)];
  return { mid, customer, minor: perMinor(customer, from, to), midMinor: perMinor(mid, from, to) };
}

function checkFixed({ sourceCurrency, targetCurrency, side, amount }: PricingTerms): void {
  const fixedCurrency = side === 'SOURCE' ? sourceCurrency : targetCurrency;
  if (amount.currency === fixedCurrency) return;
  throw new DomainError('CURRENCY_MISMATCH', `the fixed amount is in ${amount.currency}, not in ${fixedCurrency}`);
}

function exponentOf(code: string): number {
  const currency = currencyOf(code);
  if (currency === undefined) throw new DomainError('CURRENCY_UNKNOWN', `no exponent is known for ${code}`);
  return currency.exponent;
}

const BPS_SCALE = 10_000n;
const feeOn = (base: bigint, rule: FeeRule): bigint =>
  rule.flatMinor + ceil({ numerator: base * BigInt(rule.bps), denominator: BPS_SCALE });

const times = (rate: Ratio, minor: bigint): Ratio => multiply(rate, { numerator: minor, denominator: 1n });
const dividedBy = (minor: bigint, rate: Ratio): Ratio => ({
  numerator: minor * rate.denominator,
  denominator: rate.numerator,
});

function total(fees: readonly { readonly amount: Money }[]): bigint {
  let minor = 0n;
  for (const fee of fees) minor += fee.amount.minor;
  return minor;
}
