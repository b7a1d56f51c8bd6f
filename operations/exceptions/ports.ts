// What the use-cases of exceptions need of a store and of the log.
import type { ScreeningExceptionRevoked } from '../../schemas/types.generated.ts';
import type { StoredException } from './exception.ts';

/** Exceptions, of which none is ever deleted. Every method throws a coded error when the store cannot be asked. */
export interface Exceptions {
  /** What time it is for everybody: the clock of the store. @param own what the caller's clock says */
  clock(own: Date): Promise<Date>;
  /** The newest first. */
  list(filter: { readonly token?: string; readonly limit: number }): Promise<readonly StoredException[]>;
  /** Keeps one that was asked for. @returns false: its id is in use, and nothing was written */
  insert(exception: StoredException): Promise<boolean>;
  /** The exception, if it waits for approval and has not expired at `now`. */
  waiting(exceptionId: string, now: number): Promise<StoredException | undefined>;
  /**
   * Writes the approval of an exception that still waits for one and has not expired by then.
   * @returns false: it does not, and nothing was written
   */
  approve(exceptionId: string, approved: NonNullable<StoredException['approved']>): Promise<boolean>;
  /** Writes the revocation of an exception that has none. @returns false: there is no such one, and nothing was written */
  revoke(exceptionId: string, revoked: NonNullable<StoredException['revoked']>): Promise<boolean>;
}

/** Writes a revocation to the log; resolves when it is acknowledged. */
export type PublishRevocation = (revoked: ScreeningExceptionRevoked) => Promise<void>;
