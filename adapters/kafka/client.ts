// Connections to the cluster. Each user of the log gets a kafkajs Cluster of its own: brokers answer one request at a time
// per connection, so partitions that share one would wait for each other.
import {
  type Broker,
  type Cluster,
  ClusterClass,
  COORDINATOR,
  createLogger,
  createSocketFactory,
  LEVELS,
  type LogEntry,
  READ_COMMITTED,
  type RetryOptions,
} from './kafkajs/internals.ts';
import type { Settings } from './options.ts';

/** kafkajs's own retries are kept short: callers decide what to try again, with fresh connections. */
const CLUSTER_RETRY: RetryOptions = {
  initialRetryTime: 20,
  maxRetryTime: 200,
  multiplier: 2,
  factor: 0.2,
  retries: 2,
};
const CONNECT_TIMEOUT_MS = 3_000;

/** Makes clusters that share settings. */
export class Connections {
  readonly settings: Settings;
  readonly #socketFactory = createSocketFactory();
  readonly #logger;

  constructor(settings: Settings) {
    this.settings = settings;
    this.#logger = createLogger({ level: LEVELS.ERROR, logCreator: () => (entry) => this.#log(entry) });
  }

  /** kafkajs logs every refusal as an error, also those that are part of the protocol; real faults are told elsewhere. */
  #log({ namespace, log: { message, ...fields } }: LogEntry): void {
    this.settings.log('debug', message, { logger: `kafkajs.${namespace}`, ...fields });
  }

  /** A cluster that is not connected yet. */
  cluster(): Cluster {
    const { brokers, ssl, sasl, clientId, requestTimeoutMs, metadataMaxAgeMs } = this.settings;
    return new ClusterClass({
      logger: this.#logger,
      socketFactory: this.#socketFactory,
      brokers,
      ssl: ssl === true ? {} : ssl,
      sasl,
      clientId,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      enforceRequestTimeout: true,
      metadataMaxAge: metadataMaxAgeMs,
      allowAutoTopicCreation: false,
      maxInFlightRequests: null,
      isolationLevel: READ_COMMITTED,
      retry: CLUSTER_RETRY,
    });
  }
}

/** Connects a cluster and loads the metadata of the topics. Throws what kafkajs throws. */
export async function connectCluster(cluster: Cluster, topics: readonly string[]): Promise<void> {
  await cluster.connect();
  await cluster.addMultipleTargetTopics(topics);
}

/** Gives a cluster up without waiting for what it still has in flight. */
export function discardCluster(cluster: Cluster): void {
  const given = async () => cluster.disconnect();
  given().catch(() => {});
}

/** The broker that coordinates a group or a transactional id, connected. Unlike kafkajs's own it hides no error. */
export async function findCoordinator(cluster: Cluster, id: string, kind: keyof typeof COORDINATOR): Promise<Broker> {
  const asked = await cluster.brokerPool.findConnectedBroker();
  const { coordinator } = await asked.findGroupCoordinator({ groupId: id, coordinatorType: COORDINATOR[kind] });
  return cluster.findBroker({ nodeId: coordinator.nodeId });
}

/** The broker that leads a partition, connected; looks the metadata up once more when it is not known. */
export async function findLeader(cluster: Cluster, topic: string, partition: number): Promise<Broker> {
  const nodeId = leaderOf(cluster, topic, partition);
  if (nodeId !== undefined) return cluster.findBroker({ nodeId });
  await cluster.addMultipleTargetTopics([topic]);
  await cluster.refreshMetadata();
  const refreshed = leaderOf(cluster, topic, partition);
  if (refreshed !== undefined) return cluster.findBroker({ nodeId: refreshed });
  throw Object.assign(new Error(`${topic}/${partition} has no leader`), { name: 'KafkaJSBrokerNotFound' });
}

/** A topic's partitions, in order: brokers list them in any. */
export function partitionsOf(cluster: Cluster, topic: string): number[] {
  const ids = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
  return ids.sort((one, other) => one - other);
}

/** Node id of a partition's leader, as far as the loaded metadata knows. */
export function leaderOf(cluster: Cluster, topic: string, partition: number): number | undefined {
  const found = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
  return found === undefined || found.leader === null || found.leader < 0 ? undefined : found.leader;
}
