// Plain commits, and how a consumer ends, against a real broker.
import { describe, expect, inject, test, vi } from 'vitest';
import type { BatchHandler, ConsumerOptions } from '../../ports/log.ts';
import { Connections } from './client.ts';
import { committerFor } from './commit.ts';
import { brokerErrorType } from './fault.ts';
import { JointCommits } from './joint-commits.ts';
import { settingsOf } from './options.ts';
import {
  APP,
  brokers,
  consume,
  copyTo,
  done,
  endsIn00,
  eventually,
  log,
  processor,
  readKeys,
  useConsumers,
  write,
} from './testing/consuming.ts';
import { caughtUp } from './testing/copiers.ts';
import { numbered } from './testing/topics.ts';
import { TransactionalProducer } from './transactional-producer.ts';

useConsumers(inject('stack').kafkaBrokers);

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
      const seenNotes: (string | undefined)[] = [];
      const handler: BatchHandler = async ({ records, note }) => {
        seenNotes.push(note);
        const outputs = withOutputs ? copyTo(output, records) : [];
        return { ...done(records, outputs), note: `through ${records.at(-1)!.offset}` };
      };
      await write(numbered(input, 10, { partitions: 1 }));
      const first = await consume(name, [input], handler, { delivery: 'at-least-once' });
      await caughtUp(log, group, [input]);
      await first.consumer.stop(5_000);
      const before = seenNotes.length;
      await write(numbered(input, 10, { partitions: 1, from: 10 }));
      const second = await consume(name, [input], handler, { delivery: 'at-least-once' });
      await caughtUp(log, group, [input]);
      expect(seenNotes[before]).toBe('through 9');
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
    const isHandling = new Promise<void>((resolve) => {
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
    await isHandling;
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
    const isHandling = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const { consumer } = await consume(name, [input], async ({ records }) => {
      begun();
      await held;
      return done(records, copyTo(output, records));
    });
    await isHandling;
    await consumer.stop(100);
    release();
    const heir = await consume(name, [input], async ({ records }) => done(records, copyTo(output, records)));
    await heir.consumer.ready;
    await eventually(() => readKeys(output)).toHaveLength(10);
  });
});
