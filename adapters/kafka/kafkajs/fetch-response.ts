// Decodes a fetch response in one pass over its bytes: numbers instead of strings and BigInts, headers only when they are
// read, append times kept, and the checksum that kafkajs skips is checked.
import { createRequire } from 'node:module';
import { CodedError } from '../../../runtime/ports/fault.ts';
import type { LogRecord } from '../../../runtime/ports/log.ts';
import { crc32c } from './crc32c.ts';
import { Headers, headerNameAt } from './header-names.ts';
import type { BatchContext, FetchedMessage, FetchedPartition, FetchResponse } from './internals.ts';
import { requestDefinition } from './requests.ts';
import { Cursor } from './varint.ts';

const require = createRequire(import.meta.url);
const { lookupCodecByAttributes } = require('kafkajs/src/protocol/message/compression') as {
  lookupCodecByAttributes(attributes: number): { decompress(bytes: Buffer): Promise<Buffer> } | null;
};

/** The version decoded here, the newest that kafkajs asks for. */
const VERSION = 11;
const BATCH_HEADER = 61;
const BATCH_PREFIX = 12;
const MAGIC = 2;
const COMPRESSION_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** A record whose key and value are views of the response, and whose headers are parsed when first looked at. */
export class FetchedRecord implements FetchedMessage, LogRecord {
  topic = '';
  partition = 0;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly batchContext: BatchContext;
  readonly #bytes: Buffer;
  readonly #headersAt: number;
  #headers: Record<string, Buffer | undefined> | undefined;

  constructor(
    offset: number,
    timestamp: number,
    key: Buffer | null,
    value: Buffer | null,
    batchContext: BatchContext,
    bytes: Buffer,
    headersAt: number,
  ) {
    this.offset = offset;
    this.timestamp = timestamp;
    this.key = key;
    this.value = value;
    this.batchContext = batchContext;
    this.#bytes = bytes;
    this.#headersAt = headersAt;
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch;
  }

  get headers(): Record<string, Buffer | undefined> {
    this.#headers ??= readHeaders(this.#bytes, this.#headersAt);
    return this.#headers;
  }
}

/** Of a header that comes several times, the last is told. */
function readHeaders(bytes: Buffer, at: number): Record<string, Buffer | undefined> {
  const cursor = new Cursor(bytes, at);
  const headers = new Headers();
  for (let left = cursor.varint(); left > 0; left--) {
    const nameSize = cursor.varint();
    const name = headerNameAt(bytes, cursor.at, cursor.at + nameSize);
    cursor.at += nameSize;
    headers[name] = readBytes(cursor) ?? undefined;
  }
  return headers;
}

function readBytes(cursor: Cursor): Buffer | null {
  const size = cursor.varint();
  if (size < 0) return null;
  const bytes = cursor.buffer.subarray(cursor.at, cursor.at + size);
  cursor.at += size;
  return bytes;
}

/** The records of one partition: all complete batches. `nextOffset` is where to fetch next. */
export async function decodeBatches(bytes: Buffer): Promise<FetchedRecord[] & { nextOffset?: number }> {
  const records: FetchedRecord[] & { nextOffset?: number } = [];
  for (let at = 0; at + BATCH_HEADER <= bytes.length; ) {
    const end = at + BATCH_PREFIX + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break; // a fetch ends in the middle of a batch
    const attributes = checkedAttributes(bytes, at, end);
    const codec = (attributes & COMPRESSION_MASK) === 0 ? null : lookupCodecByAttributes(attributes);
    const packed = bytes.subarray(at + BATCH_HEADER, end);
    const unpacked = codec === null ? undefined : await codec.decompress(packed);
    records.nextOffset = decodeBatch(records, bytes, at, attributes, unpacked);
    at = end;
  }
  return records;
}

function checkedAttributes(bytes: Buffer, at: number, end: number): number {
  const base = Number(bytes.readBigInt64BE(at));
  if (bytes[at + 16] !== MAGIC) throw corrupt(base, `is of format ${bytes[at + 16]}`);
  if (crc32c(bytes.subarray(at + 21, end)) !== bytes.readUInt32BE(at + 17)) throw corrupt(base, 'fails its checksum');
  return bytes.readInt16BE(at + 21);
}

