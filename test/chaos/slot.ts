// One process of the pipeline under supervision: whenever it ends, it is started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FOLLOW_PARENT, followed } from '../../infra/local/follow-parent.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const RESTART_AFTER_MS = 300;
const LOOK_EVERY_MS = 25;

export interface SlotOptions {
  readonly name: string;
  /** The command of `corridor`, with its arguments. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly dir: string;
  /** Ms since the run began. */
  readonly now: () => number;
  readonly onExit: (exit: SlotExit) => void;
}

/** How one life of the process ended. */
export interface SlotExit {
  readonly slot: string;
  readonly life: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Ms since the run began. */
  readonly atMs: number;
  /** It had said that it was ready. */
  readonly ready: boolean;
  /** A fault or the end of the run ended it. */
  readonly meant: boolean;
  /** What it logged as the reason, when it ended by itself. */
  readonly reason: string;
  /** Parts of it that stopped by themselves while it went on, as it logged them. */
  readonly stood: readonly string[];
}

interface Life {
  readonly number: number;
  readonly child: ChildProcess;
  readonly failpointLog: string;
  readonly exited: Promise<void>;
  ready: boolean;
  meant: boolean;
  health: string | undefined;
  url: string | undefined;
}

export class Slot {
  readonly name: string;
  readonly logFile: string;
  readonly #options: SlotOptions;
  readonly #rulesFile: string;
  #life: Life | undefined;
  #lives = 0;
  /** Lines of the log that belong to earlier lives. */
  #linesBefore = 0;
  #stopping = false;
  #readyWaiters: (() => void)[] = [];

  constructor(options: SlotOptions) {
    this.#options = options;
    this.name = options.name;
    mkdirSync(options.dir, { recursive: true });
    this.logFile = path.join(options.dir, `${options.name}.log`);
    this.#rulesFile = path.join(options.dir, `${options.name}.failpoints`);
    writeFileSync(this.#rulesFile, '');
  }

  /** Begins a life; each that ends is followed by another until it is stopped. */
  start(): void {
    this.#stopping = false;
    const number = ++this.#lives;
    const failpointLog = path.join(this.#options.dir, `${this.name}.${number}.reached`);
    const log = openSync(this.logFile, 'a');
    const child = spawn(process.execPath, [...FOLLOW_PARENT, path.join(ROOT, 'cli/main.ts'), ...this.#options.args], {
      cwd: ROOT,
      env: followed({
        ...this.#options.env,
        CORRIDOR_FAILPOINTS_FILE: this.#rulesFile,
        CORRIDOR_FAILPOINT_LOG: failpointLog,
      }),
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const life: Life = {
      number,
      child,
      failpointLog,
      exited: new Promise((resolve) => {
        child.once('exit', (code, signal) => {
          resolve();
          this.#ended(life, code, signal);
        });
      }),
      ready: false,
      meant: false,
      health: undefined,
      url: undefined,
    };
    this.#life = life;
    void this.#awaitReady(life);
  }

  /** Resolves when the present or next life is ready. */
  async ready(): Promise<void> {
    while (!this.#life?.ready) await new Promise<void>((resolve) => this.#readyWaiters.push(resolve));
  }

  /** Resolves when there is a process, ready or not. */
  async alive(): Promise<void> {
    while (!this.#life) await sleep(LOOK_EVERY_MS);
  }

  /** Base URL of its health, while it is ready. */
  get health(): string | undefined {
    return this.#life?.health;
  }

  /** Base URL of what it serves beside its health, while it is ready. */
  get url(): string | undefined {
    return this.#life?.url;
  }

  get pid(): number | undefined {
    return this.#life?.child.pid;
  }

  /** kill -9, now. */
  async kill(): Promise<void> {
    const life = this.#life;
    if (!life) return;
    life.meant = true;
    life.child.kill('SIGKILL');
    await life.exited;
  }

  /**
   * Arms a failpoint of the ready process, and waits until it has acted.
   * @returns false when it was not reached within `timeoutMs`; it is disarmed then
   */
  async atFailpoint(rule: string, acts: 'kill' | 'stop', timeoutMs: number): Promise<boolean> {
    const life = this.#life;
    if (!life?.ready) return false;
    const before = acted(life, acts);
    if (acts === 'kill') life.meant = true;
    this.#arm(life, rule);
    for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; ) {
      if (acted(life, acts) > before) {
        if (acts === 'kill') await life.exited;
        return true;
      }
      if (this.#life !== life) return false;
      await sleep(LOOK_EVERY_MS);
    }
    this.#arm(life, '');
    await sleep(LOOK_EVERY_MS);
    // It may have come by in the last moment.
    if (acted(life, acts) > before) return true;
    life.meant = false;
    return false;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#life?.child.kill(signal);
  }

  /** SIGTERM and no new life until it is started again. Resolves with the exit code of a drain (null: it had to be killed). */
  async stop(deadlineMs: number): Promise<number | null> {
    this.#stopping = true;
    const life = this.#life;
    if (!life) return null;
    life.meant = true;
    life.child.kill('SIGCONT');
    life.child.kill('SIGTERM');
    const timer = setTimeout(() => life.child.kill('SIGKILL'), deadlineMs);
    await life.exited;
    clearTimeout(timer);
    return life.child.exitCode;
  }

  /** Every failpoint that any life of this process passed. */
  reached(): ReadonlySet<string> {
    const names = new Set<string>();
    for (let number = 1; number <= this.#lives; number++) {
      const file = path.join(this.#options.dir, `${this.name}.${number}.reached`);
      for (const line of linesOf(file)) if (line.startsWith('reached ')) names.add(line.slice('reached '.length));
    }
    return names;
  }

  #arm(life: Life, rule: string): void {
    writeFileSync(this.#rulesFile, rule);
    life.child.kill('SIGUSR2');
  }

  async #awaitReady(life: Life): Promise<void> {
    const from = existsSync(this.logFile) ? readFileSync(this.logFile).length : 0;
    while (this.#life === life) {
      const said = readFileSync(this.logFile)
        .subarray(from)
        .toString()
        .split('\n')
        .find((line) => line.includes('"ready":true'));
      if (said) {
        const { health, url } = JSON.parse(said) as { health?: string; url?: string };
        life.health = health;
        life.url = url;
        life.ready = true;
        for (const wake of this.#readyWaiters.splice(0)) wake();
        return;
      }
      await sleep(100);
    }
  }

  #ended(life: Life, code: number | null, signal: NodeJS.Signals | null): void {
    this.#life = undefined;
    const lines = linesOf(this.logFile);
    const stood = lines.slice(this.#linesBefore).filter((line) => line.includes('"stands: it stopped by itself"'));
    this.#linesBefore = lines.length;
    this.#options.onExit({
      slot: this.name,
      life: life.number,
      code,
      signal,
      atMs: this.#options.now(),
      ready: life.ready,
      meant: life.meant,
      reason: life.meant ? '' : lastWords(this.logFile),
      stood: stood.map((line) => line.slice(0, 300)),
    });
    if (this.#stopping) return;
    setTimeout(() => !this.#stopping && this.start(), RESTART_AFTER_MS);
  }
}

const acted = (life: Life, action: string) =>
  linesOf(life.failpointLog).filter((line) => line.startsWith(`${action} `)).length;

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
}

/** The line that says why the process ended, or the last one. */
function lastWords(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-30);
  const said =
    lines.findLast((line) => line.startsWith('ended: ') || / \([A-Z_]+\)$/.test(line)) ??
    lines.findLast((line) => /Error|"fatal"/.test(line));
  return (said ?? lines.at(-1) ?? '').slice(0, 300);
}
