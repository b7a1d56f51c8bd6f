// A token is the HMAC of the customer's id, whatever the id: a changed token would part a customer from their limits.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokeniser, tokenKeyIdOf } from './token.ts';

describe('the token of a customer', () => {
  it('is HMAC-SHA-256 of the id as UTF-8, in base64url', () => {
    const id = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 80 }));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 100 }), id, (key, customerId) => {
        const token = createHmac('sha256', key).update(customerId, 'utf8').digest('base64url');
        expect(tokeniser(key)(customerId)).toBe(token);
      }),
    );
  });

  it('is another one under another key', () => {
    const key = fc.uint8Array({ minLength: 16, maxLength: 64 });
    fc.assert(
      fc.property(key, key, fc.string(), (one, other, customerId) => {
        // HMAC takes a shorter key as if it were filled with noughts.
        const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(64 - bytes.length)]);
        fc.pre(!padded(one).equals(padded(other)));
        expect(tokeniser(other)(customerId)).not.toBe(tokeniser(one)(customerId));
      }),
    );
  });

  it('comes with the id of its key, which is that of no token', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 64 }), fc.string(), (key, customerId) => {
        const keyId = createHmac('sha256', key).update('token-key\n').digest('hex').slice(0, 8);
        expect(tokenKeyIdOf(key)).toBe(keyId);
        fc.pre(customerId !== 'token-key\n');
        expect(Buffer.from(tokeniser(key)(customerId), 'base64url').toString('hex')).not.toMatch(
          new RegExp(`^${keyId}`),
        );
      }),
      // Of 32 bits: two in four thousand million are the same.
      { seed: 1 },
    );
  });

  it('wants a key of 16 bytes', () => {
    expect(() => tokeniser(new Uint8Array(15))).toThrow(RangeError);
  });
});
