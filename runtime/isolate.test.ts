import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isolate, type Outcome } from './isolate.ts';
import { CodedError } from './ports/fault.ts';

const down = new CodedError('DOWN', 'down', { faultClass: 'transient-dependency' });
const done = (n: number): Outcome => ({ kind: 'done', outputs: [{ key: String(n) } as never] });

it('handles nothing behind a fault: the answer is a prefix', async () => {
  const seen: number[][] = [];
  const result = await isolate([0, 1, 2, 3, 4, 5, 6, 7], async (items) => {
    seen.push([...items]);
    if (items.length > 4) throw new TypeError('somewhere');
    if (items.includes(2)) throw down;
    return items.map(done);
  });
  expect(result).toMatchObject({ outcomes: [], fault: { code: 'DOWN' } });
  expect(seen).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7],
    [0, 1, 2, 3],
  ]);
});

it('keeps what was done before the fault', async () => {
  const result = await isolate([0, 1, 2, 3], async (items) => {
    if (items.length > 2) throw new TypeError('somewhere');
    if (items.includes(3)) throw down;
    return items.map(done);
  });
  expect(result.outcomes).toEqual([done(0), done(1)]);
  expect(result.fault).toMatchObject({ code: 'DOWN' });
});

it('finds exactly the guilty ones, in any batch', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 64 }), async (guilty) => {
      const items = guilty.map((_, i) => i);
      const { outcomes, fault } = await isolate(items, async (part) => {
        if (part.some((i) => guilty[i])) throw new RangeError('guilty');
        return part.map(done);
      });
      expect(fault).toBeUndefined();
      expect(outcomes.map(({ kind }) => kind === 'poison')).toEqual(guilty);
      for (const [i, outcome] of outcomes.entries()) if (outcome.kind === 'done') expect(outcome).toEqual(done(i));
    }),
  );
});
