import { isAlive } from '../../ports/process-identity.ts';
import { StackError } from './fault.ts';
import type { RunningState, StateDir } from './state.ts';
import type { LocalStack, Runner, ServerInfo, ServerKind, ServerName, StackUrls } from './types.ts';

/** True while its owner lives or, when it needs none, while any of its servers does. */
export function isRunning(running: RunningState): boolean {
  if (running.lifetime === 'process') return isAlive(running.owner);
  return running.servers.some(isAlive);
}

/** A stack that another process runs: its URLs and servers can be seen, and nothing can be done to it. */
export class StackView implements LocalStack {
  readonly urls: StackUrls;
  readonly stateDir: string;
  readonly owned = false;
  readonly kafkaBehindProxy: readonly string[];
  readonly #running: RunningState;

  constructor(state: StateDir, running: RunningState, external: Partial<StackUrls>) {
    this.urls = { ...running.urls, ...external };
    this.stateDir = state.dir;
    this.kafkaBehindProxy = running.kafkaBehindProxy;
    this.#running = running;
  }

  servers(): readonly ServerInfo[] {
    const runner = (name: string) => this.runner(name.startsWith('kafka') ? 'kafka' : (name as ServerKind));
    return [
      ...this.#running.servers.map(({ name, pid, log }) => ({
        name: name as ServerName,
        runner: runner(name),
        pid,
        container: null,
        log,
      })),
      ...this.#running.containers.map(({ name, id }) => ({
        name: name as ServerName,
        runner: runner(name),
        pid: null,
        container: id,
        log: null,
      })),
    ];
  }

  runner(kind: ServerKind): Runner {
    return this.#running.providers[kind] ?? 'external';
  }

  async archiveClasses(): Promise<void> {}

  async stop(): Promise<void> {}

  async kill(): Promise<void> {
    throw this.#notOwned();
  }

  async restart(): Promise<void> {
    throw this.#notOwned();
  }

  async stopServer(): Promise<void> {
    throw this.#notOwned();
  }

  async freeze(): Promise<void> {
    throw this.#notOwned();
  }

  async thaw(): Promise<void> {
    throw this.#notOwned();
  }

  #notOwned(): StackError {
    return new StackError(
      'NOT_OWNED',
      `The stack in ${this.stateDir} is run by process ${this.#running.owner.pid}.`,
      'Do it there, or start a stack of your own in another state folder.',
    );
  }
}
