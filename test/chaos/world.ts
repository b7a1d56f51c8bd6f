// Everything around the pipeline in one run: servers, a proxy in front of each, and the payout provider.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pushSchemas } from '../../adapters/registry/push.ts';
import { FOLLOW_PARENT, followed } from '../../infra/local/follow-parent.ts';
import { type LocalStack, stackEnvironment, startStack } from '../../infra/local/stack.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import { Connections, registryOptions } from '../../services/connections.ts';
import { activateSampleList } from '../../services/screening.ts';
import type { FaultPlanInput } from '../../simulator/injected-faults.ts';
import { type SimulatorProcess, spawnSimulator } from '../../simulator/process.ts';
import { TcpProxy } from '../kit/tcp-proxy.ts';
import type { NetworkTarget } from './targets.ts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');

export interface WorldOptions {
  /** Holds data, logs and ledgers of the run. */
  readonly dir: string;
  readonly brokers: 1 | 3;
  readonly seed: number;
  readonly providerFaults: FaultPlanInput;
  /** Corridors and limits, for everybody; default: those built in. */
  readonly law?: NodeJS.ProcessEnv;
  /** What takes a guarantee away, of processes and of commands; not of the harness itself. */
  readonly unsafe?: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  /** A server ended although nobody killed it. */
  readonly onUnexpectedExit: (server: string, how: string) => void;
}

/** Shorter than in production, so that a run of minutes sees what takes hours otherwise. */
const TIMES = {
  CORRIDOR_KAFKA_SESSION_TIMEOUT_MS: '3000',
  CORRIDOR_PROVIDER_REQUEST_TIMEOUT_MS: '1500',
  CORRIDOR_RETURN_POLLS_MS: '500,2000,10000,60000',
  CORRIDOR_WEBHOOK_TIMEOUT_MS: '1500',
};
const PROVIDER_DELAY_MS = 50;
/** Long enough that a payment is settled before its money comes back. */
const RETURN_DELAY_MS = 1_200;

export class World {
  readonly dir: string;
  /** For the harness itself: past the proxies. */
  readonly connections: Connections;
  /** For the pipeline's processes: through the proxies. */
  readonly env: NodeJS.ProcessEnv;
  readonly stack: LocalStack;
  readonly providerLedger: string;
  readonly #proxies: ReadonlyMap<NetworkTarget, readonly TcpProxy[]>;
  readonly #options: WorldOptions;
  /** Past the proxies. */
  readonly #operatorEnv: NodeJS.ProcessEnv;
  #provider: SimulatorProcess;
  #providerFaults: FaultPlanInput;

