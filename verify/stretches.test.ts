import { describe, expect, it } from 'vitest';
import { Counters, type Recomputed } from './limit-counters.ts';
import type { LedgerFact, UseFact } from './transfer.ts';

const use = (step: number, minor: bigint, over: Partial<UseFact> = {}): UseFact => ({
  ...{ ruleId: 'r', place: `s:r60x10.${step}`, minor, limit: 100n, freedByReturn: true, ...over },
});
const fact = (...uses: readonly UseFact[]): LedgerFact => ({
  ...{ sequence: 5, attempt: 1, state: 'committed', uses, topic: 'transfer.completed', offset: 0, at: 0 },
});
const windowsOf = (...counted: readonly (readonly [LedgerFact, boolean])[]): readonly Recomputed[] => {
  const counters = new Counters();
  for (const [each, isReviewed] of counted) counters.count(each, isReviewed, 1);
  return [...counters.windows()];
};

describe('rolling windows of the log', () => {
  it('are as full as their fullest stretch', () => {
    const found = windowsOf([fact(use(1, 40n), use(11, 50n), use(12, 45n), use(30, 60n)), false]);
    expect(found).toMatchObject([{ usedMinor: 95n, limitMinor: 100n, reviewed: false }]);
  });

  it('are above their limit where nobody decided, also beside a fuller stretch of which somebody did', () => {
    const found = windowsOf([fact(use(1, 900n)), true], [fact(use(50, 60n)), false], [fact(use(55, 50n)), false]);
    expect(found).toMatchObject([{ usedMinor: 110n, limitMinor: 100n, reviewed: false }]);
  });

  it('count each member of a stretch once, with the highest limit in it', () => {
    const of = (step: number, member: string, limit: bigint) => use(step, 1n, { member, limit });
    const found = windowsOf([
      fact(of(1, 'a', 9n), of(2, 'b', 3n), of(5, 'a', 2n), of(12, 'c', 1n), of(13, 'd', 1n)),
      false,
    ]);
    expect(found).toMatchObject([{ usedMinor: 3n, limitMinor: 2n }]);
  });

  it('of a rule whose length was changed are two', () => {
    const other = { ruleId: 'r', place: 's:r60x5.3', minor: 70n, limit: 100n, freedByReturn: true };
    expect(windowsOf([fact(use(1, 60n), other), false]).map(({ usedMinor }) => usedMinor)).toEqual([60n, 70n]);
  });

  it('are looked at once, however many steps a subject has', () => {
    const counters = new Counters();
    const steps = 200_000;
    for (let step = 0; step < steps; step++) counters.count(fact(use(step, 1n)), false, 1);
    expect([...counters.windows()]).toMatchObject([{ usedMinor: 11n }]);
  });
});
