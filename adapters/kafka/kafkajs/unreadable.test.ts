// Batches by every codec are read; what cannot be read is one record that names its offsets, and never costs more than a bound.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { Readable, type Transform } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress, zstdCompressSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { batchBy, batchOf, type Codec, PACK, recordsOf, sealed } from '../../../test/kit/kafka/batches.ts';
import type { BatchRead } from '../testing/read-batch.ts';
import { decodeBatches } from './fetch-response.ts';
import { unpack } from './unpack.ts';

const MB = 1_048_576;
const records = [0, 1, 2].map((at) => ({ key: Buffer.from(`k${at}`), value: Buffer.alloc(300, at) }));
const good = (offset: number) => batchBy('none', records, offset);
const budget = () => ({ most: MB, left: MB });

/** Reads a batch at offset 100 between two good ones. */
async function between(batch: Buffer) {
  const copy = Buffer.from(batch);
  copy.writeBigInt64BE(100n, 0);
  const read = await decodeBatches(Buffer.concat([good(0), copy, good(200)]), 300, budget());
  expect(read.slice(0, 3).map(({ offset }) => offset)).toEqual([0, 1, 2]);
  expect(read.slice(-3).map(({ offset }) => offset)).toEqual([200, 201, 202]);
  expect(read.nextOffset).toBe(203);
  return read.slice(3, -3);
}

describe.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s', (codec: Codec) => {
  it('is read', async () => {
    const read = await between(batchBy(codec, records));
    expect(read.map(({ key, value }) => ({ key, value }))).toEqual(records);
  });

  it('is read off the main thread when it is large', async () => {
    const noise = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7_919 + (at >> 3) * 104_729) & 0xff));
    const [read] = await between(batchBy(codec, [{ value: noise }]));
    expect(read!.value!.equals(noise)).toBe(true);
  });

  it('is one unreadable record when it unpacks to more than the bound', async () => {
    const packed = PACK[codec](recordsOf([{ value: Buffer.alloc(64 * MB) }]));
    expect(await between(batchOf(packed, { gzip: 1, snappy: 2, lz4: 3, zstd: 4, none: 0 }[codec], 1))).toMatchObject([
      { offset: 199, value: null, unreadable: { code: 'BATCH_TOO_LARGE', firstOffset: 100, lastOffset: 199 } },
    ]);
  });

  it('is one unreadable record when its packed bytes are damaged', async () => {
    const packed = PACK[codec](recordsOf(records));
    const id = { gzip: 1, snappy: 2, lz4: 3, zstd: 4, none: 0 }[codec];
    for (const body of [packed.subarray(0, packed.length >> 1), Buffer.alloc(40, 0xff), Buffer.alloc(0)]) {
      expect(await between(batchOf(body, id, 3))).toMatchObject([
        { unreadable: { code: expect.stringMatching(/^BATCH_/) } },
      ]);
    }
  });
});

it('reads the blocks that Java writes with snappy', async () => {
  const body = recordsOf(records);
  const blocks = [body.subarray(0, 400), body.subarray(400)].flatMap((part) => {
    const packed = compressSync(part);
    const size = Buffer.alloc(4);
    size.writeInt32BE(packed.length);
    return [size, packed];
  });
  const header = Buffer.concat([Buffer.from('\x82SNAPPY\0', 'latin1'), Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
  expect(await between(batchOf(Buffer.concat([header, ...blocks]), 2, 3))).toHaveLength(3);
});

it('does not believe a second frame, or a size that is only claimed', async () => {
  const frame = compressFrameSync(recordsOf(records));
  expect(await between(batchOf(Buffer.concat([frame, compressFrameSync(Buffer.alloc(64 * MB))]), 3, 3))).toHaveLength(
    3,
  );
  const claims = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), Buffer.alloc(20)]);
  expect(await between(batchOf(claims, 2, 3))).toMatchObject([{ unreadable: { code: 'BATCH_TOO_LARGE' } }]);
});

