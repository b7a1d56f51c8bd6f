// What may be claimed of partitions in which nothing happens: that they are complete until a moment ago. Without memory: a claim
// is made of one look, and is true for ever, whoever made it and however late it is written.
//
// The clock is read before anything is asked. What the broker takes from then on has a later time, but for what its clock is
// behind ours: the tolerance. The end that is asked for is that of the leader, with what is not replicated and what stands in
// transactions that are open; only when every record before it is handled, or was never committed, there is nothing that may
// still come of before.
import type { CommittedOffset, LogReader, PartitionRange } from '../../ports/log.ts';
import type { AnalyticsWatermark } from '../../schemas/types.generated.ts';
import { transferLifecycle } from '../../topics/boundary.ts';

const LIFECYCLE = transferLifecycle.name;
/** What lies between the committed offset and the end when nothing does: markers of transactions. More of it is left to the consumer. */
const MARKERS = 1_000;

export interface QuietSources {
  readonly reader: Pick<LogReader, 'offsets' | 'ends' | 'read'>;
  /** Committed offsets of the consumer, the last ones that there are. */
  readonly committed: () => Promise<readonly CommittedOffset[]>;
  /** Id of the topic; its name where the cluster gives none. */
  readonly topicId: string;
  /** ms since 1970. */
  readonly now: () => number;
  readonly toleranceMs: number;
}

/** Claims of these partitions, where they are quiet. Rejects with what the log rejects with. */
export async function quietClaims(
  { reader, committed, topicId, now, toleranceMs }: QuietSources,
  partitions: ReadonlySet<number>,
): Promise<readonly AnalyticsWatermark[]> {
  const lookedAt = now();
  const ends = await reader.ends([LIFECYCLE], { unreplicatedToo: true });
  const stable = new Map((await reader.offsets([LIFECYCLE])).map((range) => [range.partition, range]));
  const handled = new Map((await committed()).map(({ partition, offset }) => [partition, offset]));
  const quiet = new Map<number, PartitionRange>();
  for (const { partition, offset: end } of ends) {
    const range = stable.get(partition);
    const done = handled.get(partition);
    if (!partitions.has(partition) || range === undefined || done === undefined) continue;
    // A transaction that is open keeps its records from being stable; more may have come since the end was asked for.
    const from = Math.max(done, range.from);
    if (range.to < end || end - from > MARKERS) continue;
    quiet.set(partition, { topic: LIFECYCLE, partition, from, to: end });
  }
  const left = [...quiet.values()].filter(({ from, to }) => from < to);
  await reader.read(left, ({ partition }) => void quiet.delete(partition));
  return [...quiet.values()].map(({ partition, to }) => ({
    ...{ topic: LIFECYCLE, topicId, partition, offset: to },
    completeUntil: lookedAt - toleranceMs,
    claimedAt: lookedAt,
  }));
}
