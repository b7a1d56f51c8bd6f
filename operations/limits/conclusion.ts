// What a backtest of limits has shown. Pure.
import type { BacktestConclusion } from '../backtest/conclusion.ts';
import type { BacktestDone } from './backtest.ts';

/** What it has shown, as a pipeline that deploys goes by it: transfers that nobody had decided are compared with nothing. */
export function limitsConclusion({
  outcomes,
  isShort,
  unproven,
}: Pick<BacktestDone, 'outcomes' | 'isShort' | 'unproven'>): BacktestConclusion {
  const compared = outcomes.filter(({ was, transfers }) => was !== 'OPEN' && transfers > 0);
  if (compared.length === 0) return 'NOT_COMPARED';
  if (compared.some(({ was, would }) => was !== would)) return 'DIFFERS';
  return isShort || unproven > 0 ? 'INCOMPLETE' : 'SAME';
}
