// Records of any size, one after another: each is what encoding it alone gives, and none touches its neighbours.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { avroType } from '../../schemas/avro-types.ts';
import { Slab } from './slab.ts';

const HEADER = 5;
const type = avroType({ type: 'bytes' });

function check(sizes: readonly number[], slabBytes: number): void {
  const slab = new Slab(HEADER, slabBytes);
  const values = sizes.map((size, at) => Buffer.alloc(size, at));
  const records = values.map((value) => {
    const record = slab.encode(type, value)!;
    expect(record).toBeDefined();
    return record.fill(0xee, 0, HEADER);
  });
  records.forEach((record, at) => {
    expect(record.subarray(0, HEADER).every((byte) => byte === 0xee)).toBe(true);
    expect(record.subarray(HEADER).equals(type.toBuffer(values[at]!))).toBe(true);
  });
}

test('sizes round the end of the slab, in every order', () => {
  const SLAB = 256;
  const size = fc.oneof(fc.nat(3), fc.integer({ min: SLAB - 20, max: SLAB + 20 }), fc.nat(5 * SLAB));
  fc.assert(
    fc.property(fc.array(size, { maxLength: 12 }), (sizes) => check(sizes, SLAB)),
    { numRuns: 2_000 },
  );
});

test('a record of more than a slab right after another such one', () => {
  check([300_000, 300_000, 300_000, 10, 262_144, 262_139, 262_138, 262_137, 262_136, 262_135, 1_900_000, 1], 262_144);
});
