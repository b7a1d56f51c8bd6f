// Records as a consumer hands them in at a steady rate: partition by partition, one batch of each at a time.
import { setTimeout as sleep } from 'node:timers/promises';

export interface Step<I> {
  /** ms after its transfer began. */
  readonly afterMs: number;
  readonly partition: number;
  readonly item: I;
}

export interface Feed<I> {
  readonly transfers: number;
  /** Transfers a second. */
  readonly rate: number;
  readonly partitions: number;
  readonly maxBatch: number;
  /** How long a batch waits to fill, ms. */
  readonly lingerMs: number;
  readonly stepsOf: (transfer: number) => readonly Step<I>[];
  readonly handle: (batch: readonly I[]) => Promise<unknown>;
}

const TICK_MS = 5;

/** Feeds it all; answers how long it took from the first record until the last was handled, ms. */
export async function feed<I>(options: Feed<I>): Promise<number> {
  const { transfers, rate, partitions, maxBatch, lingerMs, stepsOf, handle } = options;
  const queues = Array.from({ length: partitions }, () => ({ items: [] as I[], since: 0, busy: false }));
  const running = new Set<Promise<void>>();
  const due = new Map<number, Step<I>[]>();
  const startedAt = performance.now();
  let next = 0;
  let waiting = 0;
  let failure: unknown;

  function work(now: number): void {
    for (const queue of queues) {
      if (queue.busy || queue.items.length === 0) continue;
      if (queue.items.length < maxBatch && now - queue.since < lingerMs) continue;
      queue.busy = true;
      const done = handle(queue.items.splice(0, maxBatch))
        .catch((error: unknown) => {
          failure = error;
        })
        .then(() => {
          queue.busy = false;
          running.delete(done);
          work(performance.now());
        });
      running.add(done);
    }
  }

  for (let tick = 0; next < transfers || waiting > 0 || queues.some(({ items }) => items.length > 0); tick++) {
    if (failure !== undefined) throw failure;
    const now = performance.now();
    const begun = Math.min(transfers, Math.floor(((now - startedAt) * rate) / 1_000));
    for (; next < begun; next++) {
      for (const step of stepsOf(next)) {
        const at = tick + Math.ceil(step.afterMs / TICK_MS);
        due.set(at, [...(due.get(at) ?? []), step]);
        waiting++;
      }
    }
    for (const { partition, item } of due.get(tick) ?? []) {
      const queue = queues[partition]!;
      if (queue.items.length === 0) queue.since = now;
      queue.items.push(item);
      waiting--;
    }
    due.delete(tick);
    work(now);
    await sleep(TICK_MS);
  }
  while (running.size > 0) await Promise.all(running);
  if (failure !== undefined) throw failure;
  return performance.now() - startedAt;
}
