// Decodes a fetch response in one pass over its bytes: numbers instead of strings and BigInts, headers only when they are
// read, append times kept, and the checksum that kafkajs skips is checked.
import type { LogRecord, UnreadableBatch } from '../../../ports/log.ts';
import { crc32c } from './crc32c.ts';
import {
  BATCH_HEADER,
  BATCH_PREFIX,
  damaged,
  isOutOfPlace,
  MAGIC,
  MAGIC_AT,
  MIN_BATCH_BYTES,
  offsetsOf,
} from './damage.ts';
import { Headers, headerNameAt } from './header-names.ts';
import type { BatchContext, FetchedMessage, FetchedPartition, FetchResponse } from './internals.ts';
import { requestDefinition } from './requests.ts';
import { UnpackError, unpack } from './unpack.ts';
import { Cursor } from './varint.ts';

/** The version decoded here, the newest that kafkajs asks for. */
const VERSION = 11;
const COMPRESSION_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** A record whose key and value are views of the response, and whose headers are parsed when first looked at. */
export class FetchedRecord implements FetchedMessage, LogRecord {
  /** Not a field of every record: only what stands for a batch has it. */
  declare readonly unreadable?: UnreadableBatch;
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

/** Stands for a batch, or for a range of the log, that cannot be read. */
export class UnreadableRecord extends FetchedRecord {
  override unreadable: UnreadableBatch;
  /** Nothing of it is known, so it may also be the end of a transaction. */
  readonly isDamaged: boolean;

  /** @param batch the batch, where what it says of its transaction can be believed */
  constructor(unreadable: UnreadableBatch, batch?: Buffer) {
    const hasHeader = batch !== undefined && batch[MAGIC_AT] === MAGIC && batch.length >= BATCH_HEADER;
    const context: BatchContext = {
      firstOffset: unreadable.firstOffset,
      lastOffsetDelta: unreadable.lastOffset - unreadable.firstOffset,
      producerId: hasHeader ? batch.readBigInt64BE(43).toString() : '-1',
      inTransaction: hasHeader && (batch.readInt16BE(21) & TRANSACTIONAL) !== 0,
      isControlBatch: false,
    };
    const timestamp = hasHeader ? Number(batch.readBigInt64BE(35)) : 0;
    super(unreadable.lastOffset, timestamp, null, null, context, NO_HEADERS, 0);
    this.unreadable = unreadable;
    this.isDamaged = batch === undefined;
  }

