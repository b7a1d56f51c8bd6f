// A day as the log has it: rows for analysts that the broker took on it, and whether more of them may come.
import { CodedError } from '../../../ports/fault.ts';
import type { LogRecord, PartitionRange } from '../../../ports/log.ts';
import { hasRing, type Rings, sealFlaw } from '../../../ports/seals.ts';
import type { AnalyticsWatermark } from '../../../schemas/types.generated.ts';
import { analyticsWatermark, intentDuplicated, intentRejected, transferLifecycle } from '../../../topics/boundary.ts';
import { contractOf } from '../../../topics/catalogue.ts';
import type { ExportSources } from '../export.ts';
import { type DayFigures, DayFold } from './day-fold.ts';

export const DAY_MS = 86_400_000;
/** What a day is made of. */
export const DAY_TOPICS = [transferLifecycle.name, intentRejected.name, intentDuplicated.name] as const;
export const DAY_REPORT_TOPICS = [...DAY_TOPICS, analyticsWatermark.name] as const;

export interface DayReport {
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
  /** ms since 1970 */
  readonly madeAt: number;
  /** Until when all rows of transfers are there, ms since 1970; null: no watermark says so of every partition. */
  readonly completeUntil: number | null;
  /** The log has all that it took on this day: none of it is older than a topic keeps its records. */
  readonly isWhole: boolean;
  /** All of it is here, and no row of a transfer comes to this day any more. */
  readonly isFinal: boolean;
  readonly read: readonly PartitionRange[];
  /** Records without a seal of whoever may write them; null: nobody looked, for want of the key. */
  readonly unproven: number | null;
  readonly unreadable: number;
  readonly figures: DayFigures;
}

/**
 * Reads one day.
 * @param day when it begins, ms since 1970, at midnight UTC
 * @throws CodedError NEWER_SCHEMA, and what the log throws
 */
export async function readDay(
  sources: ExportSources,
  day: number,
  { madeAt, onProgress }: { readonly madeAt: number; readonly onProgress?: (done: number, of: number) => void },
): Promise<DayReport> {
  const to = day + DAY_MS;
  // First: what a watermark that stands now covers is in the log already, and is read below.
  const completeUntil = await completeUntilOf(sources);
  const ranges = await rangesOf(sources.reader, day, to);
  const isWhole = await hasBeginnings(sources.reader, ranges, madeAt - day);
  const total = ranges.reduce((sum, range) => sum + range.to - range.from, 0);
  const fold = new DayFold(day);
  const believe = believer(sources.rings);
  let [done, unreadable] = [0, 0];
  await sources.reader.read(ranges, async ({ topic, records }) => {
    const believed = records.filter(
      (record) => record.timestamp >= day && record.timestamp < to && believe.is(topic, record),
    );
    for (const { value, record } of await decoded(sources.codec, topic, believed)) {
      if (value === undefined) unreadable += 1;
      else if (topic === transferLifecycle.name) fold.transfer(value as never, record.timestamp);
      else if (topic === intentRejected.name) fold.refused(value as never);
      else fold.duplicated(value as never);
    }
    done += records.length;
    onProgress?.(done, total);
  });
  return {
    ...{ day: new Date(day).toISOString().slice(0, 10), madeAt, completeUntil, isWhole },
    isFinal: isWhole && completeUntil !== null && completeUntil >= to,
    read: ranges,
    ...{ unproven: believe.unproven(), unreadable: unreadable + believe.unreadable(), figures: fold.figures() },
  };
}

/** So long past midnight records are looked at, ms: the clock of a new leader may be behind that of the one before. */
const CLOCKS_APART_MS = 60_000;

/** From the first record of the day to the first that was taken well after it. */
async function rangesOf(reader: ExportSources['reader'], from: number, to: number): Promise<readonly PartitionRange[]> {
  const [starts, stops] = await Promise.all([
    reader.offsetsSince(DAY_TOPICS, from),
    reader.offsetsSince(DAY_TOPICS, to + CLOCKS_APART_MS),
  ]);
  return starts.map((start) => {
    const stop = stops.find(({ topic, partition }) => topic === start.topic && partition === start.partition);
    return { ...start, to: Math.max(start.from, Math.min(start.to, stop?.from ?? start.to)) };
  });
}

/**
 * Whether the log still has what came first on a day that began `ageMs` ago. A younger day than the topic keeps is there; of an
 * older one, what the log begins with may be all that is left of it.
 */
async function hasBeginnings(
  reader: ExportSources['reader'],
  ranges: readonly PartitionRange[],
  ageMs: number,
): Promise<boolean> {
  const log = await reader.offsets(DAY_TOPICS);
  return ranges.every(({ topic, partition, from }) => {
    const { retentionMs } = contractOf(topic)!;
    if (retentionMs === null || ageMs < retentionMs) return true;
    const begins = log.find((range) => range.topic === topic && range.partition === partition)!.from;
    return begins === 0 || from > begins;
  });
}

/** Until when every partition of rows of transfers is complete; null: of one nobody says so. */
async function completeUntilOf({ reader, codec, rings, topicIds }: ExportSources): Promise<number | null> {
  const partitions = (await reader.offsets([transferLifecycle.name])).map(({ partition }) => partition);
  const until = new Map<number, number>();
  const believe = believer(rings);
  await reader.read(await reader.offsets([analyticsWatermark.name]), async ({ topic, records }) => {
    const believed = records.filter((record) => believe.is(topic, record));
    for (const { value } of await decoded(codec, topic, believed)) {
      const claim = value as AnalyticsWatermark | undefined;
      if (claim === undefined || claim.topic !== transferLifecycle.name) continue;
      if ((topicIds.get(claim.topic) ?? claim.topicId) !== claim.topicId) continue;
      until.set(claim.partition, Math.max(until.get(claim.partition) ?? 0, claim.completeUntil));
    }
  });
  const all = partitions.map((partition) => until.get(partition));
  return all.every((each) => each !== undefined) && all.length > 0 ? Math.min(...(all as number[])) : null;
}

/** Whether records are of whoever may write them, and how many are not. */
function believer(rings: Rings) {
  let [unproven, unreadable, isChecked] = [0, 0, false];
  return {
    is(topic: string, record: LogRecord): boolean {
      if (record.unreadable || record.value === null) {
        unreadable += 1;
        return false;
      }
      const issuer = contractOf(topic)!.sealedBy;
      if (issuer === null || !hasRing(rings, issuer)) return true;
      isChecked = true;
      if (sealFlaw(rings, topic, record) === undefined) return true;
      unproven += 1;
      return false;
    },
    unproven: () => (isChecked ? unproven : null),
    unreadable: () => unreadable,
  };
}

async function decoded(codec: ExportSources['codec'], topic: string, records: readonly LogRecord[]) {
  const results = await codec.decode(
    topic as (typeof DAY_REPORT_TOPICS)[number],
    records.map(({ value }) => value),
  );
  return results.map((result, at) => {
    if (!result.ok && result.kind === 'newer-schema') throw new CodedError('NEWER_SCHEMA', result.detail);
    return { value: result.ok ? (result.value as unknown) : undefined, record: records[at]! };
  });
}
