// Who works on a case: a note for the others. It gives no right to decide, takes none, and is over after a while. Pure.
import { nameSkeleton, personName } from '../../../domain/people/identities.ts';
import { CodedError } from '../../../ports/fault.ts';

export interface Assignment {
  readonly caseId: string;
  /** The name as it was typed. */
  readonly by: string;
  /** The name as it is compared. */
  readonly person: string;
  /** ms since 1970 */
  readonly at: number;
  /** When the case is nobody's again, ms since 1970. */
  readonly until: number;
}

/** How long a case is somebody's, unless they say so again. */
export const ASSIGNMENT_MS = 4 * 3_600_000;

/** @throws DomainError PERSON_INVALID */
export function assignmentOf(caseId: string, by: string, at: number): Assignment {
  const name = personName(by);
  return { caseId, by: name, person: nameSkeleton(name), at, until: at + ASSIGNMENT_MS };
}

/** @throws CodedError CASE_ASSIGNED when what stands is somebody else's */
export function checkMine(wanted: Assignment, stands: Assignment): void {
  if (stands.person === wanted.person) return;
  throw new CodedError(
    'CASE_ASSIGNED',
    `${stands.by} works on case ${stands.caseId} until ${new Date(stands.until).toISOString()}`,
  );
}
