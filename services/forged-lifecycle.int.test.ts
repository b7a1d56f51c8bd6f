// Somebody who may write to the topics that tell of transfers, and has no keys: whoever reads them puts each forgery aside, and
// neither the view, nor the event log, nor a producer hears of it. Against a real database.
import { expect, inject, it } from 'vitest';
import { guardedStore, insertOnlyStore } from '../adapters/mongo/idempotent-store.ts';
import { freshDatabases } from '../adapters/mongo/testing/databases.ts';
import { webhookDeliveries } from '../adapters/mongo/webhook-deliveries.ts';
import { webhookEndpoints } from '../adapters/mongo/webhook-endpoints.ts';
import { keyRing } from '../domain/seals/seal.ts';
import { webhookRing } from '../operations/webhooks/testing/memory-webhooks.ts';
import { endpointFor, lifecycle } from '../operations/webhooks/testing/world.ts';
import type { OutputRecord } from '../ports/log.ts';
import { type Rings, sealed } from '../ports/seals.ts';
import { type AnySink, createSinkHost } from '../runtime/hosts/sink-host.ts';
import { silentLogger } from '../runtime/logs-and-metrics/logger.ts';
import { createMetrics } from '../runtime/logs-and-metrics/metrics.ts';
import type { IntentRejected, TransferLifecycle } from '../schemas/types.generated.ts';
import { eventsSink } from '../sinks/events/sink.ts';
import { contentOf, type EventDocument } from '../sinks/events/to-write.ts';
import { transferViewSink } from '../sinks/transfer-view/sink.ts';
import type { TransferDocument } from '../sinks/transfer-view/to-write.ts';
import { webhooksSink } from '../sinks/webhooks/sink.ts';
import { AT } from '../test/kit/builders.ts';
import { ManualClock } from '../test/kit/manual-clock.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { testRings } from '../test/kit/rings.ts';
import { HEADER, RECOVERY_HEADER } from '../topics/headers.ts';

const freshDatabase = freshDatabases('forged_lifecycle', inject('stack').mongoUri);
const SECRET = 'a-secret-that-no-stage-has-ever-seen-00000';
const TRUE = lifecycle({ state: 'DISPATCHED', sequence: 5, stage: 'PAYOUT_DISPATCH' });
const FALSE = lifecycle({ eventId: 'e-forged', state: 'REJECTED', sequence: 9, stage: 'LIMITS' });
const REFUSED = {
  ...{ eventId: 'e-refused', transferId: TRUE.transferId, originPosition: 't:0:1', occurredAt: AT },
  ...{ reasons: [{ code: 'AM14', detail: 'x' }], firstOriginPosition: null, producerId: 'acme' },
} as unknown as IntentRejected;

async function world() {
  const db = freshDatabase();
  const endpoints = webhookEndpoints(db);
  const deliveries = webhookDeliveries(db);
  await Promise.all([endpoints.ensureIndexes(), deliveries.ensureIndexes()]);
  await endpoints.insert(endpointFor('acmes'));
  const clock = new ManualClock();
  const codec = memoryCodec();
  const log = new MemoryLog({ clock, manual: true });
  const sinks: readonly AnySink[] = [
    eventsSink(insertOnlyStore<EventDocument>(db, 'events', contentOf)),
    transferViewSink(guardedStore<TransferDocument>(db, 'transfers')),
    webhooksSink({ subscriptions: endpoints.subscriptions, store: deliveries, ring: webhookRing, clock: () => AT }),
  ];

  const recordOf = (value: TransferLifecycle): OutputRecord => ({
    ...{ topic: 'transfer.lifecycle', partition: 0, key: value.transferId },
    ...{ value: codec.encode('transfer.lifecycle', value), headers: { [HEADER.eventId]: value.eventId } },
  });
  const refused = (): OutputRecord => ({
    ...{ topic: 'intent.rejected', partition: 0, key: REFUSED.transferId },
    ...{ value: codec.encode('intent.rejected', REFUSED), headers: { [HEADER.eventId]: REFUSED.eventId } },
  });
  /** Has each sink read all that it has not. */
  async function read(rings: Rings = testRings): Promise<void> {
    for (const sink of sinks) {
      const host = createSinkHost({
        ...{ sink, app: 'corridor', log, codec, rings, clock, logger: silentLogger, metrics: createMetrics() },
        ...{ chainPartitions: 4, maxBatchRecords: 10, lingerMs: 0, retry: [1, 0] },
      });
      await host.start();
      const consumer = log.consumers.at(-1)!;
      while (await consumer.step());
      expect(consumer.failure).toBeUndefined();
      await host.stop(0);
    }
  }
  const stored = async () =>
    Object.fromEntries(
      await Promise.all(
        ['events', 'transfers', 'webhook_deliveries'].map(
          async (name) =>
            [name, await db.collection(name).find({}, { useBigInt64: true }).sort({ _id: 1 }).toArray()] as const,
        ),
      ),
    );
  const codesOf = (owner: string) =>
    log.all(`${owner}.dlq`).map(({ headers }) => String(headers[RECOVERY_HEADER.deadLetterCode]));
  return { log, read, stored, recordOf, refused, codesOf };
}

