// A stored exception, and whether it is what persons asked for and approved: one that was written into the database excuses
// nobody, since asking and approving are sealed by the programs of operators. Pure.
import { isOfTwo } from '../../domain/people/two-persons.ts';
import { isSealed, type KeyRing } from '../../domain/seals/seal.ts';
import { approvedContent, askedContent, revokedContent, type ScreeningException } from '../../screening/exceptions.ts';

export interface StoredException extends ScreeningException {
  /** ms since 1970 */
  readonly grantedAt: number;
  /** Who let it through; without one it excuses nobody. */
  readonly approved: { readonly at: number; readonly by: string; readonly seal?: string } | null;
  /** Of the program through which it was asked for. */
  readonly seal?: string;
  /** Sealed or not, it ends the exception: nobody gains by writing one. */
  readonly revoked: {
    readonly at: number;
    readonly by: string;
    readonly reason: string;
    readonly seal?: string;
  } | null;
}

export const isAsked = (operators: KeyRing, exception: StoredException): boolean =>
  isSealed(operators, 'exception', askedContent(exception), exception.seal);

export const isApproved = (operators: KeyRing, exception: StoredException): boolean => {
  const { approved } = exception;
  // What one person approved of their own is not approved, whatever seals say.
  if (approved === null || !isOfTwo({ by: exception.grantedBy, agreedBy: approved.by })) return false;
  return isSealed(operators, 'exception', approvedContent(exception, approved.by, approved.at), approved.seal);
};

export type ExceptionFlaw = 'EXCEPTION_NOT_SEALED' | 'REVOCATION_NOT_SEALED';

/** Why a stored exception is not what persons asked for, approved or revoked; undefined: it is. Never throws. */
export function flawOfException(operators: KeyRing, exception: StoredException): ExceptionFlaw | undefined {
  const { exceptionId, approved, revoked } = exception;
  try {
    if (!isAsked(operators, exception)) return 'EXCEPTION_NOT_SEALED';
    if (approved !== null && !isApproved(operators, exception)) return 'EXCEPTION_NOT_SEALED';
    if (revoked === null) return undefined;
    const isTrue = isSealed(operators, 'exception', revokedContent(exceptionId, revoked), revoked.seal);
    return isTrue ? undefined : 'REVOCATION_NOT_SEALED';
  } catch {
    // Of another shape than any that was ever written.
    return 'EXCEPTION_NOT_SEALED';
  }
}
