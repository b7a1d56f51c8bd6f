import { expect, it } from 'vitest';
import { seeded } from '../../../samples/random.ts';
import type { RateLeg } from '../../../schemas/types.generated.ts';
import { MAX_RATE_AGE_MS } from '../law.ts';
import { ratesFault, rightRates, said, wrongLegs } from './rate-sources.ts';

it('comes in every way, of one source and of two, and what dies is dead for long enough to be missed', () => {
  const faults = Array.from({ length: 12 }, (_, index) => ratesFault(index, seeded(index)));
  const ways = faults.map(({ how, sources }) => `${how} ${sources.length}`);
  expect(new Set(ways)).toEqual(
    new Set(['lies', 'dies', 'repeats'].flatMap((how) => [1, 2].map((many) => `${how} ${many}`))),
  );
  for (const { how, sources, forMs } of faults) {
    expect(new Set(sources).size).toBe(sources.length);
    expect(forMs > MAX_RATE_AGE_MS).toBe(how === 'dies');
  }
});

it.each([
  ['105.5', 0n, 0, '105.5000000'],
  ['105.5', 300n, 0, '105.5316500'],
  ['105.5', -400n, 0, '105.4578000'],
  ['105.5', 0n, 1, '1055.000000'],
  ['0.00947', 0n, 1, '0.0947000000'],
  ['0.00947', 0n, -1, '0.000947000000'],
] as const)('of %s, %s of a million more, ten to the power of %s: %s', (rate, parts, tens, is) => {
  expect(said(rate, parts, tens)).toBe(is);
});

it('a leg of a price is wrong that one source alone said, or that is not the rate', () => {
  const truth = new Map([['GBP/INR', '105.5']]);
  const leg = (rate: string, sources: readonly string[]): RateLeg => {
    return { base: 'GBP', quote: 'INR', rate, source: 'alpha', observedAt: 0, agreement: { sources, distanceBps: 1 } };
  };
  const wrong = (...legs: readonly RateLeg[]) => wrongLegs({ price: { legs } as never }, truth).length;
  expect(wrong(leg('105.53165', ['alpha', 'beta']), leg('105.4578', ['gamma', 'beta']))).toBe(0);
  expect(wrong(leg('1055', ['alpha', 'beta']))).toBe(1);
  expect(wrong(leg('10.55', ['alpha', 'beta']))).toBe(1);
  expect(wrong(leg('105.5', ['alpha']))).toBe(1);
  expect(wrong({ ...leg('105.5', []), agreement: null })).toBe(1);
  expect(wrong({ ...leg('105.5', ['alpha', 'beta']), quote: 'XXX' })).toBe(1);
  expect(rightRates().get('GBP/INR')).toMatch(/^1\d\d\./);
});
