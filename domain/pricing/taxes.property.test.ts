// Taxes in a price: what adds up, what a fixed debit leaves, and that the last look sees what was changed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { ROUNDING_FEE, TAX_BASES, TAX_ROUNDINGS } from '../terms/terms.ts';
import { type FeeRule, type Pricing, priceFaults, priceOf, type TaxRule } from './pricing.ts';

const given = fc.record({
  side: fc.constantFrom<'SOURCE' | 'TARGET'>('SOURCE', 'TARGET'),
  minor: fc.oneof(fc.bigInt({ min: 1n, max: 10_000n }), fc.bigInt({ min: 1n, max: 10n ** 13n })),
  rate: fc.integer({ min: 1, max: 3_000_000 }).map((n) => (n / 10_000).toFixed(4)),
  fees: fc.array(
    fc.record({
      code: fc.constantFrom('A', 'B'),
      flatMinor: fc.bigInt({ min: 0n, max: 300n }),
      bps: fc.nat(200),
      minMinor: fc.option(fc.bigInt({ min: 0n, max: 200n })),
      maxMinor: fc.option(fc.bigInt({ min: 200n, max: 900n })),
    }) satisfies fc.Arbitrary<FeeRule>,
    { maxLength: 2 },
  ),
  taxes: fc.array(
    fc.record({
      ...{ termId: fc.constantFrom('one', 'two'), kind: fc.constant('TAX'), authority: fc.constant('LAW') },
      base: fc.constantFrom(...TAX_BASES),
      rateBps: fc.integer({ min: 1, max: 10_000 }),
      rounding: fc.constantFrom(...TAX_ROUNDINGS),
    }) satisfies fc.Arbitrary<TaxRule>,
    { minLength: 1, maxLength: 3 },
  ),
});
type Given = Omit<typeof given extends fc.Arbitrary<infer T> ? T : never, 'fees' | 'taxes'> & {
  readonly fees: readonly FeeRule[];
  readonly taxes: readonly TaxRule[];
};

const termsOf = ({ side, minor, rate }: Given) => ({
  side,
  amount: { minor, currency: side === 'SOURCE' ? 'USD' : 'INR' },
  ...{ sourceCurrency: 'USD', targetCurrency: 'INR', legs: [{ base: 'USD', quote: 'INR', rate }], marginBps: 50 },
});
const sum = (parts: readonly { readonly amount: { readonly minor: bigint } }[]) =>
  parts.reduce((all, { amount }) => all + amount.minor, 0n);

function priced(of: Given): Pricing | undefined {
  const result = priceOf(termsOf(of), of.fees, of.taxes);
  return result.ok ? result.pricing : undefined;
}

