// Our HMAC is the HMAC: for any key and any message it gives what Node's own gives.
import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hmacSha256 } from './hmac.ts';

const nodes = (key: Uint8Array, parts: readonly (string | Uint8Array)[]): string => {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest('base64url');
};

/** On both sides of what fits a block, and of what is hashed in one go. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.integer({ min: 16_200, max: 16_500 }).map((length) => new Uint8Array(length).fill(7)),
);
const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 80 }));

describe('the HMAC of a message', () => {
  it('is that of Node, whatever the key and the parts', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.array(fc.oneof(text, bytes), { maxLength: 6 }),
        (key, parts) => {
          expect(hmacSha256(createSecretKey(key), parts)).toBe(nodes(key, parts));
        },
      ),
    );
  });

  it('keeps nothing of the message before: a short one after a long one is its own', () => {
    const key = createSecretKey('k'.repeat(32), 'utf8');
    hmacSha256(key, ['x'.repeat(16_384)]);
    expect(hmacSha256(key, ['y'])).toBe(nodes(Buffer.from('k'.repeat(32)), ['y']));
  });

  it('is the one of RFC 4231, test case 2', () => {
    const key = createSecretKey('Jefe', 'utf8');
    const mac = Buffer.from(hmacSha256(key, ['what do ya want ', 'for nothing?']), 'base64url').toString('hex');
    expect(mac).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  });
});
