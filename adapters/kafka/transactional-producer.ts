// One transactional producer: of one input partition, for as long as nothing goes wrong. After any error it is to be
// discarded and the partition fenced again, because what happened on the broker is then unknown.
// Why this is not kafkajs's own producer: docs/adr/0004-kafkajs-wire-layer.md
import type { OutputRecord } from '../../ports/log.ts';
import { type Connections, connectCluster, discardCluster } from './client.ts';
import { Coordinator } from './coordinator.ts';
import { verdictOf } from './fault.ts';
import type { Cluster } from './kafkajs/internals.ts';
import { fetchTopicId } from './kafkajs/topic-metadata.ts';
import { commitTxnOffsets, type Generation } from './kafkajs/txn-offset-commit.ts';
import { topicIdentity } from './options.ts';
import { type Chunk, ProducerIdentity, roundsOf, sendRound } from './produce.ts';

/** A position of an input partition to be committed. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to be handled. */
  readonly offset: number;
  /** Kept beside it. */
  readonly note?: string | undefined;
}

export class TransactionalProducer {
  readonly #connections: Connections;
  readonly #cluster: Cluster;
  readonly #transactionalId: string;
  readonly #transactions: Coordinator;
  #group: Coordinator | undefined;
  #identity: ProducerIdentity | undefined;
  /** True from the first request of a transaction until its commit is answered. */
  #open = false;

  private constructor(connections: Connections, transactionalId: string) {
    this.#connections = connections;
    this.#cluster = connections.cluster();
    this.#transactionalId = transactionalId;
    const timeoutMs = connections.settings.transactionTimeoutMs;
    this.#transactions = new Coordinator(this.#cluster, transactionalId, 'transaction', timeoutMs);
  }