describe('a batch of zstd', () => {
  /** As clients pack that do not know the size when they begin. */
  const streamed = async (bytes: Buffer) => buffer(Readable.from([bytes]).compose(createZstdCompress()));

  it('is read whether or not it says how much it unpacks to, at any size', async () => {
    for (const size of [0, 1, 200, 255, 256, 300, 65_791, 65_792, 0.9 * MB]) {
      const value = Buffer.from(Array.from({ length: size }, (_, at) => (at * 7_919) >> 5));
      const body = recordsOf([{ value }]);
      for (const packed of [zstdCompressSync(body), await streamed(body)]) {
        const [read] = await between(batchOf(packed, 4, 1));
        expect(read!.value!.equals(value)).toBe(true);
      }
    }
  });

  it('is no larger for saying that it is small', async () => {
    const packed = zstdCompressSync(recordsOf([{ value: Buffer.alloc(8 * MB) }]));
    expect(packed[4]! >> 6).toBe(2);
    for (const said of [0, 1, 3_000, MB - 1]) {
      packed.writeUInt32LE(said, packed[4]! & 0x20 ? 5 : 6);
      expect(await between(batchOf(packed, 4, 1))).toMatchObject([
        { offset: 199, value: null, unreadable: { code: expect.stringMatching(/^BATCH_(TOO_LARGE|UNPACK_FAILED)$/) } },
      ]);
    }
    const two = Buffer.concat([zstdCompressSync(recordsOf(records)), zstdCompressSync(Buffer.alloc(64 * MB))]);
    expect(await between(batchOf(two, 4, 3))).toHaveLength(3);
  });
});

it('is unpacked beside the event loop where it is larger packed than it says to be, for all that it says', async () => {
  const blocksOfNothing = Buffer.alloc(2 * MB);
  // One segment of no byte.
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]).copy(blocksOfNothing);
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  await unpack(4, blocksOfNothing, 32 * MB).catch(() => undefined);
  expect(turned).toBe(true);
});

describe('a batch that is no batch', () => {
  const spoil = (change: (batch: Buffer) => void) => {
    const batch = good(100);
    change(batch);
    return sealed(batch);
  };
  it.each([
    ['of a codec that Kafka does not have', spoil((b) => b.writeInt16BE(5, 21)), 'BATCH_CODEC_UNKNOWN'],
    ['of an old format', spoil((b) => b.writeInt8(1, 16)), 'BATCH_MALFORMED'],
    ['that claims two billion records', spoil((b) => b.writeInt32BE(2_000_000_000, 57)), 'BATCH_MALFORMED'],
    ['that claims -1 records', spoil((b) => b.writeInt32BE(-1, 57)), 'BATCH_MALFORMED'],
    ['that claims a record less than it has', spoil((b) => b.writeInt32BE(2, 57)), 'BATCH_MALFORMED'],
    ['whose first record has a size of its own', spoil((b) => b.writeInt8(0x7e, 62)), 'BATCH_MALFORMED'],
    ['whose records begin with a number of a hundred bytes', spoil((b) => b.fill(0xff, 61, 161)), 'BATCH_MALFORMED'],
    ['whose checksum is another', Buffer.from(good(100)).fill(7, 300, 301), 'BATCH_CORRUPT'],
  ])('%s is one record that says so', async (_name, batch, code) => {
    expect(await between(batch)).toMatchObject([
      { offset: 199, key: null, value: null, unreadable: { code, firstOffset: 100, lastOffset: 199, bytes: batch } },
    ]);
  });

  it('claims as many headers as it likes', async () => {
    const body = recordsOf([{ value: Buffer.from('v') }]);
    body[body.length - 1] = 0x7e;
    expect(await between(batchOf(body, 0, 1))).toMatchObject([{ unreadable: { code: 'BATCH_MALFORMED' } }]);
  });
});

it('names its last offset by itself where nothing follows it, and leaves out one that cannot be', async () => {
  const batch = batchOf(Buffer.alloc(9), 5, 7, 100);
  expect([...(await decodeBatches(batch, 300))]).toMatchObject([
    { offset: 106, unreadable: { firstOffset: 100, lastOffset: 106 } },
  ]);
  expect(await decodeBatches(batch, 106)).toEqual([]);
});

it('unpacks no more of a response than the bound, and goes on with the rest in the next one', async () => {
  const large = (offset: number) =>
    batchOf(zstdCompressSync(recordsOf([{ value: Buffer.alloc(0.7 * MB) }])), 4, 1, offset);
  const all = Buffer.concat(Array.from({ length: 10 }, (_, at) => large(at)));
  const read = await decodeBatches(all, 300, budget());
  expect(read.map(({ offset }) => offset)).toEqual([0, 1]);
  expect(read.nextOffset).toBe(2);
});

