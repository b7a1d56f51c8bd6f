// Each sink against a real database: a whole topic replayed twice, shuffled, leaves what one pass in order leaves.
import fc from 'fast-check';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { guardedStore, insertOnlyStore } from '../adapters/mongo/idempotent-store.ts';
import type { Received } from '../processors/contract.ts';
import type { TransferLifecycle, TransferState } from '../schemas/types.generated.ts';
import { times } from '../test/kit/times.ts';
import { eventsSink } from './events/sink.ts';
import { contentOf, type EventDocument } from './events/to-write.ts';
import { transferViewSink } from './transfer-view/sink.ts';
import type { TransferDocument } from './transfer-view/to-write.ts';

let client: MongoClient;
let db: Db;
let runs = 0;

beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
  db = client.db(`sinks_${process.pid}_${Date.now().toString(36)}`);
});
afterAll(async () => {
  await db.dropDatabase();
  await client.close();
});

const PATH: readonly TransferState[] = ['ACCEPTED', 'SCREENED', 'PRICED', 'RESERVED', 'DISPATCHED', 'COMPLETED'];

function lifecycle(
  transfer: number,
  sequence: number,
  state: TransferState,
): Received<TransferLifecycle, 'transfer.lifecycle'> {
  const value = {
    eventId: `e-${transfer}-${sequence}-${state}`,
    transferId: `t-${transfer}`,
    sequence,
    state,
    occurredAt: 1_790_000_000_000 + sequence,
    debitMinor: 2n ** 53n + BigInt(transfer),
    reasonCodes: [],
  } as unknown as TransferLifecycle;
  const position = `transfer.lifecycle:0:${transfer * 10 + sequence}`;
  return {
    topic: 'transfer.lifecycle',
    value,
    appendedAt: value.occurredAt + 5,
    waitedMs: 0,
    originPosition: position,
    position,
    partition: 0,
    causationId: position,
  };
}

const topicOf = (transfers: number) =>
  Array.from({ length: transfers }, (_, transfer) => {
    const steps = PATH.map((state, i) => lifecycle(transfer, i + 1, state));
    return transfer % 7 === 0 ? [...steps.slice(0, 3), lifecycle(transfer, 3, 'DEAD_LETTERED')] : steps;
  }).flat();

const chunks = <T>(from: readonly T[], size: number) =>
  Array.from({ length: Math.ceil(from.length / size) }, (_, i) => from.slice(i * size, (i + 1) * size));

async function stored(name: string): Promise<unknown[]> {
  return db.collection(name).find({}, { useBigInt64: true }).sort({ _id: 1 }).toArray();
}

describe('the event log', () => {
  it('holds each event once, however often and in whatever order the topic is read', async () => {
    const topic = topicOf(40);
    const inOrder = eventsSink(insertOnlyStore<EventDocument>(db, 'events_in_order', contentOf));
    await inOrder.write(topic);
    const expected = await stored('events_in_order');
    expect(expected).toHaveLength(topic.length);
    const shuffledTwice = fc.shuffledSubarray([...topic, ...topic], { minLength: topic.length * 2 });
    await fc.assert(
      fc.asyncProperty(shuffledTwice, fc.integer({ min: 1, max: 100 }), async (records, size) => {
        const name = `events_${runs++}`;
        const sink = eventsSink(insertOnlyStore<EventDocument>(db, name, contentOf));
        for (const batch of chunks(records, size)) expect((await sink.write(batch)).failed).toEqual([]);
        expect(await stored(name)).toEqual(expected);
      }),
      { numRuns: times(8) },
    );
  });

  it('raises an alarm for an id with other content, and leaves the first', async () => {
    const sink = eventsSink(insertOnlyStore<EventDocument>(db, 'events_conflict', contentOf));
    const first = lifecycle(1, 1, 'ACCEPTED');
    const other = { ...first, value: { ...first.value, debitMinor: 5n } };
    await sink.write([first]);
    const report = await sink.write([lifecycle(1, 2, 'SCREENED'), other]);
    expect(report.failed).toMatchObject([
      { index: 1, disposition: { kind: 'dead-letter', cause: { code: 'ID_CONFLICT' } } },
    ]);
    expect(report.written).toBe(1);
    expect(await stored('events_conflict')).toMatchObject([{ debitMinor: 2n ** 53n + 1n }, { sequence: 2 }]);
  });
});

