import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cursorOf, positionIn } from './cursor.ts';
import { checkIfMatch, etagOf, namesEtag } from './precondition.ts';
import { rateLimiter } from './rate-limit.ts';

describe('a cursor', () => {
  const position = z.tuple([z.int(), z.string().max(64)]);

  it('comes back as it went', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string({ maxLength: 64, unit: 'grapheme' }), (at, id) => {
        if (id.length > 64) return;
        expect(positionIn(position, cursorOf([at, id]))).toEqual([at, id]);
      }),
    );
  });

  it('is refused when it is anything else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => cursorOf(JSON.parse(json))),
        ),
        (text) => {
          const refused = () => positionIn(z.tuple([z.literal('never'), z.int()]), text);
          expect(refused).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
        },
      ),
    );
  });
});

describe('If-Match', () => {
  const etag = etagOf(7);

  it('lets through what was seen as it is', () => {
    expect(() => checkIfMatch('"7"', etag)).not.toThrow();
    expect(() => checkIfMatch(' "7" ', etag)).not.toThrow();
  });

  it.each([undefined, '', '*', 'W/"7"', '7', '"7", "8"', '"\u00e9"'])(
    'asks for one strong ETag instead of %j',
    (header) => {
      expect(() => checkIfMatch(header, etag)).toThrow(expect.objectContaining({ code: 'PRECONDITION_MISSING' }));
    },
  );

  it('refuses what changed', () => {
    expect(() => checkIfMatch('"6"', etag)).toThrow(expect.objectContaining({ code: 'PRECONDITION_FAILED' }));
  });

  it.each([
    ['"7"', true],
    ['W/"7"', true],
    ['"1", "7"', true],
    ['*', true],
    ['"8"', false],
    [undefined, false],
  ])('If-None-Match %j names it: %j', (header, names) => expect(namesEtag(header, etag)).toBe(names));
});

describe('a rate limit', () => {
  it('counts by window, and everybody beyond the bound together', () => {
    let now = 0;
    const limiter = rateLimiter('p', 2, () => now);
    expect([1, 2, 3].map(() => limiter.count('a').isLeft)).toEqual([true, true, false]);
    now = 59_999;
    expect(limiter.count('a')).toMatchObject({ isLeft: false, resetS: 1, fields: { 'retry-after': '1' } });
    now = 60_000;
    expect(limiter.count('a').isLeft).toBe(true);
    for (let i = 0; i < 10_000; i++) limiter.count(`other-${i}`);
    expect(['x', 'y', 'z'].map((name) => limiter.count(name).isLeft)).toEqual([true, false, false]);
    expect(limiter.count('a').isLeft).toBe(true);
  });
});
