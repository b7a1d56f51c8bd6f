// What may be claimed of partitions in which nothing happens: that they are complete until a moment ago. Without memory: a claim
// is made of one look, and is true for ever, whoever made it and however late it is written.
//
// Our clock is read before anything is asked. What the broker takes from then on has a later time, but for what its clock is
// behind: the tolerance. The end that is asked for is that of the leader, with what is not replicated and what stands in
// transactions that are open; only when every record before it is handled, or was never committed, there is nothing that may
// still come of before.
//
// Offsets mean something in one topic alone. What is committed is asked for before the end is, so it is never behind it while
// the log is whole; the id of the topic is that of the note beside each offset, and the same before and after the look.
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { CommittedOffset, LogReader, PartitionRange } from '../../ports/log.ts';
import type { AnalyticsWatermark } from '../../schemas/types.generated.ts';
import { transferLifecycle } from '../../topics/boundary.ts';
import { isOfTopic } from './grain-note.ts';

const LIFECYCLE = transferLifecycle.name;
/** What lies between the committed offset and the end when nothing does: markers of transactions. More of it is left to the consumer. */
const MARKERS = 1_000;

/** Why nothing is claimed of a partition, though it may be quiet. */
export interface QuietRefusal {
  readonly partition: number;
  readonly code: ErrorCode;
  readonly detail: string;
}

export interface QuietSources {
  readonly reader: Pick<LogReader, 'offsets' | 'ends' | 'read'>;
  /** Committed offsets of the consumer, the last ones that there are. */
  readonly committed: () => Promise<readonly CommittedOffset[]>;
  /** Id of the topic now; its name where the cluster gives none; undefined: there is no such topic. */
  readonly topicId: () => Promise<string | undefined>;
  /** Our clock, ms since 1970. */
  readonly now: () => number;
  readonly toleranceMs: number;
  readonly onRefused?: (refusal: QuietRefusal) => void;
}

/** Claims of these partitions, where they are quiet. Rejects with what the log rejects with. */
export async function quietClaims(
  { reader, committed, topicId: askTopicId, now, toleranceMs, onRefused = () => {} }: QuietSources,
  partitions: ReadonlySet<number>,
): Promise<readonly AnalyticsWatermark[]> {
  const lookedAt = now();
  const topicId = await askTopicId();
  if (topicId === undefined) return [];
  const handled = new Map((await committed()).map((each) => [each.partition, each]));
  const ends = await reader.ends([LIFECYCLE], { unreplicatedToo: true });
  const stable = new Map((await reader.offsets([LIFECYCLE])).map((range) => [range.partition, range]));
  const quiet = new Map<number, PartitionRange>();
  for (const { partition, offset: end } of ends) {
    const range = stable.get(partition);
    const { offset: done, note = '' } = handled.get(partition) ?? {};
    if (!partitions.has(partition) || range === undefined || done === undefined) continue;
    const refusal = refusalOf({ topicId, done, note, end, begin: range.from });
    if (refusal !== undefined) {
      onRefused({ partition, ...refusal });
      continue;
    }
    // A transaction that is open keeps its records from being stable; more may have come since the end was asked for.
    const from = Math.max(done, range.from);
    if (range.to < end || from > end || end - from > MARKERS) continue;
    quiet.set(partition, { topic: LIFECYCLE, partition, from, to: end });
  }
  const left = [...quiet.values()].filter(({ from, to }) => from < to);
  await reader.read(left, ({ partition }) => void quiet.delete(partition));
  // Made anew meanwhile: what was read may be of either.
  if ((await askTopicId()) !== topicId) return [];
  return [...quiet.values()].map(({ partition, to }) => ({
    ...{ topic: LIFECYCLE, topicId, partition, offset: to },
    completeUntil: lookedAt - toleranceMs,
    claimedAt: lookedAt,
  }));
}

interface OffsetSeen {
  readonly topicId: string;
  readonly done: number;
  readonly note: string;
  readonly begin: number;
  readonly end: number;
}

/** Why an offset shows nothing of this partition. An offset at its beginning has passed nothing over, whoever set it. */
function refusalOf({ topicId, done, note, begin, end }: OffsetSeen): Omit<QuietRefusal, 'partition'> | undefined {
  if (done > end) {
    const detail = `the log ends at ${end}, but ${done} is committed: the topic was made anew, or has lost its end`;
    return { code: 'OFFSET_BEYOND_LOG', detail };
  }
  if (done <= begin || isOfTopic(note, topicId)) return undefined;
  const detail = `the offset ${done} is not known to be of this topic: it was made anew, or somebody set the offset`;
  return { code: 'OFFSET_OF_ANOTHER_TOPIC', detail };
}
