// Which topics verification reads, and who handles what; all of it derived from the topology.
import { consumers, topology } from '../processors/topology.ts';
import { contractOf, contracts, type TopicName } from '../topics/catalogue.ts';
import { inputTopics, type RecoveryTopic, recoveryTopics } from '../topics/recovery.ts';

const INTAKE = 'intake';

interface Owner {
  readonly name: string;
  readonly reads: readonly { readonly name: string }[];
}

/** Everything with a consumer group. */
export const OWNERS: readonly Owner[] = Object.entries({ ...topology, ...consumers }).map(([name, { reads }]) => ({
  name,
  reads,
}));

/** Topics that each group has offsets for. */
export const groupTopics = ({ name, reads }: Owner): readonly string[] =>
  inputTopics(
    name,
    reads.map((topic) => topic.name),
  );

/** Owners whose dead letters stop a transfer, so that each must be marked on its lifecycle; their detours are sealed, and their replays claimed. */
export const MARKING: ReadonlySet<string> = new Set([...Object.keys(topology), 'payout-executor']);

const recovery = new Map<string, RecoveryTopic>(
  OWNERS.flatMap(({ name }) => recoveryTopics(name)).map((topic) => [topic.name, topic]),
);

/** The recovery topic of that name, if it is one. */
export const recoveryTopicOf = (name: string): RecoveryTopic | undefined => recovery.get(name);

const recoveryOf = (wanted: (owner: string) => boolean) =>
  [...recovery.values()].filter(({ owner }) => wanted(owner)).map(({ name }) => name);

/** Read first, all partitions: what came in. */
export const INPUT_TOPICS: readonly string[] = ['transfer.requested'];

/** Read next, all partitions: what intake made of the inputs, transfers apart. */
export const INPUT_END_TOPICS: readonly string[] = [
  'intent.rejected',
  'intent.duplicated',
  ...recoveryOf((owner) => owner === INTAKE),
];

/** What is made of the lifecycle rows. Their ends are taken before those of the rows. */
export const GRAIN_TOPICS: readonly string[] = ['transfer.state', 'transfer.money'];

/** Read partition by partition: everything that a transfer is, was and waits for is in its home partition. */
export const CHAIN_TOPICS: readonly string[] = [
  ...Object.values(contracts)
    .filter(({ kind }) => kind === 'transition' || kind === 'command' || kind === 'analytics')
    .map(({ name }) => name),
  ...recoveryOf((owner) => owner !== INTAKE),
];

/** Read before the chain: one partition for all transfers. */
export const CLAIM_TOPICS: readonly string[] = ['payout.attempts', 'analytics.watermark'];

/** Everything that is read. */
export const ALL_TOPICS: readonly string[] = [...INPUT_TOPICS, ...INPUT_END_TOPICS, ...CLAIM_TOPICS, ...CHAIN_TOPICS];

/** The stage (or executor) that carries a transfer on from a topic; undefined where nobody does. */
export function carrierOf(topic: string): string | undefined {
  if (topic === 'payout.requested') return 'payout-executor';
  const carriers = Object.entries(topology).filter(([, { reads }]) => reads.some(({ name }) => name === topic));
  const ended = topic === 'transfer.rejected' || topic === 'transfer.completed' || topic === 'transfer.returned';
  return ended ? undefined : carriers[0]?.[0];
}

export function isContract(topic: string): topic is TopicName {
  return contractOf(topic) !== undefined;
}
