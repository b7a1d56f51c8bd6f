// The one file of a zip archive. What an archive says of its size is not believed: no more is unpacked than was agreed.
import { crc32, inflateRawSync } from 'node:zlib';
import { CodedError } from '../../ports/fault.ts';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const FILE = 0x04034b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const DEFLATED = 8;

export const isZip = (bytes: Uint8Array): boolean => bytes.length >= 4 && Buffer.from(bytes).readUInt32LE(0) === FILE;

/**
 * @param maxBytes of the file when it is unpacked
 * @throws CodedError RATE_FILE_WRONG
 */
export function unzipOne(archive: Uint8Array, maxBytes: number): Buffer {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  try {
    return unpacked(bytes, entryOf(bytes), maxBytes);
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw wrong('it does not unpack, or to more than is taken');
  }
}

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

function entryOf(bytes: Buffer): Entry {
  let end = bytes.length - END_BYTES;
  const lowest = Math.max(0, end - MAX_COMMENT_BYTES);
  while (end >= lowest && bytes.readUInt32LE(end) !== END) end--;
  if (end < lowest) throw wrong('it has no directory: it was cut off');
  if (bytes.readUInt16LE(end + 10) !== 1) throw wrong('there is not exactly one file in it');
  const at = bytes.readUInt32LE(end + 16);
  if (bytes.readUInt32LE(at) !== ENTRY) throw wrong('its directory is not where it says');
  return {
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    packed: bytes.readUInt32LE(at + 20),
    size: bytes.readUInt32LE(at + 24),
    offset: bytes.readUInt32LE(at + 42),
  };
}

function unpacked(bytes: Buffer, { method, crc, packed, size, offset }: Entry, maxBytes: number): Buffer {
  if (bytes.readUInt32LE(offset) !== FILE) throw wrong('its file is not where it says');
  const from = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
  const data = bytes.subarray(from, from + packed);
  if (data.length !== packed) throw wrong('it was cut off');
  if (method !== DEFLATED && method !== 0) throw wrong('it is packed in a way that is not read');
  const file = method === DEFLATED ? inflateRawSync(data, { maxOutputLength: maxBytes }) : data;
  if (file.length > maxBytes) throw wrong('it unpacks to more than is taken');
  if (file.length !== size || crc32(file) !== crc) throw wrong('what it unpacks to is not what was packed');
  return file;
}

const wrong = (why: string) => new CodedError('RATE_FILE_WRONG', `the archive cannot be used: ${why}`);
