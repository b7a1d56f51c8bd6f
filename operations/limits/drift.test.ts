import { expect, it } from 'vitest';
import type { LedgerCounter } from '../../processors/limits/ports.ts';
import { byRuleAndWindow, driftBetween, lasting, type StoredCounter } from './drift.ts';

const NOW = Date.UTC(2026, 11, 1);
const logged = (window: string, subjectToken: string, usedMinor: bigint): LedgerCounter => ({
  ...{ ruleId: 'day', subjectToken, window, usedMinor, open: 0 },
});
async function* held(...counters: (readonly [string, bigint])[]): AsyncIterable<readonly StoredCounter[]> {
  for (const [bucket, usedMinor] of counters) yield [{ bucket, usedMinor, open: 0 }];
}

it('is what Redis and the log do not agree on, of windows that are not over', async () => {
  const counters = [
    logged('2026-12-01', 'one', 500n),
    logged('2026-12-01', 'two', 300n),
    logged('2026-12-01', 'three', 0n),
    logged('2026-10-01', 'old', 9n),
  ];
  const store = held(
    ['day:one:2026-12-01', 500n],
    ['day:two:2026-12-01', 250n],
    ['day:stranger:2026-12-01', 7n],
    ['day:stranger:2026-12-01', 7n],
    ['day:older:2026-09-01', 7n],
  );
  const drift = await driftBetween(counters, store, NOW);
  expect([...drift.values()]).toEqual([
    { bucket: 'day:two:2026-12-01', logged: 300n, held: 250n },
    { bucket: 'day:stranger:2026-12-01', logged: 0n, held: 7n },
  ]);
  expect(byRuleAndWindow([...drift.values()])).toEqual([
    { ruleId: 'day', window: '2026-12-01', counters: 2, tooMany: 7n, tooFew: 50n },
  ]);
});

it('is only what stays: what is being committed evens out', async () => {
  const first = await driftBetween([logged('2026-12-01', 'one', 0n)], held(['day:one:2026-12-01', 40n]), NOW);
  const then = await driftBetween([logged('2026-12-01', 'one', 40n)], held(['day:one:2026-12-01', 40n]), NOW);
  expect(lasting(first, then)).toEqual([]);
  // It moved, and is off by as much as before.
  const moved = await driftBetween([logged('2026-12-01', 'one', 60n)], held(['day:one:2026-12-01', 100n]), NOW);
  expect(lasting(first, moved)).toHaveLength(1);
});
