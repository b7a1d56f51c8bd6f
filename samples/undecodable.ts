// Bytes that must end as dead letters of intake, by kind. `good` is a valid record on the wire; `random` is seeded.
import { recordType } from '../schemas/avro-types.ts';
import type { Parties, TransferRequested } from '../schemas/types.generated.ts';
import type { Random } from './random.ts';

type Spoil = (good: Buffer, random: Random) => Buffer | null;

const bytes = (random: Random, count: number) => Buffer.from(Array.from({ length: count }, () => random.below(256)));
const withId = (good: Buffer, id: number) => {
  const copy = Buffer.from(good);
  copy.writeInt32BE(id, 1);
  return copy;
};

/** Other bytes within the first string, behind header and length. */
function withText(good: Buffer, ...text: number[]): Buffer {
  const copy = Buffer.from(good);
  copy.set(text, 7);
  return copy;
}

const MARK = 'a nationality to be found again';

/** The record with another number of nationalities than there are, as Avro would write it. */
function claiming(good: Buffer, count: Buffer): Buffer {
  const type = recordType('TransferRequested');
  const intent = type.fromBuffer(good.subarray(5)) as TransferRequested;
  const [parties] = Object.values(intent.parties) as [Parties];
  const debtor = { ...parties.debtor, nationalities: [MARK] };
  const value = { ...intent, parties: { 'corridor.Parties': { ...parties, debtor } } };
  const bytes = type.toBuffer(value);
  const at = bytes.indexOf(MARK) - 2; // a byte of count, one of length
  return Buffer.concat([good.subarray(0, 5), bytes.subarray(0, at), count, bytes.subarray(at + 1)]);
}

/** A schema id far above any that a registry has given out. */
const UNKNOWN_ID = 2_000_000_000;

export const UNDECODABLE: Readonly<Record<string, Spoil>> = {
  'null-value': () => null,
  'empty-value': () => Buffer.alloc(0),
  'one-byte': () => Buffer.from([0]),
  'header-only': (good) => Buffer.from(good.subarray(0, 5)),
  'wrong-magic-byte': (good) => Buffer.concat([Buffer.from([1]), good.subarray(1)]),
  'unknown-schema-id': (good) => withId(good, UNKNOWN_ID),
  'negative-schema-id': (good) => withId(good, -7),
  'truncated-in-the-middle': (good) => Buffer.from(good.subarray(0, Math.floor(good.length / 2))),
  'truncated-by-one-byte': (good) => Buffer.from(good.subarray(0, good.length - 1)),
  'trailing-bytes': (good) => Buffer.concat([good, Buffer.from([0, 0, 0])]),
  'json-instead-of-avro': () => Buffer.from(JSON.stringify({ transferId: 'x', amount: 5 })),
  'plain-text': () => Buffer.from('not a transfer at all'),
  'random-bytes': (_good, random) => Buffer.concat([Buffer.from([7]), bytes(random, 200)]),
  'string-length-negative': (good) => Buffer.concat([good.subarray(0, 5), Buffer.from([0x03]), good.subarray(6)]),
  'string-length-huge': (good) =>
    Buffer.concat([good.subarray(0, 5), Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]), good.subarray(6)]),
  'text-in-latin-1': (good) => withText(good, 0xfc),
  'text-in-cesu-8': (good) => withText(good, 0xed, 0xa0, 0x80),
  'two-billion-items': (good) => claiming(good, Buffer.from([0x80, 0xd0, 0xac, 0xf3, 0x0e])),
  'two-billion-items-in-a-sized-block': (good) => claiming(good, Buffer.from([0xff, 0xcf, 0xac, 0xf3, 0x0e, 0x10])),
  'items-without-end': (good) => claiming(good, Buffer.from([0xfe, ...Buffer.alloc(8, 0xff), 0x01])),
  'number-of-a-hundred-bytes': (good) => claiming(good, Buffer.concat([Buffer.alloc(99, 0x82), Buffer.from([0])])),
  'one-megabyte': () => Buffer.alloc(1_048_576, 0x58),
};
