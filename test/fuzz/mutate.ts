// Changes valid bytes the way that finds faults of readers: lengths, counts, varints, cuts, splices, single bits.
import type { Random } from '../../samples/random.ts';

const varint = (random: Random) => {
  const size = 1 + random.below(12);
  const bytes = Buffer.alloc(size, 0x80 | random.below(128));
  bytes[size - 1] = random.below(128);
  return bytes;
};
/** Ends of the ranges of what may be a number. */
const EDGES = [
  '00',
  '01',
  '7f',
  '80',
  'ff',
  'fe01',
  'feffffff0f',
  'ffffffff0f',
  '80d0acf30e',
  'ffffffffffffffffff01',
].map((hex) => Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
const replaced = (bytes: Buffer, at: number, size: number, by: Buffer) =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + size)]);

type Mutation = (bytes: Buffer, random: Random) => Buffer;
const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    copy[random.below(copy.length)]! ^= 1 << random.below(8);
    return copy;
  },
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  (bytes, random) => replaced(bytes, random.below(bytes.length), random.below(6), varint(random)),
  (bytes, random) => replaced(bytes, random.below(bytes.length), 1, random.pick(EDGES)),
  (bytes, random) => {
    const from = random.below(bytes.length);
    return replaced(bytes, random.below(bytes.length), 0, bytes.subarray(from, from + random.below(200)));
  },
  (bytes, random) => replaced(bytes, random.below(bytes.length), random.below(50), Buffer.alloc(0)),
  (bytes, random) => replaced(bytes, random.below(bytes.length), 4, Buffer.from([0xff, 0xff, 0xff, random.below(256)])),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(random.below(300), random.below(256))]),
];

/** One to four changes. Never empty. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let changed = bytes;
  for (let left = 1 + random.below(4); left > 0; left--) {
    if (changed.length > 0) changed = random.pick(MUTATIONS)(changed, random);
  }
  return changed.length === 0 ? Buffer.from([0]) : changed;
}
