// A backtest over the log: all that limits have seen of a period, slice by slice, in the order in which the broker took it.
import type { LimitRule } from '../../domain/limits/limit-rules.ts';
import { stepOf } from '../../domain/limits/windows.ts';
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogReader, LogRecord, PartitionRange } from '../../ports/log.ts';
import { type Rings, sealFlaw } from '../../ports/seals.ts';
import {
  BACKTEST_TOPICS,
  Backtest,
  type BacktestChange,
  type BacktestReport,
  type BacktestTopic,
} from '../../processors/limits/backtest.ts';
import type { RuleBook } from '../../processors/limits/requests.ts';

/** Records that are in memory at once, about. */
const SLICE_RECORDS = 20_000;
const MIN_SLICE_MS = 1_000;
const MAX_SLICE_MS = 86_400_000;
const DAY_MS = 86_400_000;

export interface BacktestSources {
  readonly reader: Pick<LogReader, 'offsets' | 'offsetsSince' | 'read'>;
  /** With the topics of limits loaded. */
  readonly codec: Pick<Codec, 'decode'>;
  readonly rings: Rings;
}

export interface BacktestAsked {
  readonly book: RuleBook;
  /** The period, by append time of the priced event, ms since 1970: from, and before to. */
  readonly from: number;
  readonly to: number;
  /** Counters and transfers in memory at most; see Backtest. */
  readonly maxHeld?: number;
  readonly onChange: (change: BacktestChange) => void;
  readonly onProgress?: (records: number, at: number) => void;
}

export interface BacktestDone extends BacktestReport {
  /** From when on events were counted, ms since 1970: as long before the period as the longest window reaches. */
  readonly countedFrom: number;
  /** The log does not reach back to there: what was used before is not counted. */
  readonly isShort: boolean;
  readonly records: number;
  /** Records that nobody of ours has sealed: they count for nothing. */
  readonly unproven: number;
}

/** How far before its first transfer a rule looks, ms; Infinity: to the beginning. */
export function reachOf({ window }: LimitRule): number {
  if (window.kind === 'transfer') return 0;
  if (window.kind === 'lifetime') return Number.POSITIVE_INFINITY;
  if (window.kind === 'rolling') return stepOf(window).lengthMs + stepOf(window).stepMs;
  return { day: 2, week: 8, month: 32, year: 367 }[window.unit] * DAY_MS;
}

/** @throws CodedError BACKTEST_TOO_LARGE, UNDECODABLE_AVRO and the like, and what the log throws */
export async function backtest(sources: BacktestSources, asked: BacktestAsked): Promise<BacktestDone> {
  const { book, from, to, onProgress } = asked;
  const test = new Backtest(asked);
  const countedFrom = Math.max(0, from - Math.max(0, ...book.rules.map(reachOf)));
  const places = await placesOf(sources.reader, countedFrom);
  const slices = slicesOf(sources.reader, places);
  let [records, unproven] = [0, 0];
  for await (const { ranges, until } of slices) {
    const found = await readSlice(sources, ranges);
    unproven += found.unproven;
    records += found.events.length;
    for (const { topic, value, timestamp } of found.events) addTo(test, topic, value, timestamp);
    onProgress?.(records, until);
    // What was made of the last transfers of the period comes soon behind it.
    if (until >= to && test.pending === 0) break;
  }
  return { ...test.report(), countedFrom, isShort: places.isShort, records, unproven };
}

function addTo(test: Backtest, topic: BacktestTopic, value: unknown, timestamp: number): void {
  try {
    test.add(topic, value as never, timestamp);
  } catch (error) {
    if (error instanceof RangeError) throw new CodedError('BACKTEST_TOO_LARGE', error.message);
    throw error;
  }
}

interface Places {
  /** Where to begin, and the ends. */
  readonly ranges: readonly PartitionRange[];
  readonly at: number;
  readonly isShort: boolean;
}

async function placesOf(reader: BacktestSources['reader'], countedFrom: number): Promise<Places> {
  const ends = await reader.offsets(BACKTEST_TOPICS);
  const starts = await reader.offsetsSince(BACKTEST_TOPICS, countedFrom);
  const startOf = byPlace(starts);
  const ranges = ends.map((range) => ({ ...range, from: Math.max(range.from, startOf(range)?.from ?? range.from) }));
  // A partition whose first record is later than that, and that has lost what was before it.
  const isShort = ends.some((range) => range.from > 0 && (startOf(range)?.from ?? 0) <= range.from);
  return { ranges, at: countedFrom, isShort };
}

interface Slice {
  readonly ranges: readonly PartitionRange[];
  readonly until: number;
}

/** Stretches of time with so many records as may be in memory. */
async function* slicesOf(reader: BacktestSources['reader'], { ranges, at }: Places): AsyncIterable<Slice> {
  let left = ranges;
  let [now, length] = [at, MAX_SLICE_MS];
  while (left.some(({ from, to }) => from < to)) {
    const until = now + length;
    const stops = byPlace(await reader.offsetsSince(BACKTEST_TOPICS, until));
    const slice = left.map((range) => ({
      ...range,
      to: Math.min(range.to, Math.max(range.from, stops(range)?.from ?? range.to)),
    }));
    const records = slice.reduce((sum, { from, to }) => sum + to - from, 0);
    if (records > SLICE_RECORDS && length > MIN_SLICE_MS) {
      length = Math.max(MIN_SLICE_MS, Math.floor(length / 2));
      continue;
    }
    const some = slice.filter(({ from, to }) => from < to);
    if (some.length > 0) yield { ranges: some, until };
    const reached = byPlace(slice);
    left = left.map((range) => ({ ...range, from: reached(range)!.to }));
    now = until;
    // Where nothing is, it goes fast: nobody looks at years hour by hour.
    if (records < SLICE_RECORDS / 4) length = Math.min(records === 0 ? 64 * MAX_SLICE_MS : MAX_SLICE_MS, length * 2);
  }
}

function byPlace(ranges: readonly PartitionRange[]): (range: PartitionRange) => PartitionRange | undefined {
  const all = new Map(ranges.map((range) => [`${range.topic}/${range.partition}`, range]));
  return ({ topic, partition }) => all.get(`${topic}/${partition}`);
}

interface Taken {
  readonly topic: BacktestTopic;
  readonly value: unknown;
  readonly timestamp: number;
  readonly partition: number;
  readonly offset: number;
}

async function readSlice({ reader, codec, rings }: BacktestSources, ranges: readonly PartitionRange[]) {
  const events: Taken[] = [];
  let unproven = 0;
  await reader.read(ranges, async ({ topic, records }) => {
    const name = topic as BacktestTopic;
    const proven = records.filter((record) => !record.unreadable && sealFlaw(rings, topic, record) === undefined);
    unproven += records.length - proven.length;
    const values = await codec.decode(
      name,
      proven.map(({ value }) => value),
    );
    for (const [place, result] of values.entries()) {
      const { timestamp, partition, offset } = proven[place] as LogRecord;
      if (result.ok) events.push({ topic: name, value: result.value, timestamp, partition, offset });
      else
        throw new CodedError(result.code, `${topic}-${partition}@${offset}: ${result.detail}`, { faultClass: 'fatal' });
    }
  });
  return { events: events.sort(inOrder), unproven };
}

const RANK = new Map(BACKTEST_TOPICS.map((topic, place) => [topic, place]));
const inOrder = (one: Taken, other: Taken): number =>
  one.timestamp - other.timestamp ||
  RANK.get(one.topic)! - RANK.get(other.topic)! ||
  one.partition - other.partition ||
  one.offset - other.offset;
