// Market hours, value dates and arrival: weekends, a holiday of one side alone, cut-offs to the second, clocks that are changed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { type BusinessDays, businessDays, type CalendarTerms } from '../calendars/business-days.ts';
import { isT2Day } from '../calendars/days.ts';
import { instantAt, localTime, secondOfDay } from '../calendars/zones.ts';
import { marketState, settlementDates } from './dates.ts';
import type { MarketRow, SettlementRow } from './terms.ts';

const at = (text: string) => Date.parse(text);
const iso = (ms: number) => new Date(ms).toISOString();
const WEEKEND = ['saturday', 'sunday'] as const;
const country = (id: string): CalendarTerms => ({
  id,
  kind: 'country',
  country: id,
  weekend: WEEKEND,
  closed: [],
  open: [],
});
const HOLIDAYS: Readonly<Record<string, readonly string[]>> = { GB: ['2026-12-25', '2026-12-28'], IN: ['2026-12-29'] };
const days: BusinessDays = businessDays(
  [
    country('GB'),
    country('IN'),
    { id: 'T2', kind: 'T2' },
    { id: 'ALL', kind: 'every-day' },
    { id: 'FX', kind: 'yearly', weekend: [], days: ['01-01', '12-25'] },
  ],
  (name) => new Set(HOLIDAYS[name]),
);
const RAIL = { timeZone: 'Asia/Kolkata', calendars: ['ALL'], opens: '00:00', cutOff: '24:00', takesMs: 60_000 };
const ROW: SettlementRow = {
  termId: 's',
  where: {},
  timeZone: 'Europe/London',
  cutOff: '15:30:00',
  calendars: ['GB', 'IN'],
  valueDays: 0,
  rail: RAIL,
};

describe('a value date', () => {
  it.each([
    ['a Wednesday before the cut-off', '2026-11-25T10:00:00Z', 0, '2026-11-25'],
    ['one second before the cut-off', '2026-11-25T15:29:59.999Z', 0, '2026-11-25'],
    ['at the cut-off', '2026-11-25T15:30:00.000Z', 0, '2026-11-26'],
    ['the same in summer, by the clock of London', '2026-07-01T14:30:00Z', 0, '2026-07-02'],
    ['a Friday at the cut-off', '2026-11-27T15:30:00Z', 0, '2026-11-30'],
    ['a Saturday', '2026-11-28T10:00:00Z', 0, '2026-11-30'],
    ['spot over a weekend', '2026-11-26T10:00:00Z', 2, '2026-11-30'],
    ['spot from a Saturday: Monday is the day of the price', '2026-11-28T10:00:00Z', 2, '2026-12-02'],
    // 25 and 28 December: London alone; 29: India alone.
    ['holidays of one side alone', '2026-12-25T10:00:00Z', 0, '2026-12-30'],
    ['holidays of either side are not counted', '2026-12-24T10:00:00Z', 1, '2026-12-30'],
    // Sunday 00:30 in London (summer) is still Saturday by UTC.
    ['by the day in the zone', '2026-07-04T23:30:00Z', 0, '2026-07-06'],
  ])('of %s', (_, instant, valueDays, expected) => {
    expect(settlementDates({ ...ROW, valueDays }, at(instant), days).valueDate).toBe(expected);
  });

  it('is a day of all calendars, never before the day of the price, and the later the later it is priced', () => {
    fc.assert(
      fc.property(
        fc.nat(3 * 365 * 86_400).map((seconds) => at('2026-01-01T00:00:00Z') + seconds * 1_000),
        fc.nat(86_400_000 * 3),
        fc.nat(3),
        (early, more, valueDays) => {
          const row = { ...ROW, calendars: ['GB', 'IN', 'T2'], valueDays };
          const [first, second] = [early, early + more].map((each) => settlementDates(row, each, days)) as [
            ReturnType<typeof settlementDates>,
            ReturnType<typeof settlementDates>,
          ];
          for (const id of row.calendars) expect(days.isOpen(id, first.valueDate)).toBe(true);
          expect(first.valueDate >= localTime(early, ROW.timeZone).day).toBe(true);
          expect(second.valueDate >= first.valueDate).toBe(true);
          expect(first.availableAt).toBeGreaterThanOrEqual(early + RAIL.takesMs);
          // Not before the value date has begun where it is paid.
          expect(localTime(first.availableAt - RAIL.takesMs, RAIL.timeZone).day >= first.valueDate).toBe(true);
          expect(second.availableAt).toBeGreaterThanOrEqual(first.availableAt);
        },
      ),
      { numRuns: times(2_000) },
    );
  });
});

