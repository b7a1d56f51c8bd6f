// How old a rate may be: one that is published once a day is good until the next one is due, one that is quoted all day for
// as long as the corridor says, which may be longer while nobody trades. Pure.
import { dayInFrankfurt, inFrankfurt, isFxOpen, nextT2Day } from '../calendars/days.ts';

/** A source that publishes once on each day of a calendar. */
export interface Fixing {
  readonly source: string;
  /** Days on which it publishes; T2: those on which the euro area settles, by the clock of Frankfurt. */
  readonly calendar: 'T2';
  /** When the next one is due on its day, by that clock: `16:00`. */
  readonly dueAt: string;
  /** How long after that the one before is still good, ms. */
  readonly graceMs: number;
}

export interface AgeTerms {
  /** ms, of a rate that is quoted all day. */
  readonly maxRateAgeMs: number;
  /** The same while currencies are not traded, ms; undefined: no longer than ever. */
  readonly maxClosedRateAgeMs?: number | undefined;
  readonly fixings: readonly Fixing[];
}

/** The reference rates of the European Central Bank, which it publishes around 16:00. */
export const ECB_FIXING: Fixing = { source: 'ecb', calendar: 'T2', dueAt: '16:00', graceMs: 3 * 3_600_000 };

/** Until when a rate is good, ms since 1970, as seen from `now`. */
export function goodUntil(
  { source, observedAt }: { readonly source: string; readonly observedAt: number },
  now: number,
  { maxRateAgeMs, maxClosedRateAgeMs = maxRateAgeMs, fixings }: AgeTerms,
): number {
  const fixing = fixings.find((each) => each.source === source);
  if (fixing === undefined)
    return observedAt + (isFxOpen(now) ? maxRateAgeMs : Math.max(maxRateAgeMs, maxClosedRateAgeMs));
  const [hours, minutes] = fixing.dueAt.split(':').map(Number) as [number, number];
  return inFrankfurt(nextT2Day(dayInFrankfurt(observedAt)), hours * 60 + minutes) + fixing.graceMs;
}
