// Public and bank holidays of countries, as the package date-holidays has them: data of a pinned version, without any I/O, so the
// answer is the same everywhere and always.
import Holidays from 'date-holidays';
import type { HolidaysOf } from '../../domain/calendars/business-days.ts';
import { DomainError } from '../../domain/fault.ts';

const DAY_MS = 86_400_000;
const KINDS: ReadonlySet<string> = new Set(['public', 'bank']);
const years = new Map<string, ReadonlySet<string>>();

/** @throws DomainError TERMS_INVALID when the country, or the part of it, is not known */
export const nationalHolidays: HolidaysOf = (country, region, year) => {
  const key = `${country}/${region ?? ''}/${year}`;
  const known = years.get(key);
  if (known) return known;
  const days = daysOf(country, region, year);
  years.set(key, days);
  return days;
};

function daysOf(country: string, region: string | undefined, year: number): ReadonlySet<string> {
  const holidays = new Holidays();
  if (!Object.hasOwn(holidays.getCountries(), country))
    throw new DomainError('TERMS_INVALID', `no public holidays are known of the country ${country}`);
  if (region !== undefined && !Object.hasOwn(holidays.getStates(country) ?? {}, region))
    throw new DomainError('TERMS_INVALID', `no public holidays are known of the region ${country}-${region}`);
  if (region === undefined) holidays.init(country);
  else holidays.init(country, region);
  const days = new Set<string>();
  // A holiday of several days may begin in the year before.
  for (const { date, start, end, type } of [year - 1, year].flatMap((each) => holidays.getHolidays(each))) {
    if (!KINDS.has(type)) continue;
    // `date` is by the clock of the country; how long it lasts is the same by any.
    const first = Date.parse(`${date.slice(0, 10)}T00:00:00Z`);
    const length = Math.max(1, Math.round((end.getTime() - start.getTime()) / DAY_MS));
    for (let n = 0; n < length; n++) {
      const day = new Date(first + n * DAY_MS).toISOString().slice(0, 10);
      if (day.startsWith(`${year}-`)) days.add(day);
    }
  }
  return days;
}