describe('a damaged batch', () => {
  const END = 300;
  const damagedAt = (offset: number, change: (batch: Buffer) => void) => {
    const batch = good(offset);
    change(batch);
    return batch;
  };
  const CHANGES: Readonly<Record<string, (batch: Buffer) => void>> = {
    'its size is negative': (b) => b.writeInt32BE(-5, 8),
    'its size is 0': (b) => b.writeInt32BE(0, 8),
    'its size is too small': (b) => b.writeInt32BE(60, 8),
    'its size is too large, up to within the next one': (b) => b.writeInt32BE(b.readInt32BE(8) + 70, 8),
    'its number of offsets goes beyond the next one': (b) => b.writeInt32BE(150, 23),
    'its number of offsets is negative': (b) => b.writeInt32BE(-9, 23),
    'its offset is negative': (b) => b.writeBigInt64BE(-7n, 0).toString() && b.fill(1, 100, 101),
    'its offset is beyond the end': (b) => b.writeBigInt64BE(2n ** 50n, 0).toString() && b.fill(1, 100, 101),
    'it is zeros': (b) => b.fill(0),
  };

  it.each(Object.keys(CHANGES))('ends where the next one that holds begins: %s', async (name) => {
    const batch = damagedAt(3, CHANGES[name]!);
    const read = await decodeBatches(Buffer.concat([good(0), batch, good(6), good(9)]), END, budget());
    expect(read.map(({ offset }) => offset)).toEqual([0, 1, 2, 5, 6, 7, 8, 9, 10, 11]);
    expect(read[3]!.unreadable).toMatchObject({ firstOffset: 3, lastOffset: 5, bytes: batch });
    expect(read.nextOffset).toBe(12);
  });

  it.each(Object.keys(CHANGES))('is left out, with what follows it, where no next one is seen: %s', async (name) => {
    const batch = damagedAt(3, CHANGES[name]!);
    const read = await decodeBatches(Buffer.concat([good(0), batch]), END, budget());
    expect(read.map(({ offset }) => offset)).toEqual([0, 1, 2]);
    expect(read.nextOffset).toBe(3);
    expect(await decodeBatches(batch, END, budget())).toEqual([]);
  });

  it('never takes a batch that somebody put into a value for the next one while its own size leads to one', async () => {
    const forged = batchBy('none', [{ value: Buffer.from('forged') }], 4);
    const batch = batchBy('none', [{ value: forged }], 3);
    batch[70]! ^= 1;
    const read = await decodeBatches(Buffer.concat([good(0), batch, good(6)]), END, budget());
    expect(read[3]!.unreadable).toMatchObject({ firstOffset: 3, lastOffset: 5, bytes: batch });
    expect(read.map(({ offset }) => offset)).toEqual([0, 1, 2, 5, 6, 7, 8]);
  });
});

describe('a bomb', () => {
  const PROGRAM = path.resolve(import.meta.dirname, '../testing/read-batch.ts');
  /** What a batch may unpack to by default, eight times over: pieces, the whole, and what the heap has not given back. */
  const MAX_GROWN_BYTES = 8 * 32 * MB;

  /** One record of zeros, packed without ever being whole in this process. */
  async function bomb(packer: Transform, size: number): Promise<Buffer> {
    const part = Buffer.alloc(MB);
    const parts = async function* () {
      for (let left = size; left > 0; left -= part.length) yield part.subarray(0, Math.min(left, part.length));
    };
    const [packed] = await Promise.all([buffer(packer), pipeline(parts, packer)]);
    return packed;
  }

  async function readApart(batch: Buffer): Promise<BatchRead> {
    const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(batch);
    return JSON.parse(await text(child.stdout)) as BatchRead;
  }

  it('of 38 KB that unpack to 1.2 GB is taken for what it is, in a process that hardly grows', async () => {
    const packed = await bomb(createZstdCompress(), 1_200 * MB);
    expect(packed.length).toBeLessThan(48 * 1_024);
    const { records, code, grownBytes } = await readApart(batchOf(packed, 4, 1));
    expect({ records, code }).toEqual({ records: 1, code: 'BATCH_TOO_LARGE' });
    expect(grownBytes).toBeLessThan(MAX_GROWN_BYTES);
  });

  it.each([
    ['gzip', 1, () => bomb(createGzip({ level: 1 }), 400 * MB)],
    ['lz4', 3, async () => compressFrameSync(Buffer.alloc(300 * MB))],
    ['snappy', 2, async () => compressSync(Buffer.alloc(64 * MB))],
  ] as const)('by %s too', async (_name, codec, make) => {
    const { records, code, grownBytes } = await readApart(batchOf(await make(), codec, 1));
    expect({ records, code }).toEqual({ records: 1, code: 'BATCH_TOO_LARGE' });
    expect(grownBytes).toBeLessThan(MAX_GROWN_BYTES);
  });

  it('as large as may be is read, and the bound on the process tells: it grows by what is read', async () => {
    const { records, code, grownBytes } = await readApart(batchBy('zstd', [{ value: Buffer.alloc(31 * MB) }]));
    expect({ records, code }).toEqual({ records: 1, code: undefined });
    expect(grownBytes).toBeGreaterThan(30 * MB);
    expect(grownBytes).toBeLessThan(MAX_GROWN_BYTES);
  });
});
