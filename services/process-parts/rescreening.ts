// Screens known customers again whenever the log says that another list version is in force.
import { customerCaseStore, rescreenProgress } from '../../adapters/mongo/customer-cases.ts';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { exceptionStore } from '../../adapters/mongo/screening-exceptions.ts';
import { CodedError } from '../../ports/fault.ts';
import { pause } from '../../ports/pause.ts';
import { sealFlaw } from '../../ports/seals.ts';
import { faultOf } from '../../runtime/fault.ts';
import type { Host, HostHealth, HostState } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createTable } from '../../runtime/hosts/table.ts';
import type { ListReference, TransferAccepted } from '../../schemas/types.generated.ts';
import { coveredLists } from '../../screening/evidence.ts';
import { openIndexThread } from '../../screening/index/thread.ts';
import { requestOf } from '../../screening/requests.ts';
import {
  type KnownParties,
  type RescreenReport,
  rescreen,
  rescreenBehind,
  type ScreenedParties,
} from '../../screening/rescreening/rescreen.ts';
import { type ClosableScreener, createScreener } from '../../screening/screener.ts';
import type { TopicName, TopicValues } from '../../topics/catalogue.ts';
import { DAY_MS } from '../../topics/contract.ts';
import type { Connections } from '../connections.ts';
import { revocationsInLog, termsOf } from '../screening.ts';

const LOOK_EVERY_MS = 1_000;
/** By then every instance that is healthy screens against what the last run did. */
const SWITCHED_MS = 10 * 60_000;
/** The clocks of brokers and of this process may differ by this much. */
const SKEW_MS = 60_000;

/** A host that follows `screening.list-activated`. Several may run: the second opens no case twice. */
export async function rescreeningHost(connections: Connections, runtime: HostRuntime): Promise<Host> {
  const { config, log, codec } = connections;
  const { logger, metrics } = runtime;
  const db = await connections.db();
  const cases = customerCaseStore(db, config.keys);
  const lists = listStore(db, config.keys);
  const revocations = revocationsInLog(connections);
  const exceptions = exceptionStore(db, { ...config.keys, revocations });
  await Promise.all([cases.ensureIndexes(), lists.ensureIndexes(), exceptions.ensureIndexes()]);
  const progress = rescreenProgress(db, config.keys.operators);
  const table = createTable({ topic: 'screening.list-activated', log, codec, rings: connections.config.keys });
  // A held transfer may still be paid, so everybody who could be paid is screened again.
  const windowMs = Math.max(config.screening.rescreenDays * DAY_MS, config.transfers.holdExpiryMs + DAY_MS);
  const stopping = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let state: HostState = 'new';
  let trouble: HostHealth['troubles'] = [];
  let running: Promise<void> = Promise.resolve();

  async function once(): Promise<RescreenReport | undefined> {
    const active = [...table.entries()].map(([, { list }]) => list);
    const known = () =>
      recordsOf(connections, 'transfer.accepted', { from: Date.now() - windowMs }, stopping.signal, partiesOf);
    return over(active, (screener) => rescreen({ lists: active, screener, progress, cases, known, clock: Date.now }));
  }

  /**
   * Those who were screened by an instance that had not switched yet when the last run began, or one shortly before it.
   * Answers when to look again; undefined: when there was another run.
   */
  async function behind(): Promise<number | undefined> {
    const began = await progress.lastRunAt();
    if (began === undefined) return undefined;
    const active = [...table.entries()].map(([, { list }]) => list);
    const span = { from: began - SWITCHED_MS - SKEW_MS, until: began + 2 * SWITCHED_MS };
    const screened = () =>
      recordsOf(connections, 'transfer.screened', span, stopping.signal, (value) =>
        partiesOf(value).map((known): ScreenedParties => ({ ...known, covered: coveredLists(value.screening) })),
      );
    const opened = await over(active, (screener) => rescreenBehind({ screener, cases, screened, clock: Date.now }));
    if (opened > 0)
      logger.info({ stage: 'rescreener', detail: `${opened} new cases` }, 'caught up with late screenings');
    return Date.now() < began + SWITCHED_MS ? Date.now() + SWITCHED_MS : undefined;
  }

  /** Against exactly these lists. */
  async function over<R>(
    active: readonly ListReference[],
    use: (screener: ClosableScreener) => Promise<R>,
  ): Promise<R> {
    const screener = createScreener({
      active: { current: async () => active },
      versions: lists,
      exceptions,
      openIndex: openIndexThread,
      terms: termsOf(config),
      clock: Date.now,
    });
    try {
      return await use(screener);
    } finally {
      await screener.close();
    }
  }

  async function loop(): Promise<void> {
    let seen = -1;
    // At once after a start: the process before may have ended in between.
    let behindAt: number | undefined = 0;
    while (!stopping.signal.aborted) {
      const { version } = table;
      const isDue = behindAt !== undefined && Date.now() >= behindAt;
      if (version !== seen || isDue) {
        try {
          if (isDue) behindAt = await behind();
          const report = version === seen ? undefined : await once();
          if (report) behindAt ??= Date.now() + SWITCHED_MS;
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
      await revocations.close();
      state = 'stopped';
    },
  };
}

interface Span {
  /** ms since 1970 */
  readonly from: number;
  readonly until?: number;
}

/** What `read` makes of every record that was appended in the span, in batches, oldest first within a partition. */
async function* recordsOf<T extends TopicName, R>(
  { config, log, codec }: Connections,
  topic: T,
  { from, until = Number.POSITIVE_INFINITY }: Span,
  signal: AbortSignal,
  read: (value: TopicValues[T]) => readonly R[],
): AsyncGenerator<readonly R[]> {
  await codec.load([topic]);
  const reader = log.reader();
  for (const range of await reader.offsets([topic])) {
    // One batch is handed over at a time: the reader waits while it is screened.
    const handover: { batch: readonly R[]; taken: () => void }[] = [];
    let arrived = Promise.withResolvers<void>();
    let done = false;
    let left = false;
    const reading = reader
      .read([range], async ({ records }) => {
        if (signal.aborted || left) throw new CodedError('STOPPING', 'asked to stop');
        const inSpan = records.filter(({ timestamp }) => timestamp >= from && timestamp <= until);
        const wanted = inSpan.filter((record) => sealFlaw(config.keys, topic, record) === undefined);
        const decoded = await codec.decode(
          topic,
          wanted.map(({ value }) => value),
        );
        const batch = decoded.flatMap((result) => {
          if (!result.ok)
            throw new CodedError(result.code, `${topic} ${result.detail}`, { faultClass: 'transient-dependency' });
          return read(result.value);
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

function partiesOf(accepted: Pick<TransferAccepted, 'envelope' | 'instruction' | 'parties'>): readonly KnownParties[] {
  const request = requestOf(accepted);
  return request ? [{ transferId: accepted.envelope.transferId, request }] : [];
}

function troubleOf(error: unknown, since: number | undefined): HostHealth['troubles'][number] {
  const { code, detail, dependency = 'screening-lists' } = faultOf(error);
  const place = { topic: 'screening.list-activated', partition: 0 };
  return { dependency, code, detail, since: since ?? Date.now(), ...place, lastMetAt: performance.now() };
}
