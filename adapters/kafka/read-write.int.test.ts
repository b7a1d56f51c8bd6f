// Writers, readers and administration, against a real broker.
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Log, LogRecord, OutputRecord } from '../../ports/log.ts';
import { createLog } from './log.ts';
import { createTopics, numbered, unique, widen } from './testing/topics.ts';

const { Kafka, logLevel } = kafkajs;
const brokers = inject('stack').kafkaBrokers;
let log: Log;

beforeAll(() => {
  log = createLog({ brokers, appName: 'read-write-test', clientId: 'read-write-test' });
});
afterAll(() => log.close());

async function topic(partitions = 2, config: Record<string, string> = {}): Promise<string> {
  const name = unique('t');
  await createTopics(log, [name], partitions, config);
  return name;
}

async function readAll(topics: readonly string[]): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const reader = log.reader();
  await reader.read(await reader.offsets(topics), (batch) => {
    records.push(...batch.records);
  });
  return records;
}

const keysOf = (records: readonly LogRecord[]) => records.map(({ key }) => String(key));

describe('a writer', () => {
  test('writes records of many calls to the partitions they name, each call in order', async () => {
    const name = await topic(3);
    const writer = await log.writer('w');
    const calls = Array.from({ length: 20 }, (_, call) =>
      numbered(name, 30, { partitions: 3, prefix: `${call}:`, from: call }),
    );
    await Promise.all(calls.map((records) => writer.send(records)));
    await writer.close();
    const read = await readAll([name]);
    for (const [call, records] of calls.entries()) {
      for (let partition = 0; partition < 3; partition++) {
        const own = read.filter(
          (record) => record.partition === partition && String(record.key).startsWith(`${call}:`),
        );
        expect(keysOf(own)).toEqual(records.filter((sent) => sent.partition === partition).map(({ key }) => key));
      }
    }
    expect(read).toHaveLength(600);
  });

  test('refuses only the call that holds a record too large', async () => {
    const name = await topic(1);
    const writer = await log.writer('w');
    const small = (key: string): OutputRecord => ({
      topic: name,
      partition: 0,
      key,
      value: Buffer.alloc(10),
      headers: {},
    });
    const large = { ...small('large'), value: Buffer.alloc(3_000_000) };
    const outcome = async (records: readonly OutputRecord[]) => {
      for (;;) {
        try {
          await writer.send(records);
          return 'written';
        } catch (error) {
          const { code } = error as { code: string };
          if (code !== 'WRITE_UNKNOWN') return code;
        }
      }
    };
    const outcomes = await Promise.all([outcome([small('a')]), outcome([large]), outcome([small('b')])]);
    await writer.close();
    expect(outcomes).toEqual(['written', 'RECORD_TOO_LARGE', 'written']);
    expect(new Set(keysOf(await readAll([name])))).toEqual(new Set(['a', 'b']));
  });

  test('refuses to write once it is closed', async () => {
    const writer = await log.writer('w');
    await writer.close();
    await expect(writer.send(numbered('anything', 1))).rejects.toMatchObject({ code: 'WRITER_CLOSED' });
  });

  test('says that a topic does not exist, when it stays so', async () => {
    const hasty = createLog({ brokers, appName: 'w', clientId: 'w', writeTimeoutMs: 300 });
    const writer = await hasty.writer('w');
    await expect(writer.send(numbered(unique('nowhere'), 1))).rejects.toMatchObject({ code: 'WRITE_UNKNOWN' });
    await hasty.close();
  });
});

describe('compression', () => {
  test.each(['none', 'gzip', 'zstd'] as const)('%s is written and read', async (compression) => {
    const name = await topic(1);
    const compressing = createLog({ brokers, appName: 'c', clientId: 'c', compression });
    const writer = await compressing.writer('w');
    const records = numbered(name, 500, { partitions: 1, bytes: 500 });
    await writer.send(records);
    await compressing.close();
    const read = await readAll([name]);
    expect(read.map(({ value }) => String(value))).toEqual(records.map(({ value }) => String(value)));
  });
});

