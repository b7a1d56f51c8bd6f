// What a handler may count on, against a real broker.
import kafkajs from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import type {
  BatchHandler,
  BatchResult,
  ConsumerOptions,
  Log,
  LogConsumer,
  LogFault,
  LogRecord,
  OutputRecord,
} from '../../runtime/ports/log.ts';
import { Connections } from './client.ts';
import { committerFor, transactionalIdOf } from './commit.ts';
import { brokerErrorType } from './errors.ts';
import { JointCommits } from './joint-commits.ts';
import { ClusterClass } from './kafkajs/internals.ts';
import { createLog } from './log.ts';
import { settingsOf } from './options.ts';
import { caughtUp } from './testing/copiers.ts';
import { createTopics, numbered, provision, unique, widen } from './testing/topics.ts';
import { TransactionalProducer } from './transactional-producer.ts';

const { Kafka, logLevel } = kafkajs;
const brokers = inject('stack').kafkaBrokers;
const APP = 'consume-test';
let log: Log;
const consumers: LogConsumer[] = [];

beforeAll(() => {
  log = createLog({ brokers, appName: APP, clientId: 'consume-test', sessionTimeoutMs: 3_000 });
});
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop(5_000)));
});
afterAll(() => log.close());

const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 30_000 });
const done = (records: readonly LogRecord[], outputs: readonly OutputRecord[] = []): BatchResult => ({
  doneThrough: records.at(-1)!.offset,
  outputs,
  // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
  then: { do: 'continue' },
});
const endsIn00 = ({ key }: LogRecord) => /^k(0|\d+00)$/.test(String(key));
const copyTo = (topic: string, records: readonly LogRecord[]): OutputRecord[] =>
  records.map(({ partition, key, value }) => ({ topic, partition, key, value, headers: { kind: 'copy' } }));

interface Started {
  readonly consumer: LogConsumer;
  readonly faults: LogFault[];
}

