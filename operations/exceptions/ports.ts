// What approving an exception needs of a store.
import type { StoredException } from './exception.ts';

/** Exceptions that wait for a second person. Every method throws a coded error when the store cannot be asked. */
export interface ApprovableExceptions {
  /**
   * Writes the approval of an exception that still waits for one and has not expired by then.
   * @returns false: it does not, and nothing was written
   */
  approve(exceptionId: string, approved: NonNullable<StoredException['approved']>): Promise<boolean>;
  /** The exception, if it waits for approval and has not expired at `now`. */
  waiting(exceptionId: string, now: number): Promise<StoredException | undefined>;
}
