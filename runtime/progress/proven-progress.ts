// How far a stage has come, as its own outputs prove it. A committed offset may be lost: the group expired or was renamed, or
// somebody reset it. The outputs stay, and each names the input that it was made from, under the seal of the stages. What is
// proven to be handled is not handled again: its decision stands in the log, and another one would stand beside it.

import type { LogReader, LogRecord, PartitionRange, RecordBatch } from '../../ports/log.ts';
import { type Rings, recoverySealFlaw, sealFlaw } from '../../ports/seals.ts';
import { contractOf, type TopicName } from '../../topics/catalogue.ts';
import { type Cause, parseCause, sourceOf } from '../../topics/cause.ts';
import { HEADER, headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic, RETRY_TIERS, retryTopic } from '../../topics/recovery.ts';
import { ProgressNote } from './progress-notes.ts';

export interface Producing {
  readonly owner: string;
  readonly writes: readonly TopicName[];
  readonly rings: Rings;
}

/** What is under the ring of lifecycle proves nothing: those who read it have that ring too. */
const isProof = (topic: string): boolean => ![undefined, null, 'lifecycle'].includes(contractOf(topic)?.sealedBy);

/** Topics whose records bear a seal, of those alone who write them, that names the input they were made from. */
export function evidenceTopics({ owner, writes }: Producing): readonly string[] {
  const sealed = writes.filter(isProof);
  return [...sealed, ...RETRY_TIERS.map((_, tier) => retryTopic(owner, tier)), deadLetterTopic(owner)];
}

/** What the record says that it was made from. Anybody can say so: see isSealedEvidence. */
function causeIn(record: LogRecord): Cause | undefined {
  const header = contractOf(record.topic) === undefined ? RECOVERY_HEADER.recoveryCause : HEADER.cause;
  const text = headerText(record.headers, header);
  return text === undefined ? undefined : parseCause(text);
}

/** Whether a stage has sealed it. This is what costs time. */
function isSealedEvidence(record: LogRecord, rings: Rings): boolean {
  const isOutput = contractOf(record.topic) !== undefined;
  return (isOutput ? sealFlaw(rings, record.topic, record) : recoverySealFlaw(rings, record)) === undefined;
}

/**
 * Raises the highest offset that these records of one partition prove to be handled, by `source/partition`. Causes rise, so
 * the last records are asked first, and few seals are looked at.
 */
export function raiseProven(proven: Map<string, number>, records: readonly LogRecord[], { rings }: Producing): void {
  for (const record of records.toReversed()) {
    const cause = causeIn(record);
    if (cause === undefined) continue;
    const place = `${cause.source}/${cause.partition}`;
    if (cause.offset <= (proven.get(place) ?? -1)) continue;
    if (isSealedEvidence(record, rings)) proven.set(place, cause.offset);
  }
}

/** The token of a note that names the topic whose offset it stands beside. */
export const topicToken = (owner: string, topicId: string): string => `@${sourceOf(owner, topicId)}`;

/** What a note says of its offset: of this topic, of an earlier one of its name, or nothing (it may have been lost). */
export function noteStanding(note: string | undefined, token: string): 'own' | 'foreign' | 'silent' {
  if (note === undefined || note === '') return 'silent';
  const stated = note.split(' ').find((each) => each.startsWith('@'));
  // Notes of before said no topic.
  return stated === undefined || stated === token ? 'own' : 'foreign';
}

/** The next offset of each input partition, by the highest cause among the outputs; partitions without any are left out. */
export async function provenOffsets(
  reader: LogReader,
  producing: Producing,
  topicIds: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, number>> {
  const proven = new Map<string, number>();
  const ranges = await reader.offsets(evidenceTopics(producing));
  await reader.read(ranges, ({ records }) => raiseProven(proven, records, producing));
  const topicOf = new Map([...topicIds].map(([topic, id]) => [sourceOf(producing.owner, id), topic]));
  const next = new Map<string, number>();
  for (const [place, offset] of proven) {
    const [source, partition] = place.split('/') as [string, string];
    const topic = topicOf.get(source);
    if (topic !== undefined) next.set(`${topic}/${partition}`, offset + 1);
  }
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
  const note = new ProgressNote();
  const isRetry = RETRY_TIERS.some((_, tier) => range.topic === retryTopic(owner, tier));
  const readable = isRetry || isProof(range.topic);
  const before = { ...range, from: Math.max(range.from, offset - RECENT), to: offset };
  const raise = ({ records }: RecordBatch) => {
    for (const record of records) {
      const cause = causeIn(record);
      if (cause && note.isNew(cause) && isSealedEvidence(record, rings)) note.raise(cause);
    }
  };
  if (readable) await reader.read([before], raise);
  return `${topicToken(owner, topicId)} ${note.text()}`.trimEnd();
}
