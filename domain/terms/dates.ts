// When the market is open, when a price has its value date, and when the money arrives. Pure.
import { type BusinessDays, dayAfter, WEEKDAYS, type Weekday } from '../calendars/business-days.ts';
import type { Day } from '../calendars/days.ts';
import { instantAt, localTime, secondOfDay } from '../calendars/zones.ts';
import type { MarketRow, MarketState, RailTerms, SettlementRow } from './terms.ts';

const DAY_S = 86_400;

const inWeek = (weekday: Weekday, second: number): number => WEEKDAYS.indexOf(weekday) * DAY_S + second;

/** The state of the market at an instant (ms since 1970), by the clock of its zone. */
export function marketState(
  { timeZone, opens, closes, calendars }: MarketRow,
  at: number,
  days: BusinessDays,
): MarketState {
  const { day, second } = localTime(at, timeZone);
  const now = inWeek(WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()]!, second);
  const [from, to] = [opens, closes].map(({ weekday, time }) => inWeek(weekday, secondOfDay(time)!)) as [
    number,
    number,
  ];
  // Hours that go over the end of the week are the rest of it, turned round.
  const isWithin = from < to ? now >= from && now < to : now >= from || now < to;
  if (!isWithin) return 'CLOSED';
  return calendars.every((id) => days.isOpen(id, day)) ? 'OPEN' : 'HOLIDAY';
}

export interface SettlementDates {
  /** ISO 8601 date. */
  readonly valueDate: Day;
  /** ms since 1970 */
  readonly availableAt: number;
}

/**
 * The value date of a price made at an instant (ms since 1970), and when the beneficiary has the money by then.
 *
 * The day of the price is the one in the zone of the row, from the cut-off on the next one; the value date is so many days of
 * both sides' calendars later. The rail pays from then on, on its own days and in its own hours.
 */
export function settlementDates(row: SettlementRow, at: number, days: BusinessDays): SettlementDates {
  const { day, second } = localTime(at, row.timeZone);
  const counted = second >= secondOfDay(row.cutOff)! ? dayAfter(day) : day;
  const valueDate = days.openAfter(row.calendars, counted, row.valueDays);
  return { valueDate, availableAt: paidFrom(row.rail, valueDate, at, days) + row.rail.takesMs };
}

/** When the rail takes it: at once where it can, else when it next opens. */
function paidFrom(
  { timeZone, calendars, opens, cutOff }: RailTerms,
  valueDate: Day,
  at: number,
  days: BusinessDays,
): number {
  const [from, to] = [secondOfDay(opens)!, secondOfDay(cutOff)!];
  const now = localTime(at, timeZone);
  const earliest = now.day > valueDate ? now.day : valueDate;
  const day = days.firstOpen(calendars, earliest);
  // Not before the value date, which has come by the clock of the rail alone.
  if (day !== now.day) return instantAt(day, from, timeZone);
  if (now.second < from) return instantAt(day, from, timeZone);
  if (now.second < to) return at;
  return instantAt(days.firstOpen(calendars, dayAfter(day)), from, timeZone);
}
