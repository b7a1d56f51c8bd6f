// Runs cases of one target and says which one is under way, so that its starter can name the one that never ends.
import { parentPort, workerData } from 'node:worker_threads';
import { runCase } from './targets.ts';

export interface Share {
  readonly target: string;
  readonly seed: number;
  readonly cases: number;
  /** Cases begun so far. */
  readonly begun: SharedArrayBuffer;
}

const { target, seed, cases, begun } = workerData as Share;
const counter = new Int32Array(begun);
for (let at = 0; at < cases; at++) {
  Atomics.store(counter, 0, at + 1);
  await runCase(target, seed + at);
}
parentPort!.postMessage('done');