describe('a reader', () => {
  test('reads the ranges asked for, in order, and nothing else', async () => {
    const name = await topic(2);
    const writer = await log.writer('w');
    await writer.send(numbered(name, 5_000, { partitions: 2 }));
    await writer.close();
    const offsets: number[][] = [[], []];
    await log.reader().read(
      [
        { topic: name, partition: 0, from: 100, to: 2_100 },
        { topic: name, partition: 1, from: 7, to: 8 },
      ],
      ({ partition, records }) => {
        offsets[partition]!.push(...records.map(({ offset }) => offset));
      },
    );
    expect(offsets[0]).toEqual(Array.from({ length: 2_000 }, (_, index) => 100 + index));
    expect(offsets[1]).toEqual([7]);
  });

  test('holds its memory down when the callback is slow', async () => {
    const name = await topic(1);
    const writer = await log.writer('w');
    for (let from = 0; from < 40_000; from += 2_000) {
      await writer.send(numbered(name, 2_000, { partitions: 1, from, bytes: 1_000 }));
    }
    await writer.close();
    v8.setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const held = () => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers;
    };
    const before = held();
    let most = 0;
    const reader = log.reader();
    await reader.read(await reader.offsets([name]), async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      most = Math.max(most, held() - before);
    });
    expect(most).toBeLessThan(12_000_000); // of 40 MB
  });

  test('rejects with what the callback throws', async () => {
    const name = await topic(1);
    const writer = await log.writer('w');
    await writer.send(numbered(name, 10, { partitions: 1 }));
    await writer.close();
    const reader = log.reader();
    const ranges = await reader.offsets([name]);
    await expect(
      reader.read(ranges, () => {
        throw new Error('enough');
      }),
    ).rejects.toThrow('enough');
  });

  test('says when an offset is no longer there', async () => {
    const name = await topic(1);
    const range = { topic: name, partition: 0, from: 1_000, to: 2_000 };
    await expect(log.reader().read([range], () => {})).rejects.toMatchObject({ code: 'READ_OUT_OF_RANGE' });
  });

  test('follows a topic from its start, says when it has caught up, and goes on', async () => {
    const name = await topic(2);
    const writer = await log.writer('w');
    await writer.send(numbered(name, 300));
    const followed: string[] = [];
    const following = log.reader().follow([name], ({ records }) => {
      followed.push(...keysOf(records));
    });
    expect(following.currentAt()).toBeUndefined();
    await following.caughtUp;
    expect(new Set(followed).size).toBe(300);
    const before = following.currentAt()!;
    await expect.poll(() => following.currentAt() ?? 0, { timeout: 20_000 }).toBeGreaterThan(before);
    await writer.send(numbered(name, 2, { from: 300 }));
    await expect.poll(() => followed.length, { timeout: 20_000 }).toBe(302);
    await following.stop();
    await writer.send(numbered(name, 2, { from: 302 }));
    await writer.close();
    expect(followed).toHaveLength(302);
  });

  test('follows an empty topic, and one from its end', async () => {
    const [empty, full] = [await topic(1), await topic(1)];
    const writer = await log.writer('w');
    await writer.send(numbered(full, 10, { partitions: 1 }));
    const followed: string[] = [];
    const following = log.reader().follow([empty, full], ({ records }) => followed.push(...keysOf(records)), {
      fromEnd: true,
    });
    await following.caughtUp;
    await writer.send(numbered(full, 1, { partitions: 1, prefix: 'new' }));
    await writer.close();
    await expect.poll(() => followed, { timeout: 20_000 }).toEqual(['new0']);
    await following.stop();
  });
});

