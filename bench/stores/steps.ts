// What writes to the database for a transfer that is paid, each step by itself.

import type { Db } from 'mongodb';
import { customerCaseStore } from '../../adapters/mongo/customer-cases.ts';
import { ensureIndexes, guardedStore, insertOnlyStore } from '../../adapters/mongo/idempotent-store.ts';
import { intentClaims } from '../../adapters/mongo/intent-claims.ts';
import { payoutOutbox } from '../../adapters/mongo/payout-outbox.ts';
import { mongoPayoutStore } from '../../adapters/mongo/payouts.ts';
import { settlementClaims } from '../../adapters/mongo/settlement-claims.ts';
import { DEFAULT_EXECUTOR_CONFIG } from '../../payouts/config.ts';
import { createPayoutExecutor } from '../../payouts/executor.ts';
import type { ProviderClient } from '../../payouts/ports.ts';
import { requestCodec } from '../../payouts/request-codec.ts';
import { Batcher } from '../../ports/batcher.ts';
import { systemClock } from '../../ports/clock.ts';
import type { Received } from '../../processors/contract.ts';
import { payoutRelay } from '../../runtime/outbox/payout-relay.ts';
import type { TransferLifecycle, TransferState } from '../../schemas/types.generated.ts';
import { eventsSink } from '../../sinks/events/sink.ts';
import { contentOf, type EventDocument, indexes as eventIndexes } from '../../sinks/events/to-write.ts';
import { transferViewSink } from '../../sinks/transfer-view/sink.ts';
import { type TransferDocument, indexes as viewIndexes } from '../../sinks/transfer-view/to-write.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { payoutRequestedFor, received } from '../../test/kit/payouts/requested.ts';
import { testRings } from '../../test/kit/rings.ts';
import type { Step } from './paced-records.ts';

export interface WriteStep {
  readonly stepsOf: (transfer: number) => readonly Step<never>[];
  readonly handle: (batch: readonly never[]) => Promise<unknown>;
  /** Resolves when everything that was begun is stored. */
  readonly settled?: (transfers: number) => Promise<void>;
  readonly stop?: () => Promise<void>;
}

export interface Shape {
  readonly partitions: number;
  /** Most records in one merged write. */
  readonly maxWrite: number;
}

/** When each step of a paid transfer is reported, ms after its start: about what the chain takes under load. */
const PATH: readonly (readonly [TransferState, number])[] = [
  ['ACCEPTED', 40],
  ['SCREENED', 90],
  ['PRICED', 130],
  ['RESERVED', 180],
  ['DISPATCHED', 220],
  ['COMPLETED', 420],
];
const PROVIDER_MS = 20;
const PUBLISH_MS = 5;

type LifecycleRecord = Received<TransferLifecycle, 'transfer.lifecycle'>;
const idOf = (run: string, transfer: number) => `${run}-7c1e-4d2a-9b3f-${String(transfer).padStart(12, '0')}`;

function lifecycle(run: string, transfer: number, sequence: number, state: TransferState): LifecycleRecord {
  const at = Date.now();
  const position = `transfer.lifecycle:0:${transfer * 10 + sequence}`;
  const value = {
    eventId: `${sequence}${idOf(run, transfer).slice(1)}`,
    transferId: idOf(run, transfer),
    sequence,
    state,
    stage: 'LIMITS',
    attempt: 1,
    occurredAt: at,
    homePartition: 0,
    corridor: 'GB-IN',
    debitCurrency: 'GBP',
    debitMinor: 10_000n,
    creditCurrency: 'INR',
    creditMinor: 1_233_873n,
    reasonCodes: [],
    causationId: position,
  } as unknown as TransferLifecycle;
  return {
    topic: 'transfer.lifecycle',
    value,
    appendedAt: at,
    waitedMs: 0,
    originPosition: position,
    position,
    partition: 0,
    causationId: position,
  };
}

const lifecycleSteps =
  (run: string, { partitions }: Shape) =>
  (transfer: number) =>
    PATH.map(([state, afterMs], index) => ({
      afterMs,
      partition: transfer % partitions,
      item: lifecycle(run, transfer, index + 1, state) as never,
    }));

type Make = (db: Db, run: string, shape: Shape) => Promise<WriteStep>;

/** Writes batches of several partitions together, as the host of a sink does. */
function together(
  sink: { write(items: readonly LifecycleRecord[]): Promise<unknown> },
  { maxWrite }: Shape,
): WriteStep['handle'] {
  const writes = new Batcher<LifecycleRecord, LifecycleRecord>({
    run: async (items) => {
      await sink.write(items);
      return items;
    },
    maxItems: maxWrite,
  });
  return ((items: readonly LifecycleRecord[]) => writes.addAll(items)) as never;
}

