// Which period an export takes.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { periodAt } from './exports.ts';

const HOUR_MS = 3_600_000;

it('takes hours that have ended on every clock', () => {
  const hour = Date.UTC(2026, 11, 1, 4);
  expect(periodAt(hour, HOUR_MS, 10_000)).toEqual({ to: hour - HOUR_MS, waitMs: 10_000 });
  expect(periodAt(hour + 10_000, HOUR_MS, 10_000)).toEqual({ to: hour, waitMs: HOUR_MS });
  expect(periodAt(hour + 30_000, HOUR_MS, 10_000)).toEqual({ to: hour, waitMs: HOUR_MS - 20_000 });
});

it('never one that is still under way, and when it has waited it is the next', () => {
  const times = { now: fc.integer({ min: 1e12, max: 2e12 }), every: fc.integer({ min: 1_000, max: 1e8 }) };
  fc.assert(
    fc.property(fc.record({ ...times, tolerance: fc.integer({ min: 0, max: 4e6 }) }), ({ now, every, tolerance }) => {
      const { to, waitMs } = periodAt(now, every, tolerance);
      expect(to).toBeLessThanOrEqual(now - tolerance);
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(every);
      expect(periodAt(now + waitMs, every, tolerance).to).toBe(to + every);
    }),
  );
});
