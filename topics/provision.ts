// Which topics and groups a cluster must have, and what differs from what it has. Pure: `corridor topics` applies it.
import { contracts } from './catalogue.ts';
import type { TopicContract } from './contract.ts';
import { deadLetterTopic, recoveryTopics } from './recovery.ts';

export interface DesiredTopic {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}
export interface ActualTopic extends DesiredTopic {
  readonly replicationFactor: number;
}

/** A topic of the pipeline, and its place in the order in which partitions are added: lowest first. */
export interface WantedTopic extends DesiredTopic {
  readonly raiseRank: number;
}

/** A consumer of the pipeline and the topics its group reads, recovery topics included. */
export interface DesiredGroup {
  readonly name: string;
  readonly topics: readonly string[];
}

export interface Desired {
  readonly topics: readonly WantedTopic[];
  readonly groups: readonly DesiredGroup[];
}

type Names = readonly { readonly name: string }[];
type Reads = Readonly<Record<string, { readonly reads: Names; readonly writes?: Names }>>;

/**
 * Everything that the pipeline needs, for a number of chain partitions (1 to 1,000). `letterIndex` names the consumer of all
 * dead-letter topics; `beside` are consumers that put nothing aside.
 */
export function desired(pipeline: Reads, chainPartitions: number, letterIndex?: string, beside: Reads = {}): Desired {
  const owners = Object.keys(pipeline);
  const fromContracts = Object.values(contracts).map((contract) => ({
    name: contract.name,
    partitions: contract.partitions === 'chain' ? chainPartitions : contract.partitions,
    config: configOf(contract),
    raiseRank: raiseRank(contract, pipeline),
  }));
  const recovery = owners.flatMap(recoveryTopics).map((topic) => ({
    name: topic.name,
    partitions: chainPartitions,
    config: configOf({ cleanup: 'delete', ...topic }),
    raiseRank: 0,
  }));
  const groups = owners.map((name) => ({
    name,
    topics: [...pipeline[name]!.reads.map((topic) => topic.name), ...inputsOf(name)],
  }));
  const index = letterIndex === undefined ? [] : [{ name: letterIndex, topics: owners.map(deadLetterTopic) }];
  const others = Object.entries(beside).map(([name, { reads }]) => ({
    name,
    topics: reads.map((topic) => topic.name),
  }));
  return { topics: [...fromContracts, ...recovery], groups: [...groups, ...index, ...others] };
}

/**
 * A new partition is there before anybody can write to it: what is put aside first, then from the end of the chain to its
 * beginning, intents last. Until intake knows the new number nothing else is written to new partitions.
 */
function raiseRank({ name, kind }: { name: string; kind: string }, pipeline: Reads): number {
  if (kind === 'intent') return Number.MAX_SAFE_INTEGER;
  const stages = Object.values(pipeline);
  const writer = stages.findIndex(({ writes = [] }) => writes.some((topic) => topic.name === name));
  return writer === -1 ? 1 : stages.length + 1 - writer;
}

/** Recovery topics that their owner reads itself: all but the dead letters. */
function inputsOf(owner: string): readonly string[] {
  return recoveryTopics(owner)
    .filter(({ kind }) => kind !== 'dlq')
    .map(({ name }) => name);
}

/** The largest that Kafka takes, ms. */
const FOR_EVER = '9223372036854775807';

function configOf(topic: {
  cleanup: TopicContract['cleanup'];
  minCompactionLagMs?: number;
  retentionMs: number | null;
  maxMessageBytes: number;
  compression?: 'producer';
  keepsAll?: true;
}): Record<string, string> {
  return {
    'cleanup.policy': topic.cleanup,
    'retention.ms': String(topic.retentionMs ?? -1),
    'max.message.bytes': String(topic.maxMessageBytes),
    // Limits count by the time the broker took the record: upstream cannot choose the day.
    'message.timestamp.type': 'LogAppendTime',
    ...(topic.minCompactionLagMs !== undefined && { 'min.compaction.lag.ms': String(topic.minCompactionLagMs) }),
    ...(topic.keepsAll && { 'min.compaction.lag.ms': FOR_EVER }),
    ...(topic.compression === undefined ? {} : { 'compression.type': topic.compression }),
  };
}

