// What judges the pairs of one stage.
import type { Disposition } from '../../../processors/contract.ts';
import type { Pair } from '../pairs.ts';
import { type Judgement, type Outcome, outcome } from '../report.ts';

/** Decides anew on the inputs of some pairs of its stage; answers in their order. Writes nothing. */
export type Judge = (pairs: readonly Pair[]) => Promise<readonly Judgement[]>;

export const failed = ({ cause }: Disposition): Outcome => outcome('FAILED', [cause.code]);
