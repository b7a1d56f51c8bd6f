// Where a stage goes on whose offsets were lost or set back: right behind the last input that its outputs prove to be handled.
import { topology } from '../processors/topology.ts';
import type { TopicName } from '../topics/catalogue.ts';
import { inputTopics } from './arrivals.ts';
import { groupId } from './names.ts';
import type { CommittedOffset, LogAdmin, LogReader, NewOffset } from './ports/log.ts';
import { noteAt, noteStanding, type Producing, provenOffsets, topicToken } from './progress.ts';
import type { Rings } from './seals.ts';

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
  /** Whether an output proves it; otherwise nothing that came of this partition is in the log, and it is the start. */
  readonly proven: boolean;
}

/**
 * The offsets of the processor that are missing, set back, or of an earlier topic, with where it must go on. Reads all
 * outputs that there are. Changes nothing.
 *
 * @throws CodedError
 */
export async function planResume(
  admin: LogAdmin,
  reader: LogReader,
  { app, processor, rings }: ResumeOptions,
): Promise<readonly Resumption[]> {
  const { reads, writes } = topology[processor];
  const names = (topics: readonly { readonly name: TopicName }[]) => topics.map(({ name }) => name);
  const producing: Producing = { owner: processor, writes: names(writes), rings };
  const inputs = inputTopics(processor, names(reads));
  const described = await admin.describeTopics(inputs);
  const topicIds = new Map(described.map(({ name, topicId }) => [name, topicId ?? name]));
  const committed = await admin.committed(groupId(app, processor), inputs, { evenUnstable: true });
  const starts = await reader.offsets(inputs);
  const proven = await provenOffsets(reader, producing, topicIds);
  const due: Resumption[] = [];
  for (const range of starts) {
    const { topic, partition, from } = range;
    const known = committed.find((each) => each.topic === topic && each.partition === partition);
    const topicId = topicIds.get(topic) ?? topic;
    const reached = proven.get(`${topic}/${partition}`);
    if (!isLost(known, topicToken(processor, topicId), reached)) continue;
    const offset = Math.max(reached ?? from, from);
    const note = reached === undefined ? '' : await noteAt(reader, producing, { topicId, range, offset });
    due.push({ topic, partition, offset, note, committed: known?.offset, proven: reached !== undefined });
  }
  return due;
}

function isLost(known: CommittedOffset | undefined, token: string, reached: number | undefined): boolean {
  if (known?.offset === undefined) return true;
  const standing = noteStanding(known.note, token);
  if (standing === 'own') return false;
  return standing === 'foreign' || (reached !== undefined && reached > known.offset);
}
