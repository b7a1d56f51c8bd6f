// Requests that make a thing bear a key: the same key of the same person is the same thing, for ever.
import { hash } from 'node:crypto';
import { CodedError } from '../../ports/fault.ts';

/** What an Idempotency-Key looks like, where it is not the id itself. */
const KEY = /^[A-Za-z0-9._:-]{8,64}$/;

/** The header field, as the document describes it. */
export const keyField = {
  description: 'A text of your own for this request, such as a UUID: the same key is the same thing.',
  required: true,
  pattern: KEY.source,
} as const;

/** RFC 8941 text, as the draft of the field has it, or bare. */
const bareKey = (header: string | undefined): string | undefined => /^"([^"]*)"$/.exec(header ?? '')?.[1] ?? header;

/**
 * The id of what a request makes: of the kind, the person and the key.
 * @throws CodedError IDEMPOTENCY_KEY_INVALID
 */
export function idFromKey(kind: string, subject: string, header: string | undefined): string {
  const key = bareKey(header);
  if (key === undefined || !KEY.test(key)) {
    throw new CodedError('IDEMPOTENCY_KEY_INVALID', 'Idempotency-Key must be 8 to 64 letters, digits or one of ._:-');
  }
  const digest = hash('sha256', JSON.stringify(['corridor-key-1', kind, subject, key]), 'hex');
  return [8, 12, 16, 20, 32].map((end, i) => digest.slice([0, 8, 12, 16, 20][i], end)).join('-');
}

/** The hash of what is asked for under a key. */
export const requestHash = (asked: unknown): string => hash('sha256', JSON.stringify(asked), 'hex');

/** @throws CodedError IDEMPOTENCY_KEY_REUSED */
export function checkSameRequest(known: string | undefined, asked: string): void {
  if (known === asked) return;
  throw new CodedError('IDEMPOTENCY_KEY_REUSED', 'the key stands for another request of yours');
}
