// A person says that they work on a case, or no longer do.
import { nameSkeleton, personName } from '../../../domain/people/identities.ts';
import { CodedError } from '../../../ports/fault.ts';
import { type Assignment, assignmentOf, checkMine } from './decide.ts';
import type { Assignments } from './ports.ts';

/**
 * Assigns an open case to the person who asks, from now on; again, it lasts longer.
 * @param at ms since 1970
 * @throws DomainError PERSON_INVALID
 * @throws CodedError CASE_ASSIGNED
 */
export async function assignCase(
  store: Pick<Assignments, 'assign'>,
  { caseId, by, at }: { readonly caseId: string; readonly by: string; readonly at: number },
): Promise<Assignment> {
  const wanted = assignmentOf(caseId, by, at);
  const stands = await store.assign(wanted);
  checkMine(wanted, stands);
  return stands;
}

/**
 * Ends the assignment of a case to the person who asks.
 * @throws DomainError PERSON_INVALID
 * @throws CodedError ASSIGNMENT_UNKNOWN
 */
export async function releaseCase(
  store: Pick<Assignments, 'release'>,
  { caseId, by }: { readonly caseId: string; readonly by: string },
): Promise<void> {
  const name = personName(by);
  if (await store.release(caseId, nameSkeleton(name))) return;
  throw new CodedError('ASSIGNMENT_UNKNOWN', `case ${caseId} is not assigned to ${name}`);
}
