// Publishes inputs as a producer would: keyed by transfer, in batches, at a rate if asked.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FedRecord } from '../feed/fed-record.ts';
import { sampleRates } from '../feed/rates.ts';
import { homePartition } from '../runtime/home-partition.ts';
import type { Codec } from '../runtime/ports/codec.ts';
import type { LogWriter, OutputRecord } from '../runtime/ports/log.ts';
import { type Rings, recordOf } from '../runtime/seals.ts';
import { fxRates } from '../topics/edges.ts';

const INTENTS = 'transfer.requested';
const BATCH_RECORDS = 500;
const BATCH_BYTES = 800_000;
/** With a rate, a batch holds what is due in this time, ms. */
const SLICE_MS = 20;

export interface PublishOptions {
  readonly writer: LogWriter;
  readonly chainPartitions: number;
  /** Records a second; undefined: as fast as they are taken. */
  readonly rate?: number;
  /** Before a batch is sent; the books are told here, so that nothing comes back unknown. */
  readonly onBatch?: (records: readonly FedRecord[]) => void;
  /** After a batch is acknowledged. */
  readonly onPublished?: (total: number) => void;
}

/** Publishes records in order of each key. Returns how many. Open loop: a slow pipeline does not slow the feed. */
export async function publish(records: Iterable<FedRecord>, options: PublishOptions): Promise<number> {
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
    if (wait > 1) await sleep(wait);
  }
  return total;
}

async function sendAll(batch: readonly FedRecord[], { writer, chainPartitions }: PublishOptions): Promise<void> {
  const send = async (records: readonly FedRecord[]) => {
    if (records.length > 0) await writer.send(records.map((record) => toOutput(record, chainPartitions)));
  };
  let slice: FedRecord[] = [];
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

function toOutput({ key, value }: FedRecord, chainPartitions: number): OutputRecord {
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

/** Publishes the sample rates as observed now, sealed as a feed's. */
export async function publishSampleRates(writer: LogWriter, codec: Codec, rings: Rings): Promise<void> {
  await codec.load([fxRates.name]);
  await writer.send(sampleRates(Date.now()).map((rate) => recordOf(fxRates, rate, { codec, rings, partition: 0 })));
}
