// What assignments of cases need of a store. It reads, and writes by compare-and-set.
import type { Assignment } from './decide.ts';

/** Who works on which case. Every method throws a coded error when the store cannot be asked. */
export interface Assignments {
  /** Those that are not over at `now`, at most `limit`. */
  current(now: number, limit: number): Promise<readonly Assignment[]>;
  /** That of one case, if it is not over at `now`. */
  find(caseId: string, now: number): Promise<Assignment | undefined>;
  /**
   * Writes it if the case is nobody's at `at`, or this person's already.
   * @returns the assignment that stands: this one, or that of somebody else
   */
  assign(assignment: Assignment): Promise<Assignment>;
  /** Ends it if it is this person's. @returns false: it is not, and nothing was written */
  release(caseId: string, person: string): Promise<boolean>;
}
