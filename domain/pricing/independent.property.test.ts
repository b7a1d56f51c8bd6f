// Random prices against an implementation that shares nothing with it: another language, another library. A million of them in
// `npm run test:full`.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { currencyOf } from '../money/currencies.ts';
import { TAX_BASES, TAX_ROUNDINGS } from '../terms/terms.ts';
import { type FeeRule, type PricingTerms, priceFaults, priceOf, type TaxRule } from './pricing.ts';

const ORACLE = path.resolve(import.meta.dirname, '../../test/kit/independent-prices.py');
const CHUNK = 20_000;
const CODES = ['GBP', 'EUR', 'USD', 'AED', 'INR', 'JPY', 'KWD', 'BHD'];

const rateText = fc
  .tuple(fc.integer({ min: 0, max: 20_000 }), fc.nat(99_999_999), fc.integer({ min: 1, max: 8 }))
  .map(([whole, digits, length]) => `${whole}.${String(digits).padStart(8, '0').slice(0, length)}`)
  .filter((text) => /[1-9]/.test(text));
const minor = fc.oneof(
  fc.bigInt({ min: 1n, max: 10n ** 7n }),
  fc.bigInt({ min: 1n, max: 500n }),
  fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
);
const bound = fc.option(fc.bigInt({ min: 0n, max: 5_000n }));
const given = fc.record({
  side: fc.constantFrom<'SOURCE' | 'TARGET'>('SOURCE', 'TARGET'),
  codes: fc.shuffledSubarray(CODES, { minLength: 3, maxLength: 3 }),
  minor,
  margin: fc.integer({ min: 0, max: 900 }),
  texts: fc.tuple(rateText, rateText),
  against: fc.tuple(fc.boolean(), fc.boolean()),
  isCrossed: fc.boolean(),
  fees: fc.array(fc.tuple(fc.bigInt({ min: 0n, max: 500n }), fc.integer({ min: 0, max: 200 }), bound, bound), {
    maxLength: 3,
  }),
  taxes: fc.array(fc.tuple(fc.constantFrom(...TAX_BASES), fc.nat(3_000), fc.constantFrom(...TAX_ROUNDINGS)), {
    maxLength: 3,
  }),
});
type Given = typeof given extends fc.Arbitrary<infer T> ? T : never;

const legsOf = ({ texts, against, isCrossed }: Given) =>
  (isCrossed ? [0, 1] : [0]).map((n) => [texts[n]!, against[n]!] as const);

/** The least and the most of a fee, in this order. */
const ordered = (one: bigint | null, other: bigint | null) =>
  one !== null && other !== null && one > other ? [other, one] : [one, other];

function ours(of: Given): readonly string[] {
  const [source, pivot, target] = of.codes as [string, string, string];
  const way = of.isCrossed ? [source, pivot, target] : [source, target];
  const legs = legsOf(of).map(([rate, isAgainst], n) =>
    isAgainst ? { base: way[n + 1]!, quote: way[n]!, rate } : { base: way[n]!, quote: way[n + 1]!, rate },
  );
  const amount = { minor: of.minor, currency: of.side === 'SOURCE' ? source : target };
  const terms: PricingTerms = {
    ...{ side: of.side, amount, sourceCurrency: source, targetCurrency: target, legs, marginBps: of.margin },
  };
  const rules = of.fees.map(([flatMinor, bps, one, other]): FeeRule => {
    const [minMinor, maxMinor] = ordered(one, other);
    return { code: 'F', flatMinor, bps, minMinor, maxMinor };
  });
  const taxRules = of.taxes.map(
    ([base, rateBps, rounding], n): TaxRule => ({
      ...{ termId: `t${n}`, kind: 'TAX', authority: `A${n}`, base, rateBps, rounding },
    }),
  );
  const result = priceOf(terms, rules, taxRules);
  if (!result.ok) return [result.why];
  const { principal, debit, credit, margin, residual, fees, taxes } = result.pricing;
  expect(priceFaults(terms, { ...result.pricing, legs, marginBps: of.margin })).toEqual([]);
  const lines = [...fees, ...taxes].map(({ amount: each }) => String(each.minor));
  return [...[principal, debit, credit, margin].map((each) => String(each.minor)), residual, ...lines];
}

function theirs(all: readonly Given[]): readonly string[][] {
  const lines = all.map((of) => {
    const exponents = [of.codes[0]!, of.codes[2]!].map((code) => currencyOf(code)!.exponent);
    const texts = (bounds: readonly (bigint | null)[]) => bounds.map((each) => (each === null ? null : String(each)));
    const fees = of.fees.map(([flat, bps, one, other]) => [String(flat), bps, ...texts(ordered(one, other))]);
    return JSON.stringify([of.side, String(of.minor), exponents, legsOf(of), of.margin, fees, of.taxes]);
  });
  const input = `${lines.join('\n')}\n`;
  const { status, stdout, stderr } = spawnSync('python3', [ORACLE], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  expect(status, stderr).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
}

it('is to the unit what an independent implementation says', () => {
  const wanted = times(CHUNK);
  const seed = Date.now() % 2 ** 31;
  const kinds = new Map<string, number>();
  for (let done = 0; done < wanted; done += CHUNK) {
    const all = fc.sample(given, { numRuns: Math.min(CHUNK, wanted - done), seed: seed + done });
    const expected = theirs(all);
    expect(expected).toHaveLength(all.length);
    for (const [n, of] of all.entries()) {
      const price = ours(of);
      const kind = price.length === 1 ? price[0]! : of.side;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (price.join() !== expected[n]!.join()) expect({ seed, of, price }).toEqual({ seed, of, price: expected[n] });
    }
  }
  // Each way to end is among them, and most are prices.
  for (const kind of ['SOURCE', 'TARGET', 'TOO_LOW', 'TOO_HIGH']) expect(kinds.get(kind) ?? 0, kind).toBeGreaterThan(0);
});
