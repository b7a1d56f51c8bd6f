// Four eyes: what is risky is asked for by one person and let through by another. Pure.
import { CodedError } from '../../ports/fault.ts';

const folded = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

/** Whether two names are of one person, however they are typed. */
export const isSamePerson = (one: string, other: string): boolean => folded(one) === folded(other);

/**
 * Refuses an approval by the person who asked for it.
 * @param why a sentence that names the person who asked, and what another must do
 * @throws CodedError SECOND_PERSON_NEEDED
 */
export function checkSecondPerson(asked: string, approves: string, why: string): void {
  if (isSamePerson(asked, approves)) throw new CodedError('SECOND_PERSON_NEEDED', why);
}
