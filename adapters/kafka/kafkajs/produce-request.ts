// Encodes a produce request once, into one buffer of the right size. kafkajs makes an encoder (512 zeroed bytes) per record
// and per header and copies each into the next: two thirds of its time.
import { createRequire } from 'node:module';
import type { TextBuffer } from '../../../domain/text/buffer-text.ts';
import { crc32c } from './crc32c.ts';
import type { EncodedRequest, ProduceMessage, ProduceRequest, ProduceResponse, WireRequest } from './internals.ts';
import { requestDefinition } from './requests.ts';
import { varintSize, writeVarint } from './varint.ts';

const require = createRequire(import.meta.url);
const { lookupCodec } = require('kafkajs/src/protocol/message/compression') as {
  lookupCodec(type: number): { compress(encoder: { buffer: Buffer }): Promise<Buffer> } | null;
};

const API_KEY = 0;
/** The first version with record batches; up to the last that kafkajs speaks the request is the same. */
const FIRST_VERSION = 3;
/** Bytes of a record batch before its records. */
const BATCH_HEADER = 61;
/** Of these, bytes that the batch's own length does not count: base offset and length. */
const BATCH_PREFIX = 12;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const MAGIC = 2;
const TRANSACTIONAL = 16;
/** Bytes left free in front, so that the request's header can be written without copying the body. */
export const FRAME_ROOM = 512;

/** A body with room in front of it. */
export class RoomyRequest implements EncodedRequest {
  readonly whole: Buffer;
  readonly start: number;
  /** The same bytes, for kafkajs's own framing. */
  readonly buffer: Buffer;
  readonly buf: Buffer;

  constructor(whole: Buffer, start: number) {
    this.whole = whole;
    this.start = start;
    this.buffer = whole.subarray(start);
    this.buf = this.buffer;
  }

  size(): number {
    return this.whole.length - this.start;
  }
}

/** What one partition's records take. */
interface Plan {
  readonly messages: readonly ProduceMessage[];
  /** Of the headers of all records, in order: how many a record has, then the size of each value. */
  readonly headerSizes: readonly number[];
  readonly keySizes: Int32Array;
  readonly valueSizes: Int32Array;
  readonly bodySizes: Int32Array;
  readonly recordsSize: number;
}

const sizeOf = (value: Buffer | string | null | undefined) =>
  value === null || value === undefined ? -1 : typeof value === 'string' ? Buffer.byteLength(value) : value.length;

const MAX_KNOWN_NAMES = 256;
const knownNames = new Map<string, string>();

/** A header's name with its length, as text of one character a byte; names are few, so they are kept. */
function headerName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const size = Buffer.byteLength(name);
  const bytes = Buffer.alloc(varintSize(size) + size);
  bytes.write(name, writeVarint(bytes, size, 0));
  const encoded = bytes.toString('latin1');
  if (knownNames.size < MAX_KNOWN_NAMES) knownNames.set(name, encoded);
  return encoded;
}

/** Bytes that the headers of a record take. Adds what is to be known of them when they are written. */
function sizeHeaders(headers: ProduceMessage['headers'], sizes: number[]): number {
  const countAt = sizes.push(0) - 1;
  let bytes = 0;
  for (const name in headers) {
    const value = headers[name]!;
    const nameSize = headerName(name).length;
    if (Array.isArray(value)) for (const one of value) bytes += nameSize + sizeHeader(one, sizes);
    else bytes += nameSize + sizeHeader(value as string | Buffer, sizes);
  }
  const count = sizes.length - countAt - 1;
  sizes[countAt] = count;
  return varintSize(count) + bytes;
}

function sizeHeader(value: string | Buffer, sizes: number[]): number {
  const size = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
  sizes.push(size);
  return varintSize(size) + size;
}