  /**
   * Leaves out what was read of the batch earlier, when it could still be read. When nothing was read before it, the damage
   * begins where reading stopped, whatever first offset the batch names.
   */
  beginAt(offset: number, isFirst: boolean): void {
    const { firstOffset, code } = this.unreadable;
    if (firstOffset < offset || (isFirst && code === 'BATCH_CORRUPT')) {
      this.unreadable = { ...this.unreadable, firstOffset: offset };
    }
  }
}

const NO_HEADERS = Buffer.from([0]);

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

function readBytes(cursor: Cursor, end = cursor.buffer.length): Buffer | null {
  const size = cursor.varint();
  if (size < 0) return null;
  if (size > end - cursor.at) throw malformed('has a key or value that goes beyond its record');
  const bytes = cursor.buffer.subarray(cursor.at, cursor.at + size);
  cursor.at += size;
  return bytes;
}

/** What a partition's bytes hold, and where to fetch next. */
export type DecodedMessages = FetchedRecord[] & {
  nextOffset?: number;
  /** Set when one of them stands for a batch that was not read. */
  unreadable?: boolean;
  /** Why nothing here could be decoded: a fault of ours, and of this partition alone. */
  fault?: unknown;
};

/** What one response may unpack to. */
export interface UnpackBudget {
  /** Bytes of one batch, at most. */
  readonly most: number;
  /** Bytes that are left for the whole response; the first packed batch is unpacked in any case. */
  left: number;
}

let maxUnpackedBytes = 32 * 1_048_576;

/** Bounds what a batch may unpack to, in bytes. For the whole process, like the decoder itself. */
export function boundUnpackedBytes(most: number): void {
  maxUnpackedBytes = most;
}

const budgetOf = (most: number): UnpackBudget => ({ most, left: most });

/**
 * The records of one partition: all complete batches, or as many as the budget allows. `nextOffset` is where to fetch next.
 * A batch that cannot be read is one record that says so. What is damaged so that there is no telling where it ends is left
 * out, and all behind it: `nextOffset` is where it begins, or undefined when nothing was read before it.
 * @param end offset after the last record of the partition, as far as known
 */
export async function decodeBatches(
  bytes: Buffer,
  end = Number.POSITIVE_INFINITY,
  budget = budgetOf(maxUnpackedBytes),
): Promise<DecodedMessages> {
  const records: DecodedMessages = [];
  for (let at = 0; at + MAGIC_AT < bytes.length; ) {
    const size = bytes.readInt32BE(at + 8);
    const next = at + BATCH_PREFIX + size;
    if (size >= MIN_BATCH_BYTES && next > bytes.length) break; // a fetch ends in the middle of a batch
    const batch = bytes.subarray(at, Math.max(at, next));
    if (isPacked(batch) && budget.left <= 0) break;
    const count = records.length;
    try {
      if (isOutOfPlace(bytes, at, next, records.nextOffset, end)) throw outOfPlace();
      records.nextOffset = await decodeBatch(records, batch, budget);
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      records.length = count;
      const isDamaged = error.code === 'BATCH_CORRUPT' || batch[MAGIC_AT] !== MAGIC;
      const part =
        (isDamaged ? undefined : offsetsOf(bytes, at, next, end)) ?? damaged(bytes, at, records.nextOffset, end);
      if (part === undefined || part.lastOffset >= end) break;
      const unreadable = { ...part, code: error.code, detail: `the record batch ${error.message}` };
      records.push(new UnreadableRecord(unreadable, isDamaged ? undefined : batch));
      records.unreadable = true;
      records.nextOffset = part.lastOffset + 1;
      at += part.bytes.length;
      continue;
    }
    at = next;
  }
  return records;
}

class BatchError extends Error {
  readonly code: UnreadableBatch['code'];
  constructor(code: UnreadableBatch['code'], detail: string) {
    super(detail);
    this.code = code;
  }
}

const outOfPlace = () => new BatchError('BATCH_CORRUPT', 'stands at an offset that cannot be');
const malformed = (detail: string) => new BatchError('BATCH_MALFORMED', detail);

const isPacked = (batch: Buffer) =>
  batch[MAGIC_AT] === MAGIC && batch.length >= BATCH_HEADER && (batch.readInt16BE(21) & COMPRESSION_MASK) !== 0;

/** Adds the records of one batch; returns the offset after it. @throws BatchError */
async function decodeBatch(records: FetchedRecord[], batch: Buffer, budget: UnpackBudget): Promise<number> {
  if (batch.length < MIN_BATCH_BYTES) throw new BatchError('BATCH_CORRUPT', 'has no size');
  if (batch[MAGIC_AT] !== MAGIC) throw malformed(`is of format ${batch[MAGIC_AT]}`);
  if (batch.length < BATCH_HEADER) throw new BatchError('BATCH_CORRUPT', 'is cut short');
  if (crc32c(batch.subarray(21)) !== batch.readUInt32BE(17))
    throw new BatchError('BATCH_CORRUPT', 'fails its checksum');
  const attributes = batch.readInt16BE(21);
  const codec = attributes & COMPRESSION_MASK;
  if (codec === 0) return readRecords(records, batch, attributes, batch, BATCH_HEADER);
  const unpacked = await unpack(codec, batch.subarray(BATCH_HEADER), budget.most).catch((error: unknown) => {
    if (error instanceof UnpackError) throw new BatchError(error.code, error.message);
    throw error;
  });
  budget.left -= unpacked.length;
  return readRecords(records, batch, attributes, unpacked, 0);
}

/** The least that a record takes: its size, attributes, times, offset, key, value and headers, a byte each. */
const MIN_RECORD_BYTES = 7;

function readRecords(records: FetchedRecord[], batch: Buffer, attributes: number, body: Buffer, from: number): number {
  const firstOffset = Number(batch.readBigInt64BE(0));
  const lastOffsetDelta = batch.readInt32BE(23);
  const firstTimestamp = Number(batch.readBigInt64BE(27));
  const appendTime = (attributes & LOG_APPEND_TIME) === 0 ? undefined : Number(batch.readBigInt64BE(35));
  const count = batch.readInt32BE(57);
  if (lastOffsetDelta < 0) throw malformed(`ends ${-lastOffsetDelta} before its first offset`);
  if (count < 0 || count > (body.length - from) / MIN_RECORD_BYTES) throw malformed(`claims ${count} records`);
  const context: BatchContext = {
    firstOffset,
    lastOffsetDelta,
    producerId: batch.readBigInt64BE(43).toString(),
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
    isControlBatch: (attributes & CONTROL) !== 0,
  };
  const cursor = new Cursor(body, from);
  let last = -1;
  for (let left = count; left > 0; left--) {
    const size = cursor.varint();
    const end = cursor.at + size;
    if (size < MIN_RECORD_BYTES - 1 || end > body.length) throw malformed('has a record that goes beyond its end');
    cursor.at++; // attributes: none are in use
    const timestampDelta = cursor.varlong();
    const delta = cursor.varint();
    if (delta <= last || delta > lastOffsetDelta) throw malformed('has a record of a foreign offset');
    last = delta;
    const key = readBytes(cursor, end);
    const value = readBytes(cursor, end);
    const timestamp = appendTime ?? firstTimestamp + timestampDelta;
    records.push(new FetchedRecord(firstOffset + delta, timestamp, key, value, context, body, cursor.at));
    passHeaders(cursor, end);
  }
  if (cursor.at !== body.length) throw malformed('has more bytes than records');
  return firstOffset + lastOffsetDelta + 1;
}

/** Headers are read when somebody looks; that they can be is made sure of here. */
function passHeaders(cursor: Cursor, end: number): void {
  const count = cursor.varint();
  if (count < 0 || count > (end - cursor.at) / 2) throw malformed(`claims ${count} headers`);
  for (let left = count; left > 0; left--) {
    const nameSize = cursor.varint();
    if (nameSize < 0 || nameSize > end - cursor.at) throw malformed('has a header without a name');
    cursor.at += nameSize;
    const size = cursor.varint();
    if (size > end - cursor.at) throw malformed('has a header that goes beyond its record');
    if (size > 0) cursor.at += size;
  }
  if (cursor.at !== end) throw malformed('has a record of another size than it says');
}

/** Decodes a fetch response of version 11. */
export async function decodeFetchResponse(raw: Buffer): Promise<FetchResponse & { clientSideThrottleTime: number }> {
  const cursor = new Cursor(raw);
  const clientSideThrottleTime = cursor.int32();
  const errorCode = cursor.int16();
  const sessionId = cursor.int32();
  const responses: { topicName: string; partitions: FetchedPartition[] }[] = [];
  const budget = budgetOf(maxUnpackedBytes);
  for (let topics = cursor.int32(); topics > 0; topics--) {
    const topicName = cursor.string();
    const partitions: FetchedPartition[] = [];
    for (let left = cursor.int32(); left > 0; left--) partitions.push(await decodePartition(cursor, budget));
    responses.push({ topicName, partitions });
  }
  return { clientSideThrottleTime, errorCode, sessionId, responses } as FetchResponse & {
    clientSideThrottleTime: number;
  };
}

async function decodePartition(cursor: Cursor, budget: UnpackBudget): Promise<FetchedPartition> {
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
  // Whatever goes wrong with one partition's bytes is no concern of the others'.
  const messages = await decodeBatches(bytes, Number(highWatermark), budget).catch((fault: unknown) =>
    Object.assign([] as FetchedRecord[] as DecodedMessages, { fault }),
  );
  return { partition, errorCode, highWatermark, lastStableOffset, abortedTransactions, messages };
}

/** What a fetch throws for a partition's error has with it all that was answered, for the other partitions. */
export interface PartitionRefused {
  readonly answer?: FetchResponse;
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
      const parse = (answer: FetchResponse) =>
        response.parse(answer).catch((error: Error) => {
          throw Object.assign(error, { answer });
        });
      return { ...rest, response: { decode: decodeFetchResponse, parse } };
    };
  };
  return () => {
    definition.protocol = shipped;
  };
}
