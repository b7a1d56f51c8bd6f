// Which topics and groups a cluster must have, and what differs from what it has. Pure: `corridor topics` applies it.
import { contracts } from './catalogue.ts';
import { recoveryTopics } from './recovery.ts';

export interface DesiredTopic {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}
export interface ActualTopic extends DesiredTopic {
  readonly replicationFactor: number;
}

/** A consumer of the pipeline and the topics its group reads, recovery topics included. */
export interface DesiredGroup {
  readonly name: string;
  readonly topics: readonly string[];
}

export interface Desired {
  readonly topics: readonly DesiredTopic[];
  readonly groups: readonly DesiredGroup[];
}

type Reads = Readonly<Record<string, { readonly reads: readonly { readonly name: string }[] }>>;

/** Everything that the pipeline needs, for a number of chain partitions (1 to 1,000). */
export function desired(pipeline: Reads, chainPartitions: number): Desired {
  const owners = Object.keys(pipeline);
  const fromContracts = Object.values(contracts).map((contract) => ({
    name: contract.name,
    partitions: contract.partitions === 'chain' ? chainPartitions : contract.partitions,
    config: configOf(contract),
  }));
  const recovery = owners.flatMap(recoveryTopics).map((topic) => ({
    name: topic.name,
    partitions: chainPartitions,
    config: configOf({ cleanup: 'delete', ...topic }),
  }));
  const groups = owners.map((name) => ({
    name,
    topics: [...pipeline[name]!.reads.map((topic) => topic.name), ...inputsOf(name)],
  }));
  return { topics: [...fromContracts, ...recovery], groups };
}

/** Recovery topics that their owner reads itself: all but the dead letters. */
function inputsOf(owner: string): readonly string[] {
  return recoveryTopics(owner)
    .filter(({ kind }) => kind !== 'dlq')
    .map(({ name }) => name);
}

function configOf(topic: {
  cleanup: 'delete' | 'compact';
  retentionMs: number | null;
  maxMessageBytes: number;
}): Record<string, string> {
  return {
    'cleanup.policy': topic.cleanup,
    'retention.ms': String(topic.retentionMs ?? -1),
    'max.message.bytes': String(topic.maxMessageBytes),
    // Limits count by the time the broker took the record: upstream cannot choose the day.
    'message.timestamp.type': 'LogAppendTime',
  };
}

export type Change =
  | { readonly kind: 'create'; readonly topic: DesiredTopic }
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
 * The changes that bring a cluster to the desired topics. Refused: partition counts that would break co-partitioning
 * (always), and shorter retention or smaller messages unless `allowShrink`.
 */
export function plan(
  wanted: readonly DesiredTopic[],
  actual: readonly ActualTopic[],
  options: { readonly allowShrink?: boolean } = {},
): Plan {
  const existing = new Map(actual.map((topic) => [topic.name, topic]));
  const changes: Change[] = [];
  const refusals: Refusal[] = [];
  for (const topic of wanted) {
    const found = existing.get(topic.name);
    if (!found) {
      changes.push({ kind: 'create', topic });
      continue;
    }
    if (found.partitions !== topic.partitions) {
      refusals.push({
        topic: topic.name,
        code: 'PARTITIONS_DIFFER',
        detail: `has ${found.partitions} partitions, the chain has ${topic.partitions}: set CORRIDOR_CHAIN_PARTITIONS to the cluster's number`,
      });
      continue;
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
  return { changes, refusals };
}

const SHRINKABLE = new Set(['retention.ms', 'max.message.bytes']);

function shrinks(key: string, was: string | undefined, value: string): boolean {
  if (key === 'cleanup.policy') return was === 'compact';
  if (!SHRINKABLE.has(key) || was === undefined || value === '-1') return false;
  return was === '-1' || Number(value) < Number(was);
}
