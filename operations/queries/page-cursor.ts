// Where the next page of a list begins, as an opaque text that belongs to one list with one filter. Pure.
import { hash } from 'node:crypto';
import { CodedError } from '../../ports/fault.ts';

const VERSION = 1;
const MAX_CHARACTERS = 1_024;
const DIGEST_CHARACTERS = 16;

/** The last row of a page: an instant, and an id that tells rows of one instant apart. */
export interface PagePlace {
  readonly at: Date;
  readonly id: string;
}

/** @param question list and filter: a cursor is worth nothing for another question */
export const pageCursor = (question: object, { at, id }: PagePlace): string =>
  Buffer.from(JSON.stringify([VERSION, digestOf(question), at.getTime(), id])).toString('base64url');

/** @throws CodedError CURSOR_INVALID */
export function pagePlace(question: object, cursor: string): PagePlace {
  const parts = cursor.length <= MAX_CHARACTERS ? parsed(cursor) : undefined;
  if (Array.isArray(parts) && parts.length === 4) {
    const [version, digest, at, id] = parts as unknown[];
    const isPlace = Number.isSafeInteger(at) && Math.abs(at as number) <= 8.64e15 && typeof id === 'string';
    if (version === VERSION && digest === digestOf(question) && isPlace) {
      return { at: new Date(at as number), id: id as string };
    }
  }
  throw new CodedError('CURSOR_INVALID', 'this is no cursor of this list with these filters: begin at the first page');
}

const digestOf = (question: object): string =>
  hash('sha256', JSON.stringify(Object.entries(question).sort()), 'base64url').slice(0, DIGEST_CHARACTERS);

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
