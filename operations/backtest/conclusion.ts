// What a backtest has shown, as a pipeline that deploys goes by it. Only what was compared in full, and with what was given in
// the place of something, may be called the same. Pure.
import type { BacktestDone } from './backtest.ts';
import type { BacktestStage, StageReport } from './report.ts';

/**
 * SAME: all was compared, and nothing differs. DIFFERS: something does. NOT_COMPARED: nothing was, or nothing at a stage that was
 * asked about or had something to decide. INCOMPLETE: nothing that was compared differs, but not all could be.
 */
export type BacktestConclusion = 'SAME' | 'DIFFERS' | 'NOT_COMPARED' | 'INCOMPLETE';

type Found = Pick<BacktestDone, 'stages' | 'compared' | 'changed' | 'unproven' | 'undecodable' | 'isShort'>;

/** Stages that compared nothing though they were asked about (`given`: with something else in the place of what was), or had inputs. */
export function uncomparedStages(
  { stages }: Pick<Found, 'stages'>,
  given: ReadonlySet<BacktestStage>,
): readonly BacktestStage[] {
  return stages
    .filter((stage) => stage.compared === 0 && (given.has(stage.stage) || hadInputs(stage)))
    .map(({ stage }) => stage);
}

/** What changed at a stage before is told there. */
const hadInputs = ({ open, notComparable }: StageReport): boolean =>
  open > 0 || Object.values(notComparable).some((times) => times > 0);

export function conclusionOf(found: Found, given: ReadonlySet<BacktestStage>): BacktestConclusion {
  if (found.compared === 0 || uncomparedStages(found, given).length > 0) return 'NOT_COMPARED';
  if (found.changed > 0) return 'DIFFERS';
  return found.isShort || found.unproven > 0 || found.undecodable > 0 ? 'INCOMPLETE' : 'SAME';
}