const events: Make = async (db, run, shape) => {
  await ensureIndexes(db, 'events', eventIndexes);
  const sink = eventsSink(insertOnlyStore<EventDocument>(db, 'events', contentOf));
  return { stepsOf: lifecycleSteps(run, shape), handle: together(sink, shape) };
};

const view: Make = async (db, run, shape) => {
  await ensureIndexes(db, 'transfers', viewIndexes);
  const sink = transferViewSink(guardedStore<TransferDocument>(db, 'transfers'));
  return { stepsOf: lifecycleSteps(run, shape), handle: together(sink, shape) };
};

const provider: ProviderClient = {
  name: 'bench',
  ready: () => true,
  submit: async () => {
    await new Promise((resolve) => setTimeout(resolve, PROVIDER_MS));
    return { kind: 'observed', state: 'PAID', reference: 'r-1', reasonCode: null };
  },
  query: async () => ({ kind: 'no-answer', code: 'HTTP_ERROR', detail: '' }),
  cancel: async () => ({ kind: 'no-answer', code: 'HTTP_ERROR', detail: '' }),
};

const payouts: Make = async (db, run, { partitions }) => {
  const codec = memoryCodec();
  const store = mongoPayoutStore(db);
  await store.ensureIndexes();
  const cases = customerCaseStore(db, testRings);
  await cases.ensureIndexes();
  const writer = { send: () => new Promise<void>((resolve) => setTimeout(resolve, PUBLISH_MS)) };
  const requests = requestCodec(codec);
  const relay = payoutRelay({
    source: payoutOutbox(db),
    codec,
    requests,
    rings: testRings,
    writer,
    sweepEveryMs: 60_000,
  });
  const executor = createPayoutExecutor({
    config: { ...DEFAULT_EXECUTOR_CONFIG, policy: { ...DEFAULT_EXECUTOR_CONFIG.policy, returnPollsMs: [] } },
    payouts: store,
    provider,
    timer: { schedule: async () => {}, start: async () => {}, stop: async () => {} },
    outbox: relay,
    codec: requests,
    clock: { ...systemClock, monotonic: () => performance.now() },
    gate: {
      check: async (requests) => {
        await cases.blocked(
          requests.flatMap(({ instruction: { debtorToken, creditorToken } }) => [debtorToken, creditorToken]),
        );
        return requests.map(() => ({ pass: true }));
      },
    },
  });
  const of = (transfer: number) => {
    const now = Date.now();
    return received(payoutRequestedFor({ transferId: idOf(run, transfer), now, expiresAt: now + 600_000 }));
  };
  return {
    stepsOf: (transfer) => [{ afterMs: 220, partition: transfer % partitions, item: of(transfer) as never }],
    handle: (batch) => executor.handle(batch),
    settled: async () => {
      while (executor.stats().unsettled > 0 || relay.backlog() > 0)
        await new Promise((resolve) => setTimeout(resolve, 20));
    },
    stop: async () => {
      await executor.stop(5_000);
      await relay.stop(5_000);
    },
  };
};

const claims: Make = async (db, run, { partitions }) => {
  const intents = intentClaims(db);
  const settlements = settlementClaims(db);
  const hash = `v1:${'a'.repeat(64)}`;
  type Claim = { readonly transfer: number; readonly settles: boolean };
  return {
    stepsOf: (transfer) =>
      [false, true].map((settles) => ({
        afterMs: settles ? 400 : 20,
        partition: transfer % partitions,
        item: { transfer, settles } satisfies Claim as never,
      })),
    handle: async (batch: readonly Claim[]) => {
      const ofIntents = batch.filter(({ settles }) => !settles);
      const ofSettlement = batch.filter(({ settles }) => settles);
      const at = Date.now();
      await Promise.all([
        intents.claim(
          ofIntents.map(({ transfer }) => ({
            transferId: idOf(run, transfer),
            hash,
            originPosition: `transfer.requested:0:${transfer}`,
            homePartition: 0,
            acceptedAt: at,
            producerId: null,
          })),
        ),
        settlements.insert(
          ofSettlement.map(({ transfer }) => ({
            transferId: idOf(run, transfer),
            steps: [
              {
                commandId: idOf(run, transfer),
                position: `payout.updated:0:${transfer}`,
                version: 1,
                attempt: 1,
                sequence: 6,
                end: 'COMPLETED' as never,
                at,
              },
            ],
          })),
        ),
      ]);
    },
  };
};

export const STEPS: Readonly<Record<string, Make>> = { events, view, payouts, claims };
