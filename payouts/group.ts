// Work of many payouts gathered into few round trips.

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupOptions<T, R> {
  /** Does the work for a batch; one result per item, in order. Never called with two items of one key. */
  readonly run: (items: readonly T[]) => Promise<readonly R[]>;
  readonly keyOf: (item: T) => string;
  readonly maxBatch: number;
}

/**
 * Group commit: while one batch is on its way, whatever comes gathers for the next. So a call waits for two round trips
 * at most, batches grow with the load by themselves, and what `run` reads is read after the call.
 */
export class Group<T, R> {
  readonly #options: GroupOptions<T, R>;
  #waiting: Waiting<T, R>[] = [];
  #running = false;

  constructor(options: GroupOptions<T, R>) {
    this.#options = options;
  }

  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#running) return;
      this.#running = true;
      // What the same turn of the event loop brings goes along.
      setImmediate(() => void this.#drain());
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        const results = await this.#options.run(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(results[index]!);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = false;
  }

  #take(): readonly Waiting<T, R>[] {
    const keys = new Set<string>();
    const batch: Waiting<T, R>[] = [];
    const later: Waiting<T, R>[] = [];
    for (const one of this.#waiting) {
      const key = this.#options.keyOf(one.item);
      const fits = batch.length < this.#options.maxBatch && !keys.has(key);
      (fits ? batch : later).push(one);
      keys.add(key);
    }
    this.#waiting = later;
    return batch;
  }
}
