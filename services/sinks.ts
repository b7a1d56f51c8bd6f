// The MongoDB sinks, and the relay of decided cases.
import { CASES, caseStore } from '../adapters/mongo/cases.ts';
import { ensureIndexes, guardedStore, insertOnlyStore } from '../adapters/mongo/idempotent-store.ts';
import { deterministicId } from '../domain/event-id.ts';
import { recordMaker } from '../ports/records.ts';
import { ringOf } from '../ports/seals.ts';
import { faultOf } from '../runtime/faults.ts';
import type { Host } from '../runtime/host.ts';
import { createOutboxRelay } from '../runtime/outbox-relay.ts';
import type { HostRuntime } from '../runtime/processor-host.ts';
import { recentTroubles } from '../runtime/recent-troubles.ts';
import { type AnySink, createSinkHost } from '../runtime/sink-host.ts';
import type { CaseDocument } from '../sinks/cases/case.ts';
import { checkDecided } from '../sinks/cases/check.ts';
import { toCommand } from '../sinks/cases/command.ts';
import { casesSink } from '../sinks/cases/sink.ts';
import { eventsSink } from '../sinks/events/sink.ts';
import { contentOf, type EventDocument, indexes as eventIndexes } from '../sinks/events/to-write.ts';
import { transferViewSink } from '../sinks/transfer-view/sink.ts';
import { type TransferDocument, indexes as viewIndexes } from '../sinks/transfer-view/to-write.ts';
import { reviewDecided } from '../topics/edges.ts';
import { backgroundHost } from './background.ts';
import type { Connections } from './connect.ts';
import type { SinkName } from './pipeline.ts';
import type { Hosted } from './processors.ts';

export const EVENTS = 'events';
export const TRANSFERS = 'transfers';
const EXPIRY_SWEEP_MS = 5_000;

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
  const make: Record<SinkName, () => Promise<AnySink>> = {
    events: async () => {
      await ensureIndexes(db, EVENTS, eventIndexes);
      return eventsSink(insertOnlyStore<EventDocument>(db, EVENTS, contentOf));
    },
    'transfer-view': async () => {
      await ensureIndexes(db, TRANSFERS, viewIndexes);
      const guard = options.unsafeNoSequenceGuard ? { unsafeNoGuard: true } : {};
      return transferViewSink(guardedStore<TransferDocument>(db, TRANSFERS, guard));
    },
    cases: async () => {
      await caseStore(db).ensureIndexes();
      // A case changes after its insert: only what was decided on must be the same.
      return casesSink(insertOnlyStore<CaseDocument>(db, CASES, ({ evidenceHash }) => evidenceHash));
    },
  };
  const gathering = { lingerMs: options.projectionLingerMs, maxBatchRecords: PROJECTION_BATCH_RECORDS };
  const batches: Record<SinkName, Partial<HostRuntime>> = { events: gathering, 'transfer-view': gathering, cases: {} };
  return Promise.all(
    names.map(async (name) => createSinkHost({ ...runtime, ...batches[name], sink: await make[name]() })),
  );
}

/** Publishes decisions of cases as commands, and rejects cases that lapsed. */
export async function caseHosts(connections: Connections, { logger, metrics, rings }: HostRuntime): Promise<Hosted> {
  const { codec, log } = connections;
  const make = recordMaker({ owner: 'case-relay', writes: [reviewDecided], codec, rings });
  const store = caseStore(await connections.db());
  await store.ensureIndexes();
  await codec.load(['review.decided']);
  const writer = await log.writer('case-relay');
  const recent = recentTroubles('review.decided');
  const relay = createOutboxRelay<CaseDocument>({
    source: {
      pending: (limit) => store.pending(limit),
      markPublished: (cases) => store.markPublished(cases.map(({ _id }) => _id)),
    },
    idOf: ({ _id }) => _id,
    toRecords: async (cases) =>
      cases.map((decided) => {
        checkDecided(decided, ringOf(rings, 'operators'), Date.now());
        return toRecord(decided);
      }),
    writer,
    onEvent: (event) => {
      if (event.kind === 'published') return;
      recent.met(event.code, event.detail);
      metrics.faults.inc({ consumer: 'case-relay', code: event.code });
      logger.warn({ stage: 'case-relay', code: event.code, detail: event.detail }, 'relay');
    },
  });

  function toRecord(decided: CaseDocument) {
    const command = toCommand(decided, deterministicId(`review.decided\n${decided._id}`));
    return make(reviewDecided.name, command, {
      partition: command.command.homePartition,
      eventId: command.command.commandId,
      originPosition: decided.held.instruction.originPosition,
    });
  }

  let sweeper: NodeJS.Timeout | undefined;
  const sweep = () => {
    store.expire(new Date()).then(
      (count) => count > 0 && logger.info({ stage: 'case-relay', count }, 'holds lapsed'),
      (error: unknown) => {
        const { code, detail } = faultOf(error);
        recent.met(code, detail);
        metrics.faults.inc({ consumer: 'case-relay', code });
        logger.warn({ stage: 'case-relay', code, detail }, 'expiry sweep failed');
      },
    );
  };
  const host = backgroundHost({
    name: 'case-relay',
    troubles: () => recent.troubles(),
    start: async () => {
      relay.start();
      sweeper = setInterval(sweep, EXPIRY_SWEEP_MS);
    },
    stop: async (deadlineMs) => {
      clearInterval(sweeper);
      await relay.stop(deadlineMs);
      await writer.close();
    },
  });
  return { hosts: [host], resources: [] };
}
