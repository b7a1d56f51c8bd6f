// Where a stage goes on whose offsets were lost or set back: right behind the last input that its outputs prove to be handled.

import { groupId } from '../../ports/consumer-groups/names.ts';
import { CodedError } from '../../ports/fault.ts';
import type { CommittedOffset, LogAdmin, LogReader, NewOffset, PartitionRange } from '../../ports/log.ts';
import type { Rings } from '../../ports/seals.ts';
import { topology } from '../../processors/topology.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { inputTopics } from '../../topics/recovery.ts';
import { noteAt, noteStanding, type Producing, provenOffsets, topicToken } from './proven-progress.ts';

export interface ResumeOptions {
  /** Prefix of groups. */
  readonly app: string;
  readonly processor: keyof typeof topology;
  readonly rings: Rings;
}

/** An offset that is to be set. */
export interface Resumption extends NewOffset {
  /** Undefined: the group has none. */
  readonly committed: number | undefined;
  /** What stood beside that offset. */
  readonly committedNote: string;
  /** Whether an output proves it; otherwise nothing that came of this partition is in the log, and it is the start. */
  readonly proven: boolean;
}

/**
 * The offsets of the processor that are missing, set back, or of an earlier topic, with where it must go on. Reads all
 * outputs that there are. Changes nothing.
 *
 * @throws CodedError, OFFSET_BEYOND_LOG among them: nothing may be set there
 */
export async function planResume(
  admin: LogAdmin,
  reader: LogReader,
  { app, processor, rings }: ResumeOptions,
): Promise<readonly Resumption[]> {
  const { reads, writes } = topology[processor];
  const producing: Producing = { owner: processor, writes: namesOf(writes), rings };
  const inputs = inputTopics(processor, namesOf(reads));
  const described = await admin.describeTopics(inputs);
  const topicIds = new Map(described.map(({ name, topicId }) => [name, topicId ?? name]));
  const proven = await provenOffsets(reader, producing, topicIds);
  // Only now, and none that is changing: what was committed with an output that was read shows here, so a stage that is at
  // work beside this is never taken for one that lost its offsets.
  const committed = await admin.committed(groupId(app, processor), inputs);
  const ranges = await reader.offsets(inputs);
  const due: Resumption[] = [];
  for (const range of ranges) {
    const { topic, partition, from } = range;
    const known = committed.find(isAt(range));
    const topicId = topicIds.get(topic) ?? topic;
    const reached = proven.get(`${topic}/${partition}`);
    if (!isLost(known, topicToken(processor, topicId), reached)) continue;
    if (reached !== undefined && reached > range.to) throw beyondLog(range, reached);
    const offset = Math.max(reached ?? from, from);
    const note = reached === undefined ? '' : await noteAt(reader, producing, { topicId, range, offset });
    const was = { committed: known?.offset, committedNote: known?.note ?? '' };
    due.push({ topic, partition, offset, note, ...was, proven: reached !== undefined });
  }
  return due;
}

/** Sets what is still as it was when this was planned, and answers with that; the rest is for another plan. @throws CodedError */
export async function applyResume(
  admin: LogAdmin,
  { app, processor }: Pick<ResumeOptions, 'app' | 'processor'>,
  due: readonly Resumption[],
): Promise<readonly Resumption[]> {
  const group = groupId(app, processor);
  const present = await admin.committed(group, inputTopics(processor, namesOf(topology[processor].reads)));
  const unchanged = due.filter((each) => {
    const now = present.find(isAt(each));
    return now?.offset === each.committed && (now?.note ?? '') === each.committedNote;
  });
  await admin.setOffsets(
    group,
    unchanged.map(({ topic, partition, offset, note }) => ({ topic, partition, offset, note })),
  );
  return unchanged;
}

const namesOf = (topics: readonly { readonly name: TopicName }[]) => topics.map(({ name }) => name);

const isAt =
  ({ topic, partition }: { readonly topic: string; readonly partition: number }) =>
  (each: CommittedOffset) =>
    each.topic === topic && each.partition === partition;

/** Outputs and offset are one transaction, so no output is of a record behind the offset, unless the offset was lost. */
function isLost(known: CommittedOffset | undefined, token: string, reached: number | undefined): boolean {
  if (known?.offset === undefined || noteStanding(known.note, token) === 'foreign') return true;
  return reached !== undefined && reached > known.offset;
}

/** The log lost its end: what is appended there now is new, and would be passed over. */
function beyondLog({ topic, partition, to }: PartitionRange, reached: number): CodedError {
  const message =
    `${topic}/${partition} ends at ${to}, but its outputs prove that it was handled up to ${reached}: the log lost its end ` +
    '(an unclean leader election), and records that come there now would be skipped. Let nothing write to it, and see ' +
    '"Offsets that were lost" in docs/kafka.md';
  return new CodedError('OFFSET_BEYOND_LOG', message, { faultClass: 'fatal', dependency: 'kafka' });
}
