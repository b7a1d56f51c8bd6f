// What an answer holds of one partition is taken whatever is wrong with another one.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { batchBy } from '../../test/kit/kafka/batches.ts';
import type { Connections } from './client.ts';
import { Fetcher } from './fetcher.ts';
import { decodeBatches } from './kafkajs/fetch-response.ts';
import { createErrorFromCode, type FetchedPartition } from './kafkajs/internals.ts';
import { KafkaReader } from './reader.ts';
import { Source } from './source.ts';

const TOPIC = 't';
const PARTITIONS = 3;
const END = 1_000;

type Answer = (partition: number, offset: number) => Partial<FetchedPartition>;
let fetcher: Fetcher | undefined;
afterEach(() => fetcher?.stop());

/** Three partitions of endless batches of one record; what is amiss with them is the test's. */
function clusterOf(answer: Answer) {
  const partition = async (asked: { partition: number; fetchOffset: number }): Promise<FetchedPartition> => {
    const { partition: p, fetchOffset } = asked;
    const messages = await decodeBatches(batchBy('none', [{ value: Buffer.from(`${fetchOffset}`) }], fetchOffset), END);
    const rest = { partition: p, highWatermark: `${END}`, lastStableOffset: `${END}`, abortedTransactions: [] };
    return { ...rest, errorCode: 0, messages, ...answer(p, fetchOffset) };
  };
  type Request = { topics: { topic: string; partitions: { partition: number; fetchOffset: number }[] }[] };
  let refreshed = 0;
  const broker = {
    fetch: async ({ topics }: Request) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const partitions = await Promise.all(topics.flatMap((topic) => topic.partitions).map(partition));
      const whole = { responses: [{ topicName: TOPIC, partitions }] };
      const refused = partitions.find(({ errorCode }) => errorCode !== 0);
      if (refused) throw Object.assign(createErrorFromCode(refused.errorCode), { answer: whole });
      return whole;
    },
  };
  const cluster = {
    connect: async () => {},
    disconnect: async () => {},
    addMultipleTargetTopics: async () => {},
    refreshMetadata: async () => {
      refreshed++;
    },
    findBroker: async () => broker,
    findTopicPartitionMetadata: () =>
      Array.from({ length: PARTITIONS }, (_, partitionId) => ({ partitionId, leader: 1 })),
  };
  return { connections: { cluster: () => cluster } as unknown as Connections, refreshes: () => refreshed };
}

function start(answer: Answer) {
  const sources = Array.from({ length: PARTITIONS }, (_, partition) => new Source(TOPIC, partition));
  for (const source of sources) source.seek(0);
  const errors: { code?: string; partition?: number; message: string }[] = [];
  const { connections, refreshes } = clusterOf(answer);
  fetcher = new Fetcher({
    connections,
    sources,
    bufferRecords: 20,
    maxBytesPerPartition: 1_000,
    paceMs: 0,
    onError: (error) => errors.push(error as Error),
  });
  return { sources, errors, refreshes };
}
const POLLING = { timeout: 60_000 };
const filled = (source: Source) => vi.waitFor(() => expect(source.buffered).toBeGreaterThanOrEqual(20), POLLING);

