// What the pipeline is fed: valid transfers, each of customers of its own, published before or while it works.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { publish } from '../../cli/publish.ts';
import type { LogWriter } from '../../ports/log.ts';
import type { FedRecord } from '../../samples/fed-record.ts';
import { goodIntent } from '../../samples/intents.ts';
import { seeded } from '../../samples/random.ts';
import { homePartition } from '../../topics/home-partition.ts';
import type { Stand } from './installation.ts';

/** So much of what may be on its way is published together, so that batches are as full as behind a backlog. */
const AT_ONCE = 1 / 8;
/** Every so often what has fallen due is published, ms. */
const SLICE_MS = 10;

/** Records of distinct transfers; `run` keeps those of one measurement apart from those of another. */
export function transfers(stand: Stand, count: number, run: string): FedRecord[] {
  const { codec } = stand.connections;
  const random = seeded(count);
  const now = Date.now();
  return Array.from({ length: count }, (_, index): FedRecord => {
    const id = (what: string) => uuid(`${run}/${what}/${index}`);
    const ids = { transferId: id('transfer'), customerId: id('customer'), beneficiaryId: id('beneficiary') };
    const value = codec.encode('transfer.requested', goodIntent(random, ids, now));
    return { key: ids.transferId, value, account: ids.transferId, expected: 'COMPLETED', kind: 'good' };
  });
}

function uuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Publishes the next ones whenever fewer than `most` are on their way, so that every stage always has something to do. */
export async function keepFull(
  stand: Stand,
  records: readonly FedRecord[],
  most: number,
  through: () => number,
): Promise<void> {
  const { log, config } = stand.connections;
  const writer = await log.writer('bench-fill');
  const atOnce = most * AT_ONCE;
  for (let sent = 0; sent < records.length; ) {
    const upTo = Math.min(records.length, through() + most);
    if (upTo - sent >= Math.min(atOnce, records.length - sent)) {
      await publish(records.slice(sent, upTo), { writer, chainPartitions: config.kafka.chainPartitions });
      sent = upTo;
    }
    await sleep(SLICE_MS);
  }
  await writer.close();
}

/**
 * Publishes at a stated rate. Open loop: the time at which each record is due is fixed in advance, and a latency is
 * taken from it, however late the record went out.
 * @returns when each record was due, ms of `performance.now()`, by key; and how late the latest went out, ms
 */
export async function feed(
  stand: Stand,
  records: readonly FedRecord[],
  rate: number,
): Promise<{ readonly due: ReadonlyMap<string, number>; readonly latestMs: number }> {
  const { log, config } = stand.connections;
  const writer = await log.writer('bench-feed');
  const due = new Map<string, number>();
  const began = performance.now() + SLICE_MS;
  for (const [index, { key }] of records.entries()) due.set(key, began + (index * 1_000) / rate);
  let sent = 0;
  let latestMs = 0;
  const sending: Promise<void>[] = [];
  while (sent < records.length) {
    const now = performance.now();
    const upTo = Math.min(records.length, Math.floor(((now - began) * rate) / 1_000) + 1);
    if (upTo > sent) {
      latestMs = Math.max(latestMs, now - due.get(records[sent]!.key)!);
      // Not awaited: a slow answer must not slow the feed.
      sending.push(send(writer, records.slice(sent, upTo), config.kafka.chainPartitions));
      sent = upTo;
    }
    await sleep(SLICE_MS);
  }
  await Promise.all(sending);
  await writer.close();
  return { due, latestMs };
}

function send(writer: LogWriter, records: readonly FedRecord[], partitions: number): Promise<void> {
  return writer.send(
    records.map(({ key, value }) => ({
      topic: 'transfer.requested',
      partition: homePartition(key, partitions),
      key,
      value,
      headers: {},
    })),
  );
}