async function consume(
  name: string,
  topics: readonly string[],
  handler: BatchHandler,
  options: Partial<ConsumerOptions> = {},
): Promise<Started> {
  const faults: LogFault[] = [];
  const consumer = await log.consume({
    name,
    topics,
    delivery: 'exactly-once',
    maxBatchRecords: 100,
    lingerMs: 5,
    handler,
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  consumers.push(consumer);
  return { consumer, faults };
}

async function write(records: readonly OutputRecord[]): Promise<void> {
  const writer = await log.writer('test');
  await writer.send(records);
  await writer.close();
}

async function readKeys(topic: string): Promise<string[]> {
  const keys: string[] = [];
  const reader = log.reader();
  await reader.read(await reader.offsets([topic]), ({ records }) => {
    for (const { key } of records) keys.push(String(key));
  });
  return keys;
}

/** A processor with topics of its own, provisioned. */
async function processor(partitions = 2) {
  const name = unique('p');
  const [input, output] = [`${name}.in`, `${name}.out`];
  await provision(log, `${APP}.${name}`, [input], [output], partitions);
  return { name, input, output, group: `${APP}.${name}` };
}

describe('a batch', () => {
  test('is of one partition, in order, no larger than asked for, and is copied once', async () => {
    const { name, input, output, group } = await processor();
    await write(numbered(input, 1_000));
    const sizes: number[] = [];
    const { consumer } = await consume(name, [input], async ({ partition, records }) => {
      sizes.push(records.length);
      expect(records.every((record) => record.partition === partition)).toBe(true);
      return done(records, copyTo(output, records));
    });
    await caughtUp(log, group, [input]);
    expect((await readKeys(output)).sort()).toEqual((await readKeys(input)).sort());
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    await eventually(() => consumer.progress().map(({ lag }) => lag)).toEqual([0, 0]);
  });

  test('carries key, value, headers and the append time of its topic', async () => {
    const { name, input } = await processor(1);
    const admin = await log.admin();
    await admin.alterConfig(input, { 'message.timestamp.type': 'LogAppendTime' });
    await admin.close();
    const before = Date.now();
    await write([
      { topic: input, partition: 0, key: null, value: null, headers: {} },
      { topic: input, partition: 0, key: 'k', value: Buffer.from([1, 2, 3]), headers: { a: 'x', b: Buffer.from([9]) } },
    ]);
    const seen: LogRecord[] = [];
    await consume(name, [input], async ({ records }) => {
      seen.push(...records);
      return done(records);
    });
    await eventually(() => seen.length).toBe(2);
    expect(seen[0]).toMatchObject({ topic: input, partition: 0, offset: 0, key: null, value: null, headers: {} });
    expect(seen[1]).toMatchObject({ offset: 1, key: Buffer.from('k'), value: Buffer.from([1, 2, 3]) });
    expect(seen[1]!.headers).toEqual({ a: Buffer.from('x'), b: Buffer.from([9]) });
    expect(seen[1]!.timestamp).toBeGreaterThanOrEqual(before);
  });

  test('that is done in part is committed in part, and the rest comes first next time', async () => {
    const { name, input, output, group } = await processor(1);
    await write(numbered(input, 250, { partitions: 1 }));
    const first: number[] = [];
    await consume(name, [input], async ({ records }) => {
      first.push(records[0]!.offset);
      const part = records.slice(0, 30);
      return done(part, copyTo(output, part));
    });
    await caughtUp(log, group, [input]);
    expect(await readKeys(output)).toEqual(await readKeys(input));
    expect(first).toEqual(Array.from({ length: 9 }, (_, index) => index * 30));
  });

  test('without outputs commits its position, also many times in a row', async () => {
    const { name, input, group } = await processor(1);
    await write(numbered(input, 500, { partitions: 1 }));
    const { faults } = await consume(name, [input], async ({ records }) => done(records), { maxBatchRecords: 10 });
    await caughtUp(log, group, [input]);
    expect(faults).toEqual([]);
  });

  test('that its handler refuses is handed in again and says why', async () => {
    const { name, input, output } = await processor(1);
    await write(numbered(input, 10, { partitions: 1 }));
    const failed: unknown[] = [];
    const { faults } = await consume(name, [input], async ({ records, failed: before }) => {
      failed.push(before);
      if (failed.length < 3) throw new Error('not today');
      return done(records, copyTo(output, records));
    });
    await eventually(() => readKeys(output)).toHaveLength(10);
    expect(failed).toEqual([
      undefined,
      { code: 'HANDLER_FAILED', attempts: 1 },
      { code: 'HANDLER_FAILED', attempts: 2 },
    ]);
    expect(faults.map(({ code, severity }) => [code, severity])).toEqual([
      ['HANDLER_FAILED', 'transient'],
      ['HANDLER_FAILED', 'transient'],
    ]);
  });

  test('of which nothing is done is handed in again, whole', async () => {
    const { name, input } = await processor(1);
    await write(numbered(input, 10, { partitions: 1 }));
    const sizes: number[] = [];
    await consume(name, [input], async ({ records }) => {
      sizes.push(records.length);
      // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
      return sizes.length < 3 ? { doneThrough: undefined, outputs: [], then: { do: 'continue' } } : done(records);
    });
    await eventually(() => sizes).toEqual([10, 10, 10]);
  });

  test('larger than one request goes out in several, whole', async () => {
    const { name, input, output, group } = await processor(1);
    await write(numbered(input, 100, { partitions: 1 }));
    const { faults } = await consume(name, [input], async ({ records }) =>
      done(
        records,
        records.flatMap(({ key }) =>
          Array.from({ length: 30 }, (_, index) => ({
            topic: output,
            partition: 0,
            key: `${key}-${index}`,
            value: Buffer.alloc(1_000),
            headers: {},
          })),
        ),
      ),
    );
    await caughtUp(log, group, [input]);
    expect(new Set(await readKeys(output)).size).toBe(3_000);
    expect(faults).toEqual([]);
  });

  test('with a record that the broker refuses is handed in again with RECORD_TOO_LARGE', async () => {
    const { name, input, output, group } = await processor(1);
    await write(numbered(input, 3, { partitions: 1 }));
    await consume(name, [input], async ({ records, failed }) => {
      const size = failed?.code === 'RECORD_TOO_LARGE' ? 10 : 3_000_000;
      const outputs = copyTo(output, records).map((record) => ({ ...record, value: Buffer.alloc(size) }));
      return done(records, outputs);
    });
    await caughtUp(log, group, [input]);
    expect(await readKeys(output)).toEqual(['k0', 'k1', 'k2']);
  });
});

describe('after the commit', () => {
  test('a pause holds the partition and shows it; others go on', async () => {
    const { name, input } = await processor(2);
    await write(numbered(input, 20, { partitions: 2 }));
    const handled = [0, 0];
    const { consumer } = await consume(
      name,
      [input],
      async ({ partition, records }) => {
        handled[partition]! += records.length;
        if (partition === 1) return done(records);
        const pause = { do: 'pause', forMs: 60_000, code: 'REDIS_DOWN', detail: 'limits are unavailable' } as const;
        // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
        return { ...done(records), then: pause };
      },
      { maxBatchRecords: 5 },
    );
    await eventually(() => handled).toEqual([5, 10]);
    const byPartition = () => [...consumer.progress()].sort((one, other) => one.partition - other.partition);
    await eventually(() => byPartition().map(({ paused, position, lag }) => [paused?.code, position, lag])).toEqual([
      ['REDIS_DOWN', 5, 5],
      [undefined, 10, 0],
    ]);
    expect(handled).toEqual([5, 10]);
  });

  test('a pause ends by itself', async () => {
    const { name, input, group } = await processor(1);
    await write(numbered(input, 20, { partitions: 1 }));
    await consume(
      name,
      [input],
      async ({ records }) => {
        const pause = { do: 'pause', forMs: 10, code: 'WAIT', detail: 'a moment' } as const;
        // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
        return { ...done(records), then: pause };
      },
      { maxBatchRecords: 5 },
    );
    await caughtUp(log, group, [input]);
  });

  test('a stop commits, ends the consumer and says why', async () => {
    const { name, input, output } = await processor(1);
    await write(numbered(input, 20, { partitions: 1 }));
    const { consumer, faults } = await consume(
      name,
      [input],
      async ({ records }) => ({
        ...done(records, copyTo(output, records)),
        // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
        then: { do: 'stop', code: 'SCHEMA_UNKNOWN', detail: 'a newer writer' },
      }),
      { maxBatchRecords: 5 },
    );
    await expect(consumer.ended).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN', severity: 'fatal' });
    expect(faults.at(-1)).toMatchObject({ code: 'SCHEMA_UNKNOWN', severity: 'fatal' });
    expect(await readKeys(output)).toEqual(['k0', 'k1', 'k2', 'k3', 'k4']);
  });
});

describe('stops rather than guesses', () => {
  test('without a committed offset', async () => {
    const name = unique('p');
    await createTopics(log, [`${name}.in`], 1);
    await write(numbered(`${name}.in`, 3, { partitions: 1 }));
    const handled: unknown[] = [];
    const { consumer } = await consume(name, [`${name}.in`], async (batch) => {
      handled.push(batch);
      return done(batch.records);
    });
    await expect(consumer.ended).rejects.toMatchObject({
      code: 'OFFSET_MISSING',
      message: expect.stringContaining('corridor topics apply'),
    });
    await expect(consumer.ready).rejects.toMatchObject({ code: 'OFFSET_MISSING' });
    expect(handled).toEqual([]);
  });

  test('when a topic does not exist', async () => {
    const { consumer } = await consume(unique('p'), [unique('nowhere')], async ({ records }) => done(records));
    await expect(consumer.ended).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
  });

  test('when records were deleted before they were handled', async () => {
    const { name, input } = await processor(1);
    await write(numbered(input, 10, { partitions: 1 }));
    const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.fetchTopicOffsets(input); // loads what the next call relies on
    await admin.deleteTopicRecords({ topic: input, partitions: [{ partition: 0, offset: '5' }] });
    await admin.disconnect();
    const handled: unknown[] = [];
    const { consumer } = await consume(name, [input], async ({ records }) => {
      handled.push(...records);
      return done(records);
    });
    await expect(consumer.ended).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    expect(handled).toEqual([]);
  });

  test('when the handler contradicts itself', async () => {
    const { name, input, output } = await processor(1);
    await write(numbered(input, 3, { partitions: 1 }));
    const { consumer } = await consume(name, [input], async ({ records }) => ({
      ...done(records, copyTo(output, records)),
      doneThrough: undefined,
    }));
    await expect(consumer.ended).rejects.toMatchObject({ code: 'HANDLER_CONTRACT' });
    expect(await readKeys(output)).toEqual([]);
  });
});

describe('a group', () => {
  test('gives partition p of all topics to one member, and takes over what a member leaves', async () => {
    const name = unique('p');
    const inputs = ['a', 'b', 'c'].map((suffix) => `${name}.${suffix}`);
    const output = `${name}.out`;
    await provision(log, `${APP}.${name}`, inputs, [output], 4);
    const copy: BatchHandler = async ({ records }) => done(records, copyTo(output, records));
    const one = await consume(name, inputs, copy);
    await one.consumer.ready;
    const two = await consume(name, inputs, copy);
    const shares = () =>
      [one, two].map(({ consumer }) =>
        inputs.map((input) => {
          const own = consumer.progress().filter(({ topic }) => topic === input);
          return own.map(({ partition }) => partition).sort();
        }),
      );
    await eventually(() => shares().map((byTopic) => byTopic[0]!.length)).toEqual([2, 2]);
    for (const byTopic of shares()) expect(new Set(byTopic.map(String)).size).toBe(1);
    await write(inputs.flatMap((input) => numbered(input, 400, { partitions: 4, prefix: input })));
    await one.consumer.stop(5_000);
    await write(inputs.flatMap((input) => numbered(input, 400, { partitions: 4, prefix: input, from: 400 })));
    await caughtUp(log, `${APP}.${name}`, inputs);
    const keys = await readKeys(output);
    expect(keys).toHaveLength(2_400);
    expect(new Set(keys).size).toBe(2_400);
    expect(two.consumer.progress()).toHaveLength(12);
  });

  test('lets a member stand by without work', async () => {
    const { name, input } = await processor(1);
    const one = await consume(name, [input], async ({ records }) => done(records));
    await one.consumer.ready;
    const two = await consume(name, [input], async ({ records }) => done(records));
    await two.consumer.ready;
    expect([...one.consumer.progress(), ...two.consumer.progress()]).toHaveLength(1);
  });

  test('takes new partitions up once their offsets are initialised', async () => {
    const { name, input, group } = await processor(1);
    const quick = createLog({
      brokers,
      appName: APP,
      clientId: 'quick',
      metadataMaxAgeMs: 500,
      sessionTimeoutMs: 3_000,
    });
    const consumer = await quick.consume({
      name,
      topics: [input],
      delivery: 'exactly-once',
      maxBatchRecords: 10,
      lingerMs: 5,
      handler: async ({ records }) => done(records),
      onFault: () => {},
    });
    await consumer.ready;
    const admin = await log.admin();
    await widen(brokers, input, 3);
    await admin.initialiseOffsets(group, [input]);
    await admin.close();
    await eventually(() => consumer.progress().length).toBe(3);
    await quick.close();
  });
});

describe('a consumer', () => {
  test('keeps its partitions while a batch takes longer than a session', async () => {
    const { name, input, output } = await processor(1);
    await write(numbered(input, 5, { partitions: 1 }));
    const handled: number[] = [];
    const { faults } = await consume(name, [input], async ({ records }) => {
      handled.push(records.length);
      await new Promise((resolve) => setTimeout(resolve, 5_000)); // sessions last 3 s
      return done(records, copyTo(output, records));
    });
    await eventually(() => readKeys(output)).toHaveLength(5);
    expect(handled).toEqual([5]);
    expect(faults).toEqual([]);
  });

  test('takes a partition back from whoever used its transactional id, when the group says that it is the owner', async () => {
    const { name, input, output, group } = await processor(1);
    const { faults } = await consume(name, [input], async ({ records }) => done(records, copyTo(output, records)), {
      maxBatchRecords: 20,
    });
    const connections = new Connections(settingsOf({ brokers, appName: APP, clientId: 'impostor' }));
    const isFenced = () => faults.some(({ code }) => code === 'FENCED');
    let round = 0;
    // Whether a fencing meets a request before, in or after the broker's work on it is a matter of moments.
    for (; round < 3 || (!isFenced() && round < 50); round++) {
      await write(numbered(input, 200, { partitions: 1, from: round * 200 }));
      const impostor = await TransactionalProducer.fence(connections, transactionalIdOf(APP, name, input, 0), input);
      impostor.discard();
    }
    await write(numbered(input, 200, { partitions: 1, from: round * 200 }));
    await caughtUp(log, group, [input]);
    expect(await readKeys(output)).toEqual(await readKeys(input));
    // A request that meets the fencing half-way may be answered with an unexpected server error: it is fenced again.
    expect(faults.map(({ code }) => code)).toContain('FENCED');
    const others = faults.filter(({ code }) => code !== 'FENCED');
    expect(others.filter(({ detail }) => !detail.includes('unexpected error'))).toEqual([]);
  });

  test('tells of a transaction that fencing does not end, and goes on when it ends', async () => {
    const { name, input, output, group } = await processor(1);
    await write(numbered(input, 10, { partitions: 1 }));
    const connections = new Connections(
      settingsOf({ brokers, appName: APP, clientId: 'other', transactionTimeoutMs: 60_000 }),
    );
    const other = await TransactionalProducer.fence(connections, unique('other'), input);
    await other.sendOffsets(group, [{ topic: input, partition: 0, offset: 5 }]);
    const { faults } = await consume(name, [input], async ({ records }) => done(records, copyTo(output, records)));
    await eventually(() => faults.map(({ code }) => code)).toContain('HANGING_TRANSACTION');
    expect(await readKeys(output)).toEqual([]);
    await other.abort();
    other.discard();
    await caughtUp(log, group, [input]);
    expect(await readKeys(output)).toHaveLength(10);
  });

  test('outlives a bug of the client, and tells it', async () => {
    const { name, input, output, group } = await processor(1);
    const { consumer, faults } = await consume(name, [input], async ({ records }) =>
      done(records, copyTo(output, records)),
    );
    await consumer.ready;
    const spy = vi.spyOn(ClusterClass.prototype, 'findBroker').mockImplementation(() => {
      throw new TypeError('a bug');
    });
    await eventually(() => faults.map(({ code }) => code)).toContain('CLIENT_BUG');
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
    expect(consumer.progress()).toMatchObject([{ lag: 1, paused: undefined }]); // not at rest: nobody knows
    vi.mocked(performance.now).mockRestore();
    spy.mockRestore();
    await write(numbered(input, 10, { partitions: 1 }));
    await caughtUp(log, group, [input]);
    expect(await readKeys(output)).toHaveLength(10);
  });
});

describe('at least once', () => {
  test('commits after the handler and goes on from there', async () => {
    const { name, input, group } = await processor(2);
    await write(numbered(input, 500));
    const handled: string[] = [];
    const handler: BatchHandler = async ({ records }) => {
      handled.push(...records.map(({ key }) => String(key)));
      return done(records);
    };
    const first = await consume(name, [input], handler, { delivery: 'at-least-once' });
    await caughtUp(log, group, [input]);
    await first.consumer.stop(5_000);
    await write(numbered(input, 100, { from: 500 }));
    await consume(name, [input], handler, { delivery: 'at-least-once' });
    await caughtUp(log, group, [input]);
    expect(handled).toHaveLength(600);
    expect(new Set(handled).size).toBe(600);
  });

  test.each([false, true])(
    'keeps the note beside the offset over a restart (with outputs: %s)',
    async (withOutputs) => {
      const { name, input, output, group } = await processor(1);
      const told: (string | undefined)[] = [];
      const handler: BatchHandler = async ({ records, note }) => {
        told.push(note);
        const outputs = withOutputs ? copyTo(output, records) : [];
        return { ...done(records, outputs), note: `through ${records.at(-1)!.offset}` };
      };
      await write(numbered(input, 10, { partitions: 1 }));
      const first = await consume(name, [input], handler, { delivery: 'at-least-once' });
      await caughtUp(log, group, [input]);
      await first.consumer.stop(5_000);
      const before = told.length;
      await write(numbered(input, 10, { partitions: 1, from: 10 }));
      const second = await consume(name, [input], handler, { delivery: 'at-least-once' });
      await caughtUp(log, group, [input]);
      expect(told[before]).toBe('through 9');
      const admin = await log.admin();
      expect(await admin.committed(group, [input])).toMatchObject([{ offset: 20, note: 'through 19' }]);
      await admin.close();
      expect(second.faults).toEqual([]);
    },
  );

  test('commits outputs and offset in one transaction, and only then opens a producer', async () => {
    const { name, input, output, group } = await processor(1);
    await write(numbered(input, 300, { partitions: 1 }));
    const fence = vi.spyOn(TransactionalProducer, 'fence');
    const few: BatchHandler = async ({ records }) => done(records, copyTo(output, records.filter(endsIn00)));
    const { faults } = await consume(name, [input], few, { delivery: 'at-least-once', maxBatchRecords: 50 });
    await caughtUp(log, group, [input]);
    expect(await readKeys(output)).toEqual(['k0', 'k100', 'k200']);
    expect(fence).toHaveBeenCalledTimes(1);
    const plain = await processor(1);
    await write(numbered(plain.input, 300, { partitions: 1 }));
    fence.mockClear(); // first offsets are committed in a transaction
    await consume(plain.name, [plain.input], async ({ records }) => done(records), { delivery: 'at-least-once' });
    await caughtUp(log, plain.group, [plain.input]);
    expect(fence).not.toHaveBeenCalled();
    fence.mockRestore();
    expect(faults).toEqual([]);
  });

  test('an owner whom the group has moved on from commits no outputs, though its producer is the latest', async () => {
    const { name, input, output, group } = await processor(1);
    await write(numbered(input, 10, { partitions: 1 }));
    const before = await consume(name, [input], async ({ records }) => done(records), { delivery: 'at-least-once' });
    await caughtUp(log, group, [input]);
    await before.consumer.stop(5_000);
    await consume(name, [input], async ({ records }) => done(records), { delivery: 'at-least-once' });
    await caughtUp(log, group, [input]);
    const connections = new Connections(settingsOf({ brokers, appName: APP, clientId: 'late' }));
    const generation = { generationId: 1, memberId: 'late-00000000-0000-0000-0000-000000000000' };
    const ownership = { topic: input, partition: 0, groupId: group, generation, stillOurs: () => true };
    const options = { name, delivery: 'at-least-once' } as ConsumerOptions;
    const late = committerFor(connections, options, ownership, new JointCommits(true));
    expect(await late.open()).toMatchObject({ offset: 10 });
    const [record] = numbered(output, 1, { partitions: 1, prefix: 'late' });
    await expect(late.commit([record!], 11).catch((error: unknown) => brokerErrorType(error))).resolves.toMatch(
      /^(UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION)$/,
    );
    await late.abandon();
    // Written after it, so that reading this far passes the aborted record.
    await write(numbered(output, 1, { partitions: 1, prefix: 'end' }));
    await eventually(() => readKeys(output)).toEqual(['end0']);
    const admin = await log.admin();
    expect((await admin.committed(group, [input])).map(({ offset }) => offset)).toEqual([10]);
    await admin.close();
  });
});

describe('stop', () => {
  test('finishes the batch in hand, commits it and leaves the group', async () => {
    const { name, input, output, group } = await processor(1);
    await write(numbered(input, 10, { partitions: 1 }));
    let begun = () => {};
    const inHand = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { consumer } = await consume(name, [input], async ({ records }) => {
      begun();
      await held;
      return done(records, copyTo(output, records));
    });
    await inHand;
    const stopped = consumer.stop(10_000);
    release();
    await stopped;
    expect(await readKeys(output)).toHaveLength(10);
    const admin = await log.admin();
    expect((await admin.committed(group, [input])).map(({ offset }) => offset)).toEqual([10]);
    await admin.close();
  });

  test('gives up a batch that outlives the deadline, and its late result is not committed', async () => {
    const { name, input, output } = await processor(1);
    await write(numbered(input, 10, { partitions: 1 }));
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = () => {};
    const inHand = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const { consumer } = await consume(name, [input], async ({ records }) => {
      begun();
      await held;
      return done(records, copyTo(output, records));
    });
    await inHand;
    await consumer.stop(100);
    release();
    const heir = await consume(name, [input], async ({ records }) => done(records, copyTo(output, records)));
    await heir.consumer.ready;
    await eventually(() => readKeys(output)).toHaveLength(10);
  });
});