describe('when money arrives', () => {
  const until = (instant: string, over: Partial<SettlementRow['rail']>, row: Partial<SettlementRow> = {}) =>
    iso(settlementDates({ ...ROW, ...row, rail: { ...RAIL, ...over } }, at(instant), days).availableAt);

  it.each([
    ['at once, where the rail always pays', '2026-11-25T10:00:00Z', {}, '2026-11-25T10:01:00.000Z'],
    ['with the value date, by the clock of the rail', '2026-11-25T15:30:00Z', {}, '2026-11-25T18:31:00.000Z'],
    ['one second before the rail closes', '2026-11-25T10:29:59Z', { cutOff: '16:00' }, '2026-11-25T10:30:59.000Z'],
    ['the next day, once it has closed', '2026-11-25T10:30:00Z', { cutOff: '16:00' }, '2026-11-25T18:31:00.000Z'],
    ['when it opens', '2026-11-25T02:00:00Z', { opens: '09:00' }, '2026-11-25T03:31:00.000Z'],
    [
      'on its next day behind a weekend',
      '2026-11-27T12:00:00Z',
      { calendars: ['IN'], opens: '09:00', cutOff: '16:00' },
      '2026-11-30T03:31:00.000Z',
    ],
  ])('%s', (_, instant, rail, expected) => {
    expect(until(instant, rail)).toBe(expected);
  });

  it('goes by clocks that are put forward or back at night', () => {
    const frankfurt = { timeZone: 'Europe/Berlin', calendars: ['T2'], opens: '08:00', cutOff: '16:00' };
    const always = { calendars: ['ALL'] };
    // Clocks go forward on Sunday 29 March 2026, back on 25 October: Monday 08:00 is another instant of UTC.
    expect(until('2026-03-27T17:00:00Z', frankfurt, always)).toBe('2026-03-30T06:01:00.000Z');
    expect(until('2026-10-23T17:00:00Z', frankfurt, always)).toBe('2026-10-26T07:01:00.000Z');
    // A rail that opens at a time which is not there opens as long after the change.
    const night = { timeZone: 'Europe/Berlin', calendars: ['ALL'], opens: '02:30', cutOff: '24:00' };
    expect(until('2026-03-29T00:00:00Z', night, always)).toBe('2026-03-29T01:31:00.000Z');
  });
});

describe('the market', () => {
  const row: MarketRow = {
    ...{ termId: 'm', where: {}, timeZone: 'America/New_York', calendars: ['FX', 'GB'] },
    opens: { weekday: 'sunday', time: '17:00' },
    closes: { weekday: 'friday', time: '17:00' },
  };
  it.each([
    ['2026-11-27T21:59:59Z', 'OPEN'],
    ['2026-11-27T22:00:00Z', 'CLOSED'],
    ['2026-11-29T21:59:59Z', 'CLOSED'],
    ['2026-11-29T22:00:00Z', 'HOLIDAY'], // Sunday in New York: no day of GB
    ['2026-11-30T05:00:00Z', 'OPEN'],
    // Summer: an hour earlier by UTC.
    ['2026-07-03T20:59:59Z', 'OPEN'],
    ['2026-07-03T21:00:00Z', 'CLOSED'],
    ['2026-12-25T12:00:00Z', 'HOLIDAY'],
    ['2026-12-28T12:00:00Z', 'HOLIDAY'],
    ['2026-12-29T12:00:00Z', 'OPEN'],
  ])('at %s is %s', (instant, state) => {
    expect(marketState(row, at(instant), days)).toBe(state);
  });

  it('may open in the week and close at its end', () => {
    const week = {
      ...row,
      calendars: [],
      opens: { weekday: 'monday', time: '00:00' },
      closes: { weekday: 'saturday', time: '24:00' },
    } as const;
    expect(marketState(week, at('2026-11-29T12:00:00Z'), days)).toBe('CLOSED');
    expect(marketState(week, at('2026-11-28T12:00:00Z'), days)).toBe('OPEN');
    expect(marketState(week, at('2026-11-30T12:00:00Z'), days)).toBe('OPEN');
  });
});

describe('the clock of a zone', () => {
  const ZONES = [
    'Europe/London',
    'America/New_York',
    'Asia/Kolkata',
    'Asia/Dubai',
    'Australia/Lord_Howe',
    'Asia/Beirut',
  ];
  it('and the instant at which it shows a time are the inverse of each other, but where an hour comes twice', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.nat(10 * 365 * 86_400), (zone, seconds) => {
        const instant = at('2024-01-01T00:00:00Z') + seconds * 1_000;
        const shown = localTime(instant, zone);
        const back = instantAt(shown.day, shown.second, zone);
        expect(localTime(back, zone)).toEqual(shown);
        expect([0, 1_800_000, 3_600_000]).toContain(instant - back);
      }),
      { numRuns: times(2_000) },
    );
  });

  it.each(['', '9:00', '09:60', '24:00:01', '25:00', '09:00:60', ' 09:00'])('has no time %j', (text) => {
    expect(secondOfDay(text)).toBeUndefined();
  });
});

describe('T2', () => {
  it.each(['2026-01-01', '2026-04-03', '2026-04-06', '2026-05-01', '2026-12-25', '2026-12-26', '2026-11-28'])(
    'does not settle on %s',
    (day) => {
      expect(days.isOpen('T2', day)).toBe(false);
      expect(isT2Day(day)).toBe(false);
    },
  );
  it('settles on days of national holidays', () =>
    expect(days.isOpen('T2', '2026-10-03') || days.isOpen('T2', '2026-05-14')).toBe(true));
});
