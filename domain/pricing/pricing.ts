// The price of a transfer: exact until the one rounding, at the derived side, in favour of liquidity. A fixed source
// rounds the credit down, a fixed target rounds the debit up. What was rounded away is kept as the residual.

import { DomainError } from '../fault.ts';
import { currencyOf } from '../money/currencies.ts';
import { ceil, floor, multiply, type Ratio, showRatio } from '../money/decimals.ts';
import { fitsInt64, type Money, money } from '../money/money.ts';
import { ROUNDING_FEE, TAX_ROUNDINGS, type TaxBase, type TaxRounding } from '../terms/terms.ts';
import { crossRate, perMinor, type QuotedRate, withMargin } from './rates.ts';

/** A charge: a flat part plus basis points of the amount that is known first (debit or principal), rounded up. */
export interface FeeRule {
  readonly code: string;
  /** Minor units of the source currency. */
  readonly flatMinor: bigint;
  readonly bps: number;
  /** The least and the most that it comes to, minor units; null or absent: there is none. */
  readonly minMinor?: bigint | null | undefined;
  readonly maxMinor?: bigint | null | undefined;
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

/** A tax: basis points of the amount exchanged, or of all fees. */
export interface TaxRule {
  /** The row of terms that it is by. */
  readonly termId: string;
  readonly kind: string;
  readonly authority: string;
  readonly base: TaxBase;
  readonly rateBps: number;
  readonly rounding: TaxRounding;
}

/** A tax as a price states it: all that it takes to work it out again. */
export interface TaxLine extends TaxRule {
  readonly basis: Money;
  readonly amount: Money;
}

/** Amounts and rates of a price; debit = principal + fees + taxes, always. */
export interface Pricing {
  readonly midRate: string;
  readonly customerRate: string;
  readonly principal: Money;
  readonly debit: Money;
  readonly credit: Money;
  readonly fees: readonly Fee[];
  readonly taxes: readonly TaxLine[];
  readonly rounding: 'DOWN' | 'UP';
  /** Exact minus rounded value of the derived side, in minor units; cut at 18 digits when it never ends. */
  readonly residual: string;
  /** What the exchange earns: the principal less what the credit costs at the mid rate, rounded up; the residual is within. */
  readonly margin: Money;
}

export type PricingResult =
  | { readonly ok: true; readonly pricing: Pricing }
  /** The amount cannot carry its fees and taxes, or is worth less than one minor unit. */
  | { readonly ok: false; readonly why: 'TOO_LOW' | 'TOO_HIGH' };

/**
 * Prices a transfer.
 * @throws DomainError CURRENCY_UNKNOWN, CURRENCY_MISMATCH, ROUTE_BROKEN, RATE_MALFORMED, RATE_NOT_POSITIVE, MARGIN_OUT_OF_RANGE
 */
export function priceOf(
  terms: PricingTerms,
  feeRules: readonly FeeRule[],
  taxRules: readonly TaxRule[] = NO_TAXES,
): PricingResult {
  const { side, amount, sourceCurrency, targetCurrency } = terms;
  const { minor, midMinor, midRate, customerRate } = ratesFor(terms);
  const feesOn = (base: bigint): Fee[] =>
    feeRules.map((rule) => ({ code: rule.code, amount: money(feeOn(base, rule), sourceCurrency) }));

  let fees: Fee[];
  let principalMinor: bigint;
  let creditMinor: bigint;
  if (side === 'SOURCE') {
    fees = feesOn(amount.minor);
    const split = splitOf(amount.minor - total(fees), total(fees), taxRules);
    principalMinor = split.principal;
    if (split.left > 0n) fees.push({ code: ROUNDING_FEE, amount: money(split.left, sourceCurrency) });
    creditMinor = floor(times(minor, principalMinor));
  } else {
    creditMinor = amount.minor;
    principalMinor = ceil(dividedBy(creditMinor, minor));
    fees = feesOn(principalMinor);
  }
  const taxes = taxRules.length === 0 ? NO_TAXES : taxesOn(taxRules, principalMinor, fees, sourceCurrency);
  const debitMinor = principalMinor + total(fees) + total(taxes);
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
      taxes,
      rounding: side === 'SOURCE' ? 'DOWN' : 'UP',
      residual: showRatio({
        numerator: exact.numerator - rounded * exact.denominator,
        denominator: exact.denominator,
      }),
      margin: money(marginOf(principalMinor, creditMinor, midMinor), sourceCurrency),
    },
  };
}

/** A tax line as an event carries it: an enum of a newer version is text that nothing here knows. */
export interface StatedTax {
  readonly base: string;
  readonly rateBps: number;
  readonly rounding: string;
  readonly basis: Money;
  readonly amount: Money;
}

