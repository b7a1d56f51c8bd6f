import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decrypted, encrypted } from './encrypted.ts';
import { keyRing } from './seal.ts';

const old = `old:${'o'.repeat(32)}`;
const ring = keyRing(`new:${'n'.repeat(32)},${old}`);
const FAILED = expect.objectContaining({ code: 'DECRYPTION_FAILED' });

describe('what is encrypted', () => {
  it('comes back whole under each key of the ring, and never looks the same twice', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.string(), (bytes, place) => {
        const text = encrypted(ring, 'webhook-secret', place, bytes);
        expect([...decrypted(ring, 'webhook-secret', place, text)]).toEqual([...bytes]);
        expect(encrypted(ring, 'webhook-secret', place, bytes)).not.toBe(text);
        const before = encrypted(keyRing(old), 'webhook-secret', place, bytes);
        expect([...decrypted(ring, 'webhook-secret', place, before)]).toEqual([...bytes]);
      }),
    );
  });

  it('opens nowhere else, under no other key, and not when it was changed', () => {
    const text = encrypted(ring, 'webhook-secret', 'a', Buffer.from('secret of an endpoint'));
    const open =
      (given: string, place = 'a', by = ring) =>
      () =>
        decrypted(by, 'webhook-secret', place, given);
    expect(open(text, 'b')).toThrow(FAILED);
    expect(open(text, 'a', keyRing(old))).toThrow(FAILED);
    expect(open(text, 'a', keyRing(`new:${'x'.repeat(32)}`))).toThrow(FAILED);
    for (const other of ['', 'new', 'new.', 'new.AAAA', text.slice(0, -2), `${text.slice(0, 20)}A${text.slice(21)}A`])
      expect(open(other), other).toThrow(FAILED);
    const [id, content] = text.split('.') as [string, string];
    const bytes = Buffer.from(content, 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      expect(open(`${id}.${changed.toString('base64url')}`)).toThrow(FAILED);
    }
    expect(text).not.toContain(Buffer.from('secret of an endpoint').toString('base64url'));
  });
});
