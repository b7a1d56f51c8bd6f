// Windows by the clock of a zone: days that clocks make shorter or longer, months of India, financial years, leap days, weeks.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { countsUntil, type LimitWindow, rollingOf, stepOf, windowFinder } from './windows.ts';

const at = (text: string) => Date.parse(text);
const idAt = (window: LimitWindow, instant: string) => windowFinder(window)(at(instant)).id;
const endAt = (window: LimitWindow, instant: string) => {
  const { endsAt } = windowFinder(window)(at(instant));
  return endsAt === null ? null : new Date(endsAt).toISOString();
};
const day = (timeZone: string) => ({ kind: 'calendar', unit: 'day', timeZone }) as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('a calendar window', () => {
  it.each([
    // Clocks go forward: the day has 23 hours, and ends at midnight by the new time.
    ['Europe/London', '2026-03-29T00:30:00Z', '2026-03-29', '2026-03-29T23:00:00.000Z'],
    // Back: 25 hours.
    ['Europe/London', '2026-10-25T00:30:00Z', '2026-10-25', '2026-10-26T00:00:00.000Z'],
    ['Europe/London', '2026-10-24T23:30:00Z', '2026-10-25', '2026-10-26T00:00:00.000Z'],
    ['America/New_York', '2026-03-08T04:59:59Z', '2026-03-07', '2026-03-08T05:00:00.000Z'],
    ['America/New_York', '2026-03-08T05:00:00Z', '2026-03-08', '2026-03-09T04:00:00.000Z'],
    // No midnight on this day: clocks go from 24:00 to 01:00.
    ['Asia/Beirut', '2026-03-28T22:00:00Z', '2026-03-29', '2026-03-29T21:00:00.000Z'],
    ['Asia/Kolkata', '2026-11-22T18:29:59Z', '2026-11-22', '2026-11-22T18:30:00.000Z'],
    ['Asia/Kolkata', '2026-11-22T18:30:00Z', '2026-11-23', '2026-11-23T18:30:00.000Z'],
    ['Pacific/Kiritimati', '2026-11-22T10:00:00Z', '2026-11-23', '2026-11-23T10:00:00.000Z'],
  ])('of a day in %s at %s is %s, until %s', (timeZone, instant, id, end) => {
    expect(idAt(day(timeZone), instant)).toBe(id);
    expect(endAt(day(timeZone), instant)).toBe(end);
  });

  const month = { kind: 'calendar', unit: 'month', timeZone: 'Asia/Kolkata' } as const;
  it.each([
    ['2026-10-31T18:29:59.999Z', 'month-2026-10', '2026-10-31T18:30:00.000Z'],
    ['2026-10-31T18:30:00Z', 'month-2026-11', '2026-11-30T18:30:00.000Z'],
    // A leap year: February ends on the 29th.
    ['2028-02-29T12:00:00Z', 'month-2028-02', '2028-02-29T18:30:00.000Z'],
    ['2027-12-31T18:30:00Z', 'month-2028-01', '2028-01-31T18:30:00.000Z'],
  ])('of a month in India at %s is %s, until %s', (instant, id, end) => {
    expect(idAt(month, instant)).toBe(id);
    expect(endAt(month, instant)).toBe(end);
  });

  const financial = { kind: 'calendar', unit: 'year', timeZone: 'Asia/Kolkata', yearStart: 4 } as const;
  it.each([
    ['2026-03-31T18:29:59.999Z', 'year-2025-04-01', '2026-03-31T18:30:00.000Z'],
    ['2026-03-31T18:30:00Z', 'year-2026-04-01', '2027-03-31T18:30:00.000Z'],
    ['2027-01-15T00:00:00Z', 'year-2026-04-01', '2027-03-31T18:30:00.000Z'],
    ['2028-02-29T00:00:00Z', 'year-2027-04-01', '2028-03-31T18:30:00.000Z'],
  ])('of a financial year of India at %s is %s, until %s', (instant, id, end) => {
    expect(idAt(financial, instant)).toBe(id);
    expect(endAt(financial, instant)).toBe(end);
  });

  it.each([
    ['sunday', '2026-11-28T23:59:59Z', 'week-2026-11-22', '2026-11-29T00:00:00.000Z'],
    ['sunday', '2026-11-29T00:00:00Z', 'week-2026-11-29', '2026-12-06T00:00:00.000Z'],
    ['monday', '2026-11-29T23:59:59Z', 'week-2026-11-23', '2026-11-30T00:00:00.000Z'],
    ['saturday', '2026-11-29T12:00:00Z', 'week-2026-11-28', '2026-12-05T00:00:00.000Z'],
    ['monday', '2027-01-01T00:00:00Z', 'week-2026-12-28', '2027-01-04T00:00:00.000Z'],
  ] as const)('of a week that begins on %s at %s is %s, until %s', (weekStart, instant, id, end) => {
    const week = { kind: 'calendar', unit: 'week', timeZone: 'UTC', weekStart } as const;
    expect(idAt(week, instant)).toBe(id);
    expect(endAt(week, instant)).toBe(end);
  });

  it('holds every instant once, and follows the one before, in whatever order they come', () => {
    const zones = fc.constantFrom('UTC', 'Europe/London', 'Asia/Kolkata', 'America/Sao_Paulo', 'Australia/Lord_Howe');
    const span = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2035, 0, 1) });
    fc.assert(
      fc.property(zones, fc.array(span, { minLength: 1, maxLength: 8 }), (timeZone, instants) => {
        const found = windowFinder(day(timeZone));
        for (const instant of instants) {
          const { id, endsAt } = found(instant);
          expect(found(instant)).toEqual(windowFinder(day(timeZone))(instant));
          expect(endsAt).toBeGreaterThan(instant);
          expect(found(endsAt! - 1).id).toBe(id);
          expect(found(endsAt!).id > id).toBe(true);
        }
      }),
      { numRuns: times(100) },
    );
  });

  it('that a zone does not have is refused', () => {
    expect(() => windowFinder(day('Mars/Olympus'))).toThrow(/no time zone/);
  });
});

