import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import { isolate, type Outcome } from './isolate.ts';

const down = new CodedError('MONGO_UNAVAILABLE', 'down', { faultClass: 'transient-dependency' });
const done = (n: number): Outcome => ({ kind: 'done', outputs: [{ key: String(n) } as never] });

it('handles nothing behind a fault: the answer is a prefix', async () => {
  const seen: number[][] = [];
  const result = await isolate([0, 1, 2, 3, 4, 5, 6, 7], async (items) => {
    seen.push([...items]);
    if (items.length > 4) throw new TypeError('somewhere');
    if (items.includes(2)) throw down;
    return items.map(done);
  });
  expect(result).toMatchObject({ outcomes: [], fault: { code: 'MONGO_UNAVAILABLE' } });
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
  expect(result.fault).toMatchObject({ code: 'MONGO_UNAVAILABLE' });
});

/** What somebody coded. */
const poison = new CodedError('ID_CONFLICT', 'bad');

it('finds exactly the guilty ones, in any batch, when the error says that it is theirs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 64 }), async (guilty) => {
      const items = guilty.map((_, i) => i);
      const { outcomes, fault } = await isolate(items, async (part) => {
        if (part.some((i) => guilty[i])) throw poison;
        return part.map(done);
      });
      expect(fault).toBeUndefined();
      expect(outcomes.map(({ kind }) => kind === 'poison')).toEqual(guilty);
      for (const [i, outcome] of outcomes.entries()) if (outcome.kind === 'done') expect(outcome).toEqual(done(i));
    }),
  );
});

it('an error that nobody coded condemns exactly the guilty ones beside others that come through, else nobody', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 64 }), fc.boolean(), async (guilty, elsewhere) => {
      const items = guilty.map((_, i) => i);
      const run = async (part: readonly number[]) => {
        if (part.some((i) => guilty[i])) throw new RangeError('guilty');
        return part.map(done);
      };
      const { outcomes, fault } = await isolate(items, run, {
        othersPassed: () => elsewhere,
        isTriedEnough: false,
      });
      if (guilty.length > 0 && guilty.every(Boolean) && !elsewhere) {
        expect(outcomes).toEqual([]);
        expect(fault).toMatchObject({ code: 'UNEXPECTED_ERROR', faultClass: 'transient-dependency', known: false });
        return;
      }
      expect(fault).toBeUndefined();
      expect(outcomes.map(({ kind }) => kind === 'poison')).toEqual(guilty);
    }),
  );
});

it('a dependency that fails now and then without a code condemns nobody who comes through within three tries', async () => {
  const failures = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 16 });
  await fc.assert(
    fc.asyncProperty(failures, async (left) => {
      const items = left.map((_, i) => i);
      const { outcomes, fault } = await isolate(items, async (part) => {
        if (part.length > 1) throw new TypeError('down');
        const [i] = part as [number];
        if (left[i]! > 0) {
          left[i]!--;
          throw new TypeError('down');
        }
        return part.map(done);
      });
      expect(outcomes.some(({ kind }) => kind === 'poison')).toBe(false);
      expect(outcomes).toEqual(items.slice(0, outcomes.length).map(done));
      if (outcomes.length < items.length) expect(fault).toMatchObject({ faultClass: 'transient-dependency' });
    }),
  );
});

it('a coded poison before a suspect is kept, and no witness', async () => {
  const { outcomes, fault } = await isolate([0, 1], async (part) => {
    throw part.includes(0) && part.length === 1 ? poison : new TypeError('somewhere');
  });
  expect(outcomes).toMatchObject([{ kind: 'poison', fault: { code: 'ID_CONFLICT' } }]);
  expect(fault).toMatchObject({ faultClass: 'transient-dependency' });
});

it('when patience is over, one suspect at a time is condemned', async () => {
  const run = async () => {
    throw new TypeError('always');
  };
  const { outcomes, fault } = await isolate([0, 1, 2], run, { othersPassed: () => false, isTriedEnough: true });
  expect(outcomes).toMatchObject([{ kind: 'poison' }]);
  expect(fault).toMatchObject({ faultClass: 'transient-dependency' });
});
