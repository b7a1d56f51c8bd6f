// Whether an exception may be let through, and by whom. Pure.
import { personName } from '../../domain/people/identities.ts';
import { type KeyRing, sealOf } from '../../domain/seals/seal.ts';
import { CodedError } from '../../ports/fault.ts';
import { approvedContent } from '../../screening/exceptions.ts';
import { checkSecondPerson } from '../four-eyes/second-person.ts';
import { isAsked, type StoredException } from './exception.ts';

/**
 * The approval of an exception that another person asked for, sealed over what was asked.
 * @param found the exception, if it waits for approval
 * @param at ms since 1970
 * @throws DomainError PERSON_INVALID
 * @throws CodedError EXCEPTION_UNKNOWN, SECOND_PERSON_NEEDED, EXCEPTION_NOT_SEALED
 */
export function approvalOf(
  exceptionId: string,
  found: StoredException | undefined,
  asked: { readonly by: string; readonly at: number },
  operators: KeyRing,
): NonNullable<StoredException['approved']> {
  const by = personName(asked.by);
  if (!found) throw notWaiting(exceptionId);
  const why = `${found.grantedBy} asked for ${exceptionId}: another person must approve it (--by)`;
  checkSecondPerson(found.grantedBy, by, why);
  if (!isAsked(operators, found)) {
    throw new CodedError(
      'EXCEPTION_NOT_SEALED',
      `exception ${exceptionId} was not asked for through this program, or was changed in the database: ask for it anew`,
    );
  }
  return { at: asked.at, by, seal: sealOf(operators, 'exception', approvedContent(found, by, asked.at)) };
}

export const notWaiting = (exceptionId: string): CodedError =>
  new CodedError('EXCEPTION_UNKNOWN', `no exception ${exceptionId} waits for approval: see \`exceptions list\``);