/** A price as an event carries it, as far as its amounts go. */
export interface StatedPrice {
  readonly legs: readonly QuotedRate[];
  readonly marginBps: number;
  readonly principal: Money;
  readonly debit: Money;
  readonly credit: Money;
  readonly fees: readonly Fee[];
  readonly taxes: readonly StatedTax[];
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
  const charged = [...price.fees, ...price.taxes].map((part) => part.amount);
  const inSource = [price.principal, price.debit, ...charged, ...price.taxes.map((tax) => tax.basis)];
  if (inSource.some((part) => part.currency !== sourceCurrency)) faults.push('an amount is not in the source currency');
  if (price.credit.currency !== targetCurrency) faults.push('the credit is not in the target currency');
  if (price.principal.minor <= 0n || price.credit.minor <= 0n) faults.push('an amount is not above zero');
  if (price.fees.some((fee) => fee.amount.minor < 0n)) faults.push('a fee is negative');
  if (price.debit.minor !== price.principal.minor + total(price.fees) + total(price.taxes))
    faults.push('debit is not principal plus fees and taxes');
  faults.push(...taxFaults(price));
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

/** Each tax line follows from what it says that it is of; what rounding left is less than what rounding can leave. */
function taxFaults({ principal, fees, taxes }: StatedPrice): readonly string[] {
  const faults: string[] = [];
  for (const { base, basis, rateBps, rounding, amount } of taxes) {
    const right = base === 'PRINCIPAL' ? principal.minor : base === 'FEES' ? total(fees.filter(isCharged)) : undefined;
    if (right === undefined || basis.minor !== right) faults.push('a tax is not of what it says');
    else if (!isRounding(rounding) || amount.minor !== taxOn(basis.minor, { rateBps, rounding }))
      faults.push('a tax does not follow from its rate');
  }
  const left = total(fees.filter((fee) => !isCharged(fee)));
  if (left > BigInt(taxes.filter(({ base }) => base === 'PRINCIPAL').length))
    faults.push('too much is left as rounding');
  return faults;
}

/** All fees but what rounding left: that is no service which could be taxed. */
const isCharged = ({ code }: Fee): boolean => code !== ROUNDING_FEE;
const isRounding = (rounding: string): rounding is TaxRounding =>
  (TAX_ROUNDINGS as readonly string[]).includes(rounding);

/**
 * How large a transfer is, for terms that go by size: the debit where it is fixed, else what the credit costs at the mid rate,
 * rounded up; minor units of the source currency.
 * @throws DomainError as `priceOf`
 */
export function sizeOf(terms: Omit<PricingTerms, 'marginBps'>): bigint {
  if (terms.side === 'SOURCE') return terms.amount.minor;
  return ceil(dividedBy(terms.amount.minor, ratesFor({ ...terms, marginBps: 0 }).midMinor));
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
const NO_TAXES: readonly never[] = [];

function feeOn(base: bigint, { flatMinor, bps, minMinor, maxMinor }: FeeRule): bigint {
  const fee = flatMinor + ceil({ numerator: base * BigInt(bps), denominator: BPS_SCALE });
  if (minMinor != null && fee < minMinor) return minMinor;
  return maxMinor != null && fee > maxMinor ? maxMinor : fee;
}

function taxOn(basis: bigint, { rateBps, rounding }: Pick<TaxRule, 'rateBps' | 'rounding'>): bigint {
  const numerator = basis * BigInt(rateBps);
  if (rounding === 'UP') return ceil({ numerator, denominator: BPS_SCALE });
  if (rounding === 'DOWN') return floor({ numerator, denominator: BPS_SCALE });
  return floor({ numerator: 2n * numerator + BPS_SCALE, denominator: 2n * BPS_SCALE });
}

/**
 * What of a fixed debit less its fees is exchanged: the largest amount that leaves room for its taxes. A tax is rounded, so no
 * amount may use it up to the unit; what is `left` is less than one unit a tax.
 */
function splitOf(without: bigint, feesMinor: bigint, rules: readonly TaxRule[]): { principal: bigint; left: bigint } {
  let [room, rate, count] = [without, BPS_SCALE, 0n];
  for (const rule of rules) {
    if (rule.base === 'FEES') {
      room -= taxOn(feesMinor, rule);
      continue;
    }
    rate += BigInt(rule.rateBps);
    count += 1n;
  }
  if (count === 0n || room <= 0n) return { principal: room, left: 0n };
  const onPrincipal = rules.filter(({ base }) => base === 'PRINCIPAL');
  const used = (principal: bigint) => onPrincipal.reduce((sum, rule) => sum + taxOn(principal, rule), principal);
  // Rounding takes less than a unit of each tax, so the answer is near.
  let principal = ((room + count) * BPS_SCALE) / rate;
  while (used(principal) > room) principal -= 1n;
  return { principal, left: room - used(principal) };
}

function taxesOn(rules: readonly TaxRule[], principal: bigint, fees: readonly Fee[], currency: string): TaxLine[] {
  const charged = total(fees.filter(isCharged));
  return rules.map(({ termId, kind, authority, base, rateBps, rounding }) => {
    const basis = base === 'PRINCIPAL' ? principal : charged;
    const amount = money(taxOn(basis, { rateBps, rounding }), currency);
    return { termId, kind, authority, base, rateBps, rounding, basis: money(basis, currency), amount };
  });
}

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
