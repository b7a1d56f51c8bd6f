// Waiting between tries.
import { setTimeout as sleep } from 'node:timers/promises';

/** Delay before try number `attempt` (1 is the first retry), ms: doubles from `first` up to `most`, half of it random. */
export function backoffMs(attempt: number, first = 20, most = 1_000): number {
  const ceiling = Math.min(most, first * 2 ** Math.min(attempt - 1, 20));
  return ceiling / 2 + Math.random() * (ceiling / 2);
}

/** Sleeps, or returns early when the signal is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});
}

/** Waits for `work`, for `ms` at most; true when it was done in time. Rejects when the work does. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const done = work.then(() => true);
  const late = pause(ms, timer.signal).then(() => false);
  try {
    return await Promise.race([done, late]);
  } finally {
    timer.abort(); // or it would keep the process alive
  }
}