export type Change =
  | { readonly kind: 'create'; readonly topic: WantedTopic }
  | {
      readonly kind: 'add-partitions';
      readonly topic: string;
      readonly from: number;
      readonly to: number /** Those of one rank may be added together. */;
      readonly rank: number;
    }
  | {
      readonly kind: 'alter-config';
      readonly topic: string;
      readonly config: Record<string, string>;
      readonly was: Record<string, string>;
    };

/** A difference that `apply` must not make by itself. */
export interface Refusal {
  readonly topic: string;
  readonly code: 'PARTITIONS_DIFFER' | 'RETENTION_SHRINKS';
  readonly detail: string;
}

export interface Plan {
  readonly changes: readonly Change[];
  readonly refusals: readonly Refusal[];
}

/**
 * The changes that bring a cluster to the desired topics, partitions to be added last and in a safe order. Refused: fewer
 * partitions, other partitions of a table (always), and shorter retention or smaller messages unless `allowShrink`.
 */
export function plan(
  wanted: readonly WantedTopic[],
  actual: readonly ActualTopic[],
  options: { readonly allowShrink?: boolean } = {},
): Plan {
  const existing = new Map(actual.map((topic) => [topic.name, topic]));
  const most = Math.max(...wanted.filter(isRaisable).map(({ name }) => existing.get(name)?.partitions ?? 0));
  const changes: Change[] = [];
  const raises: Extract<Change, { kind: 'add-partitions' }>[] = [];
  const refusals: Refusal[] = [];
  for (const topic of wanted) {
    const found = existing.get(topic.name);
    if (!found) {
      changes.push({ kind: 'create', topic });
      continue;
    }
    const refused = partitionsRefused(topic, found, most);
    if (refused !== undefined) {
      refusals.push({ topic: topic.name, code: 'PARTITIONS_DIFFER', detail: refused });
      continue;
    }
    if (found.partitions < topic.partitions) {
      const [from, to] = [found.partitions, topic.partitions];
      raises.push({ kind: 'add-partitions', topic: topic.name, from, to, rank: topic.raiseRank });
    }
    const different = Object.entries(topic.config).filter(([key, value]) => found.config[key] !== value);
    if (different.length === 0) continue;
    const shrinking = different.filter(([key, value]) => shrinks(key, found.config[key], value));
    if (shrinking.length > 0 && !options.allowShrink) {
      const detail = shrinking.map(([key, value]) => `${key} ${found.config[key]} -> ${value}`).join(', ');
      refusals.push({
        topic: topic.name,
        code: 'RETENTION_SHRINKS',
        detail: `${detail}: pass --allow-shrink to do it`,
      });
      continue;
    }
    changes.push({
      kind: 'alter-config',
      topic: topic.name,
      config: Object.fromEntries(different),
      was: Object.fromEntries(different.map(([key]) => [key, found.config[key] ?? '(unset)'])),
    });
  }
  raises.sort((one, other) => one.rank - other.rank);
  return { changes: [...changes, ...raises], refusals };
}

/** The key of a table's record says its partition: another number would leave two records of one key. What is compacted on the chain stands in the home partition of its transfer, for ever. */
const isRaisable = ({ config }: DesiredTopic) => config['cleanup.policy'] !== 'compact';

function partitionsRefused(topic: WantedTopic, found: ActualTopic, most: number): string | undefined {
  const has = `has ${found.partitions} partitions`;
  if (!isRaisable(topic)) {
    if (found.partitions === topic.partitions) return undefined;
    return `${has}, and a table must have ${topic.partitions}: make it anew with that many, and publish its values again`;
  }
  if (found.partitions <= topic.partitions) return undefined;
  return (
    `${has}, CORRIDOR_CHAIN_PARTITIONS says ${topic.partitions}, and partitions cannot be taken away: set ` +
    `CORRIDOR_CHAIN_PARTITIONS=${most} and run \`corridor topics apply\` again, which raises all others to it`
  );
}

const SHRINKABLE = new Set(['retention.ms', 'max.message.bytes']);

function shrinks(key: string, was: string | undefined, value: string): boolean {
  if (key === 'cleanup.policy') return was === 'compact' || (was === 'compact,delete' && value === 'delete');
  if (!SHRINKABLE.has(key) || was === undefined || value === '-1') return false;
  return was === '-1' || Number(value) < Number(was);
}
