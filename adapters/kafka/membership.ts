// Membership of a consumer group: join, keep alive, leave. What is assigned is worked elsewhere.
import { CodedError } from '../../ports/fault.ts';
import { withinLoopTime } from '../loop-timeout.ts';
import { assignPartitions, type Member } from './assignment.ts';
import type { Connections } from './client.ts';
import { Coordinator } from './coordinator.ts';
import { brokerErrorType } from './fault.ts';
import { HeldCluster } from './held-cluster.ts';
import { type Cluster, type JoinedGroup, MemberAssignment, MemberMetadata } from './kafkajs/internals.ts';
import type { Generation } from './kafkajs/txn-offset-commit.ts';

/** Name of the assignment protocol: all members of a group must speak it. */
const PROTOCOL = 'corridor-co-partitioned';
const PROTOCOL_VERSION = 0;

/**
 * Part of a session in which a heartbeat must be answered. A request may stay unanswered for longer than a session lasts; so
 * the heartbeat of a connection that has gone silent is sent over another one while there is time.
 */
const HEARTBEAT_TIMEOUT_SHARE = 1 / 3;

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
  readonly #held: HeldCluster;
  /** Of the connections in use. */
  #coordinator: { readonly cluster: Cluster; readonly asked: Coordinator } | undefined;
  #memberId = '';
  #generationId = -1;
  #partitions: readonly number[] = [];
  /** Partition counts that the current assignment was made with, when this member leads. */
  #counts: ReadonlyMap<string, number> | undefined;

  constructor(connections: Connections, groupId: string, topics: readonly string[]) {
    this.#connections = connections;
    this.#groupId = groupId;
    this.#topics = [...topics].sort();
    this.#held = new HeldCluster(connections, this.#topics);
  }

  async #connected(): Promise<{ cluster: Cluster; coordinator: Coordinator }> {
    const cluster = await this.#held.connected();
    if (this.#coordinator?.cluster !== cluster) {
      const timeoutMs = this.#connections.settings.sessionTimeoutMs;
      this.#coordinator = { cluster, asked: new Coordinator(cluster, this.#groupId, 'group', timeoutMs) };
    }
    return { cluster, coordinator: this.#coordinator.asked };
  }

  /** Gives the connections up; the next call makes new ones. The membership itself stays. */
  reconnect(): void {
    this.#held.drop();
    this.#coordinator = undefined;
  }

  /** Joins, or rejoins under the same member id. Waits for the other members, up to the rebalance timeout. */
  async join(): Promise<JoinedGeneration> {
    const { cluster, coordinator } = await this.#connected();
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#connections.settings;
    const metadata = MemberMetadata.encode({
      version: PROTOCOL_VERSION,
      topics: this.#topics,
      userData: Buffer.from(Uint16Array.from(this.#partitions).buffer),
    });
    try {
      const joined = await coordinator.ask((broker) =>
        broker.joinGroup({
          groupId: this.#groupId,
          sessionTimeout: sessionTimeoutMs,
          rebalanceTimeout: rebalanceTimeoutMs,
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
      this.#partitions = [...new Set(Object.values(assigned).flat())].sort((one, other) => one - other);
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

  /**
   * Tells the group that this member lives. Throws REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION or UNKNOWN_MEMBER_ID, and
   * KAFKA_UNAVAILABLE when there is no answer while the session can still be saved.
   */
  async heartbeat(): Promise<void> {
    const timeoutMs = this.#connections.settings.sessionTimeoutMs * HEARTBEAT_TIMEOUT_SHARE;
    await withinLoopTime(this.#sendHeartbeat(), timeoutMs, () => unanswered(timeoutMs));
  }

  async #sendHeartbeat(): Promise<void> {
    const { coordinator } = await this.#connected();
    await coordinator.ask((broker) =>
      broker.heartbeat({
        groupId: this.#groupId,
        groupGenerationId: this.#generationId,
        memberId: this.#memberId,
      }),
    );
  }

  /** Partition counts that the assignment was made with; undefined unless this member made it. */
  get counts(): ReadonlyMap<string, number> | undefined {
    return this.#counts;
  }

  /** To be called when the group does not know this member any more: the next join is a stranger's. */
  forget(): void {
    this.#memberId = '';
    this.#partitions = [];
    this.#counts = undefined;
  }

  /** Leaves the group for good, so that others need not wait for the session to end. Never throws. */
  async leave(): Promise<void> {
    const memberId = this.#memberId;
    const coordinator = this.#coordinator?.asked;
    try {
      if (memberId === '' || coordinator === undefined) return;
      await coordinator.ask((broker) => broker.leaveGroup({ groupId: this.#groupId, memberId }));
    } catch {
      // The session ends by itself.
    } finally {
      this.#held.close();
    }
  }
}

const unanswered = (ms: number) =>
  new CodedError('KAFKA_UNAVAILABLE', `No answer to a heartbeat for ${Math.round(ms)} ms.`, {
    faultClass: 'transient-dependency',
    dependency: 'kafka',
  });

function heldOf(userData: Buffer | null): number[] {
  if (userData === null) return [];
  const held: number[] = [];
  for (let at = 0; at + 1 < userData.length; at += 2) held.push(userData.readUInt16LE(at));
  return held;
}

/** Partitions of these topics as the loaded metadata knows them. Throws TOPIC_UNKNOWN. */
export function partitionCounts(cluster: Cluster, topics: readonly string[]): Map<string, number> {
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
