// How backtests end, of all stages and of limits alone.
import type { BacktestConclusion } from '../../operations/backtest/conclusion.ts';

/** Exit status: what a pipeline that deploys goes by; 1 is that it could not be run, as with every command. */
export const EXIT_OF: Readonly<Record<BacktestConclusion, number>> = {
  ...{ SAME: 0, DIFFERS: 2, NOT_COMPARED: 3, INCOMPLETE: 4 },
};

export const ENDINGS: Readonly<Record<BacktestConclusion, string>> = {
  SAME: 'Nothing differs.',
  DIFFERS: 'Something would have been decided otherwise.',
  INCOMPLETE: 'Nothing that was compared differs, but not all could be compared.',
  NOT_COMPARED: 'This has not shown that nothing differs.',
};
