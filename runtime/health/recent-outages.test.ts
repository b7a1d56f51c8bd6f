import { expect, it } from 'vitest';
import { recentOutages } from './recent-outages.ts';

it('names a dependency for as long as it is met as down, and keeps since when', () => {
  let now = 0;
  const recent = recentOutages('payout.updated', () => now);
  recent.met('MONGO_UNAVAILABLE', 'refused');
  const since = recent.troubles()[0]!.since;
  now = 8_000;
  recent.met('MONGO_UNAVAILABLE', 'no answer');
  now = 17_000;
  expect(recent.troubles()).toEqual([
    expect.objectContaining({ dependency: 'mongo', detail: 'no answer', topic: 'payout.updated', since }),
  ]);
  now = 18_001;
  expect(recent.troubles()).toEqual([]);
});

it('keeps dependencies apart, and ignores what is no outage', () => {
  const recent = recentOutages('payout.updated', () => 0);
  recent.met('REDIS_QUEUE_UNAVAILABLE', 'refused');
  recent.met('KAFKA_UNAVAILABLE', 'refused');
  recent.met('NO_PROOF', 'a person must look');
  expect(recent.troubles().map(({ dependency }) => dependency)).toEqual(['redis-queue', 'kafka']);
});
