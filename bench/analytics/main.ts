// How long an export of made-up transfers takes, and how much memory: real Avro bytes with their seals, real files, no Kafka.
//
//   npm run bench -- analytics --transfers 1000000 [--partitions 4] [--format parquet]
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { exportFolder } from '../../adapters/files/export-folder.ts';
import { exportAnalytics } from '../../operations/analytics/export.ts';
import { EXPORT_FORMATS } from '../../operations/analytics/ports.ts';
import type { LogReader, LogRecord } from '../../ports/log.ts';
import { recordMaker } from '../../ports/records.ts';
import { lifecycleOf, stageOf } from '../../processors/lifecycle.ts';
import { AT, payoutRequested } from '../../test/kit/builders.ts';

import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { testRings } from '../../test/kit/rings.ts';
import { transferLifecycle } from '../../topics/boundary.ts';

const { values } = parseArgs({
  options: {
    transfers: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '4' },
    format: { type: 'string', default: 'parquet' },
  },
});
const transfers = Number(values.transfers);
const partitions = Number(values.partitions);
const format = EXPORT_FORMATS.find((one) => one === values.format) ?? 'parquet';
const PATH = [
  ['transfer.accepted', 'intake'],
  ['transfer.screened', 'screening'],
  ['transfer.priced', 'fx-pricing'],
  ['transfer.reserved', 'limits'],
  ['payout.requested', 'payout-dispatch'],
  ['transfer.completed', 'settlement'],
] as const;
const BATCH = 1_000;
/** Made once and read again and again: making them costs more than reading them. */
const SAMPLE = BATCH * 6;
/** Transfers of one hour: a busy day has a million. */
const PER_HOUR = 41_667;

const codec = memoryCodec();
const make = recordMaker({ owner: 'bench', codec, rings: testRings, writes: [transferLifecycle] });
const whole = payoutRequested();
const CORRIDORS = ['GB-IN', 'US-IN', 'AE-IN', 'EU-IN'];

const sample = Array.from({ length: SAMPLE }, (_, index): Omit<LogRecord, 'partition' | 'offset' | 'timestamp'> => {
  const [topic, stage] = PATH[index % PATH.length]!;
  const transferId = `made-up-${index}`;
  const instruction = { ...whole.instruction, corridorId: CORRIDORS[index % CORRIDORS.length]! };
  const envelope = { ...whole.envelope, transferId, eventId: `event-${index}`, sequence: (index % PATH.length) + 1 };
  const value = lifecycleOf(topic, { ...whole, envelope, instruction }, stageOf(stage))!;
  const { key, headers, ...record } = make('transfer.lifecycle', value, { partition: 0, eventId: value.eventId });
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
  return {
    topic: 'transfer.lifecycle',
    key: Buffer.from(key!),
    headers: Object.fromEntries(bytes),
    value: record.value,
  };
});

const perPartition = Math.ceil((transfers * PATH.length) / partitions);
const reader: Pick<LogReader, 'offsets' | 'offsetsSince' | 'read'> = {
  offsets: async (topics) =>
    topics.flatMap((topic) =>
      Array.from({ length: partitions }, (_, partition) => ({
        ...{ topic, partition, from: 0 },
        to: topic === 'transfer.lifecycle' ? perPartition : 0,
      })),
    ),
  offsetsSince: (topics) => reader.offsets(topics),
  read: async (ranges, onBatch) => {
    for (const { topic, partition, from, to } of ranges) {
      for (let at = from; at < to; at += BATCH) {
        const records = Array.from({ length: Math.min(BATCH, to - at) }, (_, n): LogRecord => {
          const offset = at + n;
          const timestamp = AT + Math.floor((offset * partitions) / PATH.length / PER_HOUR) * 3_600_000;
          return { ...sample[offset % SAMPLE]!, partition, offset, timestamp };
        });
        await onBatch({ topic, partition, records });
      }
    }
  },
};

const root = mkdtempSync(path.join(tmpdir(), 'corridor-bench-analytics-'));
try {
  const startedAt = performance.now();
  let peak = 0;
  const exported = await exportAnalytics({ reader, codec, rings: testRings, topicIds: new Map() }, exportFolder(root), {
    format,
    onProgress: () => (peak = Math.max(peak, process.memoryUsage().rss)),
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  const rows = exported.reduce((sum, one) => sum + one.rows, 0);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(`.${format}`));
  const bytes = files.reduce((sum, name) => sum + statSync(path.join(root, name)).size, 0);
  console.log(
    `${rows} rows of ${transfers} transfers as ${format}: ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows/s, ` +
      `${files.length} files, ${Math.round(bytes / rows)} bytes a row, ${Math.round(peak / 1_048_576)} MiB at most`,
  );
} finally {
  rmSync(root, { recursive: true, force: true });
}
