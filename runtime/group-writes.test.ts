import { describe, expect, it } from 'vitest';
import { CodedError } from '../ports/fault.ts';
import { groupWrites } from './group-writes.ts';

/** A run that records what it was given, and ends when told to. */
function recording(fail?: (items: readonly number[]) => Error | undefined) {
  const runs: number[][] = [];
  let concurrent = 0;
  const run = async (items: readonly number[]) => {
    runs.push([...items]);
    expect(++concurrent).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    concurrent--;
    const error = fail?.(items);
    if (error) throw error;
    return items.map((item) => item * 10);
  };
  return { run, runs };
}

describe('grouped writes', () => {
  it('merge what comes while a write is on its way; each caller gets its own outcomes', async () => {
    const { run, runs } = recording();
    const write = groupWrites(run, 100);
    const results = await Promise.all([write([1, 2]), write([3]), write([4, 5]), write([6])]);
    expect(results).toEqual([[10, 20], [30], [40, 50], [60]]);
    expect(runs).toEqual([
      [1, 2],
      [3, 4, 5, 6],
    ]);
  });

  it('are bounded', async () => {
    const { run, runs } = recording();
    const write = groupWrites(run, 3);
    await Promise.all([write([1]), write([2, 3]), write([4, 5]), write([6, 7, 8, 9])]);
    expect(runs).toEqual([[1], [2, 3], [4, 5], [6, 7, 8, 9]]);
  });

  it('blame nobody for a neighbour: after poison each runs by itself', async () => {
    const { run, runs } = recording((items) => (items.includes(3) ? new TypeError('3') : undefined));
    const write = groupWrites(run, 100);
    const results = await Promise.allSettled([write([1]), write([2]), write([3]), write([4])]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(runs).toEqual([[1], [2, 3, 4], [2], [3], [4]]);
  });

  it('tell everybody that a dependency is down', async () => {
    const down = new CodedError('MONGO_UNAVAILABLE', 'down', { faultClass: 'transient-dependency' });
    const { run, runs } = recording(() => down);
    const write = groupWrites(run, 100);
    const results = await Promise.allSettled([write([1]), write([2]), write([3])]);
    expect(results.every((result) => result.status === 'rejected' && result.reason === down)).toBe(true);
    expect(runs).toEqual([[1], [2, 3]]);
  });
});
