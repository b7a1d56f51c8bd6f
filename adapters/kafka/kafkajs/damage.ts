// What is damaged in a log, and where it can be read again. A size and a first offset stand outside a batch's checksum, so
// neither is believed once the checksum fails.
import type { UnreadableBatch } from '../../../ports/log.ts';
import { crc32c } from './crc32c.ts';

export const BATCH_HEADER = 61;
/** First offset and size: what the size does not count. */
export const BATCH_PREFIX = 12;
export const MAGIC_AT = 16;
/** The least that stands behind the prefix in any format: epoch or checksum, magic, attributes. */
export const MIN_BATCH_BYTES = 6;
export const MAGIC = 2;
/** Bytes that are tried as the next batch, at most. */
const MAX_TRIED_BYTES = 64 * 1_048_576;

export type Part = Pick<UnreadableBatch, 'firstOffset' | 'lastOffset' | 'bytes'>;

/**
 * The first offset stands outside the checksum, so that it may be damaged alone. Offsets rise: it is not before what was
 * read, the batch does not go beyond the log, and the next one begins behind it.
 */
export function isOutOfPlace(
  bytes: Buffer,
  at: number,
  next: number,
  expected: number | undefined,
  end: number,
): boolean {
  if (next - at < BATCH_HEADER) return false;
  const offset = Number(bytes.readBigInt64BE(at));
  const lastOffset = offset + bytes.readInt32BE(at + 23);
  if (offset < (expected ?? 0) || lastOffset >= end) return true;
  if (offset === expected || next + BATCH_HEADER > bytes.length) return false;
  const follower = Number(bytes.readBigInt64BE(next));
  return follower <= lastOffset && holds(bytes, next, expected ?? -1, end);
}

/** Of a batch whose checksum holds. It may have lost records at its end to compaction: the next one says where it ends. */
export function offsetsOf(bytes: Buffer, at: number, next: number, end: number): Part | undefined {
  const firstOffset = Number(bytes.readBigInt64BE(at));
  const statedLast = firstOffset + bytes.readInt32BE(at + 23);
  const lastOffset = holds(bytes, next, firstOffset, end) ? Number(bytes.readBigInt64BE(next)) - 1 : statedLast;
  return lastOffset < firstOffset ? undefined : { firstOffset, lastOffset, bytes: bytes.subarray(at, next) };
}

/**
 * What is damaged, up to the next batch that holds: of itself nothing can be believed, its size neither.
 * @param expected the offset that must come here; undefined when nothing was read before it
 */
export function damaged(bytes: Buffer, at: number, expected: number | undefined, end: number): Part | undefined {
  const stated = Number(bytes.readBigInt64BE(at));
  const least = expected ?? (stated >= 0 && stated < end ? stated : -1);
  const size = bytes.readInt32BE(at + 8);
  const next = size < MIN_BATCH_BYTES ? at : at + BATCH_PREFIX + size;
  const follower = next > at && holds(bytes, next, least, end) ? next : nextThatHolds(bytes, at + 1, least, end);
  if (follower !== undefined) {
    const lastOffset = Number(bytes.readBigInt64BE(follower)) - 1;
    const firstOffset = stated >= least && stated <= lastOffset ? stated : Math.min(Math.max(least, 0), lastOffset);
    return { firstOffset, lastOffset, bytes: bytes.subarray(at, follower) };
  }
  // Nothing follows here. It is believed only where it ends with the log itself.
  if (next === at || next - at < BATCH_HEADER || stated < least) return undefined;
  const lastOffset = stated + bytes.readInt32BE(at + 23);
  if (lastOffset !== end - 1 || lastOffset < stated) return undefined;
  return { firstOffset: stated, lastOffset, bytes: bytes.subarray(at, next) };
}

/** A whole batch begins there whose checksum holds, with an offset that can follow `least`. */
function holds(bytes: Buffer, at: number, least: number, end: number): boolean {
  if (!looksRight(bytes, at, least, end)) return false;
  const next = at + BATCH_PREFIX + bytes.readInt32BE(at + 8);
  return crc32c(bytes.subarray(at + 21, next)) === bytes.readUInt32BE(at + 17);
}

function looksRight(bytes: Buffer, at: number, least: number, end: number): boolean {
  if (at + BATCH_HEADER > bytes.length || bytes[at + MAGIC_AT] !== MAGIC) return false;
  const next = at + BATCH_PREFIX + bytes.readInt32BE(at + 8);
  if (next < at + BATCH_HEADER || next > bytes.length) return false;
  const offset = Number(bytes.readBigInt64BE(at));
  return offset > least && offset < end;
}

/** Undefined also after so many bytes that only looked like one: whoever wrote what is damaged may have put them there. */
function nextThatHolds(bytes: Buffer, from: number, least: number, end: number): number | undefined {
  let left = MAX_TRIED_BYTES;
  for (let at = from; at + BATCH_HEADER <= bytes.length && left > 0; at++) {
    const magic = bytes.indexOf(MAGIC, at + MAGIC_AT);
    if (magic === -1) return undefined;
    at = magic - MAGIC_AT;
    if (!looksRight(bytes, at, least, end)) continue;
    if (holds(bytes, at, least, end)) return at;
    left -= bytes.readInt32BE(at + 8);
  }
  return undefined;
}
