// The MongoDB sinks.

import { CASES, caseStore } from '../../adapters/mongo/cases.ts';
import { DEAD_LETTERS, GROUPS, groupCounts } from '../../adapters/mongo/dead-letters.ts';
import { ensureIndexes, guardedStore, insertOnlyStore } from '../../adapters/mongo/idempotent-store.ts';
import { webhookDeliveries } from '../../adapters/mongo/webhook-deliveries.ts';
import { webhookEndpoints } from '../../adapters/mongo/webhook-endpoints.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import type { Host } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { type AnySink, createSinkHost } from '../../runtime/hosts/sink-host.ts';
import { createDeadLetterIndex } from '../../runtime/retries-and-dead-letters/dead-letter-index.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import { casesSink } from '../../sinks/cases/sink.ts';
import {
  type DeadLetterDocument,
  groupIndexes,
  contentOf as letterContent,
  indexes as letterIndexes,
} from '../../sinks/dead-letters/letter.ts';
import { eventsSink } from '../../sinks/events/sink.ts';
import { contentOf, type EventDocument, indexes as eventIndexes } from '../../sinks/events/to-write.ts';
import { transferViewSink } from '../../sinks/transfer-view/sink.ts';
import { type TransferDocument, indexes as viewIndexes } from '../../sinks/transfer-view/to-write.ts';
import { webhooksSink } from '../../sinks/webhooks/sink.ts';
import { corridors } from '../configured-rules.ts';
import type { Connections } from '../connections.ts';
import { webhookKeys } from '../webhooks.ts';
import type { SinkName } from './part-selection.ts';
import { timed } from './transfer-times.ts';

type OrdinarySink = Exclude<SinkName, 'dead-letters'>;

export const EVENTS = 'events';
export const TRANSFERS = 'transfers';

/** Projections gather more than what fits a transaction: nobody waits for them. */
const PROJECTION_BATCH_RECORDS = 5_000;

export interface SinkOptions {
  readonly projectionLingerMs: number;
  /** Test only: projections are replaced whatever their sequence. */
  readonly unsafeNoSequenceGuard?: boolean;
}

/** Hosts for these sinks, their indexes ensured. */
export async function sinkHosts(
  names: readonly SinkName[],
  connections: Connections,
  runtime: HostRuntime,
  options: SinkOptions,
): Promise<readonly Host[]> {
  if (names.length === 0) return [];
  const db = await connections.db();
  const make: Record<OrdinarySink, () => Promise<AnySink>> = {
    events: async () => {
      await ensureIndexes(db, EVENTS, eventIndexes);
      return eventsSink(insertOnlyStore<EventDocument>(db, EVENTS, contentOf));
    },
    'transfer-view': async () => {
      await ensureIndexes(db, TRANSFERS, viewIndexes);
      const guard = options.unsafeNoSequenceGuard ? { unsafeNoGuard: true } : {};
      const sink = transferViewSink(guardedStore<TransferDocument>(db, TRANSFERS, guard));
      return timed(sink, runtime.metrics);
    },
    cases: async () => {
      await caseStore(db).ensureIndexes();
      // A case changes after its insert: only what was decided on must be the same.
      return casesSink(insertOnlyStore<CaseDocument>(db, CASES, ({ evidenceHash }) => evidenceHash));
    },
    webhooks: async () => {
      const ring = webhookKeys(connections.config);
      const endpoints = webhookEndpoints(db);
      const store = webhookDeliveries(db);
      await Promise.all([endpoints.ensureIndexes(), store.ensureIndexes()]);
      return webhooksSink({ subscriptions: endpoints.subscriptions, store, ring, clock: Date.now });
    },
  };
  const gathering = { lingerMs: options.projectionLingerMs, maxBatchRecords: PROJECTION_BATCH_RECORDS };
  const batches: Record<OrdinarySink, Partial<HostRuntime>> = {
    events: gathering,
    'transfer-view': gathering,
    cases: {},
    webhooks: {},
  };
  const ordinary = names.filter((name) => name !== 'dead-letters');
  const hosts = ordinary.map(async (name) =>
    createSinkHost({ ...runtime, ...batches[name], sink: await make[name]() }),
  );
  if (names.length > ordinary.length) hosts.push(deadLetterIndex(connections, runtime));
  return Promise.all(hosts);
}

async function deadLetterIndex(connections: Connections, runtime: HostRuntime): Promise<Host> {
  const { config } = connections;
  const db = await connections.db();
  await ensureIndexes(db, DEAD_LETTERS, letterIndexes);
  await ensureIndexes(db, GROUPS, groupIndexes);
  const book = corridorBook(corridors(config));
  return createDeadLetterIndex({
    ...runtime,
    store: insertOnlyStore<DeadLetterDocument>(db, DEAD_LETTERS, letterContent),
    counts: groupCounts(db),
    corridorOf: (source, target) => book.between(source, target)?.id,
  });
}
