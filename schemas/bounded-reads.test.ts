// Nothing that a record claims goes beyond its bytes, read or skipped, and what is valid reads as before.
import type { Type } from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroType } from './avro-types.ts';
import { MAX_ITEMS } from './bounded-reads.ts';

/** Avro's zigzag and variable-length encoding, by the specification; `bytes` pads it to so many. */
function long(value: bigint, bytes = 0): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest > 0x7fn || out.length + 1 < bytes; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...out, Number(rest)]);
}
const n = (value: number | bigint) => long(BigInt(value));
const bytes = (...parts: (Buffer | number)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? n(part) : part)));

const array = (items: unknown) => ({ type: 'array', items });
const record = (type: unknown) => ({ type: 'record', name: 'R', fields: [{ name: 'a', type }] });
const empty = { type: 'record', name: 'Empty', fields: [] };

/** Reads by the type, and skips by a reader that does not know the field. */
function readAndSkip(type: object, value: Buffer): void {
  const writer = avroType(record(type));
  const reader = avroType({ type: 'record', name: 'R', fields: [{ name: 'b', type: 'int', default: 0 }] });
  const resolver = reader.createResolver(writer);
  expect(() => writer.fromBuffer(value)).toThrow();
  expect(() => reader.fromBuffer(value, resolver)).toThrow();
}

const CLAIMS = [65_537, 2_000_000_000, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), -2_000_000_000, -1];

describe.each(CLAIMS)('a block that claims %s items', (claim) => {
  const items = {
    strings: array('string'),
    nulls: array('null'),
    'records without fields': array(empty),
    longs: array('long'),
    arrays: array(array('null')),
    'entries of a map': { type: 'map', values: 'null' },
  };
  it.each(Object.entries(items))('of %s is refused in no time', (_name, type) => {
    const cpu = process.cpuUsage();
    readAndSkip(type, bytes(n(claim), Buffer.alloc(300)));
    expect(process.cpuUsage(cpu).user).toBeLessThan(2_000_000);
  });
});

describe('what is refused', () => {
  const small = array('long');
  it.each([
    ['a block of another size than it says', small, bytes(-2, 3, 1, 1, 0)],
    ['a block of a negative size', small, bytes(-2, -2, 1, 1, 0)],
    ['a block beyond the end', small, bytes(-2, 900, 1, 1, 0)],
    ['a string of a negative length', array('string'), bytes(1, -5, 0, 0)],
    ['a string beyond the end', array('string'), bytes(1, 2 ** 40, 0)],
    ['bytes of a negative length', array('bytes'), bytes(1, -5, 0, 0)],
    ['bytes beyond the end', array('bytes'), bytes(1, 2 ** 40, 0)],
    ['a number of eleven bytes', array('long'), bytes(1, long(1n, 11), 0)],
    ['a number of 65 bits', array('long'), bytes(1, Buffer.from([...Buffer.alloc(9, 0xff), 0x02]), 0)],
    ['a number of a hundred bytes', array('long'), bytes(1, long(1n, 100), 0)],
    ['an int of six bytes', array('int'), bytes(1, long(1n, 6), 0)],
    ['an int of 33 bits', array('int'), bytes(1, 2 ** 31, 0)],
    ['a boolean of 2', array('boolean'), bytes(1, Buffer.from([2]), 0)],
    ['a branch that is none', array(['null', 'string']), bytes(1, 2, 0)],
    ['a negative branch', array(['null', 'string']), bytes(1, -1, 0)],
    ['nesting without end', record(['null', 'R']), Buffer.alloc(3, 2)],
  ])('%s', (_name, type, value) => {
    if ('name' in type) expect(() => avroType(type).fromBuffer(value)).toThrow();
    else readAndSkip(type, value);
  });

  it('many small blocks without content, however they are nested', () => {
    const block = bytes(1_000, 0);
    const value = bytes(300, ...Array.from({ length: 300 }, () => block), 0);
    readAndSkip(array(array('null')), value);
    expect(() => avroType(array('null')).fromBuffer(bytes(Buffer.concat(Array(70_000).fill(n(1))), 0))).toThrow(
      'more items',
    );
    expect(MAX_ITEMS).toBeLessThan(70_000);
  });
});

describe('what is valid reads as before', () => {
  const LONG = fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n - 1n });
  it('numbers, in as many bytes as they need', () => {
    const type = avroType({ type: 'long' });
    fc.assert(
      fc.property(LONG, (value) => {
        expect(type.fromBuffer(long(value))).toBe(Number(value));
      }),
    );
    const int = avroType({ type: 'int' });
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(int.fromBuffer(n(value))).toBe(value);
      }),
    );
  });

  it('arrays and maps, in blocks with and without their size', () => {
    const type = avroType(array('string'));
    const text = (value: string) => bytes(Buffer.byteLength(value), Buffer.from(value));
    const blocks = fc.array(fc.tuple(fc.boolean(), fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 })));
    fc.assert(
      fc.property(blocks, (given) => {
        const parts = given.map(([sized, values]) => {
          const content = Buffer.concat(values.map(text));
          return sized ? bytes(-values.length, content.length, content) : bytes(values.length, content);
        });
        expect(type.fromBuffer(bytes(...parts, 0))).toEqual(given.flatMap(([, values]) => values));
      }),
    );
    const map: Type = avroType({ type: 'map', values: 'int' });
    const entries = fc.dictionary(fc.string(), fc.integer());
    fc.assert(
      fc.property(entries, (value) => {
        expect(map.fromBuffer(map.toBuffer(value))).toEqual({ ...value });
      }),
    );
  });
});
