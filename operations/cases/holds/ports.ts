// What the use-cases of held transfers need of a store. It reads, and writes by compare-and-set; it decides nothing.
import type { CaseDecision, CaseDocument, CaseState } from '../../../sinks/cases/case.ts';

/** Cases of held transfers. Every method throws a coded error when the store cannot be asked. */
export interface HoldCases {
  /** What time it is for everybody who decides: the clock of the store. @param own what the caller's clock says */
  clock(own: Date): Promise<Date>;
  /** The oldest first. */
  list(filter: { readonly state?: CaseState; readonly limit: number }): Promise<readonly CaseDocument[]>;
  find(holdId: string): Promise<CaseDocument | undefined>;
  /**
   * Writes the decision if the case is open with this evidence and has not lapsed when it is decided.
   * @returns the decided case; undefined: the case was not so, and nothing was written
   */
  decide(holdId: string, evidenceHash: string, decision: CaseDecision): Promise<CaseDocument | undefined>;
}

/** Cases that a person has written again from the log. */
export interface RestorableHoldCases extends Pick<HoldCases, 'find'> {
  /** Whether a stage has honoured a decision on this hold. */
  isResumed(holdId: string): Promise<boolean>;
  /**
   * Writes the case, and first keeps who had it written, why, and what stood there.
   * @param read what it is written instead of; undefined: nothing
   * @returns false: it was decided or written since it was read, and stays as it is
   */
  restore(document: CaseDocument, act: RestoringAct, read: CaseDocument | undefined): Promise<boolean>;
}

export interface RestoringAct {
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
}

/** Decisions on their way to the log, and holds that nobody decided. */
export interface HoldOutbox {
  /** Decided cases whose command is not known to be in the log, the first opened first; those behind `after`, if it is given. */
  pending(limit: number, before?: number, after?: CaseDocument): Promise<readonly CaseDocument[]>;
  /** The commands of these cases are in the log. */
  markPublished(cases: readonly CaseDocument[]): Promise<void>;
  /** See `HoldCases`. */
  clock(own: Date): Promise<Date>;
  /** Ends the open cases that have lapsed by the time of this decision, which is that of the store; returns how many. */
  expire(lapse: CaseDecision): Promise<number>;
}
