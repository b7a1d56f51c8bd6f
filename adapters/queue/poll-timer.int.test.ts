import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { PollTimer } from '../../payouts/ports.ts';
import { bullPollTimer, jobsOf } from './poll-timer.ts';

const { redisQueueUrl } = inject('stack');
const prefix = 'test';
const timers: PollTimer[] = [];
const queues: string[] = [];

afterEach(async () => {
  for (const timer of timers.splice(0)) await timer.stop();
  const redis = new Redis(redisQueueUrl);
  for (const queue of queues.splice(0)) {
    const keys = await redis.keys(`${prefix}:${queue}:*`);
    if (keys.length > 0) await redis.del(keys);
  }
  redis.disconnect();
});

function timerOn(queue: string, redisUrl = redisQueueUrl): PollTimer {
  const timer = bullPollTimer({ redisUrl, queue, prefix });
  timers.push(timer);
  return timer;
}

function newQueue(): string {
  const queue = `polls-${randomUUID().slice(0, 8)}`;
  queues.push(queue);
  return queue;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

describe('the timer on BullMQ', () => {
  it('calls back with each id, not before it is due, also what another process has scheduled', async () => {
    const queue = newQueue();
    const due = new Map<string, number>();
    await timerOn(queue).start(async (ids) => {
      for (const id of ids) due.set(id, Date.now());
    });
    const soon = Date.now() + 300;
    const ids = Array.from({ length: 250 }, (_, index) => `t-${index}`);
    await timerOn(queue).schedule([
      ...ids.map((payoutId) => ({ payoutId, dueAt: 0 })),
      { payoutId: 'soon', dueAt: soon },
    ]);
    await until(() => due.size === 251);
    expect(due.get('soon')).toBeGreaterThanOrEqual(soon);
  });

  it('keeps what was scheduled over a restart', async () => {
    const queue = newQueue();
    const first = timerOn(queue);
    await first.schedule([{ payoutId: 'kept', dueAt: Date.now() + 100 }]);
    await first.stop();
    timers.splice(0);
    const due: string[] = [];
    await timerOn(queue).start(async (ids) => void due.push(...ids));
    await until(() => due.length > 0);
    expect(due).toEqual(['kept']);
  });

  it('forgets a job whose work failed: the sweeper has the payout', async () => {
    const queue = newQueue();
    let calls = 0;
    const timer = timerOn(queue);
    await timer.start(async () => {
      calls++;
      throw new Error('failed');
    });
    await timer.schedule([{ payoutId: 'a', dueAt: 0 }]);
    await until(() => calls === 1);
    const redis = new Redis(redisQueueUrl);
    while ((await redis.keys(`${prefix}:${queue}:[0-9]*`)).length > 0) await sleep(5);
    redis.disconnect();
    expect(calls).toBe(1);
  });

  it('wakes up its own payouts alone, and drops what waits in a queue of before', async () => {
    const [before, ours, theirs] = [newQueue(), newQueue(), newQueue()];
    const old = timerOn(before);
    await old.schedule([
      { payoutId: 'waiting', dueAt: 0 },
      { payoutId: 'delayed', dueAt: Date.now() + 600_000 },
    ]);
    const due: Record<string, string[]> = { ours: [], theirs: [] };
    const emptying = bullPollTimer({ redisUrl: redisQueueUrl, queue: ours, prefix, emptied: [before, 'never-there'] });
    timers.push(emptying);
    await emptying.start(async (ids) => void due['ours']!.push(...ids));
    await timerOn(theirs).start(async (ids) => void due['theirs']!.push(...ids));
    const redis = new Redis(redisQueueUrl);
    const jobs = await redis.keys(`${prefix}:${before}:[0-9]*`);
    redis.disconnect();
    expect(jobs).toEqual([]);
    await emptying.schedule([{ payoutId: 'a', dueAt: 0 }]);
    await timers.at(-1)!.schedule([{ payoutId: 'b', dueAt: 0 }]);
    await until(() => due['ours']!.length > 0 && due['theirs']!.length > 0);
    expect(due).toEqual({ ours: ['a'], theirs: ['b'] });
    // Who still has the old queue goes on with it.
    const woken: string[] = [];
    await old.start(async (ids) => void woken.push(...ids));
    await old.schedule([{ payoutId: 'c', dueAt: 0 }]);
    await until(() => woken.length > 0);
    expect(woken).toEqual(['c']);
  });

  it('says so with a code when Redis is away, and still starts', async () => {
    const timer = timerOn(newQueue(), 'redis://127.0.0.1:1');
    await timer.start(async () => {});
    await expect(timer.schedule([{ payoutId: 'a', dueAt: 0 }])).rejects.toMatchObject({
      code: 'REDIS_QUEUE_UNAVAILABLE',
    });
  });

  it('does not start on a Redis that may evict', async () => {
    const redis = new Redis(redisQueueUrl);
    await redis.config('SET', 'maxmemory-policy', 'volatile-lru');
    try {
      await expect(timerOn(newQueue()).start(async () => {})).rejects.toMatchObject({ code: 'REDIS_MAY_EVICT' });
    } finally {
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
      redis.disconnect();
    }
  });

  it('puts what is due together into few jobs, never early', () => {
    const entries = [
      ...Array.from({ length: 150 }, (_, index) => ({ payoutId: `a-${index}`, dueAt: 1_001 })),
      { payoutId: 'b', dueAt: 1_050 },
      { payoutId: 'c', dueAt: 1_051 },
    ];
    const jobs = jobsOf(entries, 50);
    expect(jobs.map(({ payoutIds, dueAt }) => [payoutIds.length, dueAt])).toEqual([
      [100, 1_050],
      [51, 1_050],
      [1, 1_100],
    ]);
  });
});
