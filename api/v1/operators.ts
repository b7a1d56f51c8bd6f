// What routes of operators have in common.
import { z } from 'zod';
import type { ApiComponents } from '../../services/api/components.ts';

/** @throws Error when a route of operators is served by a process without their face, which routesOn never does */
export function operatorsOf({ operators }: ApiComponents): NonNullable<ApiComponents['operators']> {
  if (operators) return operators;
  throw new Error('this process has not the face of operators');
}

export const MAX_REASON_CHARACTERS = 500;

export const reasonText = z
  .string()
  .trim()
  .min(1)
  .max(MAX_REASON_CHARACTERS)
  .describe('Why, in a few words: kept, and shown to everybody who may see it.');

/** The header of a change: of what the caller has seen. */
export const ifMatch = {
  'if-match': {
    description: 'The ETag of what you have seen. A change of anything else is refused: 412, without it 428.',
    required: true,
  },
} as const;

export const ifNoneMatch = { 'if-none-match': { description: 'ETag of what is known already.' } } as const;

/** Refusals of every change. */
export const CHANGE_REFUSALS = ['PRECONDITION_MISSING', 'PRECONDITION_FAILED', 'MONGO_UNAVAILABLE'] as const;