function planOf(messages: readonly ProduceMessage[]): Plan {
  const count = messages.length;
  const headerSizes: number[] = [];
  const keySizes = new Int32Array(count);
  const valueSizes = new Int32Array(count);
  const bodySizes = new Int32Array(count);
  let recordsSize = 0;
  for (let at = 0; at < count; at++) {
    const { key, value, headers: named } = messages[at]!;
    const headersSize = sizeHeaders(named, headerSizes);
    const keySize = sizeOf(key);
    const valueSize = sizeOf(value);
    // Attributes and timestamp delta take a byte each.
    const body =
      2 +
      varintSize(at) +
      varintSize(keySize) +
      Math.max(0, keySize) +
      varintSize(valueSize) +
      Math.max(0, valueSize) +
      headersSize;
    keySizes[at] = keySize;
    valueSizes[at] = valueSize;
    bodySizes[at] = body;
    recordsSize += varintSize(body) + body;
  }
  return { messages, headerSizes, keySizes, valueSizes, bodySizes, recordsSize };
}

function writeBytes(target: TextBuffer, value: Buffer | string | null, size: number, at: number): number {
  const start = writeVarint(target, size, at);
  if (size <= 0) return start;
  // Halves of surrogate pairs are a U+FFFD each, and were counted as that.
  if (typeof value === 'string') target.utf8Write(value, start, size);
  else target.set(value!, start);
  return start + size;
}

/** Writes the headers of a record, whose sizes stand from `sizeAt` on. */
function writeHeaders(
  target: TextBuffer,
  headers: ProduceMessage['headers'],
  sizes: readonly number[],
  sizeAt: number,
  from: number,
): number {
  let next = sizeAt;
  let at = writeVarint(target, sizes[next++]!, from);
  for (const name in headers) {
    const value = headers[name]!;
    const encodedName = headerName(name);
    const count = Array.isArray(value) ? value.length : 1;
    for (let nth = 0; nth < count; nth++) {
      const one = Array.isArray(value) ? (value as readonly (string | Buffer)[])[nth]! : (value as string | Buffer);
      target.latin1Write(encodedName, at, encodedName.length);
      at = writeBytes(target, one, sizes[next++]!, at + encodedName.length);
    }
  }
  return at;
}

function writeRecords(target: TextBuffer, plan: Plan, from: number): number {
  const { headerSizes } = plan;
  let at = from;
  let sizeAt = 0;
  for (let index = 0; index < plan.messages.length; index++) {
    const { key, value, headers } = plan.messages[index]!;
    at = writeVarint(target, plan.bodySizes[index]!, at);
    target[at++] = 0; // attributes
    target[at++] = 0; // timestamp delta: all records of a batch carry the same time
    at = writeVarint(target, index, at);
    at = writeBytes(target, key, plan.keySizes[index]!, at);
    at = writeBytes(target, value, plan.valueSizes[index]!, at);
    at = writeHeaders(target, headers, headerSizes, sizeAt, at);
    sizeAt += 1 + headerSizes[sizeAt]!;
  }
  return at;
}

/** Largest buffer that is kept for records on their way into a codec: requests are below that. */
const MAX_KEPT_BYTES = 1_048_576;
/** One that is free: what is made anew for each batch is memory outside of the heap, which has the whole heap collected. */
const NOTHING = Buffer.alloc(0) as TextBuffer;
let kept = NOTHING;

/** Records of one partition, compressed when asked for; `undefined`: to be written in place. */
async function compressed(plan: Plan, compression: number): Promise<Buffer | undefined> {
  const codec = compression === 0 ? null : lookupCodec(compression);
  if (codec === null) return undefined;
  const { recordsSize } = plan;
  // Taken while it is in use: gzip waits, and another request may be encoded meanwhile.
  const whole = kept.length >= recordsSize ? kept : (Buffer.allocUnsafeSlow(recordsSize) as TextBuffer);
  kept = NOTHING;
  const records = whole.subarray(0, recordsSize) as TextBuffer;
  writeRecords(records, plan, 0);
  const packed = await codec.compress({ buffer: records });
  if (whole.length <= MAX_KEPT_BYTES && whole.length > kept.length) kept = whole;
  return packed;
}

