// Windows of limits: which one an instant falls into, when it ends, and how long it must be remembered. A window has an id
// that says all of this by itself, so that what an event has reserved is found again without its rule.
import { DomainError } from '../fault.ts';

/** In calendar windows, days are those of an IANA zone. */
export type LimitWindow =
  /** Each transfer by itself: nothing is remembered. */
  | { readonly kind: 'transfer' }
  /** The time before each transfer, in steps (stepOf): it reaches back its length, and up to one step more; never less. */
  | { readonly kind: 'rolling'; readonly unit: 'minute' | 'hour' | 'day'; readonly length: number }
  | { readonly kind: 'calendar'; readonly unit: 'day'; readonly timeZone: string }
  | { readonly kind: 'calendar'; readonly unit: 'week'; readonly timeZone: string; readonly weekStart: Weekday }
  | { readonly kind: 'calendar'; readonly unit: 'month'; readonly timeZone: string }
  /** `yearStart` is the first month, 1 to 12: 4 for the financial year of India. */
  | { readonly kind: 'calendar'; readonly unit: 'year'; readonly timeZone: string; readonly yearStart: number }
  | { readonly kind: 'lifetime' };

export const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** The window that an instant falls into. Times are ms since 1970. */
export interface WindowAt {
  /** Such as 2026-11-23, week-2026-11-23, month-2026-11, year-2026-04-01, r3600x720.494760, lifetime, transfer. No colon. */
  readonly id: string;
  /** When what is counted now no longer counts; null: not by time. */
  readonly endsAt: number | null;
}

/** Id of the window of what cannot be counted: it is never a counter. */
export const UNSTATED = 'unstated';
const TRANSFER: WindowAt = { id: 'transfer', endsAt: null };
const LIFETIME: WindowAt = { id: 'lifetime', endsAt: null };

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: DAY_MS } as const;
const MAX_ROLLING_DAYS = 366;
/** At most so many steps are in a window. */
export const MAX_STEPS = 720;
const STEPS_S = [1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400];

/** Length of a rolling window and of its steps, in ms. @throws DomainError LIMIT_RULES_INVALID when there is none */
export function stepOf({ unit, length }: Extract<LimitWindow, { kind: 'rolling' }>): {
  readonly lengthMs: number;
  readonly stepMs: number;
} {
  const lengthMs = length * UNIT_MS[unit];
  if (!Number.isInteger(length) || length < 1 || lengthMs > MAX_ROLLING_DAYS * DAY_MS)
    throw invalid(`a rolling window is of 1 minute to ${MAX_ROLLING_DAYS} days`);
  const seconds = STEPS_S.find(
    (step) => lengthMs <= MAX_STEPS * step * SECOND_MS && lengthMs % (step * SECOND_MS) === 0,
  );
  if (seconds === undefined) throw invalid(`${length} ${unit}s are no whole number of steps: say it in days`);
  return { lengthMs, stepMs: seconds * SECOND_MS };
}

const invalid = (why: string) => new DomainError('LIMIT_RULES_INVALID', why);

/** Finds windows. Pure; what it remembers is the bounds of the last window, since instants come nearly in order. */
export function windowFinder(window: LimitWindow): (at: number) => WindowAt {
  switch (window.kind) {
    case 'transfer':
      return () => TRANSFER;
    case 'lifetime':
      return () => LIFETIME;
    case 'rolling': {
      const { lengthMs, stepMs } = stepOf(window);
      const head = `r${stepMs / SECOND_MS}x${lengthMs / stepMs}.`;
      return (at) => {
        const step = Math.floor(at / stepMs);
        return { id: head + String(step), endsAt: (step + 1) * stepMs + lengthMs };
      };
    }
    case 'calendar':
      return calendarFinder(window);
  }
}

function calendarFinder(window: Extract<LimitWindow, { kind: 'calendar' }>): (at: number) => WindowAt {
  const zone = zoneOf(window.timeZone);
  let last: { readonly from: number; readonly to: number; readonly found: WindowAt } | undefined;
  return (at) => {
    if (last !== undefined && at >= last.from && at < last.to) return last.found;
    const first = firstDayOf(window, zone.dayAt(at));
    const [from, to] = [zone.startOf(first), zone.startOf(dayAfter(window, first))];
    last = { from, to, found: { id: idOf(window.unit, first), endsAt: to } };
    return last.found;
  };
}

/** Days since 1970-01-01, as a date by the calendar: a day has no zone. */
type Day = number;
const dayOf = (year: number, month: number, day: number): Day => Date.UTC(year, month, day) / DAY_MS;

