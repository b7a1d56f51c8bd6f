// Topics, their settings, and the offsets that groups begin with.
import kafkajs, { type Admin, type KafkaConfig } from 'kafkajs';
import type { CommittedOffset, LogAdmin, NewOffset, TopicDescription, TopicSpec } from '../../ports/log.ts';
import { type Connections, partitionsOf } from './client.ts';
import { Coordinator } from './coordinator.ts';
import { brokerErrorType, codedError } from './fault.ts';
import { setTopicConfig } from './kafkajs/alter-configs.ts';
import { fetchStableOffsets } from './kafkajs/offset-fetch.ts';
import { fetchTopicMetadata } from './kafkajs/topic-metadata.ts';
import { topicIdentity } from './options.ts';
import { assertReady, insist } from './readiness.ts';
import { retrying } from './retrying.ts';
import { TransactionalProducer } from './transactional-producer.ts';

const { ConfigResourceTypes, Kafka, logLevel } = kafkajs;

/** Settings that are told even when they are the broker's defaults; others only when they were set on the topic. */
const ALWAYS_REPORTED = new Set([
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'max.message.bytes',
  'message.timestamp.type',
  'min.insync.replicas',
  'segment.ms',
  'compression.type',
]);
const SET_ON_TOPIC = 1;
const OPERATION_TIMEOUT_MS = 15_000;

