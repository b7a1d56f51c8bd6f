// From what a fetch returns to the records that a read_committed reader may see.
import type { LogRecord } from '../../runtime/ports/log.ts';
import { FetchedRecord, UnreadableRecord } from './kafkajs/fetch-response.ts';
import type { AbortedTransaction, FetchedMessage, FetchedPartition } from './kafkajs/internals.ts';

/** Control records carry version and type as two 16-bit numbers in their key; type 0 ends an aborted transaction. */
const CONTROL_TYPE_OFFSET = 2;
const ABORT = 0;

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
}

/** The records from `from` on that are committed, in order. */
export function committedRecords(topic: string, from: number, fetched: FetchedPartition): Committed {
  const { partition, messages, abortedTransactions } = fetched;
  const records: LogRecord[] = [];
  for (const message of withoutAborted(messages, abortedTransactions ?? [])) {
    // A fetch returns whole batches, so it may begin before the offset asked for.
    if (message.isControlRecord || Number(message.offset) < from) continue;
    records.push(toRecord(topic, partition, message, from));
  }
  return { records, nextOffset: Math.max(from, endOf(messages)) };
}

function endOf(messages: FetchedPartition['messages']): number {
  if (messages.nextOffset !== undefined) return messages.nextOffset;
  const last = messages.at(-1);
  if (last === undefined) return 0;
  const { firstOffset, lastOffsetDelta } = last.batchContext;
  return Number(firstOffset) + lastOffsetDelta + 1;
}

function toRecord(topic: string, partition: number, message: FetchedMessage, from: number): LogRecord {
  if (message instanceof FetchedRecord) {
    message.topic = topic;
    message.partition = partition;
    if (message instanceof UnreadableRecord) message.beginAt(from);
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