/** The first day of the window that holds a day. */
function firstDayOf(window: Extract<LimitWindow, { kind: 'calendar' }>, day: Day): Day {
  const date = new Date(day * DAY_MS);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  switch (window.unit) {
    case 'day':
      return day;
    case 'week':
      return day - ((date.getUTCDay() - WEEKDAYS.indexOf(window.weekStart) + 7) % 7);
    case 'month':
      return dayOf(year, month, 1);
    case 'year': {
      const start = window.yearStart - 1;
      return dayOf(month < start ? year - 1 : year, start, 1);
    }
  }
}

/** The first day of the next window. */
function dayAfter(window: Extract<LimitWindow, { kind: 'calendar' }>, first: Day): Day {
  const date = new Date(first * DAY_MS);
  switch (window.unit) {
    case 'day':
      return first + 1;
    case 'week':
      return first + 7;
    case 'month':
      return dayOf(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    case 'year':
      return dayOf(date.getUTCFullYear() + 1, date.getUTCMonth(), 1);
  }
}

function idOf(unit: 'day' | 'week' | 'month' | 'year', first: Day): string {
  const date = new Date(first * DAY_MS).toISOString().slice(0, 10);
  if (unit === 'day') return date;
  return unit === 'month' ? `month-${date.slice(0, 7)}` : `${unit}-${date}`;
}

interface Zone {
  dayAt(at: number): Day;
  /** The first instant of a day: not always midnight, since clocks may be put forward just then. */
  startOf(day: Day): number;
}

/** @throws DomainError LIMIT_RULES_INVALID when there is no such zone */
function zoneOf(timeZone: string): Zone {
  if (timeZone === 'UTC') return { dayAt: (at) => Math.floor(at / DAY_MS), startOf: (day) => day * DAY_MS };
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  } catch {
    throw invalid(`there is no time zone ${timeZone}`);
  }
  const dayAt = (at: number): Day => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return dayOf(Number(parts['year']), Number(parts['month']) - 1, Number(parts['day']));
  };
  return {
    dayAt,
    startOf(day) {
      // No zone is further from UTC than 15 hours. The day at an instant never falls.
      let [before, reached] = [day * DAY_MS - 16 * 3_600_000, day * DAY_MS + 16 * 3_600_000];
      while (reached - before > SECOND_MS) {
        const middle = before + Math.floor((reached - before) / 2 / SECOND_MS) * SECOND_MS;
        if (dayAt(middle) >= day) reached = middle;
        else before = middle;
      }
      return reached;
    },
  };
}

/** Step of a rolling window, by its id; undefined: it is of another kind. */
export interface RollingWindow {
  readonly stepMs: number;
  /** Steps of its length: it counts this step and so many before. */
  readonly steps: number;
  readonly step: number;
}
const ROLLING_ID = /^r(\d+)x(\d+)\.(\d+)$/;
export function rollingOf(id: string): RollingWindow | undefined {
  const found = ROLLING_ID.exec(id);
  if (found === null) return undefined;
  const [, seconds, steps, step] = found.map(Number) as [number, number, number, number];
  return { stepMs: seconds * SECOND_MS, steps, step };
}

/** Whether something is counted under this id. */
export const isCounted = (id: string): boolean => id !== 'transfer' && id !== UNSTATED;

/** Days that a calendar window has at most, and what zones add. */
const MAX_DAYS = { week: 9, month: 33, year: 368 } as const;

/**
 * Until when a counter of this window can still matter to what is decided at its time, in ms since 1970, by its id alone;
 * Infinity: for ever. What comes late is kept in mind by those who keep counters.
 */
export function countsUntil(id: string): number {
  if (id === 'lifetime') return Number.POSITIVE_INFINITY;
  const rolling = rollingOf(id);
  // A window that was not asked for a while still has to take out the steps that it had counted: twice its length.
  if (rolling) return (rolling.step + 1 + 2 * rolling.steps) * rolling.stepMs;
  const [, unit, date] = /^(?:(week|month|year)-)?(\d{4}-\d{2}(?:-\d{2})?)$/.exec(id) ?? [];
  const first = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(first)) return 0;
  return first + (unit === undefined ? 2 : MAX_DAYS[unit as keyof typeof MAX_DAYS]) * DAY_MS;
}

/**
 * When the first thing that is counted under this id may have been taken, in ms since 1970, by its id alone; 0: at any time.
 */
export function countsFrom(id: string): number {
  const rolling = rollingOf(id);
  if (rolling) return rolling.step * rolling.stepMs;
  const [, date] = /^(?:(?:week|month|year)-)?(\d{4}-\d{2}(?:-\d{2})?)$/.exec(id) ?? [];
  const first = date === undefined ? Number.NaN : Date.parse(date);
  // In the zones that are the furthest ahead, a day begins most of a day earlier.
  return Number.isNaN(first) ? 0 : first - DAY_MS;
}
