// Runs the processes that copy, lets them warm up on a first pass, and measures the second.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CopyEvent, CopyTask } from './variants.ts';

const PROGRAM = fileURLToPath(new URL('copy.ts', import.meta.url));

/** From when all of them were at work to the last commit. */
export interface CopyResult {
  readonly records: number;
  readonly elapsedMs: number;
  /** Processor time of all of them meanwhile, ms. */
  readonly cpuMs: number;
  readonly transactions: number;
}

/**
 * Copies everything twice, to `output.warm` and to `output.measured`, in so many processes of one group; tells of the second
 * time. `flags` are for Node. Rejects when a process meets a fault or ends.
 */
export async function runCopiers(task: CopyTask, processes: number, flags: readonly string[]): Promise<CopyResult> {
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, [...flags, PROGRAM, JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const copiers = children.map((child) => new Copier(child));
  try {
    await onePass(copiers, 'warm', task.records);
    return await onePass(copiers, 'measured', task.records);
  } catch (error) {
    for (const child of children) child.kill();
    throw error;
  } finally {
    for (const { stdin } of children) stdin!.end();
    await Promise.all(copiers.map(({ exited }) => exited));
  }
}

class Copier {
  readonly exited: Promise<void>;
  #listener: (event: CopyEvent | undefined) => void = () => {};
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => this.#listener(JSON.parse(line) as CopyEvent));
    this.exited = new Promise((resolve) => {
      child.once('exit', () => {
        this.#listener(undefined);
        resolve();
      });
    });
  }

  /** Ends the pass before and begins another; the listener gets undefined when the process has ended. */
  begin(pass: string, listener: (event: CopyEvent | undefined) => void): void {
    this.#listener = listener;
    this.#child.stdin!.write(`${pass}\n`);
  }
}

function onePass(copiers: readonly Copier[], pass: string, records: number): Promise<CopyResult> {
  return new Promise((resolve, reject) => {
    let idle = copiers.length;
    let left = records;
    let [copied, cpuMs, transactions, beganAt] = [0, 0, 0, 0];
    for (const copier of copiers) {
      let last = 0;
      copier.begin(pass, (event) => {
        if (event === undefined) return reject(new Error('A copying process ended before its work was done'));
        if (event.event === 'fault') return reject(new Error(`A copying process met a fault: ${event.code}`));
        const used = event.cpuMs - last;
        last = event.cpuMs;
        if (event.event === 'began') {
          if (--idle === 0) beganAt = event.at;
          return;
        }
        left -= event.records;
        if (idle > 0) return;
        copied += event.records;
        cpuMs += used;
        transactions += event.transactions;
        if (left <= 0) resolve({ records: copied, elapsedMs: event.at - beganAt, cpuMs, transactions });
      });
    }
  });
}
