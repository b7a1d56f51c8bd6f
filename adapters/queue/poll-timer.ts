// BullMQ as the timer of payouts. It holds nothing that matters: MongoDB has `nextPollAt`, and a sweeper finds what a lost
// job would have woken up. So no retries, no failed jobs kept, and one job for all payouts that are due together.
import { once } from 'node:events';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { PollTimer } from '../../payouts/ports.ts';
import { dependencyDown } from '../../runtime/ports/fault.ts';
import { refuseEviction } from '../redis/eviction.ts';

export interface PollTimerOptions {
  /** URL of the Redis for queues; it must not evict. */
  readonly redisUrl: string;
  readonly queue?: string;
  /** Key prefix of everything in Redis. */
  readonly prefix?: string;
  /** Jobs in work at once. */
  readonly concurrency?: number;
  /** Payouts due within the same slot share a job, ms. */
  readonly slotMs?: number;
  /** Told of connection trouble. Never throws. */
  readonly onFault?: (code: string, detail: string) => void;
}

const MOST_IDS_PER_JOB = 100;
const SCHEDULE_TIMEOUT_MS = 2_000;
/**
 * BullMQ fails a job for good that stalls more often than this (default 1), which kill -9 does to it. Losing one costs a
 * sweep, not a payout, but there is no reason to lose it.
 */
const MAX_STALLED = 1_000;

interface DueJob {
  readonly payoutIds: readonly string[];
}

export function bullPollTimer(options: PollTimerOptions): PollTimer {
  const name = options.queue ?? 'payout-polls';
  const prefix = options.prefix ?? 'corridor';
  const slotMs = options.slotMs ?? 50;
  const fault = (error: unknown) =>
    options.onFault?.('REDIS_QUEUE_UNAVAILABLE', error instanceof Error ? error.message : String(error));
  // Adding must fail fast when Redis is away; waiting for jobs must not give up.
  const producer = new Redis(options.redisUrl, { maxRetriesPerRequest: 1 });
  const consumer = new Redis(options.redisUrl, { maxRetriesPerRequest: null });
  producer.on('error', fault);
  consumer.on('error', fault);
  let queue: Promise<Queue<DueJob>> | undefined;
  // A queue made while Redis is away stays broken, so it is made when Redis is there.
  const opened = () => {
    queue ??= whenReady(producer).then(() => {
      const made = new Queue<DueJob>(name, {
        connection: producer,
        prefix,
        defaultJobOptions: { removeOnComplete: true, removeOnFail: true, attempts: 1 },
      });
      made.on('error', fault);
      return made;
    });
    queue.catch(() => {
      queue = undefined;
    });
    return queue;
  };
  let worker: Worker<DueJob> | undefined;

  return {
    async schedule(entries) {
      const now = Date.now();
      const jobs = jobsOf(entries, slotMs).map(({ payoutIds, dueAt }) => ({
        name: 'due',
        data: { payoutIds },
        opts: { delay: Math.max(0, dueAt - now) },
      }));
      await withinTime(opened().then((ready) => ready.addBulk(jobs)));
    },
    async start(onDue) {
      // An unreachable Redis is no reason not to start: the sweeper works.
      const memory = await withinTime(whenReady(producer).then(() => producer.info('memory'))).catch(() => '');
      refuseEviction(memory, 'redis-queue');
      worker = new Worker<DueJob>(name, (job) => onDue(job.data.payoutIds), {
        connection: consumer,
        prefix,
        concurrency: options.concurrency ?? 32,
        maxStalledCount: MAX_STALLED,
      });
      worker.on('error', fault);
    },
    async stop() {
      // Without Redis there is nothing to hand back, and waiting for its answer would have no end.
      const away = producer.status !== 'ready';
      await worker?.close(away);
      if (!away) await queue?.then((ready) => ready.close()).catch(fault);
      consumer.disconnect();
      producer.disconnect();
    },
  };
}

/** Entries that are due in the same slot together, at the slot's end; at most so many per job. */
export function jobsOf(
  entries: readonly { readonly payoutId: string; readonly dueAt: number }[],
  slotMs: number,
): readonly { readonly payoutIds: readonly string[]; readonly dueAt: number }[] {
  const bySlot = Map.groupBy(entries, ({ dueAt }) => Math.ceil(dueAt / slotMs) * slotMs);
  return [...bySlot].flatMap(([dueAt, group]) => {
    const ids = group.map(({ payoutId }) => payoutId);
    const jobs = Array.from({ length: Math.ceil(ids.length / MOST_IDS_PER_JOB) }, (_, index) => ({
      payoutIds: ids.slice(index * MOST_IDS_PER_JOB, (index + 1) * MOST_IDS_PER_JOB),
      dueAt,
    }));
    return jobs;
  });
}

async function whenReady(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') await once(redis, 'ready');
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${SCHEDULE_TIMEOUT_MS} ms`)), SCHEDULE_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    throw dependencyDown('redis-queue', 'REDIS_QUEUE_UNAVAILABLE', error);
  } finally {
    clearTimeout(timer);
  }
}