/** Encodes the body of a produce request, versions 3 to 7. */
export async function encodeProduceRequest(request: ProduceRequest): Promise<RoomyRequest> {
  const { acks, timeout, compression, topicData } = request;
  const transactionalId = request.transactionalId ?? null;
  const plans = topicData.flatMap(({ partitions }) => partitions.map(({ messages }) => planOf(messages)));
  const packed: (Buffer | undefined)[] = [];
  for (const plan of plans) packed.push(await compressed(plan, compression));

  let size = 2 + Math.max(0, sizeOf(transactionalId)) + 2 + 4 + 4;
  for (const { topic } of topicData) size += 2 + Buffer.byteLength(topic) + 4;
  for (const [index, plan] of plans.entries())
    size += 4 + 4 + BATCH_HEADER + (packed[index]?.length ?? plan.recordsSize);

  const whole = Buffer.allocUnsafe(FRAME_ROOM + size) as TextBuffer;
  let at = writeString(whole, transactionalId, FRAME_ROOM);
  at = whole.writeInt16BE(acks, at);
  at = whole.writeInt32BE(timeout, at);
  at = whole.writeInt32BE(topicData.length, at);
  let index = 0;
  for (const { topic, partitions } of topicData) {
    at = writeString(whole, topic, at);
    at = whole.writeInt32BE(partitions.length, at);
    for (const { partition, firstSequence } of partitions) {
      const batchAt = at + 8;
      const end = writeBatch(whole, batchAt, plans[index]!, packed[index], request, firstSequence);
      whole.writeInt32BE(partition, at);
      whole.writeInt32BE(end - batchAt, at + 4);
      at = end;
      index++;
    }
  }
  return new RoomyRequest(whole, FRAME_ROOM);
}

function writeString(target: Buffer, value: string | null, at: number): number {
  if (value === null) return target.writeInt16BE(-1, at);
  const size = target.write(value, at + 2);
  target.writeInt16BE(size, at);
  return at + 2 + size;
}

function writeBatch(
  target: TextBuffer,
  from: number,
  plan: Plan,
  records: Buffer | undefined,
  request: ProduceRequest,
  firstSequence: number | undefined,
): number {
  const { compression, transactionalId, producerId, producerEpoch } = request;
  const count = plan.messages.length;
  const now = BigInt(Date.now());
  target.fill(0, from, from + 16); // base offset, length (below), leader epoch
  target[from + 16] = MAGIC;
  let at = target.writeInt16BE((compression & 7) | (transactionalId ? TRANSACTIONAL : 0), from + ATTRIBUTES_AT);
  at = target.writeInt32BE(count - 1, at);
  at = target.writeBigInt64BE(now, at);
  at = target.writeBigInt64BE(now, at);
  at = target.writeBigInt64BE(BigInt(producerId), at);
  at = target.writeInt16BE(producerEpoch, at);
  at = target.writeInt32BE(firstSequence ?? 0, at);
  at = target.writeInt32BE(count, at);
  if (records === undefined) at = writeRecords(target, plan, at);
  else {
    target.set(records, at);
    at += records.length;
  }
  target.writeInt32BE(at - from - BATCH_PREFIX, from + 8);
  target.writeUInt32BE(crc32c(target.subarray(from + ATTRIBUTES_AT, at)), from + CRC_AT);
  return at;
}

const hasTimestamps = ({ topicData }: ProduceRequest) =>
  topicData.some(({ partitions }) =>
    partitions.some(({ messages }) => messages.some((message) => 'timestamp' in message)),
  );

/** Installs the encoder; returns what takes it back. Records with a timestamp of their own go the shipped way. */
export function install(): () => void {
  const definition = requestDefinition<ProduceRequest, ProduceResponse>('Produce');
  const shipped = definition.protocol;
  definition.protocol = ({ version }) => {
    const call = shipped({ version });
    if (version < FIRST_VERSION) return call;
    return (options) => {
      if (hasTimestamps(options)) return call(options);
      const request: WireRequest = {
        apiKey: API_KEY,
        apiVersion: version,
        apiName: 'Produce',
        expectResponse: () => options.acks !== 0,
        encode: () => encodeProduceRequest(options),
      };
      return { ...call({ ...options, topicData: [] }), request };
    };
  };
  return () => {
    definition.protocol = shipped;
  };
}
