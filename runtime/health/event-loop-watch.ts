// Ends the process when its event loop is wedged: nothing that runs on the loop could notice, so a thread of its own
// does. It counts its own ticks rather than time: a process that was stopped and continued (SIGSTOP, a suspended
// machine) has missed no beat that the thread was awake to see.
import { Worker } from 'node:worker_threads';

export interface EventLoopWatch {
  stop(): Promise<void>;
}

const BEATS_PER_DEADLINE = 10;

/**
 * Kills the process (SIGKILL: nothing gentler gets through) when the event loop has not turned for `deadlineMs`, after
 * one line to standard error with the code EVENT_LOOP_WEDGED.
 */
export function watchEventLoop(deadlineMs: number): EventLoopWatch {
  const everyMs = Math.max(1, Math.floor(deadlineMs / BEATS_PER_DEADLINE));
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const timer = setInterval(() => Atomics.add(beats, 0, 1), everyMs);
  timer.unref();
  const worker = new Worker(new URL('./event-loop-watch.worker.ts', import.meta.url), {
    workerData: { beats, everyMs, ticks: BEATS_PER_DEADLINE, deadlineMs, pid: process.pid },
    execArgv: [],
    stdout: false,
    stderr: false,
  });
  worker.unref();
  return {
    async stop() {
      clearInterval(timer);
      await worker.terminate();
    },
  };
}
