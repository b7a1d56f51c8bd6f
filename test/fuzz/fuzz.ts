// Runs cases in a thread of bounded memory; a case that never ends, or takes the memory, is named like one that fails.
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Share } from './worker.ts';

const MAX_MB = 512;
/** No case comes near it, on any machine: a thread that stands on one for so long is wedged. */
const WEDGED_MS = 60_000;

/** Runs cases of consecutive seeds. Rejects with the target and the seed of the first that does not hold. */
export async function fuzz(target: string, seed: number, cases: number): Promise<void> {
  const begun = new SharedArrayBuffer(4);
  const counter = new Int32Array(begun);
  const share: Share = { target, seed, cases, begun };
  const worker = new Worker(path.join(import.meta.dirname, 'worker.ts'), {
    workerData: share,
    resourceLimits: { maxOldGenerationSizeMb: MAX_MB },
  });
  let last = { at: -1, since: performance.now() };
  let wedged: ReturnType<typeof setInterval> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', (error: Error) => {
        const place = `${target}, seed ${seed + Math.max(0, Atomics.load(counter, 0) - 1)}`;
        reject(new Error(error.message.startsWith(target) ? error.message : `${place}: ${error.message}`));
      });
      wedged = setInterval(() => {
        const at = Atomics.load(counter, 0) - 1;
        if (at !== last.at) last = { at, since: performance.now() };
        // Before the first case the thread reads its modules, on a starved machine for minutes.
        if (at < 0 || performance.now() - last.since <= WEDGED_MS) return;
        reject(new Error(`${target}, seed ${seed + at}: never ends`));
      }, 1_000);
    });
  } finally {
    clearInterval(wedged);
    await worker.terminate();
  }
}