describe('a price with taxes', () => {
  it('adds up, keeps the fixed side, and states each tax so that it can be worked out again', () => {
    let seen = 0;
    fc.assert(
      fc.property(given, (of) => {
        const price = priced(of);
        if (price === undefined) return;
        seen += 1;
        const { principal, debit, credit, fees, taxes } = price;
        expect(debit.minor).toBe(principal.minor + sum(fees) + sum(taxes));
        expect(of.side === 'SOURCE' ? debit.minor : credit.minor).toBe(of.minor);
        const charged = sum(fees.filter(({ code }) => code !== ROUNDING_FEE));
        for (const { base, basis, rateBps, rounding, amount } of taxes) {
          expect(basis.minor).toBe(base === 'PRINCIPAL' ? principal.minor : charged);
          // By multiplication alone: within a unit of the exact tax, on the side that its rounding says.
          const off = amount.minor * 10_000n - basis.minor * BigInt(rateBps);
          const [least, most] = { UP: [0n, 9_999n], DOWN: [-9_999n, 0n], HALF_UP: [-4_999n, 5_000n] }[rounding]!;
          expect(off >= least! && off <= most!).toBe(true);
        }
        expect(priceFaults(termsOf(of), { ...price, legs: termsOf(of).legs, marginBps: 50 })).toEqual([]);
      }),
      { numRuns: times(5_000) },
    );
    expect(seen).toBeGreaterThan(times(2_000));
  });

  it('leaves of a fixed debit less than a unit a tax, and exchanges no less than could be', () => {
    fc.assert(
      fc.property(given, (of) => {
        const price = priced({ ...of, side: 'SOURCE' });
        if (price === undefined) return;
        const left = sum(price.fees.filter(({ code }) => code === ROUNDING_FEE));
        const onPrincipal = of.taxes.filter(({ base }) => base === 'PRINCIPAL');
        expect(left).toBeLessThanOrEqual(BigInt(onPrincipal.length));
        // One unit more would not fit: the same price from that principal on costs more than was instructed.
        const more = price.principal.minor + 1n;
        const due = onPrincipal.reduce(
          (all, { rateBps, rounding }) => all + rounded(more * BigInt(rateBps), rounding),
          0n,
        );
        const before = sum(price.taxes.filter(({ base }) => base === 'PRINCIPAL'));
        expect(more + due).toBeGreaterThan(price.principal.minor + before + left);
      }),
      { numRuns: times(3_000) },
    );
  });

  it('is refused at the last look with a tax, a basis, a rate or a rest that does not follow', () => {
    fc.assert(
      fc.property(given, fc.constantFrom(-1n, 1n), fc.nat(2), (of, off, which) => {
        const price = priced(of);
        if (price === undefined) return;
        const changes = [
          { amount: { minor: price.taxes[0]!.amount.minor + off, currency: 'USD' } },
          { basis: { minor: price.taxes[0]!.basis.minor + off, currency: 'USD' } },
          { base: 'CREDIT' },
        ];
        const [first, ...others] = price.taxes;
        const taxes = [{ ...first!, ...changes[which] }, ...others];
        const stated = { ...price, taxes, legs: termsOf(of).legs, marginBps: 50 };
        expect(priceFaults(termsOf(of), stated)).not.toEqual([]);
        // A sum that is right does not hide it.
        const balanced = {
          ...stated,
          debit: { minor: price.principal.minor + sum(price.fees) + sum(taxes), currency: 'USD' },
        };
        expect(
          priceFaults({ ...termsOf(of), ...(of.side === 'SOURCE' ? { amount: balanced.debit } : {}) }, balanced),
        ).not.toEqual([]);
      }),
      { numRuns: times(2_000) },
    );
  });

  it('is refused with more left as rounding than taxes can leave', () => {
    const terms = termsOf({ side: 'SOURCE', minor: 10_001n, rate: '80.0000', fees: [], taxes: [] });
    const result = priceOf(terms, []);
    if (!result.ok) throw new Error(result.why);
    const { principal, credit } = result.pricing;
    const fees = [{ code: ROUNDING_FEE, amount: { minor: 1n, currency: 'USD' } }];
    const stated = {
      ...result.pricing,
      fees,
      principal: { ...principal, minor: 10_000n },
      credit,
      legs: terms.legs,
      marginBps: 50,
    };
    expect(priceFaults(terms, stated)).toContain('too much is left as rounding');
  });
});

function rounded(bps: bigint, rounding: string): bigint {
  const rest = bps % 10_000n;
  return bps / 10_000n + (rounding === 'UP' && rest > 0n ? 1n : rounding === 'HALF_UP' && rest >= 5_000n ? 1n : 0n);
}

describe('the excise of the United States on 1,000.00 USD in cash', () => {
  const excise: TaxRule = {
    ...{ termId: 'tax-us-excise', kind: 'EXCISE', authority: 'US_IRC_4475' },
    ...{ base: 'PRINCIPAL', rateBps: 100, rounding: 'HALF_UP' },
  };
  const of = (side: 'SOURCE' | 'TARGET', minor: bigint) =>
    priced({
      side,
      minor,
      rate: '80.0000',
      fees: [{ code: 'A', flatMinor: 149n, bps: 0, minMinor: null, maxMinor: null }],
      taxes: [excise],
    })!;

  it('is within a fixed debit: 998.51 USD are 988.62 and 9.89', () => {
    const { principal, taxes, debit } = of('SOURCE', 100_000n);
    expect([principal.minor, taxes[0]!.amount.minor, debit.minor]).toEqual([98_862n, 989n, 100_000n]);
  });

  it('comes on top of what a fixed credit costs', () => {
    const { principal, taxes, debit } = of('TARGET', 7_960_000n);
    expect([principal.minor, taxes[0]!.amount.minor, debit.minor]).toEqual([100_000n, 1_000n, 101_149n]);
  });

  it('leaves a cent where no principal fits: 1.51 USD', () => {
    // 1.49 and a tax of a cent are 1.50; 1.50 and one of two cents are 1.52.
    const price = priceOf(
      { ...termsOf({ side: 'SOURCE', minor: 151n, rate: '80.0000', fees: [], taxes: [] }) },
      [],
      [excise],
    );
    expect(price).toMatchObject({
      ok: true,
      pricing: { principal: { minor: 149n }, fees: [{ code: ROUNDING_FEE, amount: { minor: 1n } }] },
    });
  });
});
