// Starts copier processes, and compares what they wrote with what they were given.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Log } from '../../../ports/log.ts';
import type { CopierEvent, CopierPlan } from './copier-plan.ts';

const PROGRAM = fileURLToPath(new URL('copier.ts', import.meta.url));

/** Copiers that may be alive. */
const started = new Set<Copier>();

/** Kills every copier that is left; for the end of a test, however it ended. */
export async function killCopiers(): Promise<void> {
  await Promise.all([...started].map((copier) => copier.kill()));
}

/** One copier process. It ends when this process does. */
export class Copier {
  readonly events: CopierEvent[] = [];
  readonly #child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #waiting = new Set<() => void>();

  constructor(plan: CopierPlan) {
    const env = { ...process.env, CORRIDOR_UNSAFE_FOR_TESTS: '1' };
    this.#child = spawn(process.execPath, [PROGRAM, JSON.stringify(plan)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env,
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.events.push(JSON.parse(line) as CopierEvent);
      this.#wake();
    });
    started.add(this);
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        started.delete(this);
        resolve({ code, signal });
        this.#wake();
      });
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with true at the first such event, with false when the process ends without. */
  async saw(wanted: (event: CopierEvent) => boolean): Promise<boolean> {
    while (!this.events.some(wanted)) {
      if (!this.alive) return false;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
    return true;
  }

  ready(): Promise<boolean> {
    return this.saw(({ event }) => event === 'ready');
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** Codes of the faults it told, for a test's message. */
  faults(): string[] {
    return this.events.flatMap((event) => (event.event === 'fault' ? [event.code] : []));
  }
}

/** What a copy lacks, has twice, or has in another order than its input. */
export interface Comparison {
  readonly records: number;
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
}

/** Compares by key, per input topic and partition, read_committed. Keys must be unique. */
export async function compareCopy(log: Log, inputs: readonly string[], output: string): Promise<Comparison> {
  const copies = await keysOf(log, [output]);
  const originals = await keysOf(log, inputs);
  let [records, lost, doubled, disordered] = [0, 0, 0, 0];
  for (const [from, keys] of originals) {
    const copied = copies.get(from) ?? [];
    const seen = new Set(copied);
    records += keys.length;
    lost += keys.filter((key) => !seen.has(key)).length;
    doubled += copied.length - seen.size;
    const position = new Map(keys.map((key, index) => [key, index]));
    const order = [...seen].map((key) => position.get(key) ?? -1);
    disordered += order.filter((at, index) => index > 0 && at <= order[index - 1]!).length;
  }
  return { records, lost, doubled, disordered };
}

/** Keys in order by `<input topic>/<partition>`; copies say in a header which topic they came from. */
async function keysOf(log: Log, topics: readonly string[]): Promise<Map<string, string[]>> {
  const reader = log.reader();
  const keys = new Map<string, string[]>();
  await reader.read(await reader.offsets(topics), ({ records }) => {
    for (const { topic, partition, key, headers } of records) {
      const from = `${headers['from']?.toString() ?? topic}/${partition}`;
      const list = keys.get(from);
      if (list === undefined) keys.set(from, [String(key)]);
      else list.push(String(key));
    }
  });
  return keys;
}

/** Waits until the group has handled its inputs to their ends. */
export async function caughtUp(log: Log, groupId: string, inputs: readonly string[]): Promise<void> {
  const admin = await log.admin();
  const reader = log.reader();
  try {
    for (;;) {
      const ends = await reader.offsets(inputs);
      const committed = await admin.committed(groupId, inputs);
      const behind = ends.some(({ topic, partition, to }) => {
        const found = committed.find((entry) => entry.topic === topic && entry.partition === partition);
        return (found?.offset ?? 0) < to;
      });
      if (!behind) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    await admin.close();
  }
}
