// Whatever comes when, and whichever calls fail: nothing is lost, order and bound are kept, a fault reaches all who wait.
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.ts';

interface Item {
  /** The place in which it was added. */
  readonly id: number;
  readonly key: string;
  readonly guilty: boolean;
}

const MAX_ITEMS = 5;
class Guilty extends Error {}

const adds = fc.array(
  fc.record({
    items: fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), guilty: fc.boolean() }), {
      minLength: 1,
      maxLength: 7,
    }),
    /** Turns of the event loop before it is added. */
    after: fc.nat({ max: 3 }),
  }),
  { minLength: 1, maxLength: 25 },
);
const calls = fc.infiniteStream(
  fc.record({ turns: fc.nat({ max: 3 }), fails: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.boolean()) }),
);
const modes = fc.record({ gathersTurn: fc.boolean(), keyed: fc.boolean(), splits: fc.boolean(), guilt: fc.boolean() });

type Settled = PromiseSettledResult<readonly number[]>;

async function played(
  added: readonly { readonly items: readonly Item[]; readonly after: number }[],
  plans: { next(): { value: { turns: number; fails: boolean } } },
  mode: { gathersTurn: boolean; keyed: boolean; splits: boolean; guilt: boolean },
) {
  const runs: { readonly items: readonly Item[]; error?: Error }[] = [];
  let atOnce = 0;
  const batcher = new Batcher<Item, number>({
    maxItems: MAX_ITEMS,
    gathersTurn: mode.gathersTurn,
    ...(mode.keyed ? { keyOf: ({ key }: Item) => key } : {}),
    ...(mode.splits ? { blamesOne: (error: unknown) => error instanceof Guilty } : {}),
    run: async (items) => {
      const call: (typeof runs)[number] = { items };
      runs.push(call);
      expect(++atOnce).toBe(1);
      const { turns, fails } = plans.next().value;
      for (let count = 0; count < turns; count++) await turn();
      atOnce--;
      if (fails) call.error = new Error('down');
      else if (mode.guilt && items.some(({ guilty }) => guilty)) call.error = new Guilty('guilty');
      if (call.error) throw call.error;
      return items.map(({ id }) => id * 10);
    },
  });
  const promises: Promise<readonly number[]>[] = [];
  for (const { items, after } of added) {
    for (let count = 0; count < after; count++) await turn();
    const answer = items.length === 1 ? batcher.add(items[0]!).then((one) => [one]) : batcher.addAll(items);
    answer.catch(() => undefined);
    promises.push(answer);
  }
  return { runs, settled: await Promise.allSettled(promises) };
}

describe('a batcher', () => {
  it('loses nothing, keeps order and bound, and lets a fault reach all who wait for it', async () => {
    await fc.assert(
      fc.asyncProperty(adds, calls, modes, async (drawn, plans, mode) => {
        let id = 0;
        const added = drawn.map(({ items, after }) => {
          // With keys, what is added together is of different ones.
          const own = mode.keyed
            ? items.filter((one, at) => items.findIndex(({ key }) => key === one.key) === at)
            : items;
          return { after, items: own.map((item) => ({ ...item, id: id++ })) };
        });
        const { runs, settled } = await played(added, plans as never, mode);

        for (const [at, { items }] of added.entries()) {
          const mine = runs.filter((run) => run.items.some((one) => one.id === items[0]!.id));
          // What was added together is always in a call as a whole, in its order.
          for (const run of mine) {
            const from = run.items.findIndex((one) => one.id === items[0]!.id);
            expect(run.items.slice(from, from + items.length).map((one) => one.id)).toEqual(items.map((one) => one.id));
          }
          expectOutcome(settled[at]!, items, mine);
        }
        for (const { items } of runs) {
          const isOneCallers = added.some(
            (one) => one.items.length === items.length && one.items[0]!.id === items[0]!.id,
          );
          expect(items.length <= MAX_ITEMS || isOneCallers).toBe(true);
          if (mode.keyed) expect(new Set(items.map(({ key }) => key)).size).toBe(items.length);
        }
        const firstRuns = runs.flatMap(({ items }) => items).filter(isFirst());
        for (const key of mode.keyed ? ['a', 'b', 'c'] : [undefined]) {
          const ids = firstRuns.filter((item) => key === undefined || item.key === key).map((item) => item.id);
          expect(ids).toEqual(ids.toSorted((one, other) => one - other));
        }
      }),
    );
  });
});

/** Each caller hears what the last call with its items came to; only one that was split has a second. */
function expectOutcome(
  outcome: Settled,
  items: readonly Item[],
  mine: readonly { items: readonly Item[]; error?: Error }[],
) {
  const last = mine.at(-1)!;
  expect(mine.length).toBeLessThanOrEqual(2);
  if (mine.length === 2) {
    expect(mine[0]!.error).toBeInstanceOf(Guilty);
    expect(last.items).toHaveLength(items.length);
  }
  if (last.error === undefined) expect(outcome).toEqual({ status: 'fulfilled', value: items.map(({ id }) => id * 10) });
  else expect(outcome).toMatchObject({ status: 'rejected', reason: last.error });
}

function isFirst(): (item: Item) => boolean {
  const seen = new Set<number>();
  return ({ id }) => !seen.has(id) && Boolean(seen.add(id));
}
