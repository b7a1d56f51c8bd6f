// How far a stage has come, as its own outputs prove it. A committed offset may be lost: the group expired or was renamed, or
// somebody reset it. The outputs stay, and each names the input that it was made from, under the seal of the stages. What is
// proven to be handled is not handled again: its decision stands in the log, and another one would stand beside it.
import { contractOf, type TopicName } from '../topics/catalogue.ts';
import { deadLetterTopic, RETRY_TIERS, retryTopic } from '../topics/recovery.ts';
import { type Cause, parseCause, sourceOf } from './cause.ts';
import { HEADER, headerText, RECOVERY_HEADER } from './headers.ts';
import { Marks } from './marks.ts';
import type { LogReader, LogRecord, PartitionRange, RecordBatch } from './ports/log.ts';
import { detourFlaw, type Rings, sealFlaw } from './seals.ts';

/** Clocks of brokers may be so far apart, ms. */
const MOST_SKEW_MS = 300_000;

export interface Producing {
  readonly owner: string;
  readonly writes: readonly TopicName[];
  readonly rings: Rings;
}

/** Topics whose records bear a seal that names the input they were made from. */
function evidenceTopics({ owner, writes }: Producing): readonly string[] {
  const sealed = writes.filter((topic) => contractOf(topic)?.sealedBy);
  return [...sealed, ...RETRY_TIERS.map((_, tier) => retryTopic(owner, tier)), deadLetterTopic(owner)];
}

/** What the record was made from, if a stage has sealed it. */
function evidenceIn(record: LogRecord, rings: Rings): Cause | undefined {
  const isOutput = contractOf(record.topic) !== undefined;
  const text = headerText(record.headers, isOutput ? HEADER.cause : RECOVERY_HEADER.detourCause);
  const cause = text === undefined ? undefined : parseCause(text);
  if (cause === undefined) return undefined;
  const flaw = isOutput ? sealFlaw(rings, record.topic, record) : detourFlaw(rings, record);
  return flaw ? undefined : cause;
}

/** Ends a read: what was looked for is found. */
const FOUND = Symbol('found');

/** Whether the outputs show that this record, or a later one of its partition, was handled. @throws CodedError */
export async function wasHandled(
  reader: LogReader,
  producing: Producing,
  { topicId, first }: { readonly topicId: string; readonly first: LogRecord },
): Promise<boolean> {
  const source = sourceOf(producing.owner, topicId);
  // An output is never older than its input.
  const ranges = await reader.offsetsSince(evidenceTopics(producing), first.timestamp - MOST_SKEW_MS);
  try {
    await reader.read(ranges, ({ records }) => {
      for (const record of records) {
        const cause = evidenceIn(record, producing.rings);
        const isOfIts = cause?.source === source && cause.partition === first.partition;
        if (isOfIts && cause.offset >= first.offset) throw FOUND;
      }
    });
  } catch (error) {
    if (error === FOUND) return true;
    throw error;
  }
  return false;
}

/** The token of a note that names the topic whose offset it stands beside. */
export const topicToken = (owner: string, topicId: string): string => `@${sourceOf(owner, topicId)}`;

/** What a note says of its offset: of this topic, of an earlier one of its name, or nothing (it may have been lost). */
export function noteStanding(note: string | undefined, token: string): 'own' | 'foreign' | 'silent' {
  if (note === undefined || note === '') return 'silent';
  const told = note.split(' ').find((each) => each.startsWith('@'));
  // Notes of before said no topic.
  return told === undefined || told === token ? 'own' : 'foreign';
}

/** The next offset of each input partition, by the highest cause among the outputs; partitions without any are left out. */
export async function provenOffsets(
  reader: LogReader,
  producing: Producing,
  topicIds: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, number>> {
  const topicOf = new Map([...topicIds].map(([topic, id]) => [sourceOf(producing.owner, id), topic]));
  const next = new Map<string, number>();
  await reader.read(await reader.offsets(evidenceTopics(producing)), ({ records }) => {
    for (const record of records) {
      const cause = evidenceIn(record, producing.rings);
      const topic = cause && topicOf.get(cause.source);
      if (topic === undefined) continue;
      const place = `${topic}/${cause!.partition}`;
      next.set(place, Math.max(next.get(place) ?? 0, cause!.offset + 1));
    }
  });
  return next;
}

/** So many records before an offset tell the marks that stood beside it. */
const RECENT = 5_000;

/** The note that belongs beside an offset: up to which causes the records before it have come. @throws CodedError */
export async function noteAt(
  reader: LogReader,
  { owner, rings }: Producing,
  { topicId, range, offset }: { readonly topicId: string; readonly range: PartitionRange; readonly offset: number },
): Promise<string> {
  const marks = new Marks();
  const isRetry = RETRY_TIERS.some((_, tier) => range.topic === retryTopic(owner, tier));
  const readable = isRetry || contractOf(range.topic)?.sealedBy;
  const before = { ...range, from: Math.max(range.from, offset - RECENT), to: offset };
  const raise = ({ records }: RecordBatch) => {
    for (const record of records) {
      const cause = evidenceIn(record, rings);
      if (cause && marks.isNew(cause)) marks.raise(cause);
    }
  };
  if (readable) await reader.read([before], raise);
  return `${topicToken(owner, topicId)} ${marks.note()}`.trimEnd();
}
