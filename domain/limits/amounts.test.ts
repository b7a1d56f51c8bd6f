import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { amountIn } from './amounts.ts';

const legs = [
  { base: 'EUR', quote: 'GBP', rate: '0.8' },
  { base: 'EUR', quote: 'INR', rate: '100' },
];
const gbp = (minor: bigint) => ({ minor, currency: 'GBP' });

describe('an amount in the currency of a rule', () => {
  it('goes along the legs of the price, and is rounded up', () => {
    expect(amountIn('GBP', gbp(101n), 'GBP', legs)).toBe(101n);
    expect(amountIn('EUR', gbp(100n), 'GBP', legs)).toBe(125n);
    expect(amountIn('EUR', gbp(101n), 'GBP', legs)).toBe(127n);
    expect(amountIn('INR', gbp(1n), 'GBP', legs)).toBe(125n);
    expect(amountIn('EUR', { minor: 12_501n, currency: 'INR' }, 'GBP', legs)).toBe(126n);
  });

  it('minds how many minor units a currency has', () => {
    const yen = [{ base: 'GBP', quote: 'JPY', rate: '190.5' }];
    expect(amountIn('JPY', gbp(10_000n), 'GBP', yen)).toBe(19_050n);
    expect(amountIn('JPY', gbp(1n), 'GBP', yen)).toBe(2n);
  });

  it('is not known where no rate of the price leads', () => {
    expect(amountIn('USD', gbp(100n), 'GBP', legs)).toBeUndefined();
    expect(amountIn('EUR', { minor: 1n, currency: 'AED' }, 'GBP', legs)).toBeUndefined();
    expect(amountIn('INR', gbp(100n), 'GBP', legs.toReversed())).toBeUndefined();
  });

  it('is never less than exact, and by less than one minor unit more', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 13n }), (minor) => {
        const found = amountIn('EUR', gbp(minor), 'GBP', legs)!;
        expect(found * 8n >= minor * 10n && (found - 1n) * 8n < minor * 10n).toBe(true);
      }),
      { numRuns: times(200) },
    );
  });
});
