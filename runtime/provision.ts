// Brings a cluster to what the pipeline needs: topics, their configuration, and an offset for every group.

import { groupId } from '../ports/consumer-groups/names.ts';
import { CodedError } from '../ports/fault.ts';
import type { LogAdmin, TopicDescription } from '../ports/log.ts';
import { analyticsConsumers, auditConsumers, consumers, LETTER_INDEX, topology } from '../processors/topology.ts';
import { type Desired, desired, type Plan, plan } from '../topics/provision.ts';
import { topicToken } from './progress/proven-progress.ts';

export interface ProvisionOptions {
  /** Prefix of groups and transactional ids. */
  readonly app: string;
  readonly chainPartitions: number;
  readonly replicationFactor: number;
  /** Permit shorter retention and smaller messages. */
  readonly allowShrink?: boolean;
}

/** What stands beside the offsets of these is a state of their own, and they begin with none. */
const KEEP_OWN_STATE = { ...auditConsumers, ...analyticsConsumers };

/** Everything the pipeline needs of a cluster. */
export const desiredState = (chainPartitions: number): Desired =>
  desired({ ...topology, ...consumers }, chainPartitions, LETTER_INDEX, KEEP_OWN_STATE);

/** A plan, and the groups that have a partition without a committed offset. */
export interface ClusterPlan extends Plan {
  readonly groupsToInitialise: readonly string[];
}

/** What `applyTopics` would do. Changes nothing. */
export async function planTopics(admin: LogAdmin, options: ProvisionOptions): Promise<ClusterPlan> {
  const wanted = desiredState(options.chainPartitions);
  const actual = await admin.describeTopics(wanted.topics.map(({ name }) => name));
  const existing = new Set(actual.map(({ name }) => name));
  const shrink = options.allowShrink === undefined ? {} : { allowShrink: options.allowShrink };
  const missing: string[] = [];
  for (const group of wanted.groups) {
    const topics = group.topics.filter((topic) => existing.has(topic));
    const committed = await admin.committed(groupId(options.app, group.name), topics, { evenUnstable: true });
    const complete = topics.length === group.topics.length && committed.every(({ offset }) => offset !== undefined);
    if (!complete) missing.push(groupId(options.app, group.name));
  }
  return { ...plan(wanted.topics, actual, shrink), groupsToInitialise: missing };
}

/**
 * Creates and alters topics as planned, then gives every group of the pipeline an offset where it has none: the start.
 * That is done here and nowhere else: a group that loses an offset later stops instead of starting over. Partitions are
 * added downstream first, and their offsets are set before intents can come to them; what stands on a new partition
 * already was never handled, and is taken in from its start.
 * Throws TOPICS_REFUSED, naming each difference, before anything is changed.
 */
export async function applyTopics(admin: LogAdmin, options: ProvisionOptions): Promise<ClusterPlan> {
  const planned = await planTopics(admin, options);
  if (planned.refusals.length > 0) {
    const lines = planned.refusals.map(({ topic, code, detail }) => `${topic}: ${detail} (${code})`);
    throw new CodedError('TOPICS_REFUSED', lines.join('\n'), { faultClass: 'fatal', dependency: 'kafka' });
  }
  const { replicationFactor } = options;
  const wanted = desiredState(options.chainPartitions);
  const creations = planned.changes.flatMap((change) => (change.kind === 'create' ? [change.topic] : []));
  if (creations.length > 0) {
    await admin.createTopics(
      creations.map(({ name, partitions, config }) => ({ name, partitions, config, replicationFactor })),
    );
  }
  for (const change of planned.changes) {
    if (change.kind === 'alter-config') await admin.alterConfig(change.topic, change.config);
  }
  const raised = await addPartitions(admin, planned);
  // A cluster on which an earlier run ended half way is waited for too.
  await admin.awaitLeaders(wanted.topics);
  const created = creations.length === 0 ? [] : await admin.describeTopics(creations.map(({ name }) => name));
  const initialise = new Set(planned.groupsToInitialise);
  for (const group of wanted.groups) {
    const id = groupId(options.app, group.name);
    const hasNew = group.topics.some((topic) => raised.has(topic));
    const notes = group.name in KEEP_OWN_STATE ? new Map<string, string>() : notesFor(group.name, created);
    if (initialise.has(id) || hasNew) await admin.initialiseOffsets(id, group.topics, notes);
  }
  return planned;
}

/** Nothing of a topic that was just made can have been handled, so no stage has to look for that among its outputs. */
function notesFor(consumer: string, created: readonly TopicDescription[]): ReadonlyMap<string, string> {
  return new Map(created.map(({ name, topicId }) => [name, topicToken(consumer, topicId ?? name)]));
}

/** In the order of the plan, those of one rank together. @returns the topics */
async function addPartitions(admin: LogAdmin, { changes }: ClusterPlan): Promise<ReadonlySet<string>> {
  const byRank = new Map<number, { readonly name: string; readonly partitions: number }[]>();
  for (const change of changes) {
    if (change.kind !== 'add-partitions') continue;
    const together = byRank.get(change.rank) ?? [];
    together.push({ name: change.topic, partitions: change.to });
    byRank.set(change.rank, together);
  }
  for (const together of byRank.values()) await admin.addPartitions(together);
  return new Set([...byRank.values()].flat().map(({ name }) => name));
}
