// Where the next page of the inbox begins, as an opaque text: it names the last row and the filter that it belongs to. Pure.
import { hash } from 'node:crypto';
import { CodedError } from '../../../ports/fault.ts';
import { CASE_KINDS, type CaseKind, type QueuedCase } from './row.ts';

/** What rows are ordered by: the first due first; the rest so that no two are equal. */
export type Place = Pick<QueuedCase, 'dueAt' | 'kind' | 'id'>;

const VERSION = 1;
const MAX_LENGTH = 1_024;

/** Below zero: `a` comes first. */
export function compare(a: Place, b: Place): number {
  if (a.dueAt !== b.dueAt) return a.dueAt - b.dueAt;
  if (a.kind !== b.kind) return CASE_KINDS.indexOf(a.kind) - CASE_KINDS.indexOf(b.kind);
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

/** @param filter what was asked for: a cursor is worth nothing for another question */
export const cursorAfter = ({ dueAt, kind, id }: Place, filter: unknown): string =>
  Buffer.from(JSON.stringify([VERSION, digestOf(filter), dueAt, kind, id])).toString('base64url');

/** @throws CodedError CURSOR_INVALID */
export function placeIn(cursor: string, filter: unknown): Place {
  const parts = cursor.length <= MAX_LENGTH ? parsed(cursor) : undefined;
  if (Array.isArray(parts) && parts.length === 5) {
    const [version, digest, dueAt, kind, id] = parts as unknown[];
    const isPlace = Number.isSafeInteger(dueAt) && CASE_KINDS.includes(kind as CaseKind) && typeof id === 'string';
    if (version === VERSION && digest === digestOf(filter) && isPlace) return { dueAt, kind, id } as Place;
  }
  throw new CodedError('CURSOR_INVALID', 'this is no cursor of this list with these filters: begin at the first page');
}

const digestOf = (filter: unknown): string =>
  hash('sha256', JSON.stringify(Object.entries(filter as object).sort()), 'base64url').slice(0, 16);

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
