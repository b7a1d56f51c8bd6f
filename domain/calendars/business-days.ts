// On which days a country or a system settles: by rule, or by holidays of a year that are handed in as data. Pure.
import { DomainError } from '../fault.ts';
import { type Day, isT2Day } from './days.ts';

export const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** A calendar as terms define it. */
export type CalendarTerms =
  /** Every day. */
  | { readonly id: string; readonly kind: 'every-day' }
  /** T2, the system of the Eurosystem: by rule. */
  | { readonly id: string; readonly kind: 'T2' }
  /** The same days of every year, such as 12-25, and weekends. */
  | {
      readonly id: string;
      readonly kind: 'yearly';
      readonly weekend: readonly Weekday[];
      readonly days: readonly string[];
    }
  /** Public holidays of a country or a part of it. */
  | {
      readonly id: string;
      readonly kind: 'country';
      /** ISO 3166-1 alpha-2. */
      readonly country: string;
      /** A part of it, as ISO 3166-2 names it behind the hyphen: ENG. */
      readonly region?: string | undefined;
      readonly weekend: readonly Weekday[];
      /** Days on which nothing is settled there, beside those that are known. */
      readonly closed: readonly Day[];
      /** Days that are known as holidays, and on which it is settled all the same; weekends too. */
      readonly open: readonly Day[];
    };

/** Public holidays of a country in a year. The same answer whenever it is asked. */
export type HolidaysOf = (country: string, region: string | undefined, year: number) => ReadonlySet<Day>;

/** Whether calendars settle on a day. */
export interface BusinessDays {
  isOpen(calendar: string, day: Day): boolean;
  /** The first day, from that one on, on which all of these do. @throws DomainError TERMS_INVALID when there is none for a year */
  firstOpen(calendars: readonly string[], from: Day): Day;
  /** So many days later on which all of these settle; 0: the first from that day on. */
  openAfter(calendars: readonly string[], from: Day, days: number): Day;
}

const DAY_MS = 86_400_000;
export const dayAfter = (day: Day): Day => new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
const weekdayOf = (day: Day): Weekday => WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()]!;
/** No calendar is closed for so long. */
const MAX_CLOSED_DAYS = 366;

/** @throws DomainError TERMS_INVALID when a calendar is asked for that is not defined */
export function businessDays(calendars: readonly CalendarTerms[], holidaysOf: HolidaysOf): BusinessDays {
  const byId = new Map(calendars.map((calendar) => [calendar.id, calendar]));
  /** What was asked before: days come again and again. */
  const known = new Map<string, boolean>();
  const isOpen = (id: string, day: Day): boolean => {
    const key = `${id}/${day}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const calendar = byId.get(id);
    if (calendar === undefined) throw new DomainError('TERMS_INVALID', `there is no calendar ${id}`);
    const isIt = settlesOn(calendar, day, holidaysOf);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(key, isIt);
    return isIt;
  };
  const firstOpen = (ids: readonly string[], from: Day): Day => {
    let day = from;
    for (let tried = 0; tried < MAX_CLOSED_DAYS; tried++) {
      if (ids.every((id) => isOpen(id, day))) return day;
      day = dayAfter(day);
    }
    throw new DomainError('TERMS_INVALID', `${ids.join(', ')} share no day within a year from ${from}`);
  };
  return {
    isOpen,
    firstOpen,
    openAfter(ids, from, days) {
      let day = firstOpen(ids, from);
      for (let passed = 0; passed < days; passed++) day = firstOpen(ids, dayAfter(day));
      return day;
    },
  };
}

const MAX_KNOWN = 20_000;

function settlesOn(calendar: CalendarTerms, day: Day, holidaysOf: HolidaysOf): boolean {
  switch (calendar.kind) {
    case 'every-day':
      return true;
    case 'T2':
      return isT2Day(day);
    case 'yearly':
      return !calendar.weekend.includes(weekdayOf(day)) && !calendar.days.includes(day.slice(5));
    case 'country': {
      const { country, region, weekend, closed, open } = calendar;
      if (open.includes(day)) return true;
      if (closed.includes(day) || weekend.includes(weekdayOf(day))) return false;
      return !holidaysOf(country, region, Number(day.slice(0, 4))).has(day);
    }
  }
}