  private constructor(
    options: WorldOptions,
    stack: LocalStack,
    proxies: ReadonlyMap<NetworkTarget, readonly TcpProxy[]>,
    provider: SimulatorProcess,
  ) {
    this.#options = options;
    this.dir = options.dir;
    this.stack = stack;
    this.#proxies = proxies;
    this.#provider = provider;
    this.#providerFaults = options.providerFaults;
    this.providerLedger = path.join(options.dir, 'provider-ledger.ndjson');
    const env = {
      ...cleanEnvironment(),
      CORRIDOR_ENV: 'development',
      CORRIDOR_REPLICATION_FACTOR: String(options.brokers),
      ...TIMES,
      ...options.law,
    };
    const direct = { ...env, ...stackEnvironment(stack.urls), CORRIDOR_PROVIDER_URL: provider.url };
    this.#operatorEnv = { ...direct, ...options.unsafe };
    this.connections = new Connections(loadConfig(direct), 'corridor-chaos');
    const port = (target: NetworkTarget, index = 0) => proxies.get(target)![index]!.port;
    const through = (target: NetworkTarget, url: string) =>
      url.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port(target)}`);
    const { urls } = stack;
    this.env = {
      ...env,
      ...stackEnvironment({
        kafkaBrokers: proxies.get('kafka')!.map((proxy) => `127.0.0.1:${proxy.port}`),
        registryUrl: through('registry', urls.registryUrl),
        mongoUri: through('mongo', urls.mongoUri),
        redisLimitsUrl: through('redisLimits', urls.redisLimitsUrl),
        redisQueueUrl: through('redisQueue', urls.redisQueueUrl),
      }),
      CORRIDOR_PROVIDER_URL: through('provider', provider.url),
      ...options.unsafe,
    };
  }

  /** Starts servers, proxies and the provider; provisions topics and schemas. What fails half-way leaves nothing running. */
  static async start(options: WorldOptions): Promise<World> {
    const started: (() => Promise<unknown>)[] = [];
    try {
      return await World.#start(options, started);
    } catch (error) {
      for (const end of started.toReversed()) await end().catch(() => undefined);
      throw error;
    }
  }

  static async #start(options: WorldOptions, started: (() => Promise<unknown>)[]): Promise<World> {
    const { dir, brokers, say } = options;
    mkdirSync(dir, { recursive: true });
    const kafka = await Promise.all(Array.from({ length: brokers }, () => TcpProxy.listen()));
    started.push(() => Promise.all(kafka.map((proxy) => proxy.close())));
    const stack = await startStack({
      stateDir: path.join(dir, 'stack'),
      brokers,
      runner: 'processes',
      advertisedPorts: kafka.map(({ port }) => port),
      env: cleanEnvironment(),
      onProgress: say,
      onUnexpectedExit: options.onUnexpectedExit,
    });
    started.push(() => stack.stop());
    const provider = await spawnSimulator(providerOptions(options));
    started.push(() => provider.kill());
    const { urls } = stack;
    const proxies = new Map<NetworkTarget, readonly TcpProxy[]>([['kafka', kafka]]);
    for (const [index, address] of stack.kafkaBehindProxy.entries()) kafka[index]!.forwardTo(address);
    for (const [target, url] of [
      ['registry', urls.registryUrl],
      ['mongo', urls.mongoUri],
      ['redisLimits', urls.redisLimitsUrl],
      ['redisQueue', urls.redisQueueUrl],
      ['provider', provider.url],
    ] as const) {
      const proxy = await TcpProxy.listen();
      started.push(() => proxy.close());
      proxy.forwardTo(new URL(url).host);
      proxies.set(target, [proxy]);
    }
    const world = new World(options, stack, proxies, provider);
    started.push(() => world.connections.close());
    await world.#provision();
    return world;
  }

  async #provision(): Promise<void> {
    const { code, said } = await this.corridor('topics', 'apply');
    if (code !== 0) throw new Error(`topics apply ended with ${code}: ${said}`);
    await pushSchemas(registryOptions(this.connections.config));
    await activateSampleList(this.connections);
  }

  /** Runs a command of an operator to its end, past the proxies. */
  async corridor(...args: readonly string[]): Promise<{ readonly code: number | null; readonly said: string }> {
    const child = spawn(process.execPath, [...FOLLOW_PARENT, MAIN, ...args], {
      env: followed(this.#operatorEnv),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, said };
  }

  proxies(target: NetworkTarget): readonly TcpProxy[] {
    return this.#proxies.get(target)!;
  }

  async killProvider(): Promise<void> {
    await this.#provider.kill();
  }

  /** Starts it again, with its ledger, on its port. */
  async restartProvider(): Promise<void> {
    const port = Number(new URL(this.#provider.url).port);
    this.#provider = await spawnSimulator({ ...providerOptions(this.#options), port, faults: this.#providerFaults });
  }

  /** Takes another fault plan, also after a restart. */
  async useProviderFaults(plan: FaultPlanInput): Promise<void> {
    this.#providerFaults = plan;
    const response = await fetch(new URL('/v1/admin/faults', this.#provider.url), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(plan),
    });
    if (!response.ok)
      throw new Error(`the provider refuses the fault plan: ${response.status} ${await response.text()}`);
  }

  /** How often each rule of the present fault plan has fired. */
  async providerFaultsFired(): Promise<Readonly<Record<string, number>>> {
    const response = await fetch(new URL('/v1/admin/stats', this.#provider.url));
    return ((await response.json()) as { faultsFired: Record<string, number> }).faultsFired;
  }

  /** Every proxy behaves, every server runs. */
  async heal(): Promise<void> {
    for (const proxies of this.#proxies.values()) for (const proxy of proxies) proxy.behave();
  }

  async stop(): Promise<void> {
    await this.connections.close();
    await this.#provider.stop();
    await Promise.all([...this.#proxies.values()].flat().map((proxy) => proxy.close()));
    await this.stack.stop();
  }
}

function providerOptions({ dir, seed, providerFaults }: WorldOptions) {
  return {
    ledgerFile: path.join(dir, 'provider-ledger.ndjson'),
    seed,
    // A key that is sent twice pays twice: the provider does not cover for us.
    duplicateProtection: false,
    delayMs: PROVIDER_DELAY_MS,
    returnDelayMs: RETURN_DELAY_MS,
    faults: providerFaults,
  };
}

/** Without anything that points to another installation, or takes guarantees away. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('CORRIDOR_') && name !== 'MONGODB_URI'),
  );
}
