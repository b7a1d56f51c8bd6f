// The thread of event-loop-watch.ts.
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

interface Watched {
  readonly beats: Int32Array<SharedArrayBuffer>;
  readonly everyMs: number;
  /** Ticks without a beat after which the process ends. */
  readonly ticks: number;
  readonly deadlineMs: number;
  readonly pid: number;
}

const { beats, everyMs, ticks, deadlineMs, pid } = workerData as Watched;
let seen = Atomics.load(beats, 0);
let missed = 0;

setInterval(() => {
  const beat = Atomics.load(beats, 0);
  missed = beat === seen ? missed + 1 : 0;
  seen = beat;
  if (missed <= ticks) return;
  const detail = `the event loop has not turned for ${deadlineMs} ms`;
  writeSync(2, `${JSON.stringify({ level: 'fatal', pid, code: 'EVENT_LOOP_WEDGED', msg: detail })}\n`);
  process.kill(pid, 'SIGKILL');
}, everyMs);
