// BullMQ as the timer of payouts. It holds nothing that matters: MongoDB has `nextPollAt`, and a sweeper finds what a lost
// job would have woken up. So no retries, no failed jobs kept, and one job for all payouts that are due together.

import { once } from 'node:events';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { PollTimer } from '../../payouts/ports.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { type CodedError, dependencyDown, isCoded } from '../../ports/fault.ts';
import type { ClientWatch, WatchOptions } from '../client-watch.ts';
import { withinLoopTime } from '../loop-timeout.ts';
import { watchRedis } from '../redis/client-watch.ts';
import { refuseEviction } from '../redis/eviction.ts';
import { redisWords, wantsNewConnection } from '../redis/fault.ts';

export interface PollTimerOptions {
  /** URL of the Redis for queues; it must not evict. */
  readonly redisUrl: string;
  readonly queue?: string;
  /** Queues of before, whose waiting jobs are dropped at the start: the sweeper has their payouts. */
  readonly emptied?: readonly string[];
  /** Key prefix of everything in Redis. */
  readonly prefix?: string;
  /** Jobs in work at once. */
  readonly concurrency?: number;
  /** Payouts due within the same window share a job, ms. */
  readonly windowMs?: number;
  /** Called with connection trouble. Never throws. */
  readonly onFault?: (code: ErrorCode, detail: string) => void;
  /** How it is noticed that a client is broken for ever. */
  readonly watch?: WatchOptions;
}

const DEPENDENCY = 'redis-queue';
const UNAVAILABLE = 'REDIS_QUEUE_UNAVAILABLE';
const MAX_IDS_PER_JOB = 100;
const SCHEDULE_TIMEOUT_MS = 2_000;
/**
 * BullMQ fails a job for good that stalls more often than this (default 1), which kill -9 does to it. Losing one costs a
 * sweep, not a payout, but there is no reason to lose it.
 */
const MAX_STALLED = 1_000;
/** What is left of the timer gets this long to end, ms. */
const CLOSE_TIMEOUT_MS = 5_000;
/** How soon a worker that was refused looks again, ms (BullMQ's default is 15 s). */
const LOOK_AGAIN_MS = 1_000;
/** How often it is looked whether the worker still works, ms. */
const KEEP_MS = 1_000;

interface DueJob {
  readonly payoutIds: readonly string[];
}

/** A client, and who looks whether it still works. */
interface Client {
  readonly redis: Redis;
  readonly watch: ClientWatch;
}

export function bullPollTimer(options: PollTimerOptions): PollTimer {
  return new BullPollTimer(options);
}

class BullPollTimer implements PollTimer {
  readonly #options: PollTimerOptions;
  readonly #name: string;
  readonly #prefix: string;
  /** Adding must fail fast when Redis is away. */
  #producer: Client;
  #queue: Promise<Queue<DueJob>> | undefined;
  #worker: { readonly jobs: Worker<DueJob>; readonly client: Client } | undefined;
  #isStopped = false;
  #keeper: NodeJS.Timeout | undefined;

  constructor(options: PollTimerOptions) {
    this.#options = options;
    this.#name = options.queue ?? 'payout-polls';
    this.#prefix = options.prefix ?? 'corridor';
    this.#producer = this.#newProducer();
  }

