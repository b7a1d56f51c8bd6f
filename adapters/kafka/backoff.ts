// Waiting between tries.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackoffLimits } from '../../ports/backoff.ts';

/** What a broker refused, or a connection that broke, is tried again soon. */
export const KAFKA_BACKOFF: BackoffLimits = { firstMs: 20, maxMs: 1_000 };

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
