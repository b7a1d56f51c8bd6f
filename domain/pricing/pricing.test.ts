// Vectors that others published, and the rules of Regulation (EC) 1103/97.
import { describe, expect, it } from 'vitest';
import { parseDecimal, ratioOf, showRatio } from '../money/decimals.ts';
import { type PricingTerms, priceFaults, priceOf } from './pricing.ts';
import { crossRate, type QuotedRate, withMargin } from './rates.ts';

const rate = (base: string, quote: string, text: string): QuotedRate => ({ base, quote, rate: text });
const ratio = (text: string) => ratioOf(parseDecimal(text)!);

function priced(
  terms: Partial<PricingTerms> & Pick<PricingTerms, 'amount' | 'legs'>,
  fees: Parameters<typeof priceOf>[1] = [],
) {
  const result = priceOf(
    { side: 'SOURCE', sourceCurrency: terms.amount.currency, targetCurrency: 'INR', marginBps: 0, ...terms },
    fees,
  );
  if (!result.ok) throw new Error(result.why);
  return result.pricing;
}

describe('published vectors', () => {
  it('GBP to INR over the ECB rates of 2026-04-13', () => {
    const legs = [rate('EUR', 'GBP', '0.87058'), rate('EUR', 'INR', '109.047')];
    const { credit } = priced({ amount: { minor: 100_050n, currency: 'GBP' }, legs });
    expect(credit).toEqual({ minor: 12_532_050n, currency: 'INR' });
  });

  it('a margin of 150 basis points on 1.4695 leaves 1.4474575', () => {
    expect(showRatio(withMargin(ratio('1.4695'), 150))).toBe('1.4474575');
  });

  it('a margin of 2 % on 1.12415 leaves 1.101667', () => {
    expect(showRatio(withMargin(ratio('1.12415'), 200))).toBe('1.101667');
  });

  it.each([
    [500n, 208n],
    [1_000n, 417n],
  ])('%i tolars at 239.640 to the euro are %i cents, rounded down', (tolars, cents) => {
    const legs = [rate('EUR', 'XXT', '239.640')];
    const exact = crossRate('XXT', 'EUR', legs);
    expect((tolars * 100n * exact.numerator) / exact.denominator).toBe(cents);
  });
});

describe('rounding', () => {
  const legs = [rate('GBP', 'INR', '125.2579')];

  it('a fixed source rounds the credit down and keeps what is left', () => {
    const price = priced({ amount: { minor: 1n, currency: 'GBP' }, legs });
    expect(price).toMatchObject({ credit: { minor: 125n }, rounding: 'DOWN', residual: '0.2579' });
  });

  it('a fixed target rounds the debit up and keeps what is missing', () => {
    const price = priced({
      amount: { minor: 125n, currency: 'INR' },
      sourceCurrency: 'GBP',
      side: 'TARGET',
      legs,
    });
    expect(price).toMatchObject({ debit: { minor: 1n, currency: 'GBP' }, rounding: 'UP' });
    expect(price.residual.startsWith('-0.002')).toBe(true);
  });

  it('knows currencies with no and with three digits', () => {
    const yen = priced({ amount: { minor: 150_000n, currency: 'JPY' }, legs: [rate('JPY', 'INR', '0.6104')] });
    expect(yen.credit.minor).toBe(9_156_000n);
    const dinar = priced({ amount: { minor: 1_000n, currency: 'KWD' }, legs: [rate('KWD', 'INR', '312.5555')] });
    expect(dinar.credit.minor).toBe(31_255n);
  });

  it('divides by a quoted rate rather than multiplying with a rounded inverse', () => {
    // The inverse cut at six digits (.007983) would pay 79,830.00 GBP: 5.28 too little.
    const legsAgainst = [rate('GBP', 'INR', '125.2579')];
    const price = priced({
      amount: { minor: 1_000_000_000n, currency: 'INR' },
      targetCurrency: 'GBP',
      legs: legsAgainst,
    });
    expect(price.credit.minor).toBe(7_983_528n);
  });
});

describe('fees', () => {
  const legs = [rate('GBP', 'INR', '125.2579')];
  const fees = [{ code: 'TRANSFER', flatMinor: 99n, bps: 10 }];

  it('come off a fixed source', () => {
    const price = priced({ amount: { minor: 100_000n, currency: 'GBP' }, legs }, fees);
    expect(price).toMatchObject({ debit: { minor: 100_000n }, principal: { minor: 99_801n } });
  });

  it('come on top of a fixed target', () => {
    const terms = {
      amount: { minor: 1_252_579n, currency: 'INR' },
      sourceCurrency: 'GBP',
      side: 'TARGET' as const,
      legs,
    };
    const price = priced(terms, fees);
    expect(price).toMatchObject({ principal: { minor: 10_000n }, debit: { minor: 10_109n } });
  });

  it('that eat the amount are a refusal, not a negative credit', () => {
    const terms = { side: 'SOURCE', sourceCurrency: 'GBP', targetCurrency: 'INR', marginBps: 0, legs } as const;
    expect(priceOf({ ...terms, amount: { minor: 99n, currency: 'GBP' } }, fees)).toEqual({ ok: false, why: 'TOO_LOW' });
  });
});

describe('a stated price', () => {
  const legs = [rate('GBP', 'INR', '125.2579')];
  const amount = { minor: 100_000n, currency: 'GBP' };
  const terms = { side: 'SOURCE', amount, sourceCurrency: 'GBP', targetCurrency: 'INR' } as const;
  const price = {
    ...priced({ amount, legs, marginBps: 45 }, [{ code: 'F', flatMinor: 99n, bps: 0 }]),
    legs,
    marginBps: 45,
  };

  it('is found right when it is', () => expect(priceFaults(terms, price)).toEqual([]));

  it.each([
    ['one unit too much credited', { credit: { minor: price.credit.minor + 1n, currency: 'INR' } }],
    ['another fixed side', { debit: { minor: 100_001n, currency: 'GBP' } }],
    ['a fee left out', { fees: [] }],
    ['another margin', { marginBps: 44 }],
    ['another currency', { credit: { ...price.credit, currency: 'PKR' } }],
  ])('is found wrong: %s', (_, change) => expect(priceFaults(terms, { ...price, ...change })).not.toEqual([]));
});

describe('routes', () => {
  it('must lead where they say', () => {
    expect(() => crossRate('GBP', 'INR', [rate('EUR', 'USD', '1.1')])).toThrow(
      expect.objectContaining({ code: 'ROUTE_BROKEN' }),
    );
    expect(() => crossRate('GBP', 'INR', [rate('GBP', 'USD', '1.3')])).toThrow(
      expect.objectContaining({ code: 'ROUTE_BROKEN' }),
    );
  });

  it.each(['', '1e5', '-1', '0', '0.000', ' 1', '1,5', 'NaN', `1.${'3'.repeat(50)}`])('refuse %j as a rate', (text) => {
    expect(() => crossRate('GBP', 'INR', [rate('GBP', 'INR', text)])).toThrow();
  });
});