it('a forgery is one dead letter of each reader; view, events and webhooks stay as they are', async () => {
  const { log, read, stored, recordOf, refused, codesOf } = await world();
  const genuine = sealed(testRings, recordOf(TRUE));
  log.append([genuine]);
  await read();
  const before = await stored();
  expect(before).toMatchObject({ transfers: [{ state: 'DISPATCHED' }], events: [{}], webhook_deliveries: [{}] });

  const stranger = { lifecycle: keyRing(`mallory:${SECRET}`) };
  const namesake = { lifecycle: keyRing(`${testRings.lifecycle.currentId}:${SECRET}`) };
  // Nor is anybody believed who has the keys of another issuer.
  const executor = { lifecycle: testRings.executor };
  const forgeries = [
    recordOf(FALSE),
    ...[stranger, namesake, executor].map((rings) => sealed(rings, recordOf(FALSE))),
    // The true seal of another record.
    { ...recordOf(FALSE), headers: genuine.headers },
    { ...genuine, key: 'acme-0002' },
  ];
  const codes = ['SEAL_MISSING', 'SEAL_KEY_UNKNOWN', 'SEAL_WRONG', 'SEAL_KEY_UNKNOWN', 'SEAL_WRONG', 'SEAL_WRONG'];
  log.append([...forgeries, refused(), sealed(stranger, refused())]);
  await read();
  await read();
  expect(await stored()).toEqual(before);
  expect(codesOf('sink-transfer-view')).toEqual(codes);
  expect(codesOf('sink-webhooks')).toEqual(codes);
  expect(codesOf('sink-events').toSorted()).toEqual([...codes, 'SEAL_MISSING', 'SEAL_KEY_UNKNOWN'].toSorted());

  // A copy of a true record says nothing new, and the end that a stage tells of is told.
  log.append([genuine, sealed(testRings, recordOf({ ...FALSE, eventId: 'e-true', state: 'COMPLETED', sequence: 6 }))]);
  await read();
  const after = await stored();
  expect(after).toMatchObject({ transfers: [{ state: 'COMPLETED' }], events: [{}, {}] });
  expect(after['webhook_deliveries']).toHaveLength(2);
  expect(codesOf('sink-transfer-view')).toEqual(codes);
});

it('what the broker took before the seals came is believed without one, and nothing after it', async () => {
  const { log, read, stored, recordOf, codesOf } = await world();
  const before = log.clock.now();
  log.append([recordOf(TRUE)], before);
  log.append([recordOf(FALSE)], before + 1);
  await read({ ...testRings, lifecycle: { ...testRings.lifecycle, unsealedBefore: before + 1 } });
  expect(await stored()).toMatchObject({ transfers: [{ state: 'DISPATCHED' }], webhook_deliveries: [{}] });
  for (const owner of ['sink-events', 'sink-transfer-view', 'sink-webhooks'])
    expect(codesOf(owner)).toEqual(['SEAL_MISSING']);
});
