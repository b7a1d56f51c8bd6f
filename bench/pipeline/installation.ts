// The whole installation that is measured, with nothing of it shared: servers, provider, and pipeline processes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newApiKey } from '../../adapters/auth/api-keys.ts';
import { pushSchemas } from '../../adapters/registry/push.ts';
import { type Child, startChild } from '../../infra/local/children.ts';
import { type LocalStack, stackEnvironment, startStack } from '../../infra/local/stack.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import { applyTopics } from '../../runtime/provision.ts';
import { publishSampleRates } from '../../samples/rates.ts';
import { Connections, registryOptions } from '../../services/connections.ts';
import { activateSampleList } from '../../services/screening.ts';
import { type SimulatorProcess, spawnSimulator } from '../../simulator/process.ts';
import { type CpuReading, compilersMs, readCpu } from '../cpu.ts';

const STOP_MS = 30_000;

/** A process of the pipeline, by what it runs. */
export interface BenchProcess {
  readonly name: string;
  /** Arguments of `corridor run`. */
  readonly args: readonly string[];
}

export class Stand {
  readonly connections: Connections;
  readonly #dir: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #stack: LocalStack;
  readonly #provider: SimulatorProcess;
  readonly #processes = new Map<string, Child>();

  private constructor(dir: string, env: NodeJS.ProcessEnv, stack: LocalStack, provider: SimulatorProcess) {
    this.#dir = dir;
    this.#env = env;
    this.#stack = stack;
    this.#provider = provider;
    this.connections = new Connections(loadConfig(env), 'corridor-bench');
  }

  /** Starts the servers and provisions them. `settings`: environment variables of the pipeline. */
  static async start(settings: NodeJS.ProcessEnv, say: (line: string) => void): Promise<Stand> {
    const dir = mkdtempSync(path.join(tmpdir(), 'corridor-bench-'));
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('CORRIDOR_') && name !== 'MONGODB_URI');
    const env = { ...Object.fromEntries(own), CORRIDOR_ENV: 'development', CORRIDOR_LOG_LEVEL: 'warn', ...settings };
    const stack = await startStack({ stateDir: dir, ephemeral: true, runner: 'processes', env: {}, onProgress: say });
    const provider = await spawnSimulator({ ledgerFile: path.join(dir, 'provider.ndjson'), seed: 1, delayMs: 50 });
    const all = { ...env, ...stackEnvironment(stack.urls), CORRIDOR_PROVIDER_URL: provider.url };
    const stand = new Stand(dir, all, stack, provider);
    await stand.#provision();
    return stand;
  }

  async #provision(): Promise<void> {
    const { config, log, codec } = this.connections;
    const { chainPartitions, replicationFactor } = config.kafka;
    const admin = await log.admin();
    await applyTopics(admin, { app: config.appName, chainPartitions, replicationFactor });
    await admin.close();
    await pushSchemas(registryOptions(config));
    await activateSampleList(this.connections);
    const writer = await log.writer('bench-rates');
    await publishSampleRates(writer, codec, config.keys);
    await writer.close();
  }

  /** Starts a process and waits until it has taken its partitions over. */
  async run({ name, args }: BenchProcess): Promise<void> {
    const logFile = path.join(this.#dir, `${name}.log`);
    const profile = process.env['BENCH_PROFILE'];
    const env = profile
      ? {
          ...this.#env,
          NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --cpu-prof --cpu-prof-dir=${path.join(profile, name)}`,
        }
      : this.#env;
    const child = await startChild({ name, entry: 'cli/main.ts', args: ['run', ...args], env, logFile });
    this.#processes.set(name, child);
  }

  /** Starts a process of the API, as the part `api`. @returns where it is, and an API key of a producer */
  async api(): Promise<{ readonly url: string; readonly key: string }> {
    const { key, entry } = newApiKey('bench', ['transfers.submit'], 'bench-1');
    const keysFile = path.join(this.#dir, 'api-keys.json');
    writeFileSync(keysFile, JSON.stringify([entry]));
    const env = {
      ...this.#env,
      ...{
        CORRIDOR_API_PORT: '0',
        CORRIDOR_AUTH_API_KEYS_FILE: keysFile,
        CORRIDOR_API_REQUESTS_PER_MINUTE: '10000000',
      },
    };
    const logFile = path.join(this.#dir, 'api.log');
    const child = await startChild({ name: 'api', entry: 'cli/main.ts', args: ['api'], env, logFile });
    this.#processes.set('api', child);
    return { url: String(child.ready['url']), key };
  }

  /** Ends a process as SIGTERM does. */
  async end(name: string): Promise<void> {
    await this.#processes.get(name)?.stop(STOP_MS);
    this.#processes.delete(name);
  }

  /** Processor time of everything so far, by process; this one as `bench`. */
  cpu(): CpuReading {
    const pids = new Map<string, number | null>([
      ['bench', process.pid],
      ['provider', this.#provider.pid],
    ]);
    for (const { name, pid } of this.#stack.servers()) pids.set(name, pid);
    for (const [name, { pid }] of this.#processes) pids.set(name, pid);
    const reading = new Map(readCpu(pids));
    // Compiling is over in an installation that has run for minutes, and is not in one that was just started.
    for (const name of ['kafka-1', 'mongo']) {
      const compiling = compilersMs(pids.get(name));
      reading.set(`${name} compiling`, compiling);
      reading.set(name, (reading.get(name) ?? 0) - compiling);
    }
    return reading;
  }

  /** Sum of a counter or of a histogram's count over all processes, by consumer or by another label. */
  async metric(name: string, label = 'consumer'): Promise<ReadonlyMap<string, number>> {
    const sums = new Map<string, number>();
    for (const { ready } of this.#processes.values()) {
      const text = await (await fetch(`${String(ready['health'])}/metrics`)).text();
      for (const line of text.split('\n')) {
        const found = new RegExp(`^${name}\\{[^}]*${label}="([^"]+)"[^}]*\\} ([\\d.e+-]+)$`).exec(line);
        if (found) sums.set(found[1]!, (sums.get(found[1]!) ?? 0) + Number(found[2]));
      }
    }
    return sums;
  }

  async stop(): Promise<void> {
    for (const child of this.#processes.values()) await child.stop(STOP_MS);
    await this.connections.close();
    await this.#provider.stop();
    await this.#stack.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
