// Records that the stages and the payout executor have still to handle: where they wait, why, since when, and how much money is
// in them. Read from the log alone, up to a bound, and changed by nothing of it.
import type { Money } from '../../domain/money/money.ts';
import type { Codec } from '../../ports/codec.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { Log, LogRecord, PartitionRange } from '../../ports/log.ts';
import { hasRing, type Rings, recoverySealFlaw, requireRings, ringOf, sealFlaw } from '../../ports/seals.ts';
import { eventIn } from '../../processors/lifecycle.ts';
import { consumers, topology } from '../../processors/topology.ts';
import { contractOf, type TopicName } from '../../topics/catalogue.ts';
import { headerInteger, headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { RETRY_TIERS, replayTopic, retryTopic } from '../../topics/recovery.ts';

/** Records that are read at the most; each partition gets its share, and of each at least one is read. */
const MAX_READ = 20_000;
const MAX_CODE = 60;

/** RETRY: it was put aside for a while. REPLAY: operators sent it back. BEHIND: nobody has come to it yet. */
export type UnhandledKind = 'RETRY' | 'REPLAY' | 'BEHIND';

/** One record that waits. */
export interface Unhandled {
  readonly owner: string;
  readonly topic: string;
  readonly partition: number;
  readonly kind: UnhandledKind;
  /** Why it was put aside; the code of its seal where nothing proves what it says; null: nobody has looked at it yet. */
  readonly code: string | null;
  /** When it failed first, or came here; ms since 1970. */
  readonly since: number;
  /** What the producer instructed; null: it does not decode, or nothing proves what it is. */
  readonly amount: Money | null;
}

/** A partition of which more waits than was read. */
export interface CutPartition {
  readonly owner: string;
  readonly topic: string;
  readonly partition: number;
  readonly read: number;
  /** Offsets between the position and the end: records, and a few markers of transactions. */
  readonly waiting: number;
}

export interface UnhandledSources {
  readonly log: Pick<Log, 'reader' | 'admin'>;
  readonly codec: Codec;
  /** Prefix of consumer groups. */
  readonly app: string;
  readonly rings: Rings;
  /** For whoever must not have the keys of stages: records are told as they say, and it is said that nothing is proven. */
  readonly unproven?: true;
}

interface Waiting extends PartitionRange {
  readonly owner: string;
  /** Offsets that were left out at the end. */
  readonly beyond: number;
}

/** Topics whose records move a transfer on: an end moves none. */
const ENDS: ReadonlySet<string> = new Set(['transfer.rejected', 'transfer.completed', 'transfer.returned']);
const MOVERS = Object.entries({ ...topology, 'payout-executor': consumers['payout-executor'] }).map(
  ([owner, { reads }]) => {
    const contracts = reads.map(({ name }) => name as TopicName).filter((name) => !ENDS.has(name));
    const aside = [...RETRY_TIERS.map((_, tier) => retryTopic(owner, tier)), replayTopic(owner)];
    return { owner, contracts, topics: [...contracts, ...aside] };
  },
);
/** Topics whose records say what was instructed. */
export const CONTRACTS: readonly TopicName[] = [...new Set(MOVERS.flatMap(({ contracts }) => contracts))];

export interface UnhandledFound {
  readonly records: readonly Unhandled[];
  readonly cut: readonly CutPartition[];
  /** False: records are told as they say. */
  readonly isProven: boolean;
}

/**
 * Every record that waits, or the first of each partition where there are many.
 * @throws CodedError CONFIG_INVALID without the keys that tell true records from forged ones, and when the log cannot be read
 */
export async function unhandledRecords(sources: UnhandledSources, maxRead = MAX_READ): Promise<UnhandledFound> {
  const { log, codec, rings, unproven } = sources;
  if (!unproven) {
    requireRings(rings, CONTRACTS);
    for (const issuer of ['stages', 'operators'] as const) ringOf(rings, issuer);
  }
  await codec.load(CONTRACTS);
  const waiting = bounded(await waitingRanges(sources), maxRead);
  const owners = ownersOf(waiting);
  const records: Unhandled[] = [];
  const read = new Map<string, number>();
  // One topic may be read by several, from different places: each has its own read.
  for (const ranges of owners.values()) {
    const owner = ranges[0]!.owner;
    await log.reader().read(ranges, async (batch) => {
      const key = `${owner} ${batch.topic}/${batch.partition}`;
      read.set(key, (read.get(key) ?? 0) + batch.records.length);
      for (const each of await describeUnhandled(owner, batch.records, sources)) records.push(each);
    });
  }
  const cut = waiting
    .filter(({ beyond }) => beyond > 0)
    .map(({ owner, topic, partition, from, to, beyond }) => ({
      ...{ owner, topic, partition, waiting: to - from + beyond },
      read: read.get(`${owner} ${topic}/${partition}`) ?? 0,
    }));
  return { records, cut, isProven: !unproven };
}

/** From the position of each group to the end of what is committed. */
async function waitingRanges({ log, app }: UnhandledSources): Promise<readonly Omit<Waiting, 'beyond'>[]> {
  const admin = await log.admin();
  try {
    const found: Omit<Waiting, 'beyond'>[] = [];
    const ends = await log.reader().offsets([...new Set(MOVERS.flatMap(({ topics }) => topics))]);
    for (const { owner, topics } of MOVERS) {
      const committed = await admin.committed(groupId(app, owner), topics, { evenUnstable: true });
      const positions = new Map(committed.map((each) => [`${each.topic}/${each.partition}`, each.offset]));
      for (const { topic, partition, from: start, to } of ends.filter((range) => topics.includes(range.topic))) {
        const from = Math.max(start, positions.get(`${topic}/${partition}`) ?? start);
        if (from < to) found.push({ owner, topic, partition, from, to });
      }
    }
    return found;
  } finally {
    await admin.close();
  }
}

/** No more than `most` over all: each partition gets its share, and what is put aside is read before what is behind. */
function bounded(ranges: readonly Omit<Waiting, 'beyond'>[], most: number): readonly Waiting[] {
  const share = Math.max(1, Math.floor(most / Math.max(1, ranges.length)));
  return ranges.map((range) => {
    const to = Math.min(range.to, range.from + share);
    return { ...range, to, beyond: range.to - to };
  });
}

const ownersOf = (ranges: readonly Waiting[]) => Map.groupBy(ranges, ({ owner }) => owner);

/** What these records of one consumer say of themselves, where it is proven. The topics of the chain must be loaded. */
export async function describeUnhandled(
  owner: string,
  records: readonly LogRecord[],
  { codec, rings, unproven }: Pick<UnhandledSources, 'codec' | 'rings' | 'unproven'>,
): Promise<readonly Unhandled[]> {
  const found = records.map((record) => placed(owner, record, unproven ? undefined : rings));
  const readable = found.filter(({ contract }) => contract !== undefined);
  const amounts = new Map<LogRecord, Money | null>();
  for (const [topic, some] of Map.groupBy(readable, ({ contract }) => contract!)) {
    const results = await codec.decode(
      topic,
      some.map(({ record }) => record.value),
    );
    for (const [index, { record }] of some.entries()) {
      const result = results[index]!;
      amounts.set(record, result.ok ? instructedIn(topic, result.value) : null);
    }
  }
  return found.map(({ record, unhandled }) => ({ ...unhandled, amount: amounts.get(record) ?? null }));
}

interface Placed {
  readonly record: LogRecord;
  /** The contract that it decodes by; undefined: nothing proves what it is. */
  readonly contract: TopicName | undefined;
  readonly unhandled: Omit<Unhandled, 'amount'>;
}

/** What only sinks read, no money waits in: whoever lacks its keys tells it as it stands. */
const checks = (rings: Rings, topic: string): boolean => {
  const issuer = contractOf(topic)?.sealedBy;
  return issuer !== 'lifecycle' || hasRing(rings, issuer);
};

/** @param rings undefined: nothing is proven, and a record is what it says */
function placed(owner: string, record: LogRecord, rings: Rings | undefined): Placed {
  const { topic, partition, timestamp, headers } = record;
  const at = { owner, topic, partition };
  if (contractOf(topic) !== undefined) {
    const isChecked = rings && checks(rings, topic);
    const flaw = record.unreadable ? record.unreadable.code : isChecked ? sealFlaw(rings, topic, record) : undefined;
    const unhandled = { ...at, kind: 'BEHIND', code: flaw ?? null, since: timestamp } as const;
    const isKnown = flaw === undefined && CONTRACTS.includes(topic as TopicName);
    return { record, contract: isKnown ? (topic as TopicName) : undefined, unhandled };
  }
  const kind = topic === replayTopic(owner) ? 'REPLAY' : 'RETRY';
  const flaw = record.unreadable ? record.unreadable.code : rings && recoverySealFlaw(rings, record);
  if (flaw) return { record, contract: undefined, unhandled: { ...at, kind, code: flaw, since: timestamp } };
  const source = headerText(headers, RECOVERY_HEADER.sourceTopic) ?? '';
  const isTrue = CONTRACTS.includes(source as TopicName) && !(rings && sealFlaw(rings, source, record));
  const code = headerText(headers, kind === 'RETRY' ? RECOVERY_HEADER.retryCode : RECOVERY_HEADER.deadLetterCode);
  const failedAt = headerInteger(headers, RECOVERY_HEADER.firstFailedAt);
  const since = failedAt !== undefined && failedAt > 0 && failedAt < timestamp ? failedAt : timestamp;
  const unhandled = { ...at, kind, code: code?.slice(0, MAX_CODE) ?? null, since } as const;
  return { record, contract: isTrue ? (source as TopicName) : undefined, unhandled };
}

/** What the producer instructed: in the event, or in the intent itself. */
function instructedIn(topic: string, value: unknown): Money | null {
  const instruction = eventIn(topic, value)?.instruction ?? (value as { readonly instructedAmount?: Money });
  const { instructedAmount: amount } = instruction;
  return amount === undefined ? null : { minor: amount.minor, currency: amount.currency };
}
