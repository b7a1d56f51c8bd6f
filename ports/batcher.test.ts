import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.ts';
import { CodedError } from './fault.ts';

describe('work added together', () => {
  /** A run that records what it was given, and fails when told to. */
  function recording(fail?: (items: readonly number[]) => Error | undefined) {
    const runs: number[][] = [];
    let concurrent = 0;
    const run = async (items: readonly number[]) => {
      runs.push([...items]);
      expect(++concurrent).toBe(1);
      await turn();
      concurrent--;
      const error = fail?.(items);
      if (error) throw error;
      return items.map((item) => item * 10);
    };
    return { run, runs };
  }
  const blamesOne = (error: unknown) => error instanceof TypeError;

  it('merges with what comes while a call is on its way; each caller gets its own outcomes', async () => {
    const { run, runs } = recording();
    const batcher = new Batcher({ run, maxItems: 100 });
    const results = await Promise.all([[1, 2], [3], [4, 5], [6]].map((items) => batcher.addAll(items)));
    expect(results).toEqual([[10, 20], [30], [40, 50], [60]]);
    expect(runs).toEqual([
      [1, 2],
      [3, 4, 5, 6],
    ]);
  });

  it('is bounded, and never torn apart', async () => {
    const { run, runs } = recording();
    const batcher = new Batcher({ run, maxItems: 3 });
    await Promise.all([[1], [2, 3], [4, 5], [6, 7, 8, 9]].map((items) => batcher.addAll(items)));
    expect(runs).toEqual([[1], [2, 3], [4, 5], [6, 7, 8, 9]]);
  });

  it('blames nobody for a neighbour: each runs by itself after an error that may be of one', async () => {
    const { run, runs } = recording((items) => (items.includes(3) ? new TypeError('3') : undefined));
    const batcher = new Batcher({ run, maxItems: 100, blamesOne });
    const results = await Promise.allSettled([1, 2, 3, 4].map((item) => batcher.addAll([item])));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(runs).toEqual([[1], [2, 3, 4], [2], [3], [4]]);
  });

  it('tells everybody of an error that is of none of them', async () => {
    const down = new CodedError('MONGO_UNAVAILABLE', 'down', { faultClass: 'transient-dependency' });
    const { run, runs } = recording(() => down);
    const batcher = new Batcher({ run, maxItems: 100, blamesOne });
    const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.addAll([item])));
    expect(results.every((result) => result.status === 'rejected' && result.reason === down)).toBe(true);
    expect(runs).toEqual([[1], [2, 3]]);
  });

  it('asks for nothing when there is nothing to do, and believes no answer that is too short or too long', async () => {
    const answers: number[][] = [[], [1, 2]];
    const batcher = new Batcher<number, number>({ run: async () => answers.shift()!, maxItems: 9, blamesOne });
    expect(await batcher.addAll([])).toEqual([]);
    for (const _ of [1, 2]) await expect(batcher.add(7)).rejects.toMatchObject({ code: 'OUTCOMES_MISSING' });
    expect(answers).toEqual([]);
  });
});

describe('work with keys', () => {
  function world(maxItems = 100) {
    const batches: string[][] = [];
    const open: (() => void)[] = [];
    const batcher = new Batcher<string, string>({
      keyOf: (item) => item[0]!,
      maxItems,
      gathersTurn: true,
      run: async (items) => {
        batches.push([...items]);
        await new Promise<void>((resolve) => open.push(resolve));
        if (items.includes('x')) throw new Error('refused');
        return items.map((item) => item.toUpperCase());
      },
    });
    /** Ends the round trip on its way. */
    const land = async () => {
      await turn();
      await turn();
      open.shift()?.();
      await turn();
      await turn();
    };
    return { batcher, batches, land };
  }

  it('takes along what comes in the same turn, and gathers the rest while it is on its way', async () => {
    const { batcher, batches, land } = world();
    const first = [batcher.add('a'), batcher.add('b')];
    await turn();
    await turn();
    const second = [batcher.add('c'), batcher.add('d')];
    await land();
    expect(await Promise.all(first)).toEqual(['A', 'B']);
    await land();
    expect(await Promise.all(second)).toEqual(['C', 'D']);
    expect(batches).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('never puts one key into a batch twice, and keeps the order of a key', async () => {
    const { batcher, batches, land } = world();
    const all = Promise.all(['a1', 'b1', 'a2', 'a3', 'c1'].map((item) => batcher.add(item)));
    await land();
    await land();
    await land();
    expect(await all).toEqual(['A1', 'B1', 'A2', 'A3', 'C1']);
    expect(batches).toEqual([['a1', 'b1', 'c1'], ['a2'], ['a3']]);
  });

  it('keeps to the largest batch', async () => {
    const { batcher, batches, land } = world(2);
    const all = Promise.all(['a', 'b', 'c'].map((item) => batcher.add(item)));
    await land();
    await land();
    await all;
    expect(batches).toEqual([['a', 'b'], ['c']]);
  });

  it('is rejected with the batch that failed, and the next one goes on', async () => {
    const { batcher, land } = world();
    const failed = Promise.allSettled([batcher.add('x'), batcher.add('b')]);
    await land();
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = batcher.add('c');
    await land();
    expect(await next).toBe('C');
  });
});