export class KafkaAdmin implements LogAdmin {
  readonly #connections: Connections;
  #admin: Promise<Admin> | undefined;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async #connected(): Promise<Admin> {
    this.#admin ??= this.#connect();
    this.#admin.catch(() => {
      this.#admin = undefined;
    });
    return this.#admin;
  }

  async #connect(): Promise<Admin> {
    const { brokers, clientId, ssl, sasl, requestTimeoutMs } = this.#connections.settings;
    const config = {
      brokers: [...brokers],
      clientId,
      ssl,
      sasl,
      requestTimeout: requestTimeoutMs,
      logLevel: logLevel.NOTHING,
    };
    const admin = new Kafka(config as KafkaConfig).admin();
    await admin.connect();
    return admin;
  }

  /** A client that has failed is not asked again: the next question makes connections of its own. */
  async #ask<T>(request: (admin: Admin) => Promise<T>): Promise<T> {
    let admin: Admin | undefined;
    try {
      admin = await this.#connected();
      return await request(admin);
    } catch (error) {
      this.#admin = undefined;
      admin?.disconnect().catch(() => undefined);
      throw codedError(firstOf(error));
    }
  }

  async describeTopics(names: readonly string[]): Promise<readonly TopicDescription[]> {
    const known = await this.#known(names);
    if (known.length === 0) return [];
    const { resources } = await this.#ask((admin) =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: known.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name })),
      }),
    );
    return known.map(({ name, topicId, partitions, replicationFactor }) => {
      const entries = resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? [];
      const reported = entries.filter(
        ({ configName, configSource }) => ALWAYS_REPORTED.has(configName) || Number(configSource) === SET_ON_TOPIC,
      );
      const config = Object.fromEntries(reported.map(({ configName, configValue }) => [configName, configValue]));
      const identity = topicIdentity(this.#connections.settings, name, topicId);
      return { name, topicId: identity, partitions, replicationFactor, config };
    });
  }

  async createTopics(specs: readonly (TopicSpec & { readonly replicationFactor: number })[]): Promise<void> {
    if (specs.length === 0) return;
    const topics = specs.map(({ name, partitions, replicationFactor, config }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    }));
    let isFirst = true;
    await insist(async () => {
      try {
        await this.#ask((admin) =>
          admin.createTopics({ topics, waitForLeaders: false, timeout: OPERATION_TIMEOUT_MS }),
        );
      } catch (error) {
        // An earlier try made them, although its answer was lost.
        if (isFirst || brokerErrorType(error) !== 'TOPIC_ALREADY_EXISTS') throw error;
      } finally {
        isFirst = false;
      }
    });
    await this.awaitLeaders(specs);
  }

  async addPartitions(topics: readonly { readonly name: string; readonly partitions: number }[]): Promise<void> {
    await insist(async () => {
      const known = new Map((await this.#known(topics.map(({ name }) => name))).map((topic) => [topic.name, topic]));
      const topicPartitions = topics
        .filter(({ name, partitions }) => (known.get(name)?.partitions ?? 0) < partitions)
        .map(({ name, partitions }) => ({ topic: name, count: partitions }));
      if (topicPartitions.length === 0) return;
      await this.#ask((admin) => admin.createPartitions({ topicPartitions, timeout: OPERATION_TIMEOUT_MS }));
    });
    await this.awaitLeaders(topics);
  }

  async awaitLeaders(topics: readonly { readonly name: string; readonly partitions: number }[]): Promise<void> {
    const names = topics.map(({ name }) => name);
    await insist(() =>
      retrying(this.#connections, [], async (cluster) => {
        const nodes = Object.keys(cluster.brokerPool.brokers);
        const brokers = await Promise.all(nodes.map((nodeId) => cluster.findBroker({ nodeId: Number(nodeId) })));
        const known = await Promise.all(brokers.map((broker) => fetchTopicMetadata(broker, names)));
        assertReady(topics, known);
      }),
    );
  }

  #known(names: readonly string[]) {
    return retrying(this.#connections, [], async (cluster) =>
      fetchTopicMetadata(await cluster.brokerPool.findConnectedBroker(), names),
    );
  }

  async alterConfig(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
    if (Object.keys(config).length === 0) return;
    await retrying(this.#connections, [topic], async (cluster) =>
      setTopicConfig(await cluster.brokerPool.findConnectedBroker(), topic, config),
    );
  }

  async committed(
    groupId: string,
    topics: readonly string[],
    { evenUnstable = false }: { readonly evenUnstable?: boolean } = {},
  ): Promise<readonly CommittedOffset[]> {
    return retrying(this.#connections, topics, async (cluster) => {
      const group = new Coordinator(cluster, groupId, 'group', OPERATION_TIMEOUT_MS);
      const asked = topics.map((topic) => ({ topic, partitions: partitionsOf(cluster, topic) }));
      const offsets = await group.ask((broker) => fetchStableOffsets(broker, groupId, asked, evenUnstable));
      return offsets.map(({ topic, partition, offset, metadata }) => ({
        topic,
        partition,
        offset: offset < 0 ? undefined : offset,
        note: metadata,
      }));
    });
  }

  /**
   * In a transaction of its own, because that is how offsets can be set while the group is running: after partitions were
   * added, say. Existing offsets are never touched.
   */
  async initialiseOffsets(
    groupId: string,
    topics: readonly string[],
    notes: ReadonlyMap<string, string> = new Map(),
  ): Promise<void> {
    await insist(() => this.#initialiseOffsets(groupId, topics, notes));
  }

  async #initialiseOffsets(
    groupId: string,
    topics: readonly string[],
    notes: ReadonlyMap<string, string>,
  ): Promise<void> {
    const missing = async () => {
      const committed = await this.committed(groupId, topics, { evenUnstable: true });
      return committed.filter(({ offset }) => offset === undefined);
    };
    if ((await missing()).length === 0) return;
    // Looked at again behind the fence: whoever was at this before can set nothing any more, and what it has set stays.
    await this.#inTransaction(groupId, topics[0]!, async () => this.#starts(topics, await missing(), notes));
  }

  /** The earliest offsets of these partitions. */
  async #starts(
    topics: readonly string[],
    missing: readonly CommittedOffset[],
    notes: ReadonlyMap<string, string>,
  ): Promise<readonly NewOffset[]> {
    if (missing.length === 0) return [];
    const starts = await retrying(this.#connections, topics, (cluster) =>
      cluster.fetchTopicsOffset(
        topics.map((topic) => ({
          topic,
          fromBeginning: true,
          partitions: missing.filter((entry) => entry.topic === topic).map(({ partition }) => ({ partition })),
        })),
      ),
    );
    return starts.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({
        topic,
        partition,
        offset: Number(offset),
        note: notes.get(topic) ?? '',
      })),
    );
  }

  async setOffsets(groupId: string, offsets: readonly NewOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    await this.#inTransaction(groupId, offsets[0]!.topic, async () => offsets);
  }

  /** Offsets of a running group cannot be set in another way. `offsetsOf` is asked when no earlier one can set any more. */
  async #inTransaction(groupId: string, topic: string, offsetsOf: () => Promise<readonly NewOffset[]>): Promise<void> {
    const producer = await TransactionalProducer.fence(this.#connections, `${groupId}.offsets`, topic);
    try {
      const offsets = await offsetsOf();
      if (offsets.length === 0) return;
      const positions = offsets.map(({ note, ...place }) => (note === '' ? place : { ...place, note }));
      await producer.sendOffsets(groupId, positions);
      await producer.commit();
    } catch (error) {
      throw codedError(error);
    } finally {
      producer.discard();
    }
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.#ask((admin) => admin.deleteTopics({ topics: [...names], timeout: OPERATION_TIMEOUT_MS }));
  }

  async close(): Promise<void> {
    const admin = await this.#admin?.catch(() => undefined);
    await admin?.disconnect();
  }
}

/** kafkajs gives one error for several topics: the first says why. */
function firstOf(error: unknown): unknown {
  try {
    const errors = error instanceof Error && 'errors' in error ? error.errors : undefined;
    return Array.isArray(errors) && errors.length > 0 ? errors[0] : error;
  } catch {
    return error;
  }
}
