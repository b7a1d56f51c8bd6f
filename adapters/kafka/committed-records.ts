// From what a fetch returns to the records that a read_committed reader may see.
import type { LogRecord } from '../../ports/log.ts';
import { FetchedRecord, UnreadableRecord } from './kafkajs/fetch-response.ts';
import type { AbortedTransaction, FetchedMessage, FetchedPartition } from './kafkajs/internals.ts';

/** Control records carry version and type as two 16-bit numbers in their key; type 0 ends an aborted transaction. */
const CONTROL_TYPE_OFFSET = 2;
const ABORT = 0;
const NO_BYTES = Buffer.alloc(0);

function isAbortMarker({ isControlRecord, key }: FetchedMessage): boolean {
  return isControlRecord && key !== null && key.length >= 4 && key.readInt16BE(CONTROL_TYPE_OFFSET) === ABORT;
}

/**
 * Messages without those of aborted transactions; markers are kept. Transactions of one producer follow each other, those
 * of different producers overlap, and the broker lists them in no promised order.
 */
export function withoutAborted(
  messages: readonly FetchedMessage[],
  abortedTransactions: readonly AbortedTransaction[],
): readonly FetchedMessage[] {
  if (abortedTransactions.length === 0) return messages;
  const upcoming = abortedTransactions
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
    .sort((one, other) => one.firstOffset - other.firstOffset);
  const aborted = new Set<string>();
  let next = 0;
  return messages.filter((message) => {
    const offset = Number(message.offset);
    while (next < upcoming.length && upcoming[next]!.firstOffset <= offset) aborted.add(upcoming[next++]!.producerId);
    const { producerId, inTransaction } = message.batchContext;
    if (isAbortMarker(message)) aborted.delete(producerId);
    return message.isControlRecord || !inTransaction || !aborted.has(producerId);
  });
}

/** What one partition's part of a fetch response gives. */
export interface Committed {
  readonly records: readonly LogRecord[];
  /** Where to fetch next: after the last complete batch, so also past markers, aborted records and compacted gaps. */
  readonly nextOffset: number;
  /** Some of the records stand for what cannot be read. */
  readonly isDamaged: boolean;
}

/**
 * The records from `from` on that are committed, in order.
 * @param isGapless no offset is missing in the log, as in every topic that is not compacted: one that does is told like
 *   what cannot be read. A broker finds offsets by what batches say of themselves, and passes over some that are damaged.
 */
export function committedRecords(topic: string, from: number, fetched: FetchedPartition, isGapless = false): Committed {
  const { partition, abortedTransactions } = fetched;
  const whole = isGapless ? uptoGap(fetched.messages, from) : fetched.messages;
  const messages = abortedTransactions?.length > 0 ? uptoDamage(whole) : whole;
  const records: LogRecord[] = [];
  for (const message of withoutAborted(messages, abortedTransactions ?? [])) {
    // A fetch returns whole batches, so it may begin before the offset asked for.
    if (message.isControlRecord || Number(message.offset) < from) continue;
    if (message instanceof UnreadableRecord) message.beginAt(from, message === messages[0]);
    records.push(toRecord(topic, partition, message));
  }
  return { records, nextOffset: Math.max(from, endOf(messages)), isDamaged: messages.unreadable === true };
}

/** The messages before the first offset that is missing, and one that stands for what is missing. */
function uptoGap(messages: FetchedPartition['messages'], from: number): FetchedPartition['messages'] {
  let expected = from;
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at]!;
    const offset = Number(message.offset);
    if (offset === expected) {
      expected++;
      continue;
    }
    const begins = message instanceof UnreadableRecord ? message.unreadable.firstOffset : offset;
    if (begins > expected) return withGap(messages.slice(0, at), expected, begins);
    if (offset > expected) expected = offset + 1;
  }
  return messages;
}

function withGap(messages: readonly FetchedMessage[], firstOffset: number, next: number): FetchedPartition['messages'] {
  const detail = 'the log has no records at these offsets';
  const missing = { code: 'BATCH_CORRUPT', detail, firstOffset, lastOffset: next - 1, bytes: NO_BYTES } as const;
  return Object.assign([...messages, new UnreadableRecord(missing)], { nextOffset: next, unreadable: true });
}

/**
 * What is damaged may have been the end of an aborted transaction: what its producer wrote next would pass for aborted. So
 * nothing behind it is taken: the answer to the next fetch, from there on, says anew which transactions were aborted.
 */
function uptoDamage(messages: FetchedPartition['messages']): FetchedPartition['messages'] {
  if (messages.unreadable !== true) return messages;
  const at = messages.findIndex((message) => message instanceof UnreadableRecord && message.isDamaged);
  if (at === -1) return messages;
  return Object.assign(messages.slice(0, at + 1), { nextOffset: Number(messages[at]!.offset) + 1, unreadable: true });
}

function endOf(messages: FetchedPartition['messages']): number {
  if (messages.nextOffset !== undefined) return messages.nextOffset;
  const last = messages.at(-1);
  if (last === undefined) return 0;
  const { firstOffset, lastOffsetDelta } = last.batchContext;
  return Number(firstOffset) + lastOffsetDelta + 1;
}

function toRecord(topic: string, partition: number, message: FetchedMessage): LogRecord {
  if (message instanceof FetchedRecord) {
    message.topic = topic;
    message.partition = partition;
    return message;
  }
  const { key, value, offset, timestamp } = message;
  const headers = lastOfEach(message.headers);
  return { topic, partition, offset: Number(offset), key, value, headers, timestamp: Number(timestamp) };
}

/** Of a header that comes several times, the last is told. */
function lastOfEach(headers: FetchedMessage['headers']): Record<string, Buffer | undefined> {
  const entries = Object.entries(headers).map(([name, value]) => {
    const last = Array.isArray(value) ? value.at(-1) : value;
    return [name, last ?? undefined] as const;
  });
  return Object.fromEntries(entries);
}
