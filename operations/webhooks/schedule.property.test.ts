import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  BREAK_AFTER,
  type Breaker,
  CLOSED,
  GIVE_UP_AFTER_MS,
  MAX_TRIES,
  WAITS_MS,
  waitMs,
  widthOf,
} from './schedule.ts';

const HOUR_MS = 3_600_000;
const chance = fc.double({ min: 0, max: 1, noNaN: true });
const NOW = Date.UTC(2026, 10, 30);

describe('the schedule of tries', () => {
  it('spreads them over a day, each wait within its jitter, and then ends', () => {
    fc.assert(
      fc.property(fc.array(chance, { minLength: MAX_TRIES, maxLength: MAX_TRIES }), (chances) => {
        const waits = chances.map((value, i) => waitMs(i + 1, () => value));
        expect(waits.at(-1)).toBeUndefined();
        const taken = waits.slice(0, -1) as number[];
        for (const [i, wait] of taken.entries()) {
          expect(wait).toBeGreaterThanOrEqual(WAITS_MS[i]!);
          expect(wait).toBeLessThanOrEqual(1.2 * WAITS_MS[i]! + 1);
        }
        const whole = taken.reduce((sum, wait) => sum + wait, 0);
        expect(whole).toBeGreaterThan(23 * HOUR_MS);
        expect(whole).toBeLessThan(GIVE_UP_AFTER_MS);
      }),
    );
  });

  it('never shortens a wait for what an endpoint asks, and lengthens it by an hour at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_TRIES - 1 }), fc.double(), chance, (tries, asked, value) => {
        const wait = waitMs(tries, () => value, Number.isNaN(asked) ? 0 : asked)!;
        expect(wait).toBeGreaterThanOrEqual(WAITS_MS[tries - 1]!);
        expect(wait).toBeLessThanOrEqual(1.2 * Math.max(HOUR_MS, WAITS_MS[tries - 1]!) + 1);
      }),
    );
  });

  it('is over for numbers that are no tries', () => {
    for (const tries of [0, -1, MAX_TRIES, 1_000]) expect(waitMs(tries, Math.random)).toBeUndefined();
  });
});

/** What happens to an endpoint: a try fails or is taken, time passes. */
const happenings = fc.array(
  fc.record({ isTaken: fc.boolean(), passedMs: fc.integer({ min: 0, max: 2 * HOUR_MS }), value: chance }),
  { maxLength: 60 },
);

describe('the breaker', () => {
  it('opens after so many failures in a row and not before, for a bounded time, and closes when something is taken', () => {
    fc.assert(
      fc.property(happenings, (all) => {
        let breaker: Breaker = CLOSED;
        let now = NOW;
        let inARow = 0;
        let since: number | undefined;
        for (const { isTaken, passedMs, value } of all) {
          now += passedMs;
          breaker = isTaken ? CLOSED : afterFailure(breaker, now, () => value);
          inARow = isTaken ? 0 : inARow + 1;
          since = isTaken ? undefined : (since ?? now);
          expect(breaker.failures).toBe(inARow);
          expect(breaker.failingSince?.getTime()).toBe(since);
          expect(breaker.openUntil === null).toBe(inARow < BREAK_AFTER);
          if (breaker.openUntil === null) continue;
          const openMs = breaker.openUntil.getTime() - now;
          expect(openMs).toBeGreaterThanOrEqual(15_000);
          expect(openMs).toBeLessThanOrEqual(HOUR_MS);
        }
      }),
    );
  });

  it('lets nothing through while it is open, one at a time while it doubts, and so many otherwise', () => {
    const open: Breaker = { failures: BREAK_AFTER, failingSince: new Date(NOW), openUntil: new Date(NOW + 1) };
    expect(widthOf(open, NOW, 4)).toBe(0);
    expect(widthOf(open, NOW + 1, 4)).toBe(1);
    expect(widthOf({ ...open, failures: 1, openUntil: null }, NOW, 4)).toBe(1);
    expect(widthOf(CLOSED, NOW, 4)).toBe(4);
  });
});
