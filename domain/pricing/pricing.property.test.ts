// The price against an oracle that shares no arithmetic with it: the oracle never divides, it checks by multiplication that
// the derived side is the best integer there is.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { currencyOf } from '../money/currencies.ts';
import { type FeeRule, type PricingTerms, priceFaults, priceOf } from './pricing.ts';
import type { QuotedRate } from './rates.ts';

const CODES = ['GBP', 'EUR', 'USD', 'AED', 'INR', 'JPY', 'KWD', 'BHD'];
const rateText = fc
  .tuple(
    fc.integer({ min: 0, max: 400 }),
    fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), minLength: 1, maxLength: 8 }),
  )
  .map(([whole, digits]) => `${whole}.${digits}`)
  .filter((text) => Number(text) > 0);

const terms = fc
  .record({
    side: fc.constantFrom<'SOURCE' | 'TARGET'>('SOURCE', 'TARGET'),
    codes: fc.shuffledSubarray(CODES, { minLength: 3, maxLength: 3 }),
    minor: fc.bigInt({ min: 1n, max: 10n ** 13n }),
    marginBps: fc.integer({ min: 0, max: 900 }),
    texts: fc.tuple(rateText, rateText),
    against: fc.tuple(fc.boolean(), fc.boolean()),
    triangulated: fc.boolean(),
  })
  .map(({ side, codes, minor, marginBps, texts, against, triangulated }): PricingTerms => {
    const [source, pivot, target] = codes as [string, string, string];
    const quoted = (from: string, to: string, text: string, turned: boolean): QuotedRate =>
      turned ? { base: to, quote: from, rate: text } : { base: from, quote: to, rate: text };
    const legs = triangulated
      ? [quoted(source, pivot, texts[0], against[0]), quoted(pivot, target, texts[1], against[1])]
      : [quoted(source, target, texts[0], against[0])];
    const amount = { minor, currency: side === 'SOURCE' ? source : target };
    return { side, amount, sourceCurrency: source, targetCurrency: target, legs, marginBps };
  });

const fees: fc.Arbitrary<FeeRule[]> = fc.array(
  fc.record({
    code: fc.constant('F'),
    flatMinor: fc.bigInt({ min: 0n, max: 500n }),
    bps: fc.integer({ min: 0, max: 100 }),
  }),
  { maxLength: 2 },
);

/** value = top / bottom, both from digits alone. */
function rational({ legs, sourceCurrency, targetCurrency, marginBps }: PricingTerms): { top: bigint; bottom: bigint } {
  let top = BigInt(10_000 - marginBps) * 10n ** BigInt(currencyOf(targetCurrency)!.exponent);
  let bottom = 10_000n * 10n ** BigInt(currencyOf(sourceCurrency)!.exponent);
  let at = sourceCurrency;
  for (const { base, quote, rate } of legs) {
    const [whole, digits] = rate.split('.') as [string, string];
    const [coef, unit] = [BigInt(whole + digits), BigInt(`1${'0'.repeat(digits.length)}`)];
    [top, bottom] = base === at ? [top * coef, bottom * unit] : [top * unit, bottom * coef];
    at = base === at ? quote : base;
  }
  return { top, bottom };
}

