import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, compare, fitsInt64, INT64_MAX, INT64_MIN, money, subtract, sum } from './money.ts';

const minor = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });

describe('money', () => {
  it('adds and subtracts exactly, and in any order', () => {
    fc.assert(
      fc.property(minor, minor, minor, (a, b, c) => {
        const [x, y, z] = [money(a, 'GBP'), money(b, 'GBP'), money(c, 'GBP')];
        expect(subtract(add(x, y), y)).toEqual(x);
        expect(sum([x, y, z], 'GBP')).toEqual(sum([z, x, y], 'GBP'));
        expect(Math.sign(Number(a - b))).toBe(compare(x, y));
      }),
    );
  });

  it('never mixes currencies', () => {
    for (const combine of [add, subtract, compare]) {
      expect(() => combine(money(1n, 'GBP'), money(1n, 'INR'))).toThrow(
        expect.objectContaining({ code: 'CURRENCY_MISMATCH' }),
      );
    }
  });

  it('never leaves 64 bits', () => {
    expect(fitsInt64(INT64_MAX) && fitsInt64(INT64_MIN)).toBe(true);
    expect(() => add(money(INT64_MAX, 'GBP'), money(1n, 'GBP'))).toThrow(
      expect.objectContaining({ code: 'AMOUNT_OVERFLOW' }),
    );
    expect(() => subtract(money(INT64_MIN, 'GBP'), money(1n, 'GBP'))).toThrow(
      expect.objectContaining({ code: 'AMOUNT_OVERFLOW' }),
    );
  });
});
