import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Group } from './group.ts';

function world(maxBatch = 100) {
  const batches: string[][] = [];
  const open: (() => void)[] = [];
  const group = new Group<string, string>({
    keyOf: (item) => item[0]!,
    maxBatch,
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
  return { group, batches, land };
}

describe('group', () => {
  it('takes along what comes in the same turn, and gathers the rest while it is on its way', async () => {
    const { group, batches, land } = world();
    const first = [group.add('a'), group.add('b')];
    await turn();
    await turn();
    const second = [group.add('c'), group.add('d')];
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
    const { group, batches, land } = world();
    const all = Promise.all(['a1', 'b1', 'a2', 'a3', 'c1'].map((item) => group.add(item)));
    await land();
    await land();
    await land();
    expect(await all).toEqual(['A1', 'B1', 'A2', 'A3', 'C1']);
    expect(batches).toEqual([['a1', 'b1', 'c1'], ['a2'], ['a3']]);
  });

  it('keeps to the largest batch', async () => {
    const { group, batches, land } = world(2);
    const all = Promise.all(['a', 'b', 'c'].map((item) => group.add(item)));
    await land();
    await land();
    await all;
    expect(batches).toEqual([['a', 'b'], ['c']]);
  });

  it('rejects a batch that failed, and goes on with the next', async () => {
    const { group, land } = world();
    const failed = Promise.allSettled([group.add('x'), group.add('b')]);
    await land();
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = group.add('c');
    await land();
    expect(await next).toBe('C');
  });
});
