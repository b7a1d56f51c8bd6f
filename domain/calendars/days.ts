// Days and hours of markets: when the euro area settles (T2), and when currencies are traded. By rule, so that no list of
// holidays runs out. Pure.

/** A day, ISO 8601: `2026-10-30`. */
export type Day = string;

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const startOf = (day: Day): number => Date.parse(`${day}T00:00:00Z`);
const dayOf = (ms: number): Day => new Date(ms).toISOString().slice(0, 10);
const nextDay = (day: Day): Day => dayOf(startOf(day) + DAY_MS);

/** Whether it is a day of the calendar, in that form. */
export const isDay = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(startOf(text)) && dayOf(startOf(text)) === text;

/** Easter Sunday of a year (Gregorian; the rule of Meeus, Jones and Butcher). */
export function easterOf(year: number): Day {
  const [a, b, c] = [year % 19, Math.floor(year / 100), year % 100];
  const g = Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3);
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const n = h + l - 7 * Math.floor((a + 11 * h + 22 * l) / 451) + 114;
  return dayOf(Date.UTC(year, Math.floor(n / 31) - 1, (n % 31) + 1));
}

/**
 * Whether T2, the system of the Eurosystem, settles on that day: not on Saturdays, Sundays, New Year's Day, Good Friday, Easter
 * Monday, 1 May, 25 and 26 December (ECB, since 2002). The ECB publishes reference rates on these days.
 */
export function isT2Day(day: Day): boolean {
  const weekday = new Date(startOf(day)).getUTCDay();
  if (weekday === 0 || weekday === 6) return false;
  if (['01-01', '05-01', '12-25', '12-26'].includes(day.slice(5))) return false;
  const easter = startOf(easterOf(Number(day.slice(0, 4))));
  return day !== dayOf(easter - 2 * DAY_MS) && day !== dayOf(easter + DAY_MS);
}

/** The first T2 day after that day. */
export function nextT2Day(day: Day): Day {
  let next = nextDay(day);
  while (!isT2Day(next)) next = nextDay(next);
  return next;
}

/** The `nth` Sunday of a month (from 1; 0 is the last one), as the start of that day, ms. */
function sundayOf(year: number, month: number, nth: number): number {
  if (nth === 0) {
    const last = Date.UTC(year, month, 0);
    return last - new Date(last).getUTCDay() * DAY_MS;
  }
  const first = Date.UTC(year, month - 1, 1);
  return first + (((7 - new Date(first).getUTCDay()) % 7) + 7 * (nth - 1)) * DAY_MS;
}

/** Hours that Frankfurt is ahead of UTC at an instant (Directive 2000/84/EC: summer from the last Sundays of March to October). */
function frankfurtHours(ms: number): number {
  const year = new Date(ms).getUTCFullYear();
  const isSummer = ms >= sundayOf(year, 3, 0) + HOUR_MS && ms < sundayOf(year, 10, 0) + HOUR_MS;
  return isSummer ? 2 : 1;
}

/** That minute of that day in Frankfurt, ms since 1970; none of the hours around which clocks are changed. */
export function inFrankfurt(day: Day, minuteOfDay: number): number {
  const asUtc = startOf(day) + minuteOfDay * MINUTE_MS;
  return asUtc - frankfurtHours(asUtc) * HOUR_MS;
}

/** The day that it is in Frankfurt. */
export const dayInFrankfurt = (ms: number): Day => dayOf(ms + frankfurtHours(ms) * HOUR_MS);

/** Hours that New York is behind UTC (15 USC 260a: summer from the second Sunday of March to the first of November). */
function newYorkHours(ms: number): number {
  const year = new Date(ms).getUTCFullYear();
  const isSummer = ms >= sundayOf(year, 3, 2) + 7 * HOUR_MS && ms < sundayOf(year, 11, 1) + 6 * HOUR_MS;
  return isSummer ? 4 : 5;
}

const CLOSE_HOUR = 17;

/**
 * Whether currencies are traded: from Sunday 17:00 to Friday 17:00 in New York, but for New Year's Day and Christmas Day there.
 * That is custom; no authority says so.
 */
export function isFxOpen(ms: number): boolean {
  const local = new Date(ms - newYorkHours(ms) * HOUR_MS);
  const [weekday, hour] = [local.getUTCDay(), local.getUTCHours()];
  if (weekday === 6 || (weekday === 0 && hour < CLOSE_HOUR) || (weekday === 5 && hour >= CLOSE_HOUR)) return false;
  const day = local.toISOString().slice(5, 10);
  return day !== '01-01' && day !== '12-25';
}
