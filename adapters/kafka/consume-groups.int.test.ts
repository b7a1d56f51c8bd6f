// How consumers share, lose and tell of partitions, against a real broker.
import { describe, expect, inject, test, vi } from 'vitest';
import { transactionalId } from '../../ports/consumer-groups/names.ts';
import type { BatchHandler } from '../../ports/log.ts';
import { Connections } from './client.ts';
import { ClusterClass } from './kafkajs/internals.ts';
import { createLog } from './log.ts';
import { settingsOf } from './options.ts';
import {
  APP,
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
import { numbered, provision, unique, widen } from './testing/topics.ts';
import { TransactionalProducer } from './transactional-producer.ts';

useConsumers(inject('stack').kafkaBrokers);

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

  test('ends a batch that takes longer than a session before a rebalance takes its partition away', async () => {
    const { name, input, output } = await processor(2);
    await write(numbered(input, 10, { partitions: 2 }));
    const handled: string[] = [];
    const begun = Promise.withResolvers<void>();
    const slow: BatchHandler = async ({ records }) => {
      handled.push(...records.map(({ key }) => String(key)));
      begun.resolve();
      await new Promise((resolve) => setTimeout(resolve, 5_000)); // sessions last 3 s
      return done(records, copyTo(output, records));
    };
    const one = await consume(name, [input], slow);
    await begun.promise;
    const two = await consume(name, [input], slow);
    await two.consumer.ready;
    await eventually(() => [one, two].map(({ consumer }) => consumer.progress().length)).toEqual([1, 1]);
    await eventually(() => readKeys(output)).toHaveLength(10);
    expect(handled).toHaveLength(10);
    expect(new Set(handled).size).toBe(10);
    expect([...one.faults, ...two.faults]).toEqual([]);
  });

  test('loses its place to others when a batch outlasts the rebalance, and commits nothing of it', async () => {
    const { name, input, output } = await processor(2);
    await write(numbered(input, 10, { partitions: 2 }));
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const first = await consume(name, [input], async ({ records }) => {
      begun.resolve();
      await goOn.promise;
      return done(records, copyTo(output, records));
    });
    await begun.promise;
    // Nobody waits for it for ever: the rebalance lasts three sessions.
    const second = await consume(name, [input], async ({ records }) => done(records, copyTo(output, records)));
    await second.consumer.ready;
    await eventually(() => second.consumer.progress().length).toBeGreaterThanOrEqual(1);
    await eventually(() => readKeys(output)).not.toHaveLength(0);
    goOn.resolve();
    await eventually(() => readKeys(output)).toHaveLength(10);
    await first.consumer.stop(5_000);
    expect(new Set(await readKeys(output)).size).toBe(10);
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
      const impostor = await TransactionalProducer.fence(connections, transactionalId(APP, name, input, 0), input);
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