function corrupt(offset: number, why: string): CodedError {
  return new CodedError(
    'LOG_CORRUPT',
    `The record batch at offset ${offset} ${why}. Compare the replicas of the partition; nothing is read past it.`,
    { faultClass: 'fatal', dependency: 'kafka' },
  );
}

/** Adds the records of one batch; returns the offset after it. */
function decodeBatch(
  records: FetchedRecord[],
  bytes: Buffer,
  at: number,
  attributes: number,
  unpacked: Buffer | undefined,
): number {
  const firstOffset = Number(bytes.readBigInt64BE(at));
  const lastOffsetDelta = bytes.readInt32BE(at + 23);
  const firstTimestamp = Number(bytes.readBigInt64BE(at + 27));
  const appendTime = (attributes & LOG_APPEND_TIME) === 0 ? undefined : Number(bytes.readBigInt64BE(at + 35));
  const context: BatchContext = {
    firstOffset,
    lastOffsetDelta,
    producerId: bytes.readBigInt64BE(at + 43).toString(),
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
    isControlBatch: (attributes & CONTROL) !== 0,
  };
  const body = unpacked ?? bytes;
  const cursor = new Cursor(body, unpacked === undefined ? at + BATCH_HEADER : 0);
  for (let left = bytes.readInt32BE(at + 57); left > 0; left--) {
    const size = cursor.varint();
    const end = cursor.at + size;
    cursor.at++; // attributes: none are in use
    const timestampDelta = cursor.varlong();
    const offset = firstOffset + cursor.varint();
    const key = readBytes(cursor);
    const value = readBytes(cursor);
    const timestamp = appendTime ?? firstTimestamp + timestampDelta;
    records.push(new FetchedRecord(offset, timestamp, key, value, context, body, cursor.at));
    cursor.at = end;
  }
  return firstOffset + lastOffsetDelta + 1;
}

/** Decodes a fetch response of version 11. */
export async function decodeFetchResponse(raw: Buffer): Promise<FetchResponse & { clientSideThrottleTime: number }> {
  const cursor = new Cursor(raw);
  const clientSideThrottleTime = cursor.int32();
  const errorCode = cursor.int16();
  const sessionId = cursor.int32();
  const responses: { topicName: string; partitions: FetchedPartition[] }[] = [];
  for (let topics = cursor.int32(); topics > 0; topics--) {
    const topicName = cursor.string();
    const partitions: FetchedPartition[] = [];
    for (let left = cursor.int32(); left > 0; left--) partitions.push(await decodePartition(cursor));
    responses.push({ topicName, partitions });
  }
  return { clientSideThrottleTime, errorCode, sessionId, responses } as FetchResponse & {
    clientSideThrottleTime: number;
  };
}

async function decodePartition(cursor: Cursor): Promise<FetchedPartition> {
  const partition = cursor.int32();
  const errorCode = cursor.int16();
  const highWatermark = cursor.int64().toString();
  const lastStableOffset = cursor.int64().toString();
  cursor.int64(); // start of the log
  const abortedTransactions: { producerId: string; firstOffset: string }[] = [];
  for (let left = cursor.int32(); left > 0; left--) {
    abortedTransactions.push({ producerId: cursor.int64().toString(), firstOffset: cursor.int64().toString() });
  }
  cursor.int32(); // preferred replica
  const size = Math.max(0, cursor.int32());
  const bytes = cursor.buffer.subarray(cursor.at, cursor.at + size);
  cursor.at += size;
  const messages = await decodeBatches(bytes);
  return { partition, errorCode, highWatermark, lastStableOffset, abortedTransactions, messages };
}

/** Installs the decoder; returns what takes it back. */
export function install(): () => void {
  const definition = requestDefinition<object, FetchResponse>('Fetch');
  const shipped = definition.protocol;
  definition.protocol = ({ version }) => {
    const call = shipped({ version });
    if (version !== VERSION) return call;
    return (options) => {
      const { response, ...rest } = call(options);
      return { ...rest, response: { ...response, decode: decodeFetchResponse } };
    };
  };
  return () => {
    definition.protocol = shipped;
  };
}
