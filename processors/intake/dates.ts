// ISO 8601 dates, checked against the calendar.

const PARTIAL = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;
const HOUR_MS = 3_600_000;

/** Whether a text is YYYY-MM-DD and names a day that exists. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** Whether a text is YYYY, YYYY-MM or YYYY-MM-DD and exists in the calendar. */
export function isPartialDate(text: string): boolean {
  const match = PARTIAL.exec(text);
  if (match === null) return false;
  const [, year, month = '01', day = '01'] = match;
  return isDay(`${year}-${month}-${day}`);
}

export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** First and last calendar day that is today somewhere on Earth at an instant (UTC-12 to UTC+14). */
export const todayAnywhere = (at: number): readonly [string, string] => [
  dayOf(at - 12 * HOUR_MS),
  dayOf(at + 14 * HOUR_MS),
];