describe('aborted transactions', () => {
  /**
   * Returns when the last transaction of an id has ended for its readers: that is a little after the broker has answered
   * its commit, and whoever takes the id over waits for it.
   */
  async function whenEnded(kafka: InstanceType<typeof Kafka>, transactionalId: string): Promise<void> {
    const next = kafka.producer({ transactionalId, maxInFlightRequests: 1 });
    await next.connect();
    await next.disconnect();
  }

  /** Three producers on one partition, transactions overlapping, some aborted, with keys that look like markers. */
  async function interleave(name: string): Promise<string[]> {
    const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 5 } });
    const producers = await Promise.all(
      [0, 1, 2].map(async (n) => {
        const producer = kafka.producer({ transactionalId: `${name}.${n}`, maxInFlightRequests: 1 });
        await producer.connect();
        return producer;
      }),
    );
    const committed: string[] = [];
    for (let round = 0; round < 12; round++) {
      const open = await Promise.all(producers.map((producer) => producer.transaction()));
      for (let step = 0; step < 3; step++) {
        for (const [n, transaction] of open.entries()) {
          const value = `${round}.${step}.${n}`;
          const key = step === 1 ? Buffer.alloc(4) : Buffer.from(value);
          await transaction.send({ topic: name, messages: [{ key, value, partition: 0 }] });
        }
      }
      for (const [n, transaction] of open.entries()) {
        const commits = (round + n) % 3 === 0;
        if (commits) committed.push(...[0, 1, 2].map((step) => `${round}.${step}.${n}`));
        await (commits ? transaction.commit() : transaction.abort());
      }
    }
    await Promise.all(producers.map((producer) => producer.disconnect()));
    for (const n of [0, 1, 2]) await whenEnded(kafka, `${name}.${n}`);
    return committed.sort();
  }

  test('are never delivered, wherever a read begins', async () => {
    const name = await topic(1);
    const committed = await interleave(name);
    const all = await readAll([name]);
    expect(all.map(({ value }) => String(value)).sort()).toEqual(committed);
    const reader = log.reader();
    const [range] = await reader.offsets([name]);
    for (let from = 0; from < range!.to; from += 5) {
      const seen: number[] = [];
      await reader.read([{ ...range!, from }], ({ records }) => {
        seen.push(...records.map(({ offset }) => offset));
      });
      expect(seen).toEqual(all.map(({ offset }) => offset).filter((offset) => offset >= from));
    }
  });
});

describe('an admin', () => {
  test('describes topics with their ids and settings, and leaves out those that are not there', async () => {
    const name = await topic(3, { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' });
    const admin = await log.admin();
    const described = await admin.describeTopics([name, unique('nowhere')]);
    expect(described).toEqual([
      {
        name,
        partitions: 3,
        replicationFactor: 1,
        topicId: expect.stringMatching(/^[0-9a-f]{32}$/),
        config: expect.objectContaining({
          'cleanup.policy': 'compact',
          'message.timestamp.type': 'LogAppendTime',
          'retention.ms': expect.any(String),
          'max.message.bytes': expect.any(String),
        }),
      },
    ]);
    await admin.close();
  });

  test('alters one setting and leaves the others', async () => {
    const name = await topic(1, { 'cleanup.policy': 'compact' });
    const admin = await log.admin();
    await admin.alterConfig(name, { 'retention.ms': '1234567' });
    const [described] = await admin.describeTopics([name]);
    expect(described!.config).toMatchObject({ 'cleanup.policy': 'compact', 'retention.ms': '1234567' });
    await expect(admin.alterConfig(name, { 'retention.ms': 'soon' })).rejects.toMatchObject({
      code: 'KAFKA_MISCONFIGURED',
    });
    await admin.close();
  });

  test('initialises the offsets that are missing and touches no other', async () => {
    const name = await topic(1);
    const admin = await log.admin();
    const group = unique('group');
    expect(await admin.committed(group, [name])).toEqual([{ topic: name, partition: 0, offset: undefined, note: '' }]);
    await admin.initialiseOffsets(group, [name]);
    const writer = await log.writer('w');
    await writer.send(numbered(name, 5, { partitions: 1 }));
    await writer.close();
    await widen(brokers, name, 2);
    await admin.initialiseOffsets(group, [name], new Map([[name, '@this-topic']]));
    expect(await admin.committed(group, [name])).toEqual([
      { topic: name, partition: 0, offset: 0, note: '' },
      { topic: name, partition: 1, offset: 0, note: '@this-topic' },
    ]);
    await admin.close();
  });

  test('creates a topic once, and deletes it', async () => {
    const name = await topic(1);
    await createTopics(log, [name], 1);
    const admin = await log.admin();
    await admin.deleteTopics([name]);
    await expect.poll(() => admin.describeTopics([name]), { timeout: 20_000 }).toEqual([]);
    await admin.close();
  });
});