describe('a rolling window', () => {
  const days30 = { kind: 'rolling', unit: 'day', length: 30 } as const;

  it('of 30 days counts in steps of an hour: up to 30 days and an hour, never less', () => {
    expect(stepOf(days30)).toEqual({ lengthMs: 30 * DAY_MS, stepMs: HOUR_MS });
    const found = windowFinder(days30);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 0, max: 40 * DAY_MS }), (now, ago) => {
        const [here, then] = [rollingOf(found(now).id)!, rollingOf(found(Math.max(0, now - ago)).id)!];
        const isCounted = then.step >= here.step - here.steps;
        const age = now - Math.max(0, now - ago);
        if (age <= 30 * DAY_MS) expect(isCounted).toBe(true);
        if (age >= 30 * DAY_MS + HOUR_MS) expect(isCounted).toBe(false);
      }),
    );
  });

  it.each([
    ['minute', 1, 1_000],
    ['hour', 1, 5_000],
    ['hour', 24, 300_000],
    ['day', 7, 900_000],
    ['day', 180, 21_600_000],
    ['day', 366, DAY_MS],
  ] as const)('of %s times %i has steps of %i ms', (unit, length, stepMs) => {
    expect(stepOf({ kind: 'rolling', unit, length }).stepMs).toBe(stepMs);
  });

  it('of any whole days has at most 720 steps, and whole ones', () => {
    for (let length = 1; length <= 366; length++) {
      const { lengthMs, stepMs } = stepOf({ kind: 'rolling', unit: 'day', length });
      expect(lengthMs / stepMs).toBeLessThanOrEqual(720);
      expect(lengthMs % stepMs).toBe(0);
    }
  });
});

it('the id of a window says how long it matters, and never less than it does', () => {
  const windows: readonly LimitWindow[] = [
    day('Pacific/Kiritimati'),
    day('Pacific/Pago_Pago'),
    { kind: 'calendar', unit: 'week', timeZone: 'Pacific/Pago_Pago', weekStart: 'monday' },
    { kind: 'calendar', unit: 'month', timeZone: 'America/New_York' },
    { kind: 'calendar', unit: 'year', timeZone: 'Asia/Kolkata', yearStart: 4 },
    { kind: 'rolling', unit: 'hour', length: 24 },
    { kind: 'rolling', unit: 'day', length: 180 },
  ];
  fc.assert(
    fc.property(fc.constantFrom(...windows), fc.integer({ min: 0, max: 4e12 }), (window, now) => {
      const { id, endsAt } = windowFinder(window)(now);
      expect(countsUntil(id)).toBeGreaterThanOrEqual(endsAt!);
    }),
    { numRuns: times(300) },
  );
  expect(countsUntil('lifetime')).toBe(Number.POSITIVE_INFINITY);
  expect(countsUntil('2026-11-23')).toBe(Date.UTC(2026, 10, 25));
});
