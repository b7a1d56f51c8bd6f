// What a day is read from: rows at its edges, when it is called final, and what nobody has sealed.
import { expect, it } from 'vitest';
import type { LogRecord, PartitionRange } from '../../../ports/log.ts';
import type { AnalyticsWatermark, TransferLifecycle } from '../../../schemas/types.generated.ts';
import { AT } from '../../../test/kit/builders.ts';
import { memoryCodec } from '../../../test/kit/memory-codec.ts';
import { asIssued, testRings } from '../../../test/kit/rings.ts';
import type { TopicName, TopicValues } from '../../../topics/catalogue.ts';
import { ENDINGS } from '../../../verify/testing/history.ts';
import type { ExportSources } from '../export.ts';
import { rowsOf } from '../testing/grains-world.ts';
import { DAY_MS, readDay } from './read-day.ts';

const DAY = Math.floor(AT / DAY_MS) * DAY_MS;
const [ROW] = rowsOf(ENDINGS).map(({ row }) => row);
const codec = memoryCodec();
const PARTITIONS = 2;

/** A log of two partitions a topic; `between` is what comes when the watermarks have been read, `gone` how many it deleted. */
function world(between: () => void = () => undefined, gone = 0) {
  const logs = new Map<string, LogRecord[]>();
  const at = (topic: string, partition: number) => {
    const known = logs.get(`${topic}/${partition}`) ?? [];
    logs.set(`${topic}/${partition}`, known);
    return known;
  };
  const append = <T extends TopicName>(
    topic: T,
    partition: number,
    value: TopicValues[T],
    timestamp: number,
    isSealed = true,
  ) => {
    const record = { topic, key: 'k', value: codec.encode(topic, value), headers: {} };
    const { headers } = isSealed ? asIssued(record as never) : record;
    const log = at(topic, partition);
    log.push({ key: Buffer.from('k'), value: record.value, headers, timestamp, offset: log.length } as never);
  };
  const ranges = (topics: readonly string[], since = Number.NEGATIVE_INFINITY): PartitionRange[] =>
    topics.flatMap((topic) =>
      Array.from({ length: PARTITIONS }, (_, partition) => {
        const log = at(topic, partition);
        const first = log.findIndex(({ timestamp }) => timestamp >= since);
        return {
          topic,
          partition,
          from: Math.min(Math.max(gone, first < 0 ? log.length : first), log.length),
          to: log.length,
        };
      }),
    );
  const sources: ExportSources = {
    codec,
    rings: testRings,
    topicIds: new Map([['transfer.lifecycle', 'id']]),
    reader: {
      offsets: async (topics) => ranges(topics),
      offsetsSince: async (topics, since) => ranges(topics, since),
      async read(all, onBatch) {
        for (const { topic, partition, from, to } of all)
          await onBatch({ topic, partition, records: at(topic, partition).slice(from, to) });
        if (all.every(({ topic }) => topic === 'analytics.watermark')) between();
      },
    },
  };
  return { append, read: (madeAt = AT) => readDay(sources, DAY, { madeAt }) };
}

const row = (id: string): TransferLifecycle => ({ ...ROW!, eventId: id, transferId: id });
const claim = (partition: number, completeUntil: number, topicId = 'id'): AnalyticsWatermark => ({
  ...{ topic: 'transfer.lifecycle', topicId, partition, completeUntil, offset: 1, claimedAt: completeUntil },
});

it('takes what the broker took on the day, also where its clock went back at midnight', async () => {
  const { append, read } = world();
  for (const [id, timestamp] of [
    ['before', DAY - 1],
    ['first', DAY],
    ['last', DAY + DAY_MS - 1],
    ['next', DAY + DAY_MS],
    ['late', DAY + DAY_MS - 2_000],
    ['far', DAY + 2 * DAY_MS],
  ] as const)
    append('transfer.lifecycle', 0, row(id), timestamp);
  expect((await read()).figures.rows).toBe(3);
});

it.each([
  ['both partitions are', [claim(0, DAY + DAY_MS), claim(1, DAY + DAY_MS + 1)], DAY + DAY_MS, true],
  ['one is a moment behind', [claim(0, DAY + DAY_MS - 1), claim(1, DAY + 2 * DAY_MS)], DAY + DAY_MS - 1, false],
  ['of one nobody says so', [claim(0, DAY + 2 * DAY_MS)], null, false],
  ['it is said of a topic of before', [claim(0, DAY + 2 * DAY_MS), claim(1, DAY + 2 * DAY_MS, 'old')], null, false],
])('is final when %s complete', async (_when, claims, completeUntil, isFinal) => {
  const { append, read } = world();
  for (const each of claims) append('analytics.watermark', 0, each, DAY);
  expect(await read()).toMatchObject({ completeUntil, isFinal });
});

it('is not called final by what came while it was read, and has all that a watermark covers', async () => {
  const { append, read } = world(() => {
    append('transfer.lifecycle', 0, row('meanwhile'), DAY + 5);
    for (const partition of [0, 1]) append('analytics.watermark', 0, claim(partition, DAY + DAY_MS), DAY + DAY_MS);
  });
  const first = await read();
  expect([first.isFinal, first.figures.rows]).toEqual([false, 1]);
  const second = await read();
  expect([second.isFinal, second.figures.rows]).toEqual([true, 2]);
});

it('leaves out and counts what nobody has sealed, and what nobody can read', async () => {
  const { append, read } = world();
  append('transfer.lifecycle', 0, row('one'), DAY);
  append('transfer.lifecycle', 0, row('forged'), DAY, false);
  append('analytics.watermark', 0, claim(0, DAY + DAY_MS), DAY, false);
  append('analytics.watermark', 0, claim(1, DAY + DAY_MS), DAY);
  expect(await read()).toMatchObject({ unproven: 1, unreadable: 0, isFinal: false, figures: { rows: 1 } });
});

it.each([
  ['a day that is younger than the topic keeps is whole, whatever the log begins with', 1, 300, true],
  ['of an older one the log begins within', 1, 400, false],
  ['an older one whose first row is behind the beginning of the log is whole', 0, 400, true],
])('%s', async (_case, gone, days, isWhole) => {
  const { append, read } = world(undefined, gone);
  append('transfer.lifecycle', 0, row('before'), DAY - 1);
  append('transfer.lifecycle', 0, row('first'), DAY);
  for (const partition of [0, 1]) append('analytics.watermark', partition, claim(partition, DAY + DAY_MS), DAY);
  // Watermarks stand behind what the log has deleted.
  for (const partition of [0, 1])
    append('analytics.watermark', partition, claim(partition, DAY + DAY_MS), DAY + DAY_MS);
  expect(await read(DAY + days * DAY_MS)).toMatchObject({ isWhole, isFinal: isWhole });
});
