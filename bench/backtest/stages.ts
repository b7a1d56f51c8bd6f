// What `corridor backtest` costs: real stages over a day that they made, told again and again with ids and times of its own, as
// records in memory: sealed Avro in, decisions out. Reading from brokers comes on top.
//
//   npm run bench -- backtest-stages [--transfers 100000] [--day 2000]
import { parseArgs } from 'node:util';
import { BUILT_IN_LIMITS } from '../../domain/limits/limit-rules.ts';
import { type BacktestDone, backtest, type StageSources } from '../../operations/backtest/backtest.ts';
import { intakeJudge } from '../../operations/backtest/stages/intake.ts';
import { pricingJudge } from '../../operations/backtest/stages/pricing.ts';
import { screeningJudge } from '../../operations/backtest/stages/screening.ts';
import { aDay, INTAKE } from '../../operations/backtest/testing/day.ts';
import type { Codec } from '../../ports/codec.ts';
import type { LogRecord, PartitionRange } from '../../ports/log.ts';
import { bookOf } from '../../processors/limits/processor.ts';
import type { Envelope, Instruction } from '../../schemas/types.generated.ts';
import { screeningTerms } from '../../screening/configuration.ts';
import { ScreenersByLists } from '../../services/backtest.ts';
import { BOOK, BUILT_IN_PRICES } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { testRings } from '../../test/kit/rings.ts';
import { load, table } from '../report.ts';

const { values } = parseArgs({
  options: { transfers: { type: 'string', default: '100000' }, day: { type: 'string', default: '2000' } },
});
const WAVES = 4;
const perWave = Math.ceil(Number(values.day) / WAVES);
const day = await aDay({ waves: WAVES, perWave, limits: BUILT_IN_LIMITS });
const copies = Math.ceil(Number(values.transfers) / (WAVES * perWave));
const dayMs = day.to - day.from;

const baseOf = (topic: string, partition: number): readonly LogRecord[] => day.log.records(topic, partition);
const places = (topics: readonly string[]): PartitionRange[] =>
  topics.flatMap((topic) =>
    Array.from({ length: day.log.partitions }, (_, partition) => ({
      ...{ topic, partition, from: 0 },
      to: copies * baseOf(topic, partition).length,
    })),
  );
const BATCH = 500;
let read = 0;

/** A record of one telling: the bytes of the day, where and when it would stand. */
function recordAt(topic: string, partition: number, offset: number): LogRecord {
  const base = baseOf(topic, partition);
  const copy = Math.floor(offset / base.length);
  const record = base[offset % base.length]!;
  return { ...record, offset, timestamp: record.timestamp + copy * dayMs };
}

const reader: StageSources['reader'] = {
  offsets: async (topics) => places(topics),
  offsetsSince: async (topics, since) =>
    places(topics).map((range) => {
      const base = baseOf(range.topic, range.partition);
      const copy = Math.max(0, Math.floor((since - day.from) / dayMs));
      const within = base.findIndex(({ timestamp }) => timestamp + copy * dayMs >= since);
      return { ...range, from: Math.min(range.to, copy * base.length + (within === -1 ? base.length : within)) };
    }),
  async read(ranges, onBatch) {
    for (const { topic, partition, from, to } of ranges) {
      for (let first = from; first < to; first += BATCH) {
        const length = Math.min(BATCH, to - first);
        read += length;
        await onBatch({
          ...{ topic, partition },
          records: Array.from({ length }, (_, i) => recordAt(topic, partition, first + i)),
        });
      }
    }
  },
};

/** With the ids of its copy. */
function renamed<V>(topic: string, value: V, copy: number): V {
  const of = value as { readonly envelope?: Envelope; readonly instruction?: Instruction } & Record<string, unknown>;
  const idOf = (id: string) => `${id}-${copy}`;
  const place = (position: string) => {
    const [name, partition, offset] = position.split(':') as [string, string, string];
    return `${name}:${partition}:${Number(offset) + copy * baseOf('transfer.requested', Number(partition)).length}`;
  };
  const { envelope, instruction } = of;
  if (envelope === undefined || instruction === undefined) {
    const origin = of['originPosition'] as string | undefined;
    return {
      ...of,
      transferId: idOf(of['transferId'] as string),
      ...(origin && { originPosition: place(origin) }),
    } as V;
  }
  const causationId = topic === 'transfer.accepted' ? place(envelope.causationId) : idOf(envelope.causationId);
  const { transferId, eventId } = envelope;
  return {
    ...of,
    envelope: { ...envelope, transferId: idOf(transferId), eventId: idOf(eventId), causationId },
    instruction: { ...instruction, debtorToken: idOf(instruction.debtorToken) },
  } as V;
}

const copyOf = ({ topic, partition, offset }: LogRecord): number =>
  Math.floor(offset / baseOf(topic, partition).length);

const receive: StageSources['receive'] = async (batch) => {
  const inbound = await day.receive(batch);
  return inbound.map((each) => {
    if (each.received === undefined) return each;
    const { received, record } = each;
    const value = renamed(received.topic, received.value, copyOf(record));
    const eventId = (value as { readonly envelope?: Envelope }).envelope?.eventId;
    return { ...each, received: { ...received, value, causationId: eventId ?? received.causationId } };
  });
};

/** Limits decode by themselves: batch by batch, so the tellings are those of the batch that was read last. */
let reading: readonly LogRecord[] = [];
const limitsReader: StageSources['reader'] = {
  ...reader,
  read: (ranges, onBatch) =>
    reader.read(ranges, (batch) => {
      reading = batch.records;
      return onBatch(batch);
    }),
};
const codec: Pick<Codec, 'decode'> = {
  async decode(topic, bytes) {
    const results = await day.codec.decode(topic, bytes);
    return results.map((result, i) =>
      result.ok ? { ...result, value: renamed(topic, result.value, copyOf(reading[i]!)) } : result,
    );
  },
};

const screeners = new ScreenersByLists(day.lists, screeningTerms());
const sources: StageSources = {
  ...{ reader, receive },
  judges: {
    INTAKE: intakeJudge(INTAKE),
    SCREENING: screeningJudge({ lists: [], stages: KEYS.stages, screenerOf: (lists) => screeners.of(lists) }),
    FX_PRICING: pricingJudge({ corridors: BOOK, terms: BUILT_IN_PRICES }),
  },
  limits: { ...{ reader: limitsReader, codec, rings: testRings }, book: bookOf(BUILT_IN_LIMITS, BOOK) },
};
const began = [performance.now(), process.cpuUsage()] as const;
const period = { from: day.from, to: day.from + copies * dayMs };
const done: BacktestDone = await backtest(sources, { ...period, onChange: () => undefined });
const [wallS, cpu] = [(performance.now() - began[0]) / 1_000, process.cpuUsage(began[1])];
await screeners.close();
const cpuS = (cpu.user + cpu.system) / 1e6;
if (done.changed > 0)
  throw new Error(`nothing was to differ: ${JSON.stringify(done.stages.map(({ changed }) => changed))}`);
const transfers = copies * WAVES * perWave;
const memory = Math.round(process.memoryUsage().rss / 1_048_576);
const row = [transfers, read, done.compared, Math.round(transfers / cpuS), Math.round(transfers / wallS)];
const header = [
  'intents',
  'records',
  'decisions compared',
  'intents/s of one core',
  'intents/s here',
  'memory',
  'load',
];
console.log(table(header, [[...row, `${memory} MiB`, load()]]));
