// Cursors of lists: where to go on, opaque to callers, bounded, and checked like everything from outside.
import { z } from 'zod';
import { CodedError } from '../../ports/fault.ts';

/** Characters. */
const MAX_CURSOR_CHARACTERS = 512;

/** The query parameter. */
export const cursorParameter = z
  .string()
  .max(MAX_CURSOR_CHARACTERS)
  .optional()
  .describe('`nextCursor` of the page before. It is of no other use.');

export const limitParameter = (most: number, standard: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(standard)
    .meta({ type: 'integer', minimum: 1, maximum: most, default: standard, description: 'Most items of a page.' });

/** A position as a cursor. */
export const cursorOf = (position: unknown): string =>
  Buffer.from(JSON.stringify(position), 'utf8').toString('base64url');

/** @throws CodedError CURSOR_INVALID unless it holds what the schema says */
export function positionIn<S extends z.ZodType>(schema: S, cursor: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new CodedError('CURSOR_INVALID', 'the cursor is not one of this list');
  }
}

/** A page of a list. */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('Send it as `cursor` for the next page; null: this is the last one.'),
  });
