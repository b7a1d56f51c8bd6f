// Looks after the topics of a member while it reads them: whether one was deleted and made again, and whether partitions were
// added. It asks over connections of its own: a broker answers the requests of a connection in turn, and one that is slow to
// answer this must not hold up a heartbeat.
import type { Connections } from './client.ts';
import { HeldCluster } from './held-cluster.ts';
import type { Cluster } from './kafkajs/internals.ts';
import { fetchTopicMetadata } from './kafkajs/topic-metadata.ts';
import { partitionCounts } from './membership.ts';
import { type Settings, topicIdentity } from './options.ts';

/** What a member took its topics for. */
export interface KnownTopics {
  /** Names and ids; a topic may be there several times, since each partition was taken over by itself. */
  readonly ids: readonly (readonly [name: string, id: string])[];
  /** Partitions that the assignment was made with; undefined: another member looks after them. */
  readonly counts: ReadonlyMap<string, number> | undefined;
}

/** What became of them. */
export interface TopicNews {
  /** A topic that is another one under the same name. */
  readonly madeAnew?: string;
  /** Partitions were added. */
  readonly isRaised: boolean;
}

export class TopicWatch {
  readonly #held: HeldCluster;
  readonly #settings: Settings;
  readonly #onFault: (error: unknown) => void;

  /** `onFault` hears of each question that failed, such as one without an answer. It must not throw. */
  constructor(connections: Connections, topics: readonly string[], onFault: (error: unknown) => void) {
    this.#held = new HeldCluster(connections, topics);
    this.#settings = connections.settings;
    this.#onFault = onFault;
  }

  /** Looks once. Nothing is new where no broker answers. Never rejects; ends with the time of a request at the latest. */
  async look(known: KnownTopics): Promise<TopicNews> {
    try {
      const cluster = await this.#held.connected();
      const madeAnew = await this.#anotherOf(cluster, known.ids);
      if (madeAnew !== undefined) return { madeAnew, isRaised: false };
      return { isRaised: known.counts !== undefined && (await isRaised(cluster, known.counts)) };
    } catch (error) {
      this.#held.drop();
      this.#onFault(error);
      return { isRaised: false };
    }
  }

  /** A topic that has another id now. A topic that the broker does not know (yet, or any more) does not count. */
  async #anotherOf(cluster: Cluster, ids: KnownTopics['ids']): Promise<string | undefined> {
    const broker = await cluster.brokerPool.findConnectedBroker();
    const found = await fetchTopicMetadata(broker, [...new Set(ids.map(([name]) => name))]);
    const present = new Map(found.map(({ name, topicId }) => [name, topicIdentity(this.#settings, name, topicId)]));
    return ids.find(([name, id]) => present.has(name) && present.get(name) !== id)?.[0];
  }

  /** Nothing is asked any more. */
  close(): void {
    this.#held.close();
  }
}

async function isRaised(cluster: Cluster, known: ReadonlyMap<string, number>): Promise<boolean> {
  await cluster.addMultipleTargetTopics([...known.keys()]);
  await cluster.refreshMetadataIfNecessary();
  return [...partitionCounts(cluster, [...known.keys()])].some(([topic, count]) => known.get(topic) !== count);
}
