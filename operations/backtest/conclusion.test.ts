// A stage that compared nothing has not shown that nothing differs, nor has a log that is short.
import { describe, expect, it } from 'vitest';
import { conclusionOf, uncomparedStages } from './conclusion.ts';
import { BACKTEST_STAGES, type BacktestStage, type StageReport } from './report.ts';

const NOTHING = { changed: 0, changedBefore: 0, open: 0, notComparable: {}, changes: [] };
const NONE = new Set<BacktestStage>();

function found(of: Partial<Record<BacktestStage, Partial<StageReport>>> = {}, rest: object = {}) {
  const stages = BACKTEST_STAGES.map((stage) => ({ stage, compared: 10, ...NOTHING, ...of[stage] }));
  const sum = (key: 'compared' | 'changed') => stages.reduce((total, stage) => total + stage[key], 0);
  const whole = { unproven: 0, undecodable: 0, isShort: false };
  return { stages, compared: sum('compared'), changed: sum('changed'), ...whole, ...rest };
}

describe('a backtest', () => {
  it('is the same only where all was compared', () => {
    expect(conclusionOf(found(), NONE)).toBe('SAME');
    for (const short of [{ isShort: true }, { unproven: 1 }, { undecodable: 1 }]) {
      expect(conclusionOf(found({}, short), NONE)).toBe('INCOMPLETE');
      expect(conclusionOf(found({ INTAKE: { changed: 1 } }, short), NONE)).toBe('DIFFERS');
    }
  });

  it.each(BACKTEST_STAGES)(
    'with something else for %s has shown nothing where that stage compared nothing',
    (stage) => {
      const done = found({ [stage]: { compared: 0 } });
      expect(conclusionOf(done, new Set([stage]))).toBe('NOT_COMPARED');
      expect(uncomparedStages(done, new Set([stage]))).toEqual([stage]);
      // A stage that nothing came to, and that nobody asked about, is no fault.
      expect(conclusionOf(done, NONE)).toBe('SAME');
    },
  );

  it('has shown nothing where a stage had inputs and compared none of them', () => {
    for (const inputs of [{ open: 3 }, { notComparable: { NO_RATES: 3 } }]) {
      const done = found({ LIMITS: { compared: 0, ...inputs } });
      expect(conclusionOf(done, NONE)).toBe('NOT_COMPARED');
      expect(uncomparedStages(done, NONE)).toEqual(['LIMITS']);
    }
    const before = found({ INTAKE: { changed: 10 }, LIMITS: { compared: 0, changedBefore: 10 } });
    expect(conclusionOf(before, NONE)).toBe('DIFFERS');
    const nothing = Object.fromEntries(BACKTEST_STAGES.map((stage) => [stage, { compared: 0 }]));
    expect(conclusionOf(found(nothing), NONE)).toBe('NOT_COMPARED');
  });
});
