// How far every consumer is behind, as the brokers have it: whether its process runs or not.
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { Log, PartitionRange } from '../../ports/log.ts';
import { consumers, LETTER_INDEX, ownersOfLetters, topology } from '../../processors/topology.ts';
import { deadLetterTopic, inputTopics } from '../../topics/recovery.ts';

/** So many offsets of each partition are read: a lag up to this is counted record by record. */
const READ_AHEAD = 25;

export interface ConsumerLag {
  readonly consumer: string;
  /** Records that it has still to handle. */
  readonly records: number;
  /** Whether `records` counts offsets, of which a few are no records. */
  readonly isAtMost: boolean;
  /** When the oldest of them was written, ms since 1970; null: there is none, or it is not known. */
  readonly oldestAt: number | null;
  /** Where the oldest one stands. */
  readonly oldestIn: string | null;
  /** Partitions without an offset of its group. */
  readonly withoutOffset: number;
}

const CONSUMERS: readonly { readonly name: string; readonly topics: readonly string[] }[] = [
  ...Object.entries({ ...topology, ...consumers }).map(([name, { reads }]) => ({
    name,
    topics: inputTopics(
      name,
      reads.map((contract) => contract.name),
    ),
  })),
  { name: LETTER_INDEX, topics: ownersOfLetters.map(deadLetterTopic) },
];

interface Behind extends PartitionRange {
  readonly consumer: string;
}

/** Every consumer, in the order of the chain. @throws CodedError when the log cannot be asked */
export async function consumerLags(log: Pick<Log, 'reader' | 'admin'>, app: string): Promise<readonly ConsumerLag[]> {
  const { behind, withoutOffset } = await behindOf(log, app);
  const heads = await headsOf(log, behind);
  return CONSUMERS.map(({ name }): ConsumerLag => {
    const mine = behind.filter(({ consumer }) => consumer === name);
    const exact = mine.map((range) => exactLag(range, heads.get(placeOf(range))));
    const ages = mine.flatMap((range) => {
      const oldestAt = heads.get(placeOf(range))?.oldestAt;
      return oldestAt === undefined ? [] : [{ oldestAt, place: `${range.topic}/${range.partition}` }];
    });
    const oldest = ages.sort((a, b) => a.oldestAt - b.oldestAt)[0];
    return {
      consumer: name,
      records: exact.reduce((sum, { records }) => sum + records, 0),
      isAtMost: exact.some(({ isAtMost }) => isAtMost),
      oldestAt: oldest?.oldestAt ?? null,
      oldestIn: oldest?.place ?? null,
      withoutOffset: withoutOffset.get(name) ?? 0,
    };
  });
}

/** Partitions with something between the position of their group and their end. */
async function behindOf(log: Pick<Log, 'reader' | 'admin'>, app: string) {
  const admin = await log.admin();
  try {
    const ends = await log.reader().offsets([...new Set(CONSUMERS.flatMap(({ topics }) => topics))]);
    const behind: Behind[] = [];
    const withoutOffset = new Map<string, number>();
    for (const { name, topics } of CONSUMERS) {
      const committed = await admin.committed(groupId(app, name), topics, { evenUnstable: true });
      const positions = new Map(committed.map((each) => [`${each.topic}/${each.partition}`, each.offset]));
      for (const { topic, partition, from: start, to } of ends.filter((range) => topics.includes(range.topic))) {
        const position = positions.get(`${topic}/${partition}`);
        if (position === undefined) withoutOffset.set(name, (withoutOffset.get(name) ?? 0) + 1);
        const from = Math.max(start, position ?? start);
        if (from < to) behind.push({ consumer: name, topic, partition, from, to });
      }
    }
    return { behind, withoutOffset };
  } finally {
    await admin.close();
  }
}

interface Head {
  records: number;
  oldestAt: number;
}

const placeOf = ({ topic, partition, from }: PartitionRange): string => `${topic}/${partition}@${from}`;

/** What stands at the positions: several groups may stand at one place, which is read once. */
async function headsOf(log: Pick<Log, 'reader'>, behind: readonly Behind[]): Promise<ReadonlyMap<string, Head>> {
  const heads = new Map<string, Head>();
  // Of one partition, places that differ are read one after the other.
  const rounds: PartitionRange[][] = [];
  const places = new Map(behind.map((range) => [placeOf(range), range]));
  for (const ofPartition of Map.groupBy(places.values(), ({ topic, partition }) => `${topic}/${partition}`).values()) {
    for (const [round, { topic, partition, from, to }] of ofPartition.entries()) {
      rounds[round] ??= [];
      rounds[round].push({ topic, partition, from, to: Math.min(to, from + READ_AHEAD) });
    }
  }
  for (const ranges of rounds) {
    const starts = new Map(ranges.map((range) => [`${range.topic}/${range.partition}`, placeOf(range)]));
    await log.reader().read(ranges, ({ topic, partition, records }) => {
      const place = starts.get(`${topic}/${partition}`)!;
      const known = heads.get(place) ?? { records: 0, oldestAt: records[0]!.timestamp };
      heads.set(place, { ...known, records: known.records + records.length });
    });
  }
  return heads;
}

function exactLag({ from, to }: PartitionRange, head: Head | undefined) {
  if (to - from <= READ_AHEAD) return { records: head?.records ?? 0, isAtMost: false };
  return { records: to - from, isAtMost: true };
}
