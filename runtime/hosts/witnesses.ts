// Runs batches with what is known beyond each: whether others came through while its first record did not.

import type { RecordBatch } from '../../ports/log.ts';
import { type Isolated, isolate, type Run } from './isolate.ts';

/** How often a batch in which nothing comes through is tried before its first record is condemned: over a minute. */
const MAX_TRIES_WITHOUT_WITNESS = 10;

/** The head of a partition that was first suspected when `passes` runs had come through. */
interface Suspected {
  readonly offset: number;
  readonly passes: number;
  readonly attempts: number;
}

/** An error that nobody coded is held against a record only when others came through meanwhile, here or elsewhere. */
export function witnessedIsolation<I>(run: Run<I>): (batch: RecordBatch, items: readonly I[]) => Promise<Isolated> {
  let passes = 0;
  const suspectedAt = new Map<string, Suspected>();
  const counted: Run<I> = async (items) => {
    const outcomes = await run(items);
    passes++;
    return outcomes;
  };

  return async ({ topic, partition, records }, items) => {
    const key = `${topic}/${partition}`;
    const { offset } = records[0]!;
    const known = suspectedAt.get(key);
    const { passes: since, attempts } = known?.offset === offset ? known : { passes, attempts: 0 };
    const result = await isolate(items, counted, {
      othersPassed: () => passes > since,
      isTriedEnough: attempts >= MAX_TRIES_WITHOUT_WITNESS,
    });
    if (result.fault?.known === false) suspectedAt.set(key, { offset, passes: since, attempts: attempts + 1 });
    else suspectedAt.delete(key);
    return result;
  };
}
