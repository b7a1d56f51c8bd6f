// Unpacks what producers packed, by every codec of Kafka, and never to more than a bound: what a batch unpacks to is its
// producer's word, and 38 KB may say 1.2 GB. Large batches are unpacked off the main thread.
import { promisify } from 'node:util';
import { gunzip, gunzipSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { decompressFrame, decompressFrameSync } from 'lz4-napi';
import { uncompress, uncompressSync } from 'snappy';

const gunzipAsync = promisify(gunzip);
const unzstdAsync = promisify(zstdDecompress);

/** Packed batches up to this size are unpacked at once: handing them to another thread costs more. */
const INLINE_BYTES = 16_384;
/** So are those that say that they unpack to this or less, as ours do: a millisecond. Whoever lied gets no further than that. */
const INLINE_UNPACKED_BYTES = 1_048_576;
/** What another thread unpacks comes back in pieces, and each costs a turn of the event loop: few large ones, bytes. */
const MIN_PIECE_BYTES = 65_536;
const MAX_PIECE_BYTES = 1_048_576;
/** Records unpack to about so many times their size. */
const USUAL_RATIO = 4;

export type UnpackFault = 'BATCH_CODEC_UNKNOWN' | 'BATCH_TOO_LARGE' | 'BATCH_UNPACK_FAILED';

/** Why a batch was not unpacked. */
export class UnpackError extends Error {
  readonly code: UnpackFault;
  constructor(code: UnpackFault, detail: string) {
    super(detail);
    this.code = code;
  }
}

const tooLarge = (most: number) => new UnpackError('BATCH_TOO_LARGE', `unpacks to more than ${most} bytes`);
const broken = (detail: string) => new UnpackError('BATCH_UNPACK_FAILED', detail);

/**
 * The bytes of a packed batch, `most` of them at most.
 * @param codec as the batch's attributes name it: 1 gzip, 2 snappy, 3 lz4, 4 zstd
 * @throws UnpackError
 */
export async function unpack(codec: number, packed: Buffer, most: number): Promise<Buffer> {
  try {
    const unpacked = await unpackBy(codec, packed, most);
    if (unpacked.length > most) throw tooLarge(most);
    return unpacked;
  } catch (error) {
    if (error instanceof UnpackError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(most) : broken(`cannot be unpacked: ${message}`);
  }
}

async function unpackBy(codec: number, packed: Buffer, most: number): Promise<Buffer> {
  const inline = packed.length <= INLINE_BYTES;
  const bound = { maxOutputLength: most };
  const inPieces = { ...bound, chunkSize: pieceBytes(packed.length) };
  switch (codec) {
    case 1:
      return inline ? gunzipSync(packed, bound) : gunzipAsync(packed, inPieces);
    case 2:
      return unsnappy(packed, most, inline);
    case 3:
      return inline ? decompressFrameSync(frameOf(packed, most)) : decompressFrame(frameOf(packed, most));
    case 4:
      return unzstd(packed, most, inline);
    default:
      throw new UnpackError('BATCH_CODEC_UNKNOWN', `is packed by codec ${codec}, which Kafka does not have`);
  }
}

/** Room behind what is unpacked, so that the end is seen without another piece. */
const SPARE_BYTES = 64;

async function unzstd(packed: Buffer, most: number, inline: boolean): Promise<Buffer> {
  // Blocks of nothing unpack to no byte, and take their time: what is larger packed than unpacked says nothing here.
  const said = packed.length <= INLINE_UNPACKED_BYTES ? zstdSize(packed) : undefined;
  if (said !== undefined && said <= Math.min(most, INLINE_UNPACKED_BYTES)) {
    try {
      return zstdDecompressSync(packed, { maxOutputLength: Math.max(1, said), chunkSize: said + SPARE_BYTES });
    } catch (error) {
      // More than it said: as any other.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    }
  }
  if (inline) return zstdDecompressSync(packed, { maxOutputLength: most });
  return unzstdAsync(packed, { maxOutputLength: most, chunkSize: pieceBytes(packed.length) });
}

const ZSTD_MAGIC = 0xfd2fb528;

/** What the first frame says that it unpacks to (RFC 8878, 3.1.1.1); undefined where it says nothing. Believed by nobody. */
function zstdSize(packed: Buffer): number | undefined {
  if (packed.length < 18 || packed.readUInt32LE(0) !== ZSTD_MAGIC) return undefined;
  const descriptor = packed[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  switch (descriptor >> 6) {
    case 0:
      return isSingleSegment ? packed[at] : undefined;
    case 1:
      return packed.readUInt16LE(at) + 256;
    case 2:
      return packed.readUInt32LE(at);
    default:
      return Number(packed.readBigUInt64LE(at));
  }
}

const pieceBytes = (packedBytes: number) =>
  Math.min(MAX_PIECE_BYTES, Math.max(MIN_PIECE_BYTES, USUAL_RATIO * packedBytes));

/** How Java's snappy begins: blocks follow, each with its size. All others write a single block, without anything. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
/** Magic, version, and the oldest version that reads it. */
const XERIAL_HEADER = 16;

async function unsnappy(packed: Buffer, most: number, inline: boolean): Promise<Buffer> {
  const blocks = snappyBlocks(packed);
  let claimed = 0;
  for (const block of blocks) claimed += snappySize(block);
  if (claimed > most) throw tooLarge(most);
  const unpacked: Buffer[] = [];
  for (const block of blocks) unpacked.push((inline ? uncompressSync(block) : await uncompress(block)) as Buffer);
  return unpacked.length === 1 ? unpacked[0]! : Buffer.concat(unpacked);
}

function snappyBlocks(packed: Buffer): readonly Buffer[] {
  if (!packed.subarray(0, XERIAL.length).equals(XERIAL)) return [packed];
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEADER; at < packed.length; ) {
    const size = at + 4 <= packed.length ? packed.readInt32BE(at) : -1;
    if (size <= 0 || size > packed.length - at - 4) throw broken('a block of snappy goes beyond the end');
    blocks.push(packed.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return blocks;
}

/** What a block of snappy says that it unpacks to; it stands in front of it. */
function snappySize(block: Buffer): number {
  let size = 0;
  for (let at = 0, unit = 1; at < 5; at++, unit *= 128) {
    const byte = block[at];
    if (byte === undefined) break;
    size += (byte & 0x7f) * unit;
    if (byte < 0x80) return size;
  }
  throw broken('a block of snappy has no size');
}

const LZ4_MAGIC = 0x184d2204;
const LZ4_CONTENT_SIZE = 0x08;
const LZ4_CONTENT_CHECKSUM = 0x04;
const LZ4_BLOCK_CHECKSUMS = 0x10;
const LZ4_DICTIONARY = 0x01;
const LZ4_STORED = 0x80000000;
/** Bytes that one byte of a block can stand for, at most. */
const LZ4_RATIO = 255;

/** The LZ4 frame that a batch is, and nothing behind it. Adds up what its blocks can unpack to, before any of them is. */
function frameOf(packed: Buffer, most: number): Buffer {
  if (packed.length < 7 || packed.readUInt32LE(0) !== LZ4_MAGIC) throw broken('is no LZ4 frame');
  const flags = packed[4]!;
  const blockBytes = 2 ** (8 + 2 * ((packed[5]! >> 4) & 7));
  if (flags & LZ4_DICTIONARY) throw broken('its LZ4 frame wants a dictionary');
  if (blockBytes < 65_536) throw broken('its LZ4 frame has no size of blocks');
  let at = 7;
  if (flags & LZ4_CONTENT_SIZE) {
    at += 8;
    if (at > packed.length) throw broken('its LZ4 frame is cut');
    if (packed.readBigUInt64LE(6) > BigInt(most)) throw tooLarge(most);
  }
  const checksumBytes = flags & LZ4_BLOCK_CHECKSUMS ? 4 : 0;
  for (let largest = 0; ; ) {
    if (at + 4 > packed.length) throw broken('its LZ4 frame is cut');
    const word = packed.readUInt32LE(at);
    if (word === 0) return packed.subarray(0, at + 4 + (flags & LZ4_CONTENT_CHECKSUM));
    const size = word % LZ4_STORED;
    at += 4 + size + checksumBytes;
    if (size > blockBytes || at > packed.length) throw broken('a block of its LZ4 frame goes beyond the end');
    largest += word >= LZ4_STORED ? size : Math.min(blockBytes, size * LZ4_RATIO);
    // Each block but the last is nearly full with every client, so the sum is the size but for one block.
    if (largest > most + blockBytes) throw tooLarge(most);
  }
}