  async schedule(entries: readonly { readonly payoutId: string; readonly dueAt: number }[]): Promise<void> {
    const now = Date.now();
    const jobs = jobsOf(entries, this.#options.windowMs ?? 50).map(({ payoutIds, dueAt }) => ({
      name: 'due',
      data: { payoutIds },
      opts: { delay: Math.max(0, dueAt - now) },
    }));
    const queue = this.#opened();
    try {
      await withinTime(queue.then((ready) => ready.addBulk(jobs)));
    } catch (error) {
      // One whose first words with Redis failed stays broken: the next call makes another.
      if (this.#queue === queue) this.#queue = undefined;
      queue.then((made) => made.close()).catch(() => undefined);
      throw error;
    }
  }

  async start(onDue: (payoutIds: readonly string[]) => Promise<void>): Promise<void> {
    // An unreachable Redis is no reason not to start: the sweeper works.
    const { redis } = this.#producer;
    const memory = await withinTime(whenReady(redis).then(() => redis.info('memory'))).catch(() => '');
    refuseEviction(memory, DEPENDENCY);
    if (memory !== '') await this.#empty();
    this.#work(onDue);
    this.#keeper = setInterval(() => {
      // BullMQ gives a worker up whose first words with Redis failed (a password, a script that blocks).
      if (this.#worker?.jobs.isRunning() === false) this.#work(onDue);
    }, KEEP_MS);
    this.#keeper.unref();
  }

  /** Jobs that are being worked elsewhere are left alone, and so is a queue that cannot be emptied: it harms nobody. */
  async #empty(): Promise<void> {
    for (const name of this.#options.emptied ?? []) {
      const old = new Queue(name, { connection: this.#producer.redis, prefix: this.#prefix });
      old.on('error', this.#fault);
      await withinTime(old.drain(true)).catch(this.#fault);
      await old.close().catch(this.#fault);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#keeper);
    for (const client of [this.#producer, this.#worker?.client]) client?.watch.stop();
    // Without Redis there is nothing to hand back, and waiting for its answer would have no end.
    const { redis } = this.#producer;
    const away = redis.status !== 'ready';
    const closing = async () => {
      await this.#worker?.jobs.close(away);
      if (!away) await this.#queue?.then((ready) => ready.close());
    };
    await withinLoopTime(closing(), CLOSE_TIMEOUT_MS, () => new Error('the timer does not end')).catch(this.#fault);
    this.#worker?.client.redis.disconnect();
    redis.disconnect();
  }

  #work(onDue: (payoutIds: readonly string[]) => Promise<void>): void {
    const before = this.#worker;
    before?.client.watch.stop();
    before?.jobs
      .close(true)
      .catch(() => undefined)
      .finally(() => before.client.redis.disconnect());
    // Waiting for jobs must not give up.
    const client = this.#watched(this.#connection({ maxRetriesPerRequest: null }), () => this.#work(onDue));
    const jobs = new Worker<DueJob>(this.#name, (job) => onDue(job.data.payoutIds), {
      connection: client.redis,
      prefix: this.#prefix,
      concurrency: this.#options.concurrency ?? 32,
      maxStalledCount: MAX_STALLED,
      runRetryDelay: LOOK_AGAIN_MS,
    });
    jobs.on('error', this.#fault);
    this.#worker = { jobs, client };
  }

  #newProducer(): Client {
    return this.#watched(this.#connection({ maxRetriesPerRequest: 1 }), () => {
      const { redis } = this.#producer;
      this.#queue?.then((made) => made.close()).catch(() => undefined);
      this.#queue = undefined;
      this.#producer = this.#newProducer();
      redis.disconnect();
    });
  }

  /** A client with a watch: one that is broken for ever is reported, and another takes its place. */
  #watched(redis: Redis, anew: () => void): Client {
    const onBroken = (detail: string) => {
      if (this.#isStopped) return;
      this.#options.onFault?.('REDIS_CLIENT_BROKEN', `${DEPENDENCY}: ${detail}`);
      anew();
    };
    return { redis, watch: watchRedis(redis, onBroken, this.#options.watch) };
  }

  /** A queue made while Redis is away stays broken, so it is made when Redis is there. */
  #opened(): Promise<Queue<DueJob>> {
    const { redis } = this.#producer;
    this.#queue ??= whenReady(redis).then(() => {
      const made = new Queue<DueJob>(this.#name, {
        connection: redis,
        prefix: this.#prefix,
        defaultJobOptions: { removeOnComplete: true, removeOnFail: true, attempts: 1 },
      });
      made.on('error', this.#fault);
      return made;
    });
    return this.#queue;
  }

  #connection(more: { readonly maxRetriesPerRequest: number | null }): Redis {
    // The name of a server that became a replica may lead to another primary by now.
    const redis = new Redis(this.#options.redisUrl, { ...more, reconnectOnError: wantsNewConnection });
    redis.on('error', this.#fault);
    return redis;
  }

  readonly #fault = (error: unknown): void => {
    this.#options.onFault?.(UNAVAILABLE, queueFault(error).message);
  };
}

/** The queue is only a timer: whatever Redis says, the sweeper goes on without it. */
function queueFault(error: unknown): CodedError {
  if (isCoded(error)) return error;
  return dependencyDown(DEPENDENCY, UNAVAILABLE, new Error(redisWords(error), { cause: error }));
}

/** Entries that are due in the same window go together, at the window's end; at most this many per job. */
export function jobsOf(
  entries: readonly { readonly payoutId: string; readonly dueAt: number }[],
  windowMs: number,
): readonly { readonly payoutIds: readonly string[]; readonly dueAt: number }[] {
  const byWindow = Map.groupBy(entries, ({ dueAt }) => Math.ceil(dueAt / windowMs) * windowMs);
  return [...byWindow].flatMap(([dueAt, group]) => {
    const ids = group.map(({ payoutId }) => payoutId);
    const jobs = Array.from({ length: Math.ceil(ids.length / MAX_IDS_PER_JOB) }, (_, index) => ({
      payoutIds: ids.slice(index * MAX_IDS_PER_JOB, (index + 1) * MAX_IDS_PER_JOB),
      dueAt,
    }));
    return jobs;
  });
}

async function whenReady(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') await once(redis, 'ready');
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  try {
    return await withinLoopTime(
      work,
      SCHEDULE_TIMEOUT_MS,
      () => new Error(`no answer within ${SCHEDULE_TIMEOUT_MS} ms`),
    );
  } catch (error) {
    throw queueFault(error);
  }
}
