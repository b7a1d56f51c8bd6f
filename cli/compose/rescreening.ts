// Screens known customers again whenever the log says that another list version is in force.
import { customerCaseStore, rescreenProgress } from '../../adapters/mongo/customer-cases.ts';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { exceptionStore } from '../../adapters/mongo/screening-exceptions.ts';
import { openIndexThread } from '../../processors/screening/index/thread.ts';
import { requestOf } from '../../processors/screening/requests.ts';
import { type KnownParties, type RescreenReport, rescreen } from '../../processors/screening/rescreen/rescreen.ts';
import { createScreener } from '../../processors/screening/screener.ts';
import { faultOf } from '../../runtime/faults.ts';
import type { Host, HostHealth, HostState } from '../../runtime/host.ts';
import { CodedError } from '../../runtime/ports/fault.ts';
import type { HostRuntime } from '../../runtime/processor-host.ts';
import { createTable } from '../../runtime/table.ts';
import type { TransferAccepted } from '../../schemas/types.generated.ts';
import { DAY_MS } from '../../topics/contract.ts';
import type { Connections } from '../connect.ts';
import { pause } from './pause.ts';
import { termsOf } from './screening.ts';

const TOPIC = 'transfer.accepted';
const LOOK_EVERY_MS = 1_000;

/** A host that follows `screening.list-activated`. Several may run: the second opens no case twice. */
export async function rescreeningHost(connections: Connections, runtime: HostRuntime): Promise<Host> {
  const { config, log, codec } = connections;
  const { logger, metrics } = runtime;
  const db = await connections.db();
  const cases = customerCaseStore(db);
  const lists = listStore(db);
  const exceptions = exceptionStore(db);
  await Promise.all([cases.ensureIndexes(), lists.ensureIndexes(), exceptions.ensureIndexes()]);
  const progress = rescreenProgress(db);
  const table = createTable({ topic: 'screening.list-activated', log, codec });
  // Whoever is held may still be paid: nobody is left out who could be under way.
  const windowMs = Math.max(config.screening.rescreenDays * DAY_MS, config.transfers.holdExpiryMs + DAY_MS);
  const stopping = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let state: HostState = 'new';
  let trouble: HostHealth['troubles'] = [];
  let running: Promise<void> = Promise.resolve();

  async function once(): Promise<RescreenReport | undefined> {
    const active = [...table.entries()].map(([, { list }]) => list);
    const screener = createScreener({
      active: { current: async () => active },
      versions: lists,
      exceptions,
      openIndex: openIndexThread,
      terms: termsOf(config),
      clock: Date.now,
    });
    try {
      const known = () => knownParties(connections, Date.now() - windowMs, stopping.signal);
      return await rescreen({ lists: active, screener, progress, cases, known, clock: Date.now });
    } finally {
      await screener.close();
    }
  }

  async function loop(): Promise<void> {
    let seen = -1;
    while (!stopping.signal.aborted) {
      const { version } = table;
      if (version !== seen) {
        try {
          const report = await once();
          seen = version;
          trouble = [];
          if (report) {
            const { versions, transfers, opened } = report;
            const detail = `${versions.join(', ')}: ${opened} new cases`;
            logger.info({ stage: 'rescreener', detail, count: transfers }, 'customers screened again');
          }
        } catch (error) {
          if (stopping.signal.aborted) return;
          trouble = [troubleOf(error, trouble[0]?.since)];
          metrics.faults.inc({ consumer: 'rescreener', code: trouble[0]!.code });
          logger.warn(
            { stage: 'rescreener', code: trouble[0]!.code, detail: trouble[0]!.detail },
            'screening again failed',
          );
        }
      }
      await pause(LOOK_EVERY_MS, stopping.signal);
    }
  }

  return {
    name: 'rescreener',
    failed: failed.promise,
    async start() {
      state = 'starting';
      await table.start();
      table.failed.catch(failed.reject);
      state = 'running';
      running = loop();
    },
    health: () => ({ name: 'rescreener', state, partitions: [], troubles: trouble, tables: [table.health()] }),
    async stop() {
      state = 'draining';
      stopping.abort();
      await running;
      await table.stop();
      state = 'stopped';
    },
  };
}

/** The parties of every transfer accepted since `since` (ms), in batches, oldest first within a partition. */
async function* knownParties(
  { log, codec }: Connections,
  since: number,
  signal: AbortSignal,
): AsyncGenerator<readonly KnownParties[]> {
  await codec.load([TOPIC]);
  const reader = log.reader();
  for (const range of await reader.offsets([TOPIC])) {
    // One batch is handed over at a time: the reader waits while it is screened.
    const handover: { batch: readonly KnownParties[]; taken: () => void }[] = [];
    let arrived = Promise.withResolvers<void>();
    let done = false;
    let left = false;
    const reading = reader
      .read([range], async ({ records }) => {
        if (signal.aborted || left) throw new CodedError('STOPPING', 'asked to stop');
        const decoded = await codec.decode(
          TOPIC,
          records.map(({ value }) => value),
        );
        const batch = decoded.flatMap((result, i) => {
          if (!result.ok)
            throw new CodedError(result.code, `${TOPIC} ${result.detail}`, { faultClass: 'transient-dependency' });
          return records[i]!.timestamp < since ? [] : partiesOf(result.value);
        });
        if (batch.length === 0) return;
        const taken = Promise.withResolvers<void>();
        handover.push({ batch, taken: taken.resolve });
        arrived.resolve();
        await taken.promise;
      })
      .finally(() => {
        done = true;
        arrived.resolve();
      });
    reading.catch(() => undefined);
    let next: (typeof handover)[number] | undefined;
    try {
      while (!done || handover.length > 0) {
        next = handover.shift();
        if (next) {
          yield next.batch;
          next.taken();
          continue;
        }
        if (done) break;
        await arrived.promise;
        arrived = Promise.withResolvers<void>();
      }
      await reading;
    } finally {
      // Whoever stops listening in the middle (the cases cannot be written, say) must not leave the reader waiting.
      left = true;
      next?.taken();
      for (const { taken } of handover) taken();
    }
  }
}

function partiesOf(accepted: TransferAccepted): readonly KnownParties[] {
  const request = requestOf(accepted);
  return request ? [{ transferId: accepted.envelope.transferId, request }] : [];
}

function troubleOf(error: unknown, since: number | undefined): HostHealth['troubles'][number] {
  const { code, detail, dependency = 'screening-lists' } = faultOf(error);
  const place = { topic: 'screening.list-activated', partition: 0 };
  return { dependency, code, detail, since: since ?? Date.now(), ...place, lastMetAt: performance.now() };
}
