// Four eyes: what is risky is asked for by one person and let through by another. Pure.
import { nameSkeleton } from '../../domain/people/identities.ts';
import { CodedError } from '../../ports/fault.ts';

/**
 * Whether two names may be of one person: names that look alike are, however they are typed. On the safe side: who is taken
 * for somebody else has a third person approve.
 */
export const isSamePerson = (one: string, other: string): boolean => nameSkeleton(one) === nameSkeleton(other);

/**
 * Refuses an approval by the person who asked for it.
 * @param why a sentence that names the person who asked, and what another must do
 * @throws CodedError SECOND_PERSON_NEEDED
 */
export function checkSecondPerson(asked: string, approves: string, why: string): void {
  if (isSamePerson(asked, approves)) throw new CodedError('SECOND_PERSON_NEEDED', why);
}
