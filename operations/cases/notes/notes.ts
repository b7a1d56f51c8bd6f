// What people write to each other about a case. A note decides nothing, and is never changed.
import { justificationText, personName } from '../../../domain/people/identities.ts';
import { type Principal, permission } from '../../access/principal.ts';

export interface CaseNote {
  readonly id: string;
  readonly caseId: string;
  readonly by: string;
  readonly at: Date;
  readonly text: string;
}

/** Notes. Every method throws a coded error when the store cannot be asked. */
export interface CaseNotes {
  /** Keeps it; one with this id stays as it is. @returns what stands under the id */
  add(note: CaseNote): Promise<CaseNote>;
  /** The latest, the oldest of them first. */
  of(caseId: string, limit: number): Promise<readonly CaseNote[]>;
}

/** Notes that are shown with a case. */
export const MAX_NOTES = 200;

/**
 * Keeps a note. Again with the same id is the same note.
 * @returns what stands under the id: another text, when the id was given twice
 * @throws DomainError PERSON_INVALID, JUSTIFICATION_INVALID
 * @throws CodedError ACTION_FORBIDDEN
 */
export async function noteOnCase(
  store: Pick<CaseNotes, 'add'>,
  { by, text, ...rest }: Omit<CaseNote, 'by'> & { readonly by: Principal },
): Promise<CaseNote> {
  permission(by, 'cases.note');
  return store.add({ ...rest, by: personName(by.name), text: justificationText(text) });
}
