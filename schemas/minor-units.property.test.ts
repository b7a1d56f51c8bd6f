// Amounts are written as Avro prescribes for longs, whatever way they take.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { avroType } from './avro-types.ts';

const type = avroType({ type: 'long', logicalType: 'minor-units' });

/** Avro's zigzag and variable-length encoding, by the specification. */
function byTheBook(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

const edges = [30n, 31n, 32n, 51n, 52n, 53n, 54n, 63n].flatMap((power) =>
  [-2n, -1n, 0n, 1n, 2n].flatMap((beside) => [2n ** power + beside, -(2n ** power) + beside]),
);
const amount = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
  fc.bigInt({ min: -100_000n, max: 100_000n }),
  fc.constantFrom(...edges.filter((value) => BigInt.asIntN(64, value) === value)),
);

it('are written by the book, and read back', () => {
  fc.assert(
    fc.property(amount, (value) => {
      const bytes = type.toBuffer(value);
      expect(bytes).toEqual(byTheBook(value));
      expect(type.fromBuffer(bytes)).toBe(value);
    }),
    { numRuns: 3_000 },
  );
});

it.each(edges.filter((value) => BigInt.asIntN(64, value) === value))('%s is exact', (value) => {
  expect(type.toBuffer(value)).toEqual(byTheBook(value));
  expect(type.fromBuffer(byTheBook(value))).toBe(value);
});

it.each([2n ** 63n, -(2n ** 63n) - 1n, 5, '5', null])('%s is refused', (value) => {
  expect(() => type.toBuffer(value)).toThrow();
});

it('are refused when cut short', () => {
  fc.assert(
    fc.property(amount, (value) => {
      const bytes = byTheBook(value);
      expect(() => type.fromBuffer(bytes.subarray(0, bytes.length - 1))).toThrow();
    }),
  );
});
