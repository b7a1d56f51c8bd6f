// The `processes` runner: every server that no URL replaces, as a child process.
import { rmSync } from 'node:fs';
import { makeClassArchives, type Rehearsal } from './class-archives.ts';
import { describeError, StackError } from './fault.ts';
import { type ProcessPlan, planProcesses } from './process-plan.ts';
import { ProcessServer, READY_TIMEOUT_MS } from './process-server.ts';
import { ProcessGroup } from './processes.ts';
import type { RunnerOptions, RunnerStack, RunServer } from './runner.ts';
import type { ServerKindSpec, ServerSpec } from './servers/server.ts';
import type { ServerKind, ServerName, StackUrls } from './types.ts';

interface RunningPart {
  readonly spec: ServerKindSpec;
  readonly servers: readonly ProcessServer[];
}

const STILL_WAITING_MS = 5_000;

/** Tells which servers are up and which are still awaited. */
class Waiting {
  readonly #kinds: Set<ServerKind>;
  readonly #say: (line: string) => void;
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(kinds: readonly ServerKind[], say: (line: string) => void) {
    this.#kinds = new Set(kinds);
    this.#say = say;
    this.#timer = setInterval(() => say(`Still waiting for ${this.#left()} (${this.#seconds()} s)`), STILL_WAITING_MS);
    this.#timer.unref();
  }

  done(kind: ServerKind): void {
    this.#kinds.delete(kind);
    if (this.#kinds.size > 0) this.#say(`  ${kind} is up (${this.#seconds()} s), waiting for ${this.#left()}`);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #left = () => [...this.#kinds].join(', ');
  #seconds = () => ((performance.now() - this.#began) / 1_000).toFixed(1);
}

export class ProcessStack implements RunnerStack {
  readonly urls: Partial<StackUrls>;
  readonly kafkaBehindProxy: readonly string[];
  /** In the order of the plan; a server whose program is still being fetched has no entry yet. */
  readonly #kinds: RunningPart[] = [];
  readonly #group: ProcessGroup;
  readonly #options: RunnerOptions;
  readonly #archiving = new AbortController();
  readonly #rehearsals: readonly Promise<Rehearsal | undefined>[];
  #archives: Promise<void> | undefined;

  private constructor(
    options: RunnerOptions,
    group: ProcessGroup,
    found: Pick<ProcessPlan, 'urls' | 'kafkaBehindProxy' | 'rehearsals'>,
  ) {
    this.#options = options;
    this.#group = group;
    this.#rehearsals = found.rehearsals;
    this.urls = found.urls;
    this.kafkaBehindProxy = found.kafkaBehindProxy;
  }

  /** Fetches what is missing, then starts all servers at once. If one fails, those already started are stopped. */
  static async start(options: RunnerOptions): Promise<ProcessStack> {
    const plan = await planProcesses(options);
    const group = new ProcessGroup({
      detached: options.detached,
      graceMs: options.ephemeral ? 0 : 10_000,
      removeAfterCrash: options.ephemeral ? options.state.dir : undefined,
    });
    const stack = new ProcessStack(options, group, plan);
    const failed = new AbortController();
    const waiting = new Waiting(options.kinds, options.onProgress);
    const starts = plan.kinds.map(async (coming, index) => {
      try {
        const spec = await coming;
        if (failed.signal.aborted) return;
        const kind = { spec, servers: spec.servers.map((server) => stack.#serverOf(server)) };
        stack.#kinds[index] = kind;
        await stack.#startPart(kind, kind.servers, failed.signal);
        waiting.done(spec.name);
      } catch (error) {
        failed.abort();
        throw error;
      }
    });
    try {
      await Promise.all(starts);
    } catch (error) {
      await Promise.allSettled(starts);
      await stack.stop();
      throw error;
    } finally {
      waiting.stop();
    }
    if (!options.trial) void stack.archiveClasses();
    return stack;
  }

  /** Beside what uses the stack it would take much of a small machine: nice(1) means little across sessions. */
  archiveClasses(): Promise<void> {
    this.#archives ??= Promise.all(this.#rehearsals).then((rehearsals) =>
      makeClassArchives({
        group: this.#group,
        signal: this.#archiving.signal,
        rehearsals: rehearsals.filter((one) => one !== undefined),
      }),
    );
    return this.#archives;
  }

  servers(): RunServer[] {
    return this.#kinds.flatMap(({ servers }) =>
      servers.map((server) => ({
        name: server.spec.name,
        identity: server.process?.identity ?? null,
        container: null,
        log: server.log,
      })),
    );
  }

  async stop(): Promise<void> {
    const graceMs = this.#options.ephemeral ? 0 : undefined;
    this.#archiving.abort();
    await Promise.all(this.#kinds.flatMap(({ servers }) => servers.map((server) => server.stop(graceMs))));
    await this.#archives;
    await this.#group.stop(0);
    if (this.#options.ephemeral) rmSync(this.#options.state.data, { recursive: true, force: true, maxRetries: 3 });
  }

  async kill(target: ServerKind | ServerName, signal: NodeJS.Signals): Promise<void> {
    await Promise.all(this.#select(target).servers.map((server) => server.kill(signal)));
  }

  async stopServer(target: ServerKind | ServerName): Promise<void> {
    await Promise.all(this.#select(target).servers.map((server) => server.stop()));
  }

  async restart(target: ServerKind | ServerName): Promise<void> {
    const { kind, servers } = this.#select(target);
    await Promise.all(servers.map((server) => server.stop()));
    await this.#startPart(kind, servers, new AbortController().signal);
  }

  async freeze(target: ServerKind | ServerName): Promise<void> {
    for (const server of this.#select(target).servers) server.hold('SIGSTOP');
  }

  async thaw(target: ServerKind | ServerName): Promise<void> {
    for (const server of this.#select(target).servers) server.hold('SIGCONT');
  }

  #serverOf(spec: ServerSpec): ProcessServer {
    const { state, onUnexpectedExit } = this.#options;
    return new ProcessServer(spec, state.log(spec.name), this.#group, (how) => onUnexpectedExit(spec.name, how));
  }

  async #startPart(kind: RunningPart, servers: readonly ProcessServer[], cancelled: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([AbortSignal.timeout(READY_TIMEOUT_MS), cancelled]);
    await Promise.all(servers.map((server) => server.start(signal)));
    this.#options.onChange(this);
    const ended = new AbortController();
    for (const server of servers) void server.process?.exited.then(() => ended.abort());
    try {
      // A cluster of which one broker was started settles with those that run.
      const running = kind.servers.filter((server) => server.process !== null).map((server) => server.spec.name);
      await kind.spec.settle(AbortSignal.any([signal, ended.signal]), running);
    } catch (error) {
      const dead = servers.find((server) => server.process === null);
      if (dead) throw dead.explain('it ended');
      throw new StackError(
        'SERVER_TIMEOUT',
        `${servers[0]?.spec.title} runs, but is not ready for work (${describeError(error)}).`,
        `Look into ${this.#options.state.logs}. If the machine is very busy, try again.`,
        { cause: error },
      );
    }
  }

  #select(target: ServerKind | ServerName): RunningPart & { kind: RunningPart } {
    for (const kind of this.#kinds) {
      if (kind.spec.name === target) return { ...kind, kind };
      const servers = kind.servers.filter((server) => server.spec.name === target);
      if (servers.length > 0) return { spec: kind.spec, servers, kind };
    }
    throw new StackError(
      'NOT_RUNNING',
      `${target} is not run by this stack.`,
      'Choose a server that this stack started.',
    );
  }
}
