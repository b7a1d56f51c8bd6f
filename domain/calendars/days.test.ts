import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayInFrankfurt, easterOf, inFrankfurt, isDay, isFxOpen, isT2Day, nextT2Day } from './days.ts';

const HOUR_MS = 3_600_000;
const instants = fc.integer({ min: Date.UTC(2007, 0, 1), max: Date.UTC(2060, 0, 1) });
const partsIn = (timeZone: string) => {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    },
  });
  return (ms: number) => Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
};

describe('days', () => {
  it.each([
    ['2024-03-31', 2024],
    ['2025-04-20', 2025],
    ['2026-04-05', 2026],
    ['2038-04-25', 2038],
    ['1999-04-04', 1999],
  ])('Easter is on %s', (day, year) => expect(easterOf(year)).toBe(day));

  it.each([
    ['2026-04-03', false],
    ['2026-04-06', false],
    ['2026-05-01', false],
    ['2026-12-24', true],
    ['2026-12-25', false],
    ['2027-01-01', false],
    ['2026-10-31', false],
    ['2026-10-30', true],
  ])('T2 settles on %s: %s', (day, settles) => expect(isT2Day(day)).toBe(settles));

  it('the next day of T2 is after all that is closed', () => {
    expect(nextT2Day('2026-04-02')).toBe('2026-04-07');
    expect(nextT2Day('2026-12-24')).toBe('2026-12-28');
    expect(nextT2Day('2026-10-28')).toBe('2026-10-29');
  });

  it('knows days of the calendar from others', () => {
    expect(['2026-02-29', '2026-13-01', '26-01-01', '2026-1-1', '', '2026-00-10'].filter(isDay)).toEqual([]);
    expect(isDay('2028-02-29')).toBe(true);
  });

  it('Frankfurt is where the time zone database has it', () => {
    const local = partsIn('Europe/Berlin');
    fc.assert(
      fc.property(instants, (ms) => {
        const { year, month, day } = local(ms);
        expect(dayInFrankfurt(ms)).toBe(`${year}-${month}-${day}`);
        const noon = local(inFrankfurt(`${year}-${month}-${day}`, 16 * 60));
        expect(noon).toMatchObject({ year, month, day, hour: '16' });
      }),
      { numRuns: 1_000 },
    );
  });

  it('currencies are traded by the clock of New York, as the time zone database has it', () => {
    const local = partsIn('America/New_York');
    fc.assert(
      fc.property(instants, (ms) => {
        const { weekday, month, day, hour } = local(ms);
        const isHoliday = (month === '01' && day === '01') || (month === '12' && day === '25');
        const isWeekend =
          weekday === 'Sat' || (weekday === 'Sun' && Number(hour) < 17) || (weekday === 'Fri' && Number(hour) >= 17);
        expect(isFxOpen(ms)).toBe(!isHoliday && !isWeekend);
      }),
      { numRuns: 2_000 },
    );
    expect(isFxOpen(Date.UTC(2026, 9, 30, 20))).toBe(true);
    expect(isFxOpen(Date.UTC(2026, 9, 30, 21) + HOUR_MS)).toBe(false);
  });
});
