import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../test/kit/times.ts';
import { draw, FaultPicker, type FaultPlanInput, faultPlan } from './injected-faults.ts';

function picker(plan: FaultPlanInput, seed = 7, before = 0): FaultPicker {
  const faults = new FaultPicker(seed, before);
  faults.use(faultPlan.parse(plan));
  return faults;
}

const keys = Array.from({ length: 2_000 }, (_, n) => `T${n}:1`);

describe('a fault plan', () => {
  it('fills in what is left out', () => {
    const rules = [{ id: 'a', on: 'submit', kind: 'timeout-after' } as const];
    expect(faultPlan.parse({ rules })).toEqual({
      rules: [{ id: 'a', on: 'submit', kind: 'timeout-after', ms: 120_000, probability: 1, skip: 0 }],
    });
  });

  it.each([
    ['an unknown kind', { id: 'a', on: 'submit', kind: 'explode' }],
    ['a missing time', { id: 'a', on: 'submit', kind: 'latency' }],
    ['a lag on a query', { id: 'a', on: 'query', kind: 'lag', ms: 10 }],
    ['a lag longer than the contract allows', { id: 'a', on: 'submit', kind: 'lag', ms: 5_001 }],
    ['a misspelt setting', { id: 'a', on: 'submit', kind: 'reset-after', probabilty: 0.5 }],
  ])('refuses %s', (_what, rule) => {
    expect(faultPlan.safeParse({ rules: [rule] }).success).toBe(false);
  });

  it('refuses two rules of one id', () => {
    const rule = { id: 'a', on: 'submit', kind: 'reset-after' };
    expect(faultPlan.safeParse({ rules: [rule, rule] }).success).toBe(false);
  });
});

describe('FaultPicker', () => {
  it('fires by count, for the class and the keys it is meant for', () => {
    const faults = picker({
      rules: [{ id: 'a', on: 'submit', kind: 'reset-after', skip: 1, limit: 2, keyPrefix: 'T1:' }],
    });
    expect(faults.pick('query', 'T1:1')).toBeNull();
    expect(faults.pick('submit', 'T11:1')).toBeNull();
    const picked = Array.from({ length: 5 }, () => faults.pick('submit', 'T1:1')?.applied.id ?? null);
    expect(picked).toEqual([null, 'fault-1', 'fault-2', null, null]);
    expect(faults.fired).toEqual({ a: 2 });
  });

  it('takes the first rule that fires, and goes on with the ids of the ledger', () => {
    const faults = picker(
      {
        rules: [
          { id: 'never', on: 'submit', kind: 'error-before', probability: 0 },
          { id: 'first', on: 'submit', kind: 'error-after' },
          { id: 'second', on: 'submit', kind: 'malformed' },
        ],
      },
      7,
      41,
    );
    expect(faults.pick('submit', 'T1:1')?.applied).toEqual({ id: 'fault-42', rule: 'first', kind: 'error-after' });
  });

  it('draws the same faults for a seed in whatever order the keys come', () => {
    const rules = [{ id: 'a', on: 'submit', kind: 'reset-after', probability: 0.3 } as const];
    const chosen = (order: readonly string[], seed = 7) => {
      const faults = picker({ rules }, seed);
      return new Set(order.filter((key) => faults.pick('submit', key)));
    };
    const inOrder = chosen(keys);
    fc.assert(
      fc.property(fc.shuffledSubarray(keys, { minLength: keys.length }), (order) => {
        expect(chosen(order)).toEqual(inOrder);
      }),
      { numRuns: times(10) },
    );
    expect(chosen(keys, 8)).not.toEqual(inOrder);
    expect(inOrder.size / keys.length).toBeGreaterThan(0.25);
    expect(inOrder.size / keys.length).toBeLessThan(0.35);
  });

  it('draws evenly over the repetitions of one key', () => {
    const faults = picker({ rules: [{ id: 'a', on: 'query', kind: 'reset-after', probability: 0.5 }] });
    const fired = Array.from({ length: 4_000 }, () => faults.pick('query', 'T1:1')).filter(Boolean).length;
    expect(fired).toBeGreaterThan(1_800);
    expect(fired).toBeLessThan(2_200);
  });
});

it('draw is in [0, 1)', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(draw(text)).toBeGreaterThanOrEqual(0);
      expect(draw(text)).toBeLessThan(1);
    }),
  );
});
