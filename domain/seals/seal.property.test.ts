import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSealed, keyRing, sealOf } from './seal.ts';

const SECRET = 'a-secret-of-at-least-32-characters-0';
const ring = keyRing(`k1:${SECRET}`);
const parts = fc.array(fc.oneof(fc.string(), fc.uint8Array()), { maxLength: 5 });
const bytesOf = (list: readonly (string | Uint8Array)[]) => list.map((part) => Buffer.from(part as string));

describe('a seal', () => {
  it('is the HMAC over its purpose, the lengths of the parts and the parts, however long: an old one holds for ever', () => {
    const long = fc.integer({ min: 5_000, max: 17_000 }).map((length) => 'ß'.repeat(length));
    const list = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array(), long), { maxLength: 5 });
    fc.assert(
      fc.property(fc.oneof(list, fc.array(fc.string(), { minLength: 400, maxLength: 600 })), (made) => {
        const mac = createHmac('sha256', SECRET);
        mac.update(`corridor-seal-1\nrecord\n${made.map((part) => Buffer.byteLength(part)).join(',')}\n`);
        for (const part of made) mac.update(part);
        expect(sealOf(ring, 'record', made)).toBe(`k1.${mac.digest('base64url')}`);
      }),
    );
  });

  it('holds for the parts it was made for, and for no other list of parts', () => {
    fc.assert(
      fc.property(parts, parts, (made, other) => {
        const seal = sealOf(ring, 'record', made);
        expect(isSealed(ring, 'record', made, seal)).toBe(true);
        const same = made.length === other.length && bytesOf(made).every((part, i) => part.equals(bytesOf(other)[i]!));
        expect(isSealed(ring, 'record', other, seal)).toBe(same);
      }),
    );
  });

  it('of another purpose or another key is refused', () => {
    const seal = sealOf(ring, 'hold', ['x']);
    expect(isSealed(ring, 'record', ['x'], seal)).toBe(false);
    expect(isSealed(keyRing(`k1:${SECRET}1`), 'hold', ['x'], seal)).toBe(false);
  });

  it('is read by whoever still has its key, and made with the first key', () => {
    const rotated = keyRing(`k2:${SECRET}2,k1:${SECRET}`);
    expect(isSealed(rotated, 'record', ['x'], sealOf(ring, 'record', ['x']))).toBe(true);
    expect(sealOf(rotated, 'record', ['x'])).toMatch(/^k2\./);
    expect(isSealed(ring, 'record', ['x'], sealOf(rotated, 'record', ['x']))).toBe(false);
  });

  it('has one spelling: nothing may be put into it, behind it, or into the bits that decode to nothing', () => {
    const seal = sealOf(ring, 'record', ['x']);
    const refused = (text: string): void => {
      expect({ text, is: isSealed(ring, 'record', ['x'], text) }).toEqual({ text, is: false });
    };
    fc.assert(
      fc.property(fc.nat(seal.length), fc.string({ minLength: 1, maxLength: 40 }), (at, more) =>
        refused(seal.slice(0, at) + more + seal.slice(at)),
      ),
    );
    for (const more of ['.', '=', '==', '\n', ' ', '+', '/', '\u0000', 'é']) refused(`${seal}${more}`);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (const last of alphabet) if (last !== seal.at(-1)) refused(seal.slice(0, -1) + last);
    refused(seal.replaceAll('-', '+').replaceAll('_', '/').concat('='));
  });

  it('is never found in any other text', () => {
    fc.assert(fc.property(fc.string(), (text) => !isSealed(ring, 'record', ['x'], text)));
    expect(isSealed(ring, 'record', ['x'], undefined)).toBe(false);
    expect(isSealed(ring, 'record', ['x'], null)).toBe(false);
    expect(isSealed(ring, 'record', ['x'], `k1.${'A'.repeat(1_000_000)}`)).toBe(false);
  });
});

describe('a key ring', () => {
  it.each([
    ['a short secret', 'k1:short'],
    ['no id', SECRET],
    ['a strange id', `k 1:${SECRET}`],
    ['an id twice', `k1:${SECRET},k1:${SECRET}`],
    ['nothing', ''],
    ['too many keys', Array.from({ length: 9 }, (_, i) => `k${i}:${SECRET}`).join(',')],
  ])('with %s is refused, and the refusal holds no secret', (_, text) => {
    expect(() => keyRing(text)).toThrow(expect.objectContaining({ code: 'KEY_RING_INVALID' }));
    expect(() => keyRing(text)).not.toThrow(SECRET);
  });
});
