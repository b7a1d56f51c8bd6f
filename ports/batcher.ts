// Group commit: work that comes while a call is on its way gathers, and then goes together. So whoever asks waits for two
// round trips at most, batches grow with the load by themselves, and what `run` reads is read after the work was asked for.
import { CodedError } from './fault.ts';

export interface BatcherOptions<I, O> {
  /** Does the work for a batch: one outcome for each item, in order. Never called twice at once. */
  readonly run: (items: readonly I[]) => Promise<readonly O[]>;
  /** Most items of one call; what was added together stays together, however much it is. */
  readonly maxItems: number;
  /** Items of one key never meet in a call, and run in the order in which they were added. Absent: all in order. */
  readonly keyOf?: (item: I) => string;
  /** The first call waits until the turn of the event loop ends, and takes along what that turn brings. */
  readonly gathersTurn?: boolean;
  /**
   * Whether an error may be the fault of one item alone. When a call for several callers fails so, each caller's items run
   * by themselves, so that nobody is blamed for a neighbour's. Absent: whatever fails, fails for all who waited for it.
   */
  readonly blamesOne?: (error: unknown) => boolean;
}

interface Waiting<I, O> {
  readonly items: readonly I[];
  /** Takes its own of the outcomes: as many as it has items, from this one on. */
  readonly resolve: (outcomes: readonly O[], from: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Merges the work of many callers into few calls. Every promise that it gives out settles once `run` does. */
export class Batcher<I, O> {
  readonly #options: BatcherOptions<I, O>;
  #waiting: Waiting<I, O>[] = [];
  #running = false;

  constructor(options: BatcherOptions<I, O>) {
    this.#options = options;
  }

  /** The outcome of one item. Rejects with what `run` threw. */
  add(item: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.#enqueue({ items: [item], resolve: (outcomes, from) => resolve(outcomes[from]!), reject });
    });
  }

  /** The outcomes of items that go together, in their order. With keys: of different ones. Rejects as `add` does. */
  addAll(items: readonly I[]): Promise<readonly O[]> {
    if (items.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#enqueue({ items, resolve: (all, from) => resolve(all.slice(from, from + items.length)), reject });
    });
  }

  #enqueue(one: Waiting<I, O>): void {
    this.#waiting.push(one);
    if (this.#running) return;
    this.#running = true;
    if (this.#options.gathersTurn) setImmediate(() => void this.#drain());
    else void this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#runTogether(this.#take());
    this.#running = false;
  }

  /** What goes next, from the front. Whoever shares a key with somebody before them waits; others may pass them. */
  #take(): readonly Waiting<I, O>[] {
    const { keyOf, maxItems } = this.#options;
    const waiting = this.#waiting;
    const batch: Waiting<I, O>[] = [];
    const later: Waiting<I, O>[] = [];
    const keys = new Set<string>();
    let size = 0;
    let next = 0;
    for (; next < waiting.length; next++) {
      const one = waiting[next]!;
      if (batch.length > 0 && size + one.items.length > maxItems) break;
      if (keyOf && !takesKeys(one.items, keyOf, keys)) {
        later.push(one);
        continue;
      }
      batch.push(one);
      size += one.items.length;
    }
    this.#waiting = later.length === 0 ? waiting.slice(next) : later.concat(waiting.slice(next));
    return batch;
  }

  async #runTogether(batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const outcomes = await this.#options.run(
        batch.length === 1 ? batch[0]!.items : batch.flatMap(({ items }) => items),
      );
      assertAnswered(batch, outcomes.length);
      let from = 0;
      for (const { items, resolve } of batch) {
        resolve(outcomes, from);
        from += items.length;
      }
    } catch (error) {
      if (batch.length > 1 && this.#options.blamesOne?.(error)) {
        for (const one of batch) await this.#runTogether([one]);
        return;
      }
      for (const { reject } of batch) reject(error);
    }
  }
}

function assertAnswered(batch: readonly { readonly items: readonly unknown[] }[], outcomes: number): void {
  const asked = batch.reduce((sum, { items }) => sum + items.length, 0);
  if (outcomes === asked) return;
  throw new CodedError('OUTCOMES_MISSING', `${outcomes} outcomes for ${asked} items`, { faultClass: 'fatal' });
}

/** Adds the keys of the items; whether none of them was there. */
function takesKeys<I>(items: readonly I[], keyOf: (item: I) => string, keys: Set<string>): boolean {
  let areNew = true;
  for (const item of items) {
    const before = keys.size;
    if (keys.add(keyOf(item)).size === before) areNew = false;
  }
  return areNew;
}