describe('one partition that is in trouble', () => {
  const none = Object.assign([], { nextOffset: undefined }) as unknown as FetchedPartition['messages'];
  const broken = Object.assign([], {
    fault: new TypeError('a bug of ours'),
  }) as unknown as FetchedPartition['messages'];

  it.each([
    ['the disk of its broker fails', 56, none],
    ['its broker does not know what to do', 87, none],
    ['a quota is used up', 89, none],
    ['the decoder fails on it', 0, broken],
  ])('rests, is named, and keeps nothing from the others: %s', async (_name, errorCode, messages) => {
    const { sources, errors } = start((partition) => (partition === 1 ? { errorCode, messages } : {}));
    await filled(sources[0]!);
    await filled(sources[2]!);
    expect(sources[1]!.buffered).toBe(0);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toMatchObject({ topic: TOPIC, partition: 1 });
    // It is asked for again, but not all the time.
    expect(errors.length).toBeLessThan(10);
  });

  it('goes on when the trouble is over', async () => {
    let troubles = 0;
    const { sources } = start((partition) =>
      partition === 1 && ++troubles < 3 ? { errorCode: 87, messages: none } : {},
    );
    await filled(sources[1]!);
    expect(sources[1]!.take(3).map(({ offset }) => offset)).toEqual([0, 1, 2]);
  });

  it('with another leader has it looked for, after what the answer holds of the others was taken', async () => {
    const { sources, errors, refreshes } = start((partition) =>
      partition === 1 ? { errorCode: 6, messages: none } : {},
    );
    await filled(sources[0]!);
    await filled(sources[2]!);
    expect(refreshes()).toBeGreaterThan(0);
    expect(errors).toEqual([]);
  });

  it('that is out of range is marked, and it alone', async () => {
    const { sources } = start((partition) => (partition === 1 ? { errorCode: 1, messages: none } : {}));
    await filled(sources[0]!);
    expect(sources.map(({ outOfRange }) => outOfRange)).toEqual([false, true, false]);
  });

  it('that cannot be read for a stretch is stepped over, and names it', async () => {
    const dark = (offset: number) => offset >= 2 && offset < 9;
    const { sources } = start((partition, offset) =>
      partition === 1 && dark(offset) ? { errorCode: 2, messages: none } : {},
    );
    await filled(sources[1]!);
    const [, , stands, after] = sources[1]!.take(4);
    expect(stands).toMatchObject({ topic: TOPIC, partition: 1, offset: 8, unreadable: { code: 'BATCH_CORRUPT' } });
    expect(stands!.unreadable).toMatchObject({ firstOffset: 2, lastOffset: 8 });
    expect(after!.offset).toBe(9);
  });

  it('of which its broker does not know whether it can be read stands, and says so; nothing of it is passed', async () => {
    let isTrouble = true;
    const { sources, errors } = start((partition, offset) =>
      partition === 1 && isTrouble && offset >= 2 && offset < 9 ? { errorCode: -1, messages: none } : {},
    );
    await vi.waitFor(() => expect(sources[1]!.readStop).toMatchObject({ code: 'LOG_UNREADABLE' }), POLLING);
    expect(sources[1]).toMatchObject({ position: 2, buffered: 2, rests: true });
    for (const error of errors) expect(error).toMatchObject({ topic: TOPIC, partition: 1 });
    await filled(sources[0]!);
    isTrouble = false;
    await filled(sources[1]!);
    expect(sources[1]!.readStop).toBeUndefined();
    const taken = sources[1]!.take(20).map(({ offset, unreadable }) => [offset, unreadable]);
    expect(taken).toEqual(Array.from({ length: 20 }, (_, offset) => [offset, undefined]));
  });

  it('of which its broker does not know whether it can be read is waited for by a read that has an end', async () => {
    let unknown = 0;
    const { connections } = clusterOf((_, offset) =>
      offset >= 2 && unknown < 5 && ++unknown > 0 ? { errorCode: -1, messages: none } : {},
    );
    const read: (number | boolean)[][] = [];
    await new KafkaReader(connections).read([{ topic: TOPIC, partition: 0, from: 0, to: 9 }], ({ records }) => {
      for (const { offset, unreadable } of records) read.push([offset, unreadable !== undefined]);
    });
    expect(unknown).toBe(5);
    expect(read).toEqual(Array.from({ length: 9 }, (_, offset) => [offset, false]));
  });

  it('ends such a read with what to do when nothing else has come for a minute', async () => {
    const now = performance.now.bind(performance);
    let unknown = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now() + (unknown > 4 ? 61_000 : 0));
    try {
      const { connections } = clusterOf((_, offset) =>
        offset >= 2 && ++unknown > 0 ? { errorCode: -1, messages: none } : {},
      );
      const reading = new KafkaReader(connections).read([{ topic: TOPIC, partition: 0, from: 0, to: 9 }], () => {});
      await expect(reading).rejects.toMatchObject({ code: 'LOG_UNREADABLE', faultClass: 'transient-dependency' });
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('that cannot be read to its end stands, and says what to do', async () => {
    const { sources, errors } = start((partition, offset) =>
      partition === 1 && offset >= 2 ? { errorCode: 2, messages: none } : {},
    );
    await vi.waitFor(() => expect(sources[1]!.readStop).toMatchObject({ code: 'LOG_CORRUPT' }), POLLING);
    expect(sources[1]!.readStop!.detail).toContain('t/1 cannot be read at offset 2');
    await filled(sources[0]!);
    expect(errors).toEqual([]);
  });
});
