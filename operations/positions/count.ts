// The open exposure by currency: a fold of fx.position, which goes on from where the last count ended. What is kept is no second
// truth: anybody who reads the log up to the same offsets has the same sums, so it does not matter who counts, or how often.
import { currencyOf } from '../../domain/money/currencies.ts';
import type { Codec } from '../../ports/codec.ts';
import type { LogReader, LogRecord, PartitionRange } from '../../ports/log.ts';
import { hasRing, type Rings, sealFlaw } from '../../ports/seals.ts';
import { fxPosition } from '../../topics/boundary.ts';
import type { PositionCount, PositionCounts } from './ports.ts';

const { name: TOPIC } = fxPosition;

export interface PositionSources {
  readonly reader: Pick<LogReader, 'offsets' | 'read'>;
  readonly codec: Codec;
  /** Without the keys of `lifecycle` nothing is proven, and every record counts. */
  readonly rings: Rings;
  /** Id of the topic that there is now; its name where the cluster gives none. */
  readonly topicId: string;
}

export interface Counted {
  readonly count: PositionCount;
  /** Offsets that are still to be counted: the bound was reached. */
  readonly behind: number;
}

const NOTHING = { offsets: new Map(), open: new Map(), records: 0, unproven: 0, isWhole: true, version: 0 } as const;

/**
 * Counts on from `before`, over at most `maxOffsets` offsets of the log.
 * @param before undefined, or of a topic that is there no more: from the start of the log
 * @param now ms since 1970
 * @throws CodedError when the log or the registry cannot be asked
 */
export async function countOn(
  { reader, codec, rings, topicId }: PositionSources,
  before: PositionCount | undefined,
  { now, maxOffsets }: { readonly now: number; readonly maxOffsets: number },
): Promise<Counted> {
  await codec.load([TOPIC]);
  const known = before?.topicId === topicId ? before : { ...NOTHING, version: before?.version ?? 0 };
  const all = await reader.offsets([TOPIC]);
  const { ranges, behind, isWhole } = rangesToCount(all, known.offsets, maxOffsets);
  const open = new Map(known.open);
  let { records, unproven } = known;
  const add = (currency: string, minor: bigint) => open.set(currency, (open.get(currency) ?? 0n) + minor);
  const isChecked = hasRing(rings, 'lifecycle');
  await reader.read(ranges, async (batch) => {
    const proven = batch.records.filter((record) => isCountable(record, isChecked ? rings : undefined));
    const results = await codec.decode(
      TOPIC,
      proven.map(({ value }) => value),
    );
    let counted = 0;
    for (const result of results) {
      if (!result.ok) continue;
      const { sourceCurrency, sourceMinor, targetCurrency, targetMinor } = result.value;
      // Names of currencies are bounded: without keys anybody may have written them.
      if (!currencyOf(sourceCurrency) || !currencyOf(targetCurrency)) continue;
      counted += 1;
      add(sourceCurrency, sourceMinor);
      add(targetCurrency, targetMinor);
    }
    records += counted;
    unproven += batch.records.length - counted;
  });
  const offsets = new Map(known.offsets);
  for (const { partition, to } of ranges) offsets.set(partition, to);
  const count = { topicId, offsets, open, records, unproven, countedAt: now, version: known.version + 1 };
  return { count: { ...count, isWhole: known.isWhole && isWhole }, behind };
}

const isCountable = (record: LogRecord, rings: Rings | undefined): boolean =>
  record.unreadable === undefined && (rings === undefined || sealFlaw(rings, TOPIC, record) === undefined);

/** What is not counted yet, each partition its share of the bound. Pure. */
export function rangesToCount(
  all: readonly PartitionRange[],
  offsets: ReadonlyMap<number, number>,
  maxOffsets: number,
): { readonly ranges: readonly PartitionRange[]; readonly behind: number; readonly isWhole: boolean } {
  const share = Math.max(1, Math.floor(maxOffsets / Math.max(1, all.length)));
  let [behind, isWhole] = [0, true];
  const ranges = all.map((range): PartitionRange => {
    const counted = offsets.get(range.partition) ?? 0;
    if (range.from > counted) isWhole = false;
    const from = Math.min(range.to, Math.max(range.from, counted));
    const to = Math.min(range.to, from + share);
    behind += range.to - to;
    return { ...range, from, to };
  });
  return { ranges, behind, isWhole };
}

/**
 * Counts on from what is kept, and keeps it. Of two that count at once one is kept; both are right up to their offsets.
 * @throws CodedError when the log, the registry or the store cannot be asked
 */
export async function countAndKeep(
  sources: PositionSources,
  counts: PositionCounts,
  terms: { readonly now: number; readonly maxOffsets: number },
): Promise<Counted> {
  const counted = await countOn(sources, await counts.find(), terms);
  await counts.keep(counted.count);
  return counted;
}