describe('one batch', () => {
  it('raises the same alarm for an id with other content within it, and is quiet about repeats', async () => {
    const sink = eventsSink(insertOnlyStore<EventDocument>(db, 'events_conflict_within', contentOf));
    const first = lifecycle(1, 1, 'ACCEPTED');
    const other = { ...first, value: { ...first.value, debitMinor: 5n } };
    const batch = [first, { ...first, appendedAt: first.appendedAt + 9 }, other, lifecycle(1, 2, 'SCREENED')];
    const report = await sink.write(batch);
    expect(report).toMatchObject({
      written: 2,
      stale: 1,
      failed: [{ index: 2, disposition: { kind: 'dead-letter', cause: { code: 'ID_CONFLICT' } } }],
    });
    // The batch again, as after a crash before its commit: the same alarm.
    expect((await sink.write(batch)).failed).toMatchObject(report.failed);
    expect(await stored('events_conflict_within')).toMatchObject([{ debitMinor: 2n ** 53n + 1n }, { sequence: 2 }]);
  });
});

describe('an event that the log holds twice', () => {
  it('is no alarm, unless it says something else', async () => {
    const sink = eventsSink(insertOnlyStore<EventDocument>(db, 'events_repeated', contentOf));
    const [event, mark] = [lifecycle(1, 1, 'ACCEPTED'), lifecycle(1, 1, 'DEAD_LETTERED')];
    await sink.write([event, mark]);
    const before = await stored('events_repeated');
    const { occurredAt } = mark.value;
    const repeats = [event, mark].map((one) => ({ ...one, appendedAt: one.appendedAt + 9_000 }));
    expect(await sink.write(repeats)).toEqual({ written: 0, stale: 2, failed: [] });
    expect(await stored('events_repeated')).toEqual(before);
    const moved = [event, mark].map((one) => ({ ...one, value: { ...one.value, occurredAt: occurredAt + 1 } }));
    expect((await sink.write(moved)).failed).toHaveLength(2);
  });
});

describe('the transfer view', () => {
  it('shows the last transition, however often and in whatever order the topic is read', async () => {
    const topic = topicOf(30);
    await transferViewSink(guardedStore<TransferDocument>(db, 'view_in_order')).write(topic);
    const expected = await stored('view_in_order');
    expect(expected).toHaveLength(30);
    expect(expected[0]).toMatchObject({ state: 'DEAD_LETTERED', sequence: 3 });
    const shuffledTwice = fc.shuffledSubarray([...topic, ...topic], { minLength: topic.length * 2 });
    await fc.assert(
      fc.asyncProperty(shuffledTwice, fc.integer({ min: 1, max: 60 }), async (records, size) => {
        const name = `view_${runs++}`;
        const sink = transferViewSink(guardedStore<TransferDocument>(db, name));
        for (const batch of chunks(records, size)) await sink.write(batch);
        expect(await stored(name)).toEqual(expected);
      }),
      { numRuns: times(8) },
    );
  });

  it('lets one of several concurrent writers win, and it is the latest', async () => {
    const sink = () => transferViewSink(guardedStore<TransferDocument>(db, 'view_race'));
    const writers = PATH.map((state, i) => sink().write([lifecycle(9, i + 1, state)]));
    await Promise.all(writers);
    expect(await stored('view_race')).toMatchObject([{ _id: 't-9', state: 'COMPLETED', sequence: 6 }]);
  });

  it('without its guard would go backwards: the test can fail', async () => {
    const sink = transferViewSink(guardedStore<TransferDocument>(db, 'view_unsafe', { unsafeNoGuard: true }));
    await sink.write([lifecycle(1, 2, 'SCREENED')]);
    await sink.write([lifecycle(1, 1, 'ACCEPTED')]);
    expect(await stored('view_unsafe')).toMatchObject([{ state: 'ACCEPTED' }]);
  });
});
