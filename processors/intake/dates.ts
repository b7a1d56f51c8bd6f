// ISO 8601 dates, checked against the calendar.

const PARTIAL = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether a text is YYYY-MM-DD and names a day that exists. In numbers: a Date costs ten times as much. */
export function isDay(text: string): boolean {
  if (!DAY.test(text)) return false;
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8));
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 && leap ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
  return day >= 1 && day <= last;
}

/** Whether a text is YYYY, YYYY-MM or YYYY-MM-DD and exists in the calendar. */
export function isPartialDate(text: string): boolean {
  const match = PARTIAL.exec(text);
  if (match === null) return false;
  const [, year, month = '01', day = '01'] = match;
  return isDay(`${year}-${month}-${day}`);
}

/** The text of a few days by their number: nearly all records of an hour are of the same ones. */
const texts = new Map<number, string>();
const MAX_TEXTS = 16;

/** Calendar day (UTC) of an instant. */
export function dayOf(at: number): string {
  const day = Math.floor(at / DAY_MS);
  const known = texts.get(day);
  if (known !== undefined) return known;
  const text = new Date(at).toISOString().slice(0, 10);
  if (texts.size >= MAX_TEXTS) texts.clear();
  texts.set(day, text);
  return text;
}

/** First and last calendar day that is today somewhere on Earth at an instant (UTC-12 to UTC+14). */
export const todayAnywhere = (at: number): readonly [string, string] => [
  dayOf(at - 12 * HOUR_MS),
  dayOf(at + 14 * HOUR_MS),
];
