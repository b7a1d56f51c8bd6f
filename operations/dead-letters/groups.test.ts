// How many letters of a group come by the hour: over the time that was counted, whoever asks and when.
import { expect, it } from 'vitest';
import { groupOf } from './groups.ts';
import { type CountedGroup, MAX_GROUP_MINUTES } from './ports.ts';

const MINUTE_MS = 60_000;
const AT = Date.parse('2026-12-01T12:00:00Z');
const before = (minutes: number) => new Date(AT - minutes * MINUTE_MS);
const part = { proven: true, corridor: null, currency: null, amountMinor: 0n, letters: 1 };

const counted = (minutes: CountedGroup['minutes']): CountedGroup => ({
  ...{ group: 'g', owner: 'limits', code: 'X', class: 'poison', cause: 'c', countedAt: new Date(AT), isCurrent: false },
  ...{ parts: [{ ...part, firstFailedAt: before(9), lastFailedAt: before(9), oldestAt: before(9) }], note: undefined },
  minutes,
});

it('is what is new by the time until it was counted, however long ago that is', () => {
  const group = counted([
    { at: before(10), letters: 4 },
    { at: before(40), letters: 2 },
    { at: before(90), letters: 9 },
  ]);
  expect(groupOf(group, before(60))).toMatchObject({ recent: 6, perHour: 6 });
  expect(groupOf(group, before(30))).toMatchObject({ recent: 4, perHour: 8 });
});

it('is not of less than a minute, nor of a time before the minutes that are kept', () => {
  expect(groupOf(counted([{ at: before(0), letters: 2 }]), before(0))).toMatchObject({ recent: 2, perHour: 120 });
  const full = Array.from({ length: MAX_GROUP_MINUTES }, (_, minute) => ({ at: before(minute + 1), letters: 1 }));
  expect(groupOf(counted(full), new Date(0))).toMatchObject({ recent: MAX_GROUP_MINUTES, perHour: 60 });
});
