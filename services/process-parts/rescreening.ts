// Screens known customers again whenever the log says that another list version is in force.
import { customerCaseStore, rescreenProgress } from '../../adapters/mongo/customer-cases.ts';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { exceptionStore } from '../../adapters/mongo/screening-exceptions.ts';
import { pause } from '../../ports/pause.ts';
import { faultOf } from '../../runtime/fault.ts';
import type { Host, HostHealth, HostState } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createTable, type Table } from '../../runtime/hosts/table.ts';
import type { ScreeningListActivated } from '../../schemas/types.generated.ts';
import type { Connections } from '../connections.ts';
import { revocationsInLog } from '../screening.ts';
import { type RescreeningRuns, type RescreeningStores, rescreeningRuns, SWITCHED_MS } from './rescreening-runs.ts';
import { tableFaults } from './table-faults.ts';

const NAME = 'rescreener';
const LOOK_EVERY_MS = 1_000;

/** A host that follows `screening.list-activated`. Several may run: the second opens no case twice. */
export async function rescreeningHost(connections: Connections, runtime: HostRuntime): Promise<Host> {
  const { config, log, codec } = connections;
  const revocations = revocationsInLog(connections);
  const stores = await storesOf(connections, revocations);
  const onFault = tableFaults(NAME, runtime);
  const table = createTable({ topic: 'screening.list-activated', log, codec, rings: config.keys, onFault });
  const stopping = new AbortController();
  const runs = rescreeningRuns(connections, stores, stopping.signal);
  const loop = new RescreeningLoop(runs, table, runtime, stopping.signal);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let state: HostState = 'new';
  let running: Promise<void> = Promise.resolve();

  return {
    name: NAME,
    failed: failed.promise,
    async start() {
      state = 'starting';
      await table.start();
      table.failed.catch(failed.reject);
      state = 'running';
      running = loop.run();
    },
    health: () => ({ name: NAME, state, partitions: [], troubles: loop.troubles, tables: [table.health()] }),
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

async function storesOf(
  connections: Connections,
  revocations: ReturnType<typeof revocationsInLog>,
): Promise<RescreeningStores> {
  const { keys } = connections.config;
  const db = await connections.db();
  const cases = customerCaseStore(db, keys);
  const lists = listStore(db, keys);
  const exceptions = exceptionStore(db, { ...keys, revocations });
  await Promise.all([cases.ensureIndexes(), lists.ensureIndexes(), exceptions.ensureIndexes()]);
  return { cases, lists, exceptions, progress: rescreenProgress(db, keys.operators) };
}

/** Looks whether there is something to do, and does it; a run that failed is tried again. */
class RescreeningLoop {
  troubles: HostHealth['troubles'] = [];
  readonly #runs: RescreeningRuns;
  readonly #table: Table<ScreeningListActivated>;
  readonly #runtime: HostRuntime;
  readonly #stopping: AbortSignal;
  /** Of the table, when the last run began. */
  #seen = -1;
  /** When those behind are due. At once after a start: the process before may have ended in between. */
  #behindAt: number | undefined = 0;

  constructor(
    runs: RescreeningRuns,
    table: Table<ScreeningListActivated>,
    runtime: HostRuntime,
    stopping: AbortSignal,
  ) {
    this.#runs = runs;
    this.#table = table;
    this.#runtime = runtime;
    this.#stopping = stopping;
  }

  async run(): Promise<void> {
    while (!this.#stopping.aborted) {
      const { version } = this.#table;
      const isBehindDue = this.#behindAt !== undefined && Date.now() >= this.#behindAt;
      if (version !== this.#seen || isBehindDue) {
        try {
          if (isBehindDue) await this.#catchUp();
          if (version !== this.#seen) await this.#screenAll(version);
          this.troubles = [];
        } catch (error) {
          if (this.#stopping.aborted) return;
          this.#tell(error);
        }
      }
      await pause(LOOK_EVERY_MS, this.#stopping);
    }
  }

  #active() {
    return [...this.#table.entries()].map(([, { list }]) => list);
  }

  async #catchUp(): Promise<void> {
    const { at, opened } = await this.#runs.behind(this.#active());
    this.#behindAt = at;
    if (opened === 0) return;
    this.#runtime.logger.info({ stage: NAME, detail: `${opened} new cases` }, 'caught up with late screenings');
  }

  async #screenAll(version: number): Promise<void> {
    const report = await this.#runs.everybody(this.#active());
    this.#seen = version;
    if (report === undefined) return;
    this.#behindAt ??= Date.now() + SWITCHED_MS;
    const { versions, transfers, opened } = report;
    const detail = `${versions.join(', ')}: ${opened} new cases`;
    this.#runtime.logger.info({ stage: NAME, detail, count: transfers }, 'customers screened again');
  }

  #tell(error: unknown): void {
    const { logger, metrics } = this.#runtime;
    const trouble = troubleOf(error, this.troubles[0]?.since);
    this.troubles = [trouble];
    metrics.faults.inc({ consumer: NAME, code: trouble.code });
    logger.warn({ stage: NAME, code: trouble.code, detail: trouble.detail }, 'screening again failed');
  }
}

function troubleOf(error: unknown, since: number | undefined): HostHealth['troubles'][number] {
  const { code, detail, dependency = 'screening-lists' } = faultOf(error);
  const place = { topic: 'screening.list-activated', partition: 0 };
  return { dependency, code, detail, since: since ?? Date.now(), ...place, lastMetAt: performance.now() };
}
