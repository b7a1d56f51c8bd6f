// Holidays of countries as calendars of payments need them. The days are those that governments published.
import { describe, expect, it } from 'vitest';
import { nationalHolidays } from './national-holidays.ts';

const of = (country: string, year: number, region?: string) => [...nationalHolidays(country, region, year)].toSorted();

describe('national holidays', () => {
  it('of England and Wales in 2026 are the bank holidays of gov.uk', () => {
    // Boxing Day is a Saturday; its substitute is the Monday.
    expect(of('GB', 2026, 'ENG')).toEqual(
      ['01-01', '04-03', '04-06', '05-04', '05-25', '08-31', '12-25', '12-26', '12-28'].map((day) => `2026-${day}`),
    );
  });

  it('of the United States in 2026 are the federal holidays of opm.gov', () => {
    const federal = ['01-01', '01-19', '02-16', '05-25', '06-19', '07-03', '09-07', '10-12', '11-11', '11-26', '12-25'];
    for (const day of federal) expect(of('US', 2026), day).toContain(`2026-${day}`);
    // Observances are no holidays.
    expect(of('US', 2026)).not.toContain('2026-10-31');
  });

  it('of India are the three national ones and others', () => {
    for (const day of ['2026-01-26', '2026-08-15', '2026-10-02']) expect(of('IN', 2026)).toContain(day);
  });

  it('are of their year alone, and the same whenever they are asked for', () => {
    for (const year of [2025, 2026, 2027]) {
      expect(of('AE', year).every((day) => day.startsWith(`${year}-`))).toBe(true);
      expect(of('AE', year)).toEqual(of('AE', year));
    }
  });

  it.each([
    ['XX', undefined],
    ['GB', 'XXX'],
  ])('of %s %s are not known', (country, region) => {
    expect(() => nationalHolidays(country, region, 2026)).toThrow(expect.objectContaining({ code: 'TERMS_INVALID' }));
  });
});