  /**
   * Takes a transactional id over: its previous owner can commit nothing from now on, and a transaction that it left open
   * is aborted (or, if its commit had begun, completed) before this returns.
   */
  static async fence(connections: Connections, transactionalId: string, inputTopic: string) {
    const producer = new TransactionalProducer(connections, transactionalId);
    try {
      await connectCluster(producer.#cluster, [inputTopic]);
      await producer.#initialise();
      return producer;
    } catch (error) {
      producer.discard();
      throw error;
    }
  }

  async #initialise(): Promise<void> {
    const transactionTimeout = this.#connections.settings.transactionTimeoutMs;
    const { producerId, producerEpoch } = await this.#transactions.ask((coordinator) =>
      coordinator.initProducerId({ transactionalId: this.#transactionalId, transactionTimeout }),
    );
    this.#identity = new ProducerIdentity(producerId, producerEpoch);
  }

  #known() {
    if (this.#identity === undefined) throw new Error('The producer has no id yet');
    const { producerId, producerEpoch } = this.#identity;
    return { transactionalId: this.#transactionalId, producerId, producerEpoch };
  }

  /** Writes records into the open transaction; the first write opens it. */
  async send(records: readonly OutputRecord[]): Promise<void> {
    const rounds = roundsOf(records, this.#connections.settings);
    await this.#addPartitions(rounds);
    await this.#sendRounds(rounds);
  }

  /**
   * Puts positions of a group's inputs into the transaction. With a `member` the group refuses them when it has moved on
   * from that member (NOT_A_MEMBER); without one it takes them from anybody.
   */
  async sendOffsets(groupId: string, positions: readonly Position[], member?: Generation): Promise<void> {
    await this.#addOffsets(groupId);
    await this.#commitOffsets(groupId, positions, member);
  }

  /**
   * Both of them, in two round trips rather than four: neither needs the other. `onSent` and `onOffered` are called when
   * the records and the positions are in the transaction. When one fails, this waits for the other before it throws, so
   * that nothing is under way when the transaction is given up.
   */
  async sendWithOffsets(
    records: readonly OutputRecord[],
    { groupId, positions, member }: { groupId: string; positions: readonly Position[]; member: Generation | undefined },
    { onSent, onOffered }: { onSent: () => void | Promise<void>; onOffered: () => void | Promise<void> },
  ): Promise<void> {
    const rounds = roundsOf(records, this.#connections.settings);
    await bothOf(this.#addPartitions(rounds), this.#addOffsets(groupId));
    await bothOf(
      this.#sendRounds(rounds).then(onSent),
      this.#commitOffsets(groupId, positions, member).then(onOffered),
    );
  }

  async #addPartitions(rounds: readonly Chunk[][]): Promise<void> {
    if (rounds.length === 0) return;
    const topics = partitionsOf(rounds[0]!);
    await this.#cluster.addMultipleTargetTopics(topics.map(({ topic }) => topic));
    this.#open = true;
    await this.#transactions.ask((broker) => broker.addPartitionsToTxn({ ...this.#known(), topics }));
  }

  async #sendRounds(rounds: readonly Chunk[][]): Promise<void> {
    const { compression, requestTimeoutMs } = this.#connections.settings;
    const options = { compression, timeoutMs: requestTimeoutMs, transactionalId: this.#transactionalId };
    for (const round of rounds) await sendRound(this.#cluster, this.#identity!, round, options);
  }

  async #addOffsets(groupId: string): Promise<void> {
    this.#open = true;
    await this.#transactions.ask((broker) => broker.addOffsetsToTxn({ ...this.#known(), groupId }));
  }

  async #commitOffsets(groupId: string, positions: readonly Position[], member?: Generation): Promise<void> {
    const byTopic = Map.groupBy(positions, ({ topic }) => topic);
    const topics = [...byTopic].map(([topic, ofTopic]) => ({
      topic,
      partitions: ofTopic.map(({ partition, offset, note }) => ({
        partition,
        offset: String(offset),
        ...(note === undefined ? {} : { metadata: note }),
      })),
    }));
    await this.group(groupId).ask((broker) => commitTxnOffsets(broker, { ...this.#known(), groupId, topics, member }));
  }

  /** The coordinator of the consumer group, over the same connections. */
  group(groupId: string): Coordinator {
    const timeoutMs = this.#connections.settings.transactionTimeoutMs;
    this.#group ??= new Coordinator(this.#cluster, groupId, 'group', timeoutMs);
    return this.#group;
  }

  /** The broker's own id of a topic. Throws a broker error that passes when the topic is not known (any more). */
  async topicId(topic: string): Promise<string> {
    const topicId = await fetchTopicId(await this.#cluster.brokerPool.findConnectedBroker(), topic);
    return topicIdentity(this.#connections.settings, topic, topicId);
  }

  /**
   * Commits. What could happen: the answer is lost, and nobody here knows whether the batch is durable. What stops a second
   * run of it: the partition is fenced again, which ends the transaction either way, and its committed offset says which
   * (ADR 6).
   */
  async commit(): Promise<void> {
    await this.#transactions.ask((broker) => broker.endTxn({ ...this.#known(), transactionResult: true }));
    this.#open = false;
  }

  /** Tries once to abort, so that readers need not wait for the transaction to time out. Never throws. */
  async abort(): Promise<void> {
    try {
      const coordinator = this.#transactions.known;
      if (!this.#open || coordinator === undefined) return;
      await coordinator.endTxn({ ...this.#known(), transactionResult: false });
    } catch {
      // The broker ends it when its time is over.
    }
  }

  /** Gives the connections up. */
  discard(): void {
    discardCluster(this.#cluster);
  }
}

/** Waits for both; when both fail, throws the error that asks for more than to try again. */
async function bothOf(one: Promise<void>, other: Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  for (const outcome of await Promise.allSettled([one, other])) {
    if (outcome.status === 'rejected') errors.push(outcome.reason);
  }
  if (errors.length > 0) throw errors.find((error) => verdictOf(error) !== 'transient') ?? errors[0];
}

function partitionsOf(chunks: readonly Chunk[]): { topic: string; partitions: number[] }[] {
  const byTopic = Map.groupBy(chunks, ({ topic }) => topic);
  return [...byTopic].map(([topic, ofTopic]) => ({ topic, partitions: ofTopic.map(({ partition }) => partition) }));
}
