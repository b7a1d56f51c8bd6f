// Publishes inputs as a producer would: keyed by transfer, in batches, at a rate if asked.

import type { LogWriter, OutputRecord } from '../ports/log.ts';
import { pause } from '../ports/pause.ts';
import { homePartition } from '../topics/home-partition.ts';

const INTENTS = 'transfer.requested';
const BATCH_RECORDS = 500;
const BATCH_BYTES = 800_000;
/** With a rate, a batch holds what is due in this time, ms. */
const SLICE_MS = 20;

/** An input as it goes on the wire. */
export interface Input {
  readonly key: string;
  /** Null for a tombstone. */
  readonly value: Buffer | null;
}

export interface PublishOptions<I extends Input> {
  readonly writer: LogWriter;
  readonly chainPartitions: number;
  /** Records a second; undefined: as fast as they are taken. */
  readonly rate?: number;
  /** Before a batch is sent: expectations are recorded here, so that no result comes back unknown. */
  readonly onBatch?: (records: readonly I[]) => void;
  /** After a batch is acknowledged. */
  readonly onPublished?: (total: number) => void;
}

/** Publishes records in order of each key. Returns how many. Open loop: a slow pipeline does not slow the feed. */
export async function publish<I extends Input>(records: Iterable<I>, options: PublishOptions<I>): Promise<number> {
  const { rate, onBatch, onPublished } = options;
  const began = performance.now();
  let total = 0;
  for (const batch of inBatches(
    records,
    rate === undefined ? BATCH_RECORDS : Math.max(1, Math.round((rate * SLICE_MS) / 1_000)),
  )) {
    onBatch?.(batch);
    await sendAll(batch, options);
    total += batch.length;
    onPublished?.(total);
    const dueAt = rate === undefined ? 0 : began + (total * 1_000) / rate;
    const wait = dueAt - performance.now();
    if (wait > 1) await pause(wait);
  }
  return total;
}

async function sendAll(
  batch: readonly Input[],
  { writer, chainPartitions }: Pick<PublishOptions<Input>, 'writer' | 'chainPartitions'>,
): Promise<void> {
  const send = async (records: readonly Input[]) => {
    if (records.length > 0) await writer.send(records.map((record) => toOutput(record, chainPartitions)));
  };
  let slice: Input[] = [];
  let bytes = 0;
  for (const record of batch) {
    const size = record.value?.length ?? 0;
    if (bytes + size > BATCH_BYTES) {
      await send(slice);
      slice = [];
      bytes = 0;
    }
    slice.push(record);
    bytes += size;
  }
  await send(slice);
}

function toOutput({ key, value }: Input, chainPartitions: number): OutputRecord {
  return { topic: INTENTS, partition: homePartition(key, chainPartitions), key, value, headers: {} };
}

function* inBatches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