describe('a price', () => {
  it('has the derived side that the exact rate demands, rounded once, in the house’s favour', () => {
    let judged = 0;
    fc.assert(
      fc.property(terms, fees, (given, rules) => {
        const result = priceOf(given, rules);
        if (!result.ok) return;
        judged += 1;
        const { debit, principal, credit } = result.pricing;
        const { top, bottom } = rational(given);
        // credit <= principal * rate, and one more unit on the derived side would break it.
        expect(credit.minor * bottom).toBeLessThanOrEqual(principal.minor * top);
        if (given.side === 'SOURCE') expect((credit.minor + 1n) * bottom).toBeGreaterThan(principal.minor * top);
        else expect(credit.minor * bottom).toBeGreaterThan((principal.minor - 1n) * top);
        const fixed = given.side === 'SOURCE' ? debit : credit;
        expect(fixed).toEqual(given.amount);
      }),
      { numRuns: times(10_000) },
    );
    expect(judged).toBeGreaterThan(5_000);
  });

  it('loses nothing: the debit is principal and fees, and the last look agrees', () => {
    fc.assert(
      fc.property(terms, fees, (given, rules) => {
        const result = priceOf(given, rules);
        if (!result.ok) return;
        const { debit, principal, fees: charged } = result.pricing;
        expect(charged.reduce((total, fee) => total + fee.amount.minor, principal.minor)).toBe(debit.minor);
        expect(charged.every((fee) => fee.amount.minor >= 0n)).toBe(true);
        expect(priceFaults(given, { ...result.pricing, legs: given.legs, marginBps: given.marginBps })).toEqual([]);
      }),
      { numRuns: times(3_000) },
    );
  });

  it('earns what is left of the principal when the credit is bought at the mid rate, and never less than nothing', () => {
    let judged = 0;
    fc.assert(
      fc.property(terms, fees, (given, rules) => {
        const result = priceOf(given, rules);
        if (!result.ok) return;
        judged += 1;
        const { principal, credit, margin } = result.pricing;
        const { top, bottom } = rational({ ...given, marginBps: 0 });
        const cost = principal.minor - margin.minor;
        // The least amount that buys the credit.
        expect(cost * top).toBeGreaterThanOrEqual(credit.minor * bottom);
        expect((cost - 1n) * top).toBeLessThan(credit.minor * bottom);
        expect(margin.minor).toBeGreaterThanOrEqual(0n);
        expect(margin.currency).toBe(given.sourceCurrency);
      }),
      { numRuns: times(3_000) },
    );
    expect(judged).toBeGreaterThan(times(1_000));
  });

  it('is refused at the last look with another margin, and taken without one', () => {
    fc.assert(
      fc.property(terms, fees, fc.constantFrom(-1n, 1n), (given, rules, off) => {
        const result = priceOf(given, rules);
        if (!result.ok) return;
        const { margin } = result.pricing;
        const stated = { ...result.pricing, legs: given.legs, marginBps: given.marginBps };
        const other = { minor: margin.minor + off, currency: margin.currency };
        expect(priceFaults(given, { ...stated, margin: other })).toEqual(['the margin does not follow from the rate']);
        const foreign = { minor: margin.minor, currency: given.targetCurrency };
        expect(priceFaults(given, { ...stated, margin: foreign })).toHaveLength(1);
        expect(priceFaults(given, { ...stated, margin: null })).toEqual([]);
      }),
      { numRuns: times(1_000) },
    );
  });

  it('never pays more for a wider margin or more for less', () => {
    fc.assert(
      fc.property(terms, fc.integer({ min: 1, max: 500 }), (given, extra) => {
        const source = {
          ...given,
          side: 'SOURCE' as const,
          amount: { minor: given.amount.minor, currency: given.sourceCurrency },
        };
        const wide = priceOf({ ...source, marginBps: source.marginBps + extra }, []);
        const narrow = priceOf(source, []);
        if (wide.ok && narrow.ok) expect(wide.pricing.credit.minor).toBeLessThanOrEqual(narrow.pricing.credit.minor);
      }),
    );
  });

  it('there and back without margin never makes money', () => {
    fc.assert(
      fc.property(terms, (given) => {
        const out = priceOf(
          {
            ...given,
            marginBps: 0,
            side: 'SOURCE',
            amount: { minor: given.amount.minor, currency: given.sourceCurrency },
          },
          [],
        );
        if (!out.ok) return;
        const { sourceCurrency, targetCurrency } = given;
        const legs = [...given.legs].reverse();
        const back = priceOf(
          {
            side: 'SOURCE',
            amount: out.pricing.credit,
            sourceCurrency: targetCurrency,
            targetCurrency: sourceCurrency,
            legs,
            marginBps: 0,
          },
          [],
        );
        if (back.ok) expect(back.pricing.credit.minor).toBeLessThanOrEqual(given.amount.minor);
      }),
    );
  });
});
