import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idempotencyKey, submitPayoutRequest } from '../../simulator/api.ts';
import { isTransferId } from './transfer-id.ts';

describe('a transfer id', () => {
  it.each(['12345678', '3f0c0b52-6a55-4d10-8a30-3f5b0a2c9d11', 'a__--__b', 'x'.repeat(64)])('%s passes', (id) =>
    expect(isTransferId(id)).toBe(true),
  );

  it.each([
    ['begins with _', '_2345678'],
    ['begins with -', '-2345678'],
    ['ends with _', '1234567_'],
    ['ends with -', '1234567-'],
    ['too short', '1234567'],
    ['too long', 'x'.repeat(65)],
    ['a colon', '1234:678'],
    ['a line feed after it', '12345678\n'],
    ['letters of another script', 'абвгдежз'],
    ['empty', ''],
  ])('is refused: %s', (_, id) => expect(isTransferId(id)).toBe(false));

  it('is taken by the provider, alone and within the key of an attempt', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_-]{6,66}$/);
    fc.assert(
      fc.property(id, fc.integer({ min: 1, max: 999 }), (text, attempt) => {
        fc.pre(isTransferId(text));
        expect(idempotencyKey.safeParse(`${text}:${attempt}`).success).toBe(true);
        expect(submitPayoutRequest.shape.transferId.safeParse(text).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
