// The log by time, for backtests: stretches that fit into memory, over all partitions of some topics, in the order in which the
// broker took what is in them.
import type { LogReader, PartitionRange } from '../../ports/log.ts';

/** Records of a slice, about: two slices are in memory at once, one that is read and one that is judged. */
const SLICE_RECORDS = 4_000;
const MIN_SLICE_MS = 1_000;
const MAX_SLICE_MS = 86_400_000;

export type SlicedLog = Pick<LogReader, 'offsets' | 'offsetsSince' | 'read'>;

export interface Places {
  readonly topics: readonly string[];
  /** Where to begin, and the ends. */
  readonly ranges: readonly PartitionRange[];
  /** ms since 1970 */
  readonly at: number;
  /** A partition does not reach back to there. */
  readonly isShort: boolean;
}

/** @param from ms since 1970 @throws CodedError of the log */
export async function placesOf(reader: SlicedLog, topics: readonly string[], from: number): Promise<Places> {
  const ends = await reader.offsets(topics);
  const starts = await reader.offsetsSince(topics, from);
  const startOf = byPlace(starts);
  const ranges = ends.map((range) => ({ ...range, from: Math.max(range.from, startOf(range)?.from ?? range.from) }));
  // A partition whose first record is later than that, and that has lost what was before it.
  const isShort = ends.some((range) => range.from > 0 && (startOf(range)?.from ?? 0) <= range.from);
  return { topics, ranges, at: from, isShort };
}

export interface Slice {
  readonly ranges: readonly PartitionRange[];
  /** Its end, ms since 1970. */
  readonly until: number;
}

/** Stretches of time with so many records as may be in memory. */
export async function* slicesOf(reader: SlicedLog, { topics, ranges, at }: Places): AsyncIterable<Slice> {
  let left = ranges;
  let [now, length] = [at, MAX_SLICE_MS];
  while (left.some(({ from, to }) => from < to)) {
    const until = now + length;
    const stops = byPlace(await reader.offsetsSince(topics, until));
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

export interface Placed {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** ms since 1970 */
  readonly timestamp: number;
}

/** By append time; in the same millisecond in the order of the topics: what an event led to comes behind it. */
export function orderOf(topics: readonly string[]): (one: Placed, other: Placed) => number {
  const rank = new Map(topics.map((topic, place) => [topic, place]));
  return (one, other) =>
    one.timestamp - other.timestamp ||
    rank.get(one.topic)! - rank.get(other.topic)! ||
    one.partition - other.partition ||
    one.offset - other.offset;
}
