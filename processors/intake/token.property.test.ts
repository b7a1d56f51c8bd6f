// A token is the HMAC of the customer's id, whatever the id: a changed token would part a customer from their limits.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokeniser } from './token.ts';

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

  it('names its key where that has an id; under another key the same customer is another, and no other key makes it again', () => {
    const key = fc.uint8Array({ minLength: 16, maxLength: 64 });
    const keyId = fc.stringMatching(/^[A-Za-z0-9_-]{1,16}$/);
    fc.assert(
      fc.property(key, key, keyId, keyId, fc.string(), (one, other, oneId, otherId, customerId) => {
        fc.pre(!Buffer.from(one).equals(Buffer.from(other)));
        const token = tokeniser(one, oneId)(customerId);
        expect(token).toBe(`${oneId}.${tokeniser(one)(customerId)}`);
        const mac = (text: string) => text.slice(text.lastIndexOf('.') + 1);
        expect(mac(tokeniser(other, otherId)(customerId))).not.toBe(mac(token));
      }),
    );
  });

  it('wants a key of 16 bytes', () => {
    expect(() => tokeniser(new Uint8Array(15))).toThrow(RangeError);
  });
});
