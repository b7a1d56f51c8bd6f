import { afterEach, expect, it, vi } from 'vitest';
import type { LogRecord } from '../../ports/log.ts';
import { assess } from '../../runtime/health/liveness.ts';
import { BatchSize } from './batch-size.ts';
import type { Fetcher } from './fetcher.ts';
import { PartitionWorker, type WorkerOptions } from './partition-worker.ts';
import { Signal } from './signal.ts';
import type { Source } from './source.ts';
import { done } from './testing/consuming.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const HOUR_MS = 3_600_000;
const record = (offset: number): LogRecord => ({
  topic: 'transfer.returned',
  partition: 1,
  offset,
  key: null,
  value: null,
  headers: {},
  timestamp: 0,
});

/** A worker over a source that the test fills, with a handler that returns when the test says so. */
function working(open: () => Promise<number> = async () => 0, asked: Partial<WorkerOptions> = {}) {
  let now = 1_000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const waiting: LogRecord[] = [];
  const changed = new Signal();
  const source = {
    topic: 'transfer.returned',
    partition: 1,
    changed,
    position: 0,
    lastStableOffset: 0,
    caughtUpAt: now,
    fetchedAt: now,
    outOfRange: false,
    parked: false,
    waitingSince: 0,
    get buffered() {
      return waiting.length;
    },
    seek: () => undefined,
    take: (most: number) => waiting.splice(0, most),
  };
  const faulted = new Signal();
  const handed = Promise.withResolvers<void>();
  const worker = new PartitionWorker({
    consumer: {
      name: 'limits',
      topics: ['transfer.returned'],
      delivery: 'exactly-once',
      maxBatchRecords: 10,
      lingerMs: 0,
      handler: () => {
        handed.resolve();
        return new Promise(() => undefined);
      },
      onFault: () => undefined,
    },
    ownership: {
      topic: 'transfer.returned',
      partition: 1,
      groupId: 'corridor.limits',
      generation: { generationId: 1, memberId: 'm' },
      stillOurs: () => true,
    },
    committer: {
      open: async () => ({ offset: await open(), note: '', topicId: 'T' }),
      commit: async () => 1,
      abandon: async () => undefined,
    },
    source: source as unknown as Source,
    fetcher: () => ({ wake: () => undefined }) as unknown as Fetcher,
    idleCommitMs: HOUR_MS * 2,
    after: Promise.resolve(),
    onFault: () => faulted.wake(),
    onFatal: () => undefined,
    confirmMembership: async () => true,
    batchSize: new BatchSize(10),
    ...asked,
  });
  void worker.run();
  /** The broker answers: nothing new, or records. */
  const fetched = (...records: LogRecord[]) => {
    source.fetchedAt = now;
    if (records.length === 0) source.caughtUpAt = now;
    waiting.push(...records);
    const next = records.at(-1);
    if (next) source.position = source.lastStableOffset = next.offset + 1;
    changed.wake();
  };
  const later = (ms: number) => {
    now += ms;
  };
  return { worker, fetched, later, handed: handed.promise, faulted };
}

it('a record that comes after a long rest is no stall; a handler that does not return is one from then on', async () => {
  const { worker, fetched, later, handed } = working();
  await worker.ready;
  const turn = () => new Promise(setImmediate);
  later(HOUR_MS);
  fetched();
  await turn();
  fetched(record(0));
  await handed;
  const rested = 1_000 + HOUR_MS;
  expect(worker.progress()).toMatchObject({ lag: 1, lastProgressAt: rested, paused: undefined });
  later(20_000);
  fetched();
  fetched(record(1));
  await turn();
  expect(worker.progress()).toMatchObject({ lag: 2, lastProgressAt: rested, paused: undefined });
});

it('waits for a broker that is away as long as it takes; a client that is broken ends the process', async () => {
  const away = Object.assign(new Error('closed'), { name: 'KafkaJSConnectionError' });
  let error = away;
  const { worker, fetched, later, faulted } = working(async () => {
    throw error;
  });
  const limits = { stallAfterMs: 30_000, exitAfterMs: 120_000 };
  const judged = () => {
    const host = {
      name: 'limits',
      state: 'running',
      partitions: [worker.progress()],
      troubles: [],
      tables: [],
    } as const;
    return assess([host], limits, performance.now());
  };
  const nextFault = async () => {
    await faulted.wait(60_000);
    fetched(record(0));
  };
  await nextFault();
  later(HOUR_MS);
  expect(worker.progress().paused).toMatchObject({ code: 'KAFKA_UNAVAILABLE' });
  expect(judged()).toMatchObject({ ready: true, exit: undefined });
  error = new Error('Broker not connected');
  while (worker.progress().paused !== undefined) await nextFault();
  expect(judged().exit).toMatchObject({ code: 'NO_PROGRESS' });
  worker.drain();
});

it('takes less in at a time when it lost its place over a batch, and more again when batches get through', async () => {
  const batchSize = new BatchSize(100);
  const sizes: number[] = [];
  const lost = Object.assign(new Error('gone'), { name: 'KafkaJSProtocolError', type: 'UNKNOWN_MEMBER_ID' });
  const { worker, fetched } = working(undefined, {
    batchSize,
    consumer: {
      name: 'limits',
      topics: ['transfer.returned'],
      delivery: 'exactly-once',
      maxBatchRecords: 100,
      lingerMs: 0,
      onFault: () => undefined,
      handler: async ({ records }) => {
        sizes.push(records.length);
        return done(records);
      },
    },
    committer: {
      open: async () => ({ offset: 0, note: '', topicId: 'T' }),
      commit: async () => {
        if (sizes.at(-1)! > 30) throw lost;
        return 1;
      },
      abandon: async () => undefined,
    },
  });
  await worker.ready;
  for (let batches = 1; batches <= 4; batches++) {
    fetched(...Array.from({ length: batchSize.records }, (_, i) => record(i)));
    await vi.waitFor(() => expect(sizes).toHaveLength(batches));
  }
  worker.drain();
  expect(sizes).toEqual([100, 50, 25, 32]);
});
