// Days and times of day by the clock of an IANA zone, clocks that are put forward and back included. Pure.
import { DomainError } from '../fault.ts';
import { type Day, isDay } from './days.ts';

/** What the clock of a zone shows. */
export interface LocalTime {
  readonly day: Day;
  /** Seconds since midnight by that clock: 61,200 at 17:00, whatever was done to it before. */
  readonly second: number;
}

const SECOND_MS = 1_000;
const DAY_S = 86_400;

const formats = new Map<string, Intl.DateTimeFormat>();

/** @throws DomainError TERMS_INVALID when there is no such zone */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  try {
    const format = new Intl.DateTimeFormat('en-CA', {
      ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
    });
    formats.set(timeZone, format);
    return format;
  } catch {
    throw new DomainError('TERMS_INVALID', `there is no time zone ${timeZone}`);
  }
}

/** Ms that the clock of a zone is ahead of UTC at an instant, to the second. @throws DomainError TERMS_INVALID */
function aheadBy(at: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0;
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year, month, day, hour, minute, second } = parts as Record<string, number>;
  const shown = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!);
  return shown - Math.floor(at / SECOND_MS) * SECOND_MS;
}

/** What the clock of a zone shows at an instant (ms since 1970). @throws DomainError TERMS_INVALID when there is no such zone */
export function localTime(at: number, timeZone: string): LocalTime {
  const shown = at + aheadBy(at, timeZone);
  const text = new Date(shown).toISOString();
  return { day: text.slice(0, 10), second: Math.floor(shown / SECOND_MS) % DAY_S };
}

/**
 * The instant (ms since 1970) at which the clock of a zone shows that time of that day: the first of two where it is put back,
 * and where it is put forward past it as long after the change as the time is past it.
 * @param second seconds since midnight; 86,400 is the next midnight
 * @throws DomainError TERMS_INVALID when there is no such zone or day
 */
export function instantAt(day: Day, second: number, timeZone: string): number {
  if (!isDay(day)) throw new DomainError('TERMS_INVALID', `${day} is no day of the calendar`);
  const wall = Date.parse(`${day}T00:00:00Z`) + second * SECOND_MS;
  // No change of clocks is longer than a day: the offsets on either side of it are those of a day before and after.
  const [before, after] = [wall - DAY_S * SECOND_MS, wall + DAY_S * SECOND_MS].map((at) => aheadBy(at, timeZone));
  const first = wall - before!;
  return aheadBy(first, timeZone) === before || aheadBy(wall - after!, timeZone) !== after ? first : wall - after!;
}

const TIME_OF_DAY = /^(\d{2}):(\d{2})(?::(\d{2}))?$/;

/** Seconds since midnight of a time such as 16:00 or 15:30:01; 24:00 is the end of the day. Undefined: it is no such time. */
export function secondOfDay(text: string): number | undefined {
  const [, hours, minutes, seconds = '00'] = TIME_OF_DAY.exec(text) ?? [];
  if (hours === undefined) return undefined;
  const second = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
  return Number(minutes) < 60 && Number(seconds) < 60 && second <= DAY_S ? second : undefined;
}
