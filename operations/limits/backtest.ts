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
import type { Policy } from '../../processors/policies.ts';
import { orderOf, placesOf, slicesOf } from '../backtest/log-slices.ts';

const DAY_MS = 86_400_000;

export interface BacktestSources {
  readonly reader: Pick<LogReader, 'offsets' | 'offsetsSince' | 'read'>;
  /** With the topics of limits loaded. */
  readonly codec: Pick<Codec, 'decode'>;
  readonly rings: Rings;
}

export interface BacktestAsked {
  readonly book: RuleBook;
  /** Where given, a transfer is asked by the version of its time, and `book` names the rules alone. */
  readonly policy?: Policy<RuleBook>;
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
  const books = asked.policy?.all().map(({ content }) => content) ?? [book];
  const countedFrom = Math.max(0, from - Math.max(0, ...books.flatMap(({ rules }) => rules.map(reachOf))));
  const places = await placesOf(sources.reader, BACKTEST_TOPICS, countedFrom);
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

const inOrder = orderOf(BACKTEST_TOPICS);
