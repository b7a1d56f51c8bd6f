import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dayOf, isDay } from './dates.ts';

/** What the calendar of the language says. */
function isDayByDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

const digits = (most: number, width: number) =>
  fc.integer({ min: 0, max: most }).map((number) => String(number).padStart(width, '0'));

it('knows the same days as Date, whatever the year', () => {
  const text = fc.tuple(digits(9_999, 4), digits(14, 2), digits(33, 2)).map((parts) => parts.join('-'));
  fc.assert(
    fc.property(text, (day) => {
      expect(isDay(day)).toBe(isDayByDate(day));
    }),
    { numRuns: 2_000 },
  );
});

it.each(['2000-02-29', '2024-02-29', '0000-02-29', '2026-12-31'])('%s is a day', (text) => {
  expect(isDay(text)).toBe(true);
});

it.each([
  '1900-02-29',
  '2026-02-29',
  '2026-04-31',
  '2026-00-10',
  '2026-13-01',
  '2026-01-00',
  '2026-1-01',
  '2026-01-01 ',
])('%s is none', (text) => {
  expect(isDay(text)).toBe(false);
});

it('names the day of an instant, in any order of instants', () => {
  const instants = fc.array(fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }), { maxLength: 40 });
  fc.assert(
    fc.property(instants, (all) => {
      for (const at of all) expect(dayOf(at)).toBe(new Date(at).toISOString().slice(0, 10));
    }),
  );
});
