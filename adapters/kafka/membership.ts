// Membership of a consumer group: join, keep alive, leave. What is assigned is worked elsewhere.
import { CodedError } from '../../ports/fault.ts';
import { assignPartitions, type Member } from './assignment.ts';
import { type Connections, connectCluster, discardCluster } from './client.ts';
import { Coordinator } from './coordinator.ts';
import { brokerErrorType } from './fault.ts';
import { type Cluster, type JoinedGroup, MemberAssignment, MemberMetadata } from './kafkajs/internals.ts';
import { fetchTopicMetadata } from './kafkajs/topic-metadata.ts';
import type { Generation } from './kafkajs/txn-offset-commit.ts';
import { topicIdentity } from './options.ts';

/** Name of the assignment protocol: all members of a group must speak it. */
const PROTOCOL = 'corridor-co-partitioned';
const PROTOCOL_VERSION = 0;

export interface JoinedGeneration extends Generation {
  /** Partitions of this member by topic; empty: it stands by. */
  readonly assigned: Readonly<Record<string, readonly number[]>>;
  /** Leaders watch for new partitions. */
  readonly isLeader: boolean;
}

export class Membership {
  readonly #connections: Connections;
  readonly #groupId: string;
  readonly #topics: readonly string[];
  #cluster: Cluster | undefined;
  #coordinator: Coordinator | undefined;
  #memberId = '';
  #generationId = -1;
  #held: readonly number[] = [];
  /** Partition counts that the current assignment was made with, when this member leads. */
  #counts: ReadonlyMap<string, number> | undefined;

  constructor(connections: Connections, groupId: string, topics: readonly string[]) {
    this.#connections = connections;
    this.#groupId = groupId;
    this.#topics = [...topics].sort();
  }

  async #connected(): Promise<{ cluster: Cluster; coordinator: Coordinator }> {
    if (this.#cluster !== undefined && this.#coordinator !== undefined) {
      return { cluster: this.#cluster, coordinator: this.#coordinator };
    }
    const cluster = this.#connections.cluster();
    try {
      await connectCluster(cluster, this.#topics);
    } catch (error) {
      discardCluster(cluster);
      throw error;
    }
    const patienceMs = this.#connections.settings.sessionTimeoutMs;
    this.#cluster = cluster;
    this.#coordinator = new Coordinator(cluster, this.#groupId, 'group', patienceMs);
    return { cluster, coordinator: this.#coordinator };
  }

  /** Gives the connections up; the next call makes new ones. The membership itself stays. */
  reconnect(): void {
    if (this.#cluster !== undefined) discardCluster(this.#cluster);
    this.#cluster = undefined;
    this.#coordinator = undefined;
  }

  /** Joins, or rejoins under the same member id. Waits for the other members, up to the session timeout. */
  async join(): Promise<JoinedGeneration> {
    const { cluster, coordinator } = await this.#connected();
    const { sessionTimeoutMs } = this.#connections.settings;
    const metadata = MemberMetadata.encode({
      version: PROTOCOL_VERSION,
      topics: this.#topics,
      userData: Buffer.from(Uint16Array.from(this.#held).buffer),
    });
    try {
      const joined = await coordinator.ask((broker) =>
        broker.joinGroup({
          groupId: this.#groupId,
          sessionTimeout: sessionTimeoutMs,
          rebalanceTimeout: sessionTimeoutMs,
          memberId: this.#memberId,
          groupProtocols: [{ name: PROTOCOL, metadata }],
        }),
      );
      this.#memberId = joined.memberId;
      this.#generationId = joined.generationId;
      const isLeader = joined.leaderId === joined.memberId;
      const groupAssignment = isLeader ? await this.#assign(cluster, joined) : [];
      const { memberAssignment } = await coordinator.ask((broker) =>
        broker.syncGroup({
          groupId: this.#groupId,
          generationId: joined.generationId,
          memberId: joined.memberId,
          groupAssignment,
        }),
      );
      const assigned = MemberAssignment.decode(memberAssignment)?.assignment ?? {};
      this.#held = [...new Set(Object.values(assigned).flat())].sort((one, other) => one - other);
      return { generationId: joined.generationId, memberId: joined.memberId, assigned, isLeader };
    } catch (error) {
      if (brokerErrorType(error) === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
      throw error;
    }
  }

  async #assign(cluster: Cluster, { members }: JoinedGroup) {
    const decoded = members.map(({ memberId, memberMetadata }): Member => {
      const { topics, userData } = MemberMetadata.decode(memberMetadata);
      return { memberId, topics, held: heldOf(userData) };
    });
    // A newer version of the program may read topics that this one does not know.
    const topics = [...new Set(decoded.flatMap((member) => member.topics))];
    await cluster.addMultipleTargetTopics(topics);
    await cluster.refreshMetadata();
    this.#counts = partitionCounts(cluster, topics);
    return [...assignPartitions(decoded, this.#counts)].map(([memberId, assignment]) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({ version: PROTOCOL_VERSION, assignment }),
    }));
  }

  /** Tells the group that this member lives. Throws REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION or UNKNOWN_MEMBER_ID. */
  async heartbeat(): Promise<void> {
    const { coordinator } = await this.#connected();
    await coordinator.ask((broker) =>
      broker.heartbeat({
        groupId: this.#groupId,
        groupGenerationId: this.#generationId,
        memberId: this.#memberId,
      }),
    );
  }

  /** Whether the topics have other partition counts than the assignment was made with. False unless this member leads. */
  async partitionsChanged(): Promise<boolean> {
    const known = this.#counts;
    if (known === undefined) return false;
    const { cluster } = await this.#connected();
    await cluster.addMultipleTargetTopics([...known.keys()]);
    await cluster.refreshMetadataIfNecessary();
    const counts = partitionCounts(cluster, [...known.keys()]);
    return [...counts].some(([topic, count]) => known.get(topic) !== count);
  }

  /** The present ids of those of these topics that the broker knows. */
  async topicIds(topics: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { cluster } = await this.#connected();
    const found = await fetchTopicMetadata(await cluster.brokerPool.findConnectedBroker(), topics);
    const { settings } = this.#connections;
    return new Map(found.map(({ name, topicId }) => [name, topicIdentity(settings, name, topicId)]));
  }

  /** To be called when the group does not know this member any more: the next join is a stranger's. */
  forget(): void {
    this.#memberId = '';
    this.#held = [];
    this.#counts = undefined;
  }

  /** Leaves the group, so that others need not wait for the session to end. Never throws. */
  async leave(): Promise<void> {
    const memberId = this.#memberId;
    const coordinator = this.#coordinator;
    if (memberId !== '' && coordinator !== undefined) {
      await coordinator.ask((broker) => broker.leaveGroup({ groupId: this.#groupId, memberId })).catch(() => {});
    }
    this.reconnect();
  }
}

function heldOf(userData: Buffer | null): number[] {
  if (userData === null) return [];
  const held: number[] = [];
  for (let at = 0; at + 1 < userData.length; at += 2) held.push(userData.readUInt16LE(at));
  return held;
}

function partitionCounts(cluster: Cluster, topics: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const topic of topics) {
    const { length } = cluster.findTopicPartitionMetadata(topic);
    if (length === 0) {
      throw new CodedError('TOPIC_UNKNOWN', `Topic ${topic} does not exist. Run \`corridor topics apply\`.`, {
        faultClass: 'transient-dependency',
        dependency: 'kafka',
      });
    }
    counts.set(topic, length);
  }
  return counts;
}
