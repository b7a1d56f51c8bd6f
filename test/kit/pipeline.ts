// The whole pipeline as child processes against the servers of this test run.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pushSchemas } from '../../adapters/registry/push.ts';
import { Watch } from '../../cli/dev/demo/watch.ts';
import { publish } from '../../cli/publish.ts';
import { type Child, startChild } from '../../infra/local/children.ts';
import { type StackUrls, stackEnvironment } from '../../infra/local/stack.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import { applyTopics } from '../../runtime/provision.ts';
import { Books } from '../../samples/books.ts';
import type { FedRecord } from '../../samples/fed-record.ts';
import { publishSampleRates } from '../../samples/rates.ts';
import { type Mix, sampleFeed } from '../../samples/sample.ts';
import { listedPersons, loadSampleList } from '../../screening/lists/sample/load.ts';
import { Connections, registryOptions } from '../../services/connections.ts';
import { activateSampleList } from '../../services/screening.ts';

export interface PipelineOptions {
  readonly urls: StackUrls;
  /** Default: one process that runs everything. Each entry is the arguments of one `corridor run`. */
  readonly processes?: readonly (readonly string[])[];
  readonly duplicateProtection?: 'on' | 'off';
  readonly env?: NodeJS.ProcessEnv;
}

const DRAIN_MS = 20_000;

/** A provisioned cluster with a provider simulator; processes are started and stopped by the test. */
export class TestPipeline {
  readonly env: NodeJS.ProcessEnv;
  readonly connections: Connections;
  readonly books = new Books();
  readonly watch: Watch;
  readonly ledgerFile: string;
  readonly #directory: string;
  readonly #commands: readonly (readonly string[])[];
  #simulator: Child | undefined;
  #processes: Child[] = [];
  #runs = 0;

  private constructor(options: PipelineOptions, directory: string) {
    this.#directory = directory;
    this.#commands = options.processes ?? [[]];
    this.ledgerFile = path.join(directory, 'provider-ledger.ndjson');
    this.env = {
      ...process.env,
      CORRIDOR_ENV: 'development',
      CORRIDOR_RETURN_POLLS_MS: '500,2000,10000,60000',
      CORRIDOR_KAFKA_SESSION_TIMEOUT_MS: '3000',
      // A machine so busy that a broker does not answer for minutes is no reason to end.
      CORRIDOR_EXIT_AFTER_MS: '1800000',
      // A database of its own: other tests of this run leave other traces.
      CORRIDOR_MONGO_DATABASE: `e2e_${process.pid}_${Date.now().toString(36)}`,
      ...stackEnvironment(options.urls),
      ...options.env,
    };
    this.connections = new Connections(loadConfig(this.env), 'corridor-test');
    this.watch = new Watch(this.books, this.connections.codec, this.connections.config.keys);
  }

  /** Provisions topics and schemas, starts the simulator, publishes rates, and watches from here on. */
  static async create(options: PipelineOptions): Promise<TestPipeline> {
    const pipeline = new TestPipeline(options, mkdtempSync(path.join(tmpdir(), 'corridor-e2e-')));
    await pipeline.#provision(options.duplicateProtection ?? 'on');
    return pipeline;
  }

  async #provision(duplicateProtection: 'on' | 'off'): Promise<void> {
    const { config, log, codec } = this.connections;
    const admin = await log.admin();
    const { chainPartitions, replicationFactor } = config.kafka;
    await applyTopics(admin, { app: config.appName, chainPartitions, replicationFactor });
    await admin.close();
    await pushSchemas(registryOptions(config));
    await activateSampleList(this.connections);
    this.#simulator = await startChild({
      name: 'simulator',
      entry: 'simulator/main.ts',
      args: ['--ledger', this.ledgerFile, '--delay-ms', '50', '--duplicate-protection', duplicateProtection],
      env: this.env,
      logFile: path.join(this.#directory, 'simulator.log'),
    });
    this.env['CORRIDOR_PROVIDER_URL'] = this.#simulator.ready['url'] as string;
    await codec.load(['transfer.requested']);
    const writer = await log.writer('test');
    await publishSampleRates(writer, codec, config.keys);
    await writer.close();
    await this.watch.start(log.reader());
  }

  get logFiles(): string {
    return this.#directory;
  }

  /** Starts the pipeline's processes and waits until each is running. */
  async start(env: NodeJS.ProcessEnv = {}): Promise<void> {
    this.#processes = await this.#launch(this.#commands, env);
  }

  /** Starts more processes beside those that run. */
  async startMore(commands: readonly (readonly string[])[], env: NodeJS.ProcessEnv = {}): Promise<void> {
    this.#processes = [...this.#processes, ...(await this.#launch(commands, env))];
  }

  #launch(commands: readonly (readonly string[])[], env: NodeJS.ProcessEnv): Promise<Child[]> {
    const run = ++this.#runs;
    return Promise.all(
      commands.map((args, i) =>
        startChild({
          name: `pipeline-${run}-${i}`,
          entry: 'cli/main.ts',
          args: ['run', ...args],
          env: { ...this.env, ...env },
          logFile: path.join(this.#directory, `run-${run}-${i}.log`),
        }),
      ),
    );
  }

  get processes(): readonly Child[] {
    return this.#processes;
  }

  /** kill -9 of every process of the pipeline. */
  async kill(): Promise<void> {
    await Promise.all(this.#processes.map((child) => child.kill('SIGKILL')));
    this.#processes = [];
  }

  /** Drains. Returns the exit codes. */
  async stop(): Promise<readonly (number | null)[]> {
    const codes = await Promise.all(this.#processes.map((child) => child.stop(DRAIN_MS)));
    this.#processes = [];
    return codes;
  }

  /** Feeds sample transfers, entered in the books. Returns the records. */
  async feed(
    count: number,
    seed: number,
    options: { readonly rate?: number; readonly mix?: Mix; readonly chainPartitions?: number } = {},
  ): Promise<readonly FedRecord[]> {
    const { log, codec, config } = this.connections;
    const writer = await log.writer(`feed-${seed}`);
    const records = [
      ...sampleFeed({
        count,
        seed,
        runId: `${process.pid}-${Date.now().toString(36)}`,
        now: Date.now(),
        listedNames: listedPersons(await loadSampleList()),
        encode: (intent) => codec.encode('transfer.requested', intent),
        ...(options.mix ? { mix: options.mix } : {}),
      }),
    ];
    for (const record of records) this.books.fed(record);
    const { chainPartitions } = { ...config.kafka, ...options };
    await publish(records, { writer, chainPartitions, ...(options.rate ? { rate: options.rate } : {}) });
    await writer.close();
    return records;
  }

  /** Resolves when the books balance; rejects with what does not when nothing has moved for `quietMs`. */
  async settled(quietMs = 60_000): Promise<void> {
    this.watch.lastSeenAt = performance.now();
    for (;;) {
      const { unexpected, unaccounted, mismatches } = this.books.balance();
      if (unexpected === 0 && unaccounted === 0) return;
      if (performance.now() - this.watch.lastSeenAt > quietMs) {
        const named = JSON.stringify(mismatches.slice(0, 10), null, 1);
        throw new Error(`${unexpected} unexpected, ${unaccounted} unaccounted; logs in ${this.#directory}\n${named}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async close(): Promise<void> {
    await this.stop();
    await this.watch.stop();
    await this.#simulator?.stop(DRAIN_MS);
    await this.connections.close();
  }
}
