import path from 'node:path';
import { ownIdentity } from '../../ports/process-identity.ts';
import { DEFAULT_STATE_DIR } from './artifacts.ts';
import { dockerAnswers } from './docker.ts';
import type { Overrides } from './external.ts';
import { StackError } from './fault.ts';
import { ProcessStack } from './process-stack.ts';
import type { RunnerOptions, RunnerStack } from './runner.ts';
import type { RunningState, StateDir, StateSettings } from './state.ts';
import { portsOf } from './state-ports.ts';
import type { LocalStack, Runner, ServerInfo, ServerKind, ServerName, StackOptions, StackUrls } from './types.ts';

const NO_URLS: StackUrls = { kafkaBrokers: [], registryUrl: '', mongoUri: '', redisLimitsUrl: '', redisQueueUrl: '' };

export interface OwnStackOptions {
  readonly options: StackOptions;
  readonly state: StateDir;
  readonly settings: StateSettings;
  readonly kinds: readonly ServerKind[];
  readonly external: Overrides;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
  /** Other servers of this stack, which run already; those that are started take the ports that they had in it. */
  readonly beside?: RunningState;
}

/** The stack of this process. */
export class OwnStack implements LocalStack {
  readonly urls: StackUrls;
  readonly stateDir: string;
  readonly owned = true;
  readonly kafkaBehindProxy: readonly string[];
  readonly #start: OwnStackOptions;
  readonly #stack: RunnerStack;
  readonly #runner: Runner;
  #stopped: Promise<void> | null = null;

  private constructor(start: OwnStackOptions, stack: RunnerStack, runner: Runner) {
    this.#start = start;
    this.#stack = stack;
    this.#runner = runner;
    this.urls = urlsOf(start, stack);
    this.stateDir = start.state.dir;
    this.kafkaBehindProxy = stack.kafkaBehindProxy;
  }

  static async start(start: OwnStackOptions): Promise<OwnStack> {
    const { options, state, progress } = start;
    const advertised = options.advertisedPorts?.length ?? 0;
    if (advertised !== 0 && advertised !== start.settings.brokers) {
      throw new StackError(
        'BAD_SETTING',
        `${advertised} advertised ports were given for ${start.settings.brokers} broker(s).`,
        'Give one for each broker.',
      );
    }
    const own = start.kinds.filter((kind) => !start.external.kinds.includes(kind));
    const began = Date.now();
    if (own.length > 0) progress(`Starting ${own.join(', ')}`);
    const provide = async (runner: 'containers' | 'processes') => {
      const settled: RunnerOptions = {
        kinds: own,
        state,
        settings: start.settings,
        env: start.env,
        ephemeral: options.ephemeral ?? false,
        detached: options.lifetime === 'detached',
        fixedPorts: options.fixedPorts ?? false,
        advertisedPorts: options.advertisedPorts ?? [],
        ports: start.beside ? portsOf(start.beside) : new Map(),
        artifactsDir: options.artifactsDir ?? path.join(DEFAULT_STATE_DIR, 'artifacts'),
        trial: options.trial ?? false,
        onProgress: progress,
        onUnexpectedExit: options.onUnexpectedExit ?? (() => undefined),
        onChange: (stack) => save(start, stack, runner),
      };
      // testcontainers is a development dependency, and slow to load.
      const stack =
        runner === 'processes'
          ? await ProcessStack.start(settled)
          : await (await import('./container-stack.ts')).ContainerStack.start(settled);
      return new OwnStack(start, stack, runner);
    };
    try {
      const stack = await chooseProvider(start, own, provide);
      save(start, stack.#stack, stack.#runner);
      if (own.length > 0 && stack.#runner !== 'external') state.setRunner(stack.#runner);
      progress(`The stack is up (${((Date.now() - began) / 1_000).toFixed(1)} s)`);
      return stack;
    } catch (error) {
      if (start.beside) state.setRunning(start.beside);
      else state.clearRunning();
      throw error;
    }
  }

  servers(): readonly ServerInfo[] {
    return this.#stack.servers().map(({ name, identity, container, log }) => ({
      name,
      runner: this.#runner,
      pid: identity?.pid ?? null,
      container,
      log,
    }));
  }

  runner(kind: ServerKind): Runner {
    return runnerOf(this.#start, kind, this.#runner);
  }

  archiveClasses(): Promise<void> {
    return this.#stack.archiveClasses();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  kill(target: ServerKind | ServerName, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.#stack.kill(target, signal);
  }

  restart(target: ServerKind | ServerName): Promise<void> {
    return this.#stack.restart(target);
  }

  stopServer(target: ServerKind | ServerName): Promise<void> {
    return this.#stack.stopServer(target);
  }

  freeze(target: ServerKind | ServerName): Promise<void> {
    return this.#stack.freeze(target);
  }

  thaw(target: ServerKind | ServerName): Promise<void> {
    return this.#stack.thaw(target);
  }

  async #stop(): Promise<void> {
    await this.#stack.stop();
    this.#start.state.clearRunning();
    if (this.#start.options.ephemeral) this.#start.state.remove();
  }
}

function runnerOf(start: OwnStackOptions, kind: ServerKind, runner: Runner): Runner {
  return start.external.kinds.includes(kind) ? 'external' : runner;
}

function urlsOf(start: OwnStackOptions, stack: RunnerStack): StackUrls {
  return { ...NO_URLS, ...start.beside?.urls, ...stack.urls, ...start.external.urls };
}

/** Writes down what runs, for other processes, and for the next one if this one is killed. */
function save(start: OwnStackOptions, stack: RunnerStack, runner: Runner): void {
  const servers = stack.servers();
  const urls = urlsOf(start, stack);
  const { beside } = start;
  start.state.setRunning({
    owner: ownIdentity(),
    lifetime: start.options.lifetime ?? 'process',
    providers: {
      ...beside?.providers,
      ...Object.fromEntries(start.kinds.map((kind) => [kind, runnerOf(start, kind, runner)])),
    },
    urls: { ...urls, kafkaBrokers: [...urls.kafkaBrokers] },
    kafkaBehindProxy: [...stack.kafkaBehindProxy],
    servers: [
      ...(beside?.servers ?? []),
      ...servers.flatMap(({ name, identity, log }) => (identity ? [{ name, log, ...identity }] : [])),
    ],
    containers: servers.flatMap(({ name, container }) => (container ? [{ name, id: container }] : [])),
  });
}

/**
 * Containers where a Docker daemon answers, else processes. Where both may be had and the containers do not start (no
 * network to fetch images, say), processes are tried next; data are never taken from one to the other.
 */
async function chooseProvider(
  { options, env, state, progress }: OwnStackOptions,
  own: readonly ServerKind[],
  provide: (runner: 'containers' | 'processes') => Promise<OwnStack>,
): Promise<OwnStack> {
  const asked = options.runner ?? 'auto';
  if (asked === 'processes' || own.length === 0) return provide('processes');
  const answers = await dockerAnswers(env);
  if (asked === 'containers') {
    if (answers) return provide('containers');
    throw new StackError(
      'DOCKER_UNAVAILABLE',
      'Containers were asked for, and no Docker daemon answers.',
      'Start Docker (`docker info` must answer), or let the stack run as plain processes.',
    );
  }
  // What the data were made with goes on; servers of another kind would not find them.
  const before = state.runner();
  if (before === 'processes' || !answers || options.lifetime === 'detached') return provide('processes');
  if (before === 'containers') return provide('containers');
  try {
    return await provide('containers');
  } catch (error) {
    progress(`${error instanceof StackError ? error.message : String(error)} Trying plain processes instead.`);
    return provide('processes');
  }
}
