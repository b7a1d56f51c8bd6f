// Record batches made by hand, as a producer with another client (or with bad intentions) makes them.
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { crc32c } from '../../../adapters/kafka/kafkajs/crc32c.ts';
import { varintSize, writeVarint } from '../../../adapters/kafka/kafkajs/varint.ts';

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
const ATTRIBUTE: Readonly<Record<Codec, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

export const PACK: Readonly<Record<Codec, (bytes: Buffer) => Buffer>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  snappy: (bytes) => compressSync(bytes),
  lz4: (bytes) => compressFrameSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
};

export interface MadeRecord {
  readonly key?: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: readonly (readonly [string, Buffer])[];
}

const varint = (value: number) => {
  const bytes = Buffer.alloc(varintSize(value));
  writeVarint(bytes, value, 0);
  return bytes;
};
const sized = (bytes: Buffer | null | undefined) =>
  bytes === null || bytes === undefined ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);

/** The records of a batch, before they are packed. */
export function recordsOf(records: readonly MadeRecord[]): Buffer {
  return Buffer.concat(
    records.flatMap(({ key, value, headers = [] }, offset) => {
      const body = Buffer.concat([
        Buffer.from([0]),
        varint(0),
        varint(offset),
        sized(key),
        sized(value),
        varint(headers.length),
        ...headers.flatMap(([name, content]) => [sized(Buffer.from(name)), sized(content)]),
      ]);
      return [varint(body.length), body];
    }),
  );
}

/** A batch over a packed body, with a checksum to match. */
export function batchOf(body: Buffer, codec: number, count: number, firstOffset = 0, now = 1_790_000_000_000): Buffer {
  const batch = Buffer.alloc(61 + body.length);
  batch.writeBigInt64BE(BigInt(firstOffset), 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch[16] = 2;
  batch.writeInt16BE(codec, 21);
  batch.writeInt32BE(Math.max(0, count - 1), 23);
  batch.writeBigInt64BE(BigInt(now), 27);
  batch.writeBigInt64BE(BigInt(now), 35);
  batch.writeBigInt64BE(-1n, 43);
  batch.writeInt16BE(-1, 51);
  batch.writeInt32BE(-1, 53);
  batch.writeInt32BE(count, 57);
  body.copy(batch, 61);
  return sealed(batch);
}

/** A whole batch of records by a codec. */
export const batchBy = (codec: Codec, records: readonly MadeRecord[], firstOffset = 0): Buffer =>
  batchOf(PACK[codec](recordsOf(records)), ATTRIBUTE[codec], records.length, firstOffset);

/** The batch with the checksum that its bytes have now. */
export function sealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}
