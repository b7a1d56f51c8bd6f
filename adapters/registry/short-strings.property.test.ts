// The faster way gives the bytes of the shipped one, whatever the text and however much room there is.
import avro from 'avsc';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { writeShortStringsFast } from './short-strings.ts';

const type = avro.Type.forSchema({
  type: 'record',
  name: 'Two',
  fields: [
    { name: 'first', type: 'string' },
    { name: 'second', type: 'string' },
  ],
});
const text = fc.oneof(
  fc.string({ maxLength: 140 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.integer({ min: 60, max: 140 }).map((length) => 'x'.repeat(length)),
  fc.integer({ min: 60, max: 140 }).map((length) => `${'x'.repeat(length)}é`),
);

afterEach(() => writeShortStringsFast(false));

it('gives the same bytes, and the same answer when there is no room', () => {
  fc.assert(
    fc.property(text, text, fc.nat({ max: 300 }), fc.nat({ max: 8 }), (first, second, room, at) => {
      const [shipped, fast] = [false, true].map((enabled) => {
        writeShortStringsFast(enabled);
        const buffer = Buffer.alloc(room, 0xee);
        const end = type.encode({ first, second }, buffer, Math.min(at, room));
        // What does not fit is encoded again into a larger buffer: what stands in this one is of no account.
        return { end, bytes: end < 0 ? undefined : buffer.subarray(0, end) };
      });
      expect(fast).toEqual(shipped);
    }),
    { numRuns: times(3_000) },
  );
});

it('can be taken back', () => {
  writeShortStringsFast(true);
  const fast = type.toBuffer({ first: 'GBP', second: 'ü' });
  writeShortStringsFast(false);
  expect(type.toBuffer({ first: 'GBP', second: 'ü' })).toEqual(fast);
});
