// What a handler may count on, against a real broker.
import kafkajs from 'kafkajs';
import { describe, expect, inject, test } from 'vitest';
import type { LogRecord } from '../../ports/log.ts';
import {
  brokers,
  consume,
  copyTo,
  done,
  eventually,
  log,
  processor,
  readKeys,
  useConsumers,
  write,
} from './testing/consuming.ts';
import { caughtUp } from './testing/copiers.ts';
import { createTopics, numbered, unique } from './testing/topics.ts';

const { Kafka, logLevel } = kafkajs;

useConsumers(inject('stack').kafkaBrokers);

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
        const pause = {
          do: 'pause',
          forMs: 60_000,
          code: 'REDIS_UNAVAILABLE',
          detail: 'limits are unavailable',
        } as const;
        // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
        return { ...done(records), then: pause };
      },
      { maxBatchRecords: 5 },
    );
    await eventually(() => handled).toEqual([5, 10]);
    const byPartition = () => [...consumer.progress()].sort((one, other) => one.partition - other.partition);
    await eventually(() => byPartition().map(({ paused, position, lag }) => [paused?.code, position, lag])).toEqual([
      ['REDIS_UNAVAILABLE', 5, 5],
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
        const pause = { do: 'pause', forMs: 10, code: 'RETRY_NOT_DUE', detail: 'a moment' } as const;
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
        then: { do: 'stop', code: 'NEWER_SCHEMA', detail: 'a newer writer' },
      }),
      { maxBatchRecords: 5 },
    );
    await expect(consumer.ended).rejects.toMatchObject({ code: 'NEWER_SCHEMA', severity: 'fatal' });
    expect(faults.at(-1)).toMatchObject({ code: 'NEWER_SCHEMA', severity: 'fatal' });
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
