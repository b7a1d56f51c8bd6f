// Dead letters one by one: pages of them, one with all that is known, and everything for a file.
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import type { DeadLetters, LetterCursor, LetterFilter } from './ports.ts';

export const MAX_PAGE = 500;

export interface LetterPage {
  readonly letters: readonly DeadLetterDocument[];
  /** Undefined: this is the last page. */
  readonly next: LetterCursor | undefined;
}

/** A page of letters, latest first. `limit`: 1 to 500. */
export async function listLetters(
  store: Pick<DeadLetters, 'list'>,
  filter: LetterFilter,
  limit: number,
  after?: LetterCursor,
): Promise<LetterPage> {
  const most = Math.min(Math.max(1, Math.trunc(limit)), MAX_PAGE);
  const found = await store.list(filter, most + 1, after);
  const letters = found.slice(0, most);
  const last = letters.at(-1);
  return { letters, next: found.length > most && last ? { failedAt: last.failedAt, id: last._id } : undefined };
}

/** Every letter of a filter, page by page, in bounded memory. */
export async function* allLetters(store: DeadLetters, filter: LetterFilter): AsyncGenerator<DeadLetterDocument> {
  let after: LetterCursor | undefined;
  do {
    const page = await listLetters(store, filter, MAX_PAGE, after);
    yield* page.letters;
    after = page.next;
  } while (after);
}

/** @throws CodedError LETTER_UNKNOWN */
export async function findLetter(store: Pick<DeadLetters, 'find'>, id: string): Promise<DeadLetterDocument> {
  const found = await store.find(id);
  if (found) return found;
  throw new CodedError('LETTER_UNKNOWN', `there is no dead letter ${safeText(id, 200)} in the index`);
}
