import path from 'node:path';
import { DEFAULT_STATE_DIR } from './artifacts.ts';
import type { Overrides } from './external.ts';
import { ProcessStack } from './process-stack.ts';
import { ownIdentity } from './processes.ts';
import type { StateDir, StateSettings } from './state.ts';
import type { LocalStack, PartName, Provider, ServerInfo, ServerName, StackOptions, StackUrls } from './types.ts';

const NO_URLS: StackUrls = { kafkaBrokers: [], registryUrl: '', mongoUri: '', redisLimitsUrl: '', redisQueueUrl: '' };

export interface OwnStackOptions {
  readonly options: StackOptions;
  readonly state: StateDir;
  readonly settings: StateSettings;
  readonly parts: readonly PartName[];
  readonly external: Overrides;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
}

/** The stack of this process. */
export class OwnStack implements LocalStack {
  readonly urls: StackUrls;
  readonly stateDir: string;
  readonly owned = true;
  readonly kafkaBehindProxy: readonly string[];
  readonly #start: OwnStackOptions;
  readonly #stack: ProcessStack;
  #stopped: Promise<void> | null = null;

  private constructor(start: OwnStackOptions, stack: ProcessStack) {
    this.#start = start;
    this.#stack = stack;
    this.urls = urlsOf(start, stack);
    this.stateDir = start.state.dir;
    this.kafkaBehindProxy = stack.kafkaBehindProxy;
  }

  static async start(start: OwnStackOptions): Promise<OwnStack> {
    const { options, state, progress } = start;
    const own = start.parts.filter((part) => !start.external.parts.includes(part));
    const began = Date.now();
    if (own.length > 0) progress(`Starting ${own.join(', ')}`);
    try {
      const stack = await ProcessStack.start({
        parts: own,
        state,
        settings: start.settings,
        env: start.env,
        ephemeral: options.ephemeral ?? false,
        detached: options.lifetime === 'detached',
        fixedPorts: options.fixedPorts ?? false,
        advertisedPorts: options.advertisedPorts ?? [],
        artifactsDir: options.artifactsDir ?? path.join(DEFAULT_STATE_DIR, 'artifacts'),
        onProgress: progress,
        onUnexpectedExit: options.onUnexpectedExit ?? (() => undefined),
        onChange: (changed) => save(start, changed),
      });
      save(start, stack);
      progress(`The stack is up (${((Date.now() - began) / 1_000).toFixed(1)} s)`);
      return new OwnStack(start, stack);
    } catch (error) {
      state.clearRunning();
      throw error;
    }
  }

  servers(): readonly ServerInfo[] {
    return this.#stack
      .servers()
      .map(({ name, pid, log }) => ({ name, pid, log, provider: 'processes' as const, container: null }));
  }

  provider(part: PartName): Provider {
    return providerOf(this.#start, part);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async kill(target: PartName | ServerName, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#stack.kill(target, signal);
  }

  async restart(target: PartName | ServerName): Promise<void> {
    await this.#stack.restart(target);
  }

  async stopPart(target: PartName | ServerName): Promise<void> {
    await this.#stack.stopPart(target);
  }

  async freeze(target: PartName | ServerName): Promise<void> {
    this.#stack.hold(target, 'SIGSTOP');
  }

  async thaw(target: PartName | ServerName): Promise<void> {
    this.#stack.hold(target, 'SIGCONT');
  }

  async #stop(): Promise<void> {
    await this.#stack.stop();
    this.#start.state.clearRunning();
    if (this.#start.options.ephemeral) this.#start.state.remove();
  }
}

function providerOf(start: OwnStackOptions, part: PartName): Provider {
  return start.external.parts.includes(part) ? 'external' : 'processes';
}

function urlsOf(start: OwnStackOptions, stack: ProcessStack): StackUrls {
  return { ...NO_URLS, ...stack.urls, ...start.external.urls };
}

function save(start: OwnStackOptions, stack: ProcessStack): void {
  const urls = urlsOf(start, stack);
  start.state.setRunning({
    owner: ownIdentity(),
    lifetime: start.options.lifetime ?? 'process',
    providers: Object.fromEntries(start.parts.map((part) => [part, providerOf(start, part)])),
    urls: { ...urls, kafkaBrokers: [...urls.kafkaBrokers] },
    kafkaBehindProxy: [...stack.kafkaBehindProxy],
    servers: stack.servers().flatMap(({ pid, ...rest }) => (pid === null ? [] : [{ pid, ...rest }])),
    containers: [],
  });
}
