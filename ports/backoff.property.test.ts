import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, DEPENDENCY_BACKOFF, doubledMs } from './backoff.ts';

const limits = fc
  .tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 3_600_000 }))
  .map(([firstMs, more]) => ({ firstMs, maxMs: firstMs + more }));
const failures = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe('the wait after failures', () => {
  it('begins with the first wait after failure 1, and doubles up to the longest', () => {
    const waits = [1, 2, 3, 7, 8, 1_000_000].map((count) => doubledMs(count, DEPENDENCY_BACKOFF));
    expect(waits).toEqual([200, 400, 800, 12_800, 15_000, 15_000]);
  });

  it('doubles with each failure until it is the longest, and stays there', () => {
    fc.assert(
      fc.property(limits, failures, (bounds, count) => {
        const [now, next] = [doubledMs(count, bounds), doubledMs(count + 1, bounds)];
        expect(next).toBe(Math.min(bounds.maxMs, now * 2));
      }),
    );
  });

  it('is, with jitter, at least half of that, never more than it, and a whole number of ms', () => {
    fc.assert(
      fc.property(limits, failures, share, (bounds, count, random) => {
        const whole = doubledMs(count, bounds);
        const wait = backoffMs(count, bounds, () => random);
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(whole / 2));
        expect(wait).toBeLessThanOrEqual(Math.ceil(whole));
      }),
    );
  });

  it('is longer, or as long, after more failures with the same luck', () => {
    fc.assert(
      fc.property(limits, failures, failures, share, (bounds, one, other, random) => {
        const wait = (count: number) => backoffMs(count, bounds, () => random);
        expect(wait(Math.max(one, other))).toBeGreaterThanOrEqual(wait(Math.min(one, other)));
      }),
    );
  });

  it('is the first wait when nothing is counted yet', () => {
    fc.assert(fc.property(limits, (bounds) => doubledMs(0, bounds) === doubledMs(1, bounds)));
  });
});
