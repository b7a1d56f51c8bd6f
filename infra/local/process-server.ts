// One server as a plain process: start it, wait until it is well, and say clearly why it is not.
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { classArchiveOptions } from './class-archives.ts';
import { describeError, StackError } from './fault.ts';
import { isPortFree, portInUse } from './ports.ts';
import { until } from './probes.ts';
import type { ManagedProcess, ProcessGroup } from './processes.ts';
import type { ServerSpec } from './servers/server.ts';

/** Starting takes seconds; this is for a machine that is busy with something else. */
export const READY_TIMEOUT_MS = 240_000;
const LOG_LIMIT_BYTES = 20_000_000;

export class ProcessServer {
  readonly spec: ServerSpec;
  readonly log: string;
  #process: ManagedProcess | null = null;
  #stopping = false;
  /** Where in the log the present run began. */
  #logStart = 0;
  readonly #group: ProcessGroup;
  readonly #onUnexpectedExit: (how: string) => void;

  constructor(spec: ServerSpec, log: string, group: ProcessGroup, onUnexpectedExit: (how: string) => void) {
    this.spec = spec;
    this.log = log;
    this.#group = group;
    this.#onUnexpectedExit = onUnexpectedExit;
  }

  get process(): ManagedProcess | null {
    return this.#process?.ended === null ? this.#process : null;
  }

  /** Resolves when the server answers. Throws StackError SERVER_FAILED, SERVER_TIMEOUT, PORT_IN_USE or STATE_CORRUPT. */
  async start(cancelled: AbortSignal): Promise<void> {
    await this.spec.prepare();
    for (const port of this.spec.ports) if (!(await portComesFree(port))) throw portInUse(this.spec.name, port);
    this.#logStart = trimLog(this.log);
    const command = this.spec.command(classArchiveOptions(this.spec.classArchive));
    let started: ManagedProcess;
    try {
      started = await this.#group.start(command, this.log);
    } catch (error) {
      throw new StackError(
        'SERVER_FAILED',
        `${this.spec.title} cannot be run: ${describeError(error)}.`,
        `Check that ${command.file} exists and may be run.`,
        { cause: error },
      );
    }
    this.#process = started;
    this.#stopping = false;
    let ready = false;
    void started.exited.then((how) => {
      if (ready && !this.#stopping) this.#onUnexpectedExit(how);
    });

    const done = new AbortController();
    const ended = started.exited.then((how) => {
      done.abort();
      return how;
    });
    const signal = AbortSignal.any([cancelled, done.signal]);
    try {
      await until(signal, () => this.spec.probe());
      ready = started.ended === null;
      if (!ready) throw new Error('it ended');
    } catch (error) {
      const how = started.ended ?? (done.signal.aborted ? await ended : null);
      throw how === null ? this.#tooSlow(error) : this.explain(how);
    }
  }

  /** Ends it in good order (or with `signal`), and waits for the end. */
  async stop(graceMs = this.spec.graceMs): Promise<void> {
    this.#stopping = true;
    await this.#process?.stop(graceMs);
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const victim = this.process;
    if (!victim) throw notRunning(this.spec.title);
    this.#stopping = true;
    victim.signal(signal);
    await victim.exited;
  }

  /** SIGSTOP or SIGCONT. */
  hold(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const held = this.process;
    if (!held) throw notRunning(this.spec.title);
    held.signal(signal);
  }

  #tooSlow(cause: unknown): StackError {
    return new StackError(
      'SERVER_TIMEOUT',
      `${this.spec.title} runs but does not answer (${describeError(cause)}).`,
      `Look into ${this.log}. If the machine is very busy, try again.`,
      { cause },
    );
  }

  /** Why it ended, as far as its log tells. */
  explain(how: string): StackError {
    const output = readFrom(this.log, this.#logStart);
    const lines = output.trim().split('\n');
    if (/Address already in use|BindException|port .* in use/i.test(output)) {
      return portInUse(this.spec.name, this.spec.ports[0] as number);
    }
    const damaged = lines.find((line) => this.spec.corrupt.test(line));
    if (damaged) {
      return new StackError(
        'STATE_CORRUPT',
        `${this.spec.title} cannot read its data: ${damaged.trim().slice(0, 300)}`,
        'Run `npm run corridor -- down --wipe` to remove the local data, and start again.',
      );
    }
    const telling = lines.find((line) => /ERROR|Exception|FATAL|fatal|error/.test(line)) ?? lines.at(-1) ?? '';
    return new StackError(
      'SERVER_FAILED',
      `${this.spec.title} ended while starting (${how}): ${telling.trim().slice(0, 300)}`,
      `Look into ${this.log}. If its data are damaged, \`npm run corridor -- down --wipe\` removes them.`,
    );
  }
}

function notRunning(title: string): StackError {
  return new StackError('NOT_RUNNING', `${title} does not run.`, 'Start it with `restart` first.');
}

/** A port of a server killed a moment ago may take some milliseconds to be given back. */
async function portComesFree(port: number): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) {
    if (await isPortFree(port)) return true;
    await sleep(50);
  }
  return false;
}

/** Empties a log that has grown too long; returns where the next line will be written. */
function trimLog(file: string): number {
  if (!existsSync(file)) return 0;
  if (statSync(file).size > LOG_LIMIT_BYTES) truncateSync(file);
  return statSync(file).size;
}

function readFrom(file: string, from: number): string {
  const size = statSync(file).size - from;
  if (size <= 0) return '';
  if (from === 0 && size < 1_000_000) return readFileSync(file, 'utf8');
  const handle = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(size, 1_000_000));
    readSync(handle, buffer, 0, buffer.length, from);
    return buffer.toString();
  } finally {
    closeSync(handle);
  }
}
