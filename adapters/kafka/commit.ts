// How a partition is taken over, and how a handled batch becomes durable: exactly once or at least once. Whatever is written
// beside the offset is in one transaction with it, in both. The order is fence, stable offset, fetch: why that is enough when
// partitions share transactions is in docs/adr/0006-joint-transactions.md
import { setImmediate } from 'node:timers/promises';
import { transactionalId } from '../../ports/consumer-groups/names.ts';
import { NO_FAILPOINT } from '../../ports/failpoint.ts';
import { CodedError } from '../../ports/fault.ts';
import type { ConsumerOptions, OutputRecord } from '../../ports/log.ts';
import { pause, within } from '../../ports/pause.ts';
import { type Connections, connectCluster, discardCluster } from './client.ts';
import { Coordinator } from './coordinator.ts';
import { brokerErrorType, FatalConsumerFault } from './fault.ts';
import type { Batch, Carrier, JointCommits } from './joint-commits.ts';
import type { Cluster } from './kafkajs/internals.ts';
import { fetchStableOffsets } from './kafkajs/offset-fetch.ts';
import { fetchTopicId } from './kafkajs/topic-metadata.ts';
import type { Generation } from './kafkajs/txn-offset-commit.ts';
import { topicIdentity } from './options.ts';
import { type Position, TransactionalProducer } from './transactional-producer.ts';

/** One input partition under one owner. */
export interface Ownership {
  readonly topic: string;
  readonly partition: number;
  readonly groupId: string;
  /** The group's current generation as seen by this member. */
  readonly generation: Generation;
  /** False once the group has given the partition away: nothing may be committed any more. */
  stillOurs(): boolean;
}

/** Where a new owner goes on. */
export interface Taken {
  readonly offset: number;
  readonly note: string;
  /** Tells the topic from one of the same name before it. */
  readonly topicId: string;
}

export interface Committer {
  /** Takes the partition over and reads where to go on. Throws OFFSET_MISSING when the group has no offset for it. */
  open(): Promise<Taken>;
  /**
   * Makes outputs and the position (next offset to be handled) durable, and answers how many partitions the commit held.
   * After an error the outcome is unknown. The note is kept beside the position, in the same entry of the same request.
   */
  commit(outputs: readonly OutputRecord[], offset: number, note?: string): Promise<number>;
  /** Gives up whatever is open; `open` may follow. Never throws. */
  abandon(): Promise<void>;
}

/** How often a missing offset is looked for again at once. */
const MISSING_OFFSET_TRIES = 4;
const MISSING_OFFSET_WAIT_MS = 500;
const ABORT_TIMEOUT_MS = 1_000;
/** How often a broker looks for transactions that have timed out, by default. */
const SWEEP_MS = 10_000;

/** `joint` is shared by the partitions of one member in one generation. */
export function committerFor(
  connections: Connections,
  options: ConsumerOptions,
  ownership: Ownership,
  joint: JointCommits,
): Committer {
  const transactions = new OwnedTransactions(connections, options.name, ownership, joint);
  if (options.delivery === 'at-least-once') return new AtLeastOnce(connections, ownership, transactions);
  return new ExactlyOnce(transactions, ownership);
}

async function committedOffset(
  group: Coordinator,
  { groupId, topic, partition }: Ownership,
  transactionTimeoutMs: number,
): Promise<Omit<Taken, 'topicId'>> {
  const timeoutMs = transactionTimeoutMs + SWEEP_MS;
  for (let attempt = 1; ; attempt++) {
    const topics = [{ topic, partitions: [partition] }];
    const asked = group.ask((coordinator) => fetchStableOffsets(coordinator, groupId, topics), timeoutMs);
    const [found] = await asked.catch((error: unknown) => {
      throw brokerErrorType(error) === 'UNSTABLE_OFFSET_COMMIT' ? hangingTransaction(groupId, topic, partition) : error;
    });
    if (found !== undefined && found.offset >= 0) return { offset: found.offset, note: found.metadata };
    if (attempt === MISSING_OFFSET_TRIES) throw await missing(group, { groupId, topic, partition });
    await pause(MISSING_OFFSET_WAIT_MS);
  }
}

/** Previous owners are fenced, and longer than a transaction of ours may last was waited: this one may never end. */
function hangingTransaction(groupId: string, topic: string, partition: number): CodedError {
  return new CodedError(
    'HANGING_TRANSACTION',
    `The offset of group ${groupId} for ${topic}/${partition} is part of a transaction that no fencing has ended, for longer ` +
      'than one of ours may last, and the partition waits. If this stays for minutes, the broker may have lost its end: ' +
      'see "A hanging transaction" in docs/kafka.md before anything is aborted.',
    { faultClass: 'transient-dependency', dependency: 'kafka' },
  );
}

/** A partition whose elder has an offset was added: `corridor topics apply` sets its offset in a moment. */
async function missing(
  group: Coordinator,
  { groupId, topic, partition }: Pick<Ownership, 'groupId' | 'topic' | 'partition'>,
): Promise<CodedError> {
  if (partition === 0) return missingOffset(groupId, topic, partition);
  const first = [{ topic, partitions: [0] }];
  const [elder] = await group.ask((coordinator) => fetchStableOffsets(coordinator, groupId, first));
  if (elder === undefined || elder.offset < 0) return missingOffset(groupId, topic, partition);
  return new CodedError('OFFSET_AWAITED', `new partition ${topic}/${partition} has no offset of group ${groupId} yet`, {
    faultClass: 'transient-dependency',
    dependency: 'kafka',
  });
}

/** How long the offset of a partition that was added is waited for, ms. */
export const NEW_PARTITION_TIMEOUT_MS = 60_000;

export function missingOffset(groupId: string, topic: string, partition: number): FatalConsumerFault {
  return new FatalConsumerFault(
    'OFFSET_MISSING',
    `Group ${groupId} has no committed offset for ${topic}/${partition}. Starting over would run transfers again, so the ` +
      'process stops. For a new topic or partition run `corridor topics apply`, with CORRIDOR_CHAIN_PARTITIONS at the ' +
      'number of partitions when a topic was raised; otherwise find out why offsets were lost.',
  );
}

/** The transactions of one input partition, under the transactional id that its owners fence each other by. */
class OwnedTransactions implements Carrier {
  readonly #connections: Connections;
  readonly #transactionalId: string;
  readonly #ownership: Ownership;
  readonly #joint: JointCommits;
  #producer: TransactionalProducer | undefined;

  constructor(connections: Connections, consumer: string, ownership: Ownership, joint: JointCommits) {
    const { appName, unsafe } = connections.settings;
    const frozenId = transactionalId(appName, consumer, ownership.topic, ownership.partition);
    this.#connections = connections;
    this.#ownership = ownership;
    this.#joint = joint;
    this.#transactionalId = unsafe.noFencing ? `${frozenId}.${crypto.randomUUID()}` : frozenId;
  }

  /** How long the broker leaves a transaction open, ms. */
  get timeoutMs(): number {
    return this.#connections.settings.transactionTimeoutMs;
  }

  /** Fences whoever held the transactional id, unless that is done; answers the producer. */
  async fence(): Promise<TransactionalProducer> {
    if (this.#producer !== undefined) return this.#producer;
    this.#producer = await TransactionalProducer.fence(this.#connections, this.#transactionalId, this.#ownership.topic);
    await this.#connections.settings.failpoint('eos.after-fence');
    return this.#producer;
  }

  /** Outputs and offset in one transaction, perhaps with those of other partitions; answers how many partitions it held. */
  commitJointly(outputs: readonly OutputRecord[], offset: number, note?: string): Promise<number> {
    const { topic, partition } = this.#ownership;
    return this.#joint.commit(this, { outputs, position: { topic, partition, offset, note } });
  }

  /**
   * What could happen: the process dies at any of the failpoints. Before the commit is sent the broker aborts all of it, at
   * the next fencing or when its time is over, and the records are handled again; after it, outputs and offset are there
   * together. What could happen besides: this member is late, and its partition has another owner. What stops it: the broker
   * checks the generation of every offset that is offered, and nothing is committed that was not offered (ADR 6).
   */
  async commit(batches: readonly Batch[]): Promise<void> {
    const { failpoint, unsafe } = this.#connections.settings;
    this.#assertOurs(); // before fencing: an owner that knows it is late must not end the transaction of the next
    const producer = await this.fence();
    await failpoint('eos.before-send');
    this.#assertOurs();
    const { groupId, generation } = this.#ownership;
    const outputs = batches.length === 1 ? batches[0]!.outputs : batches.flatMap((batch) => batch.outputs);
    const positions = batches.map(({ position }) => position);
    if (unsafe.offsetsOutsideTransaction) {
      await producer.send(outputs);
      await failpoint('eos.after-send');
    } else {
      const member = unsafe.noFencing ? undefined : generation;
      await producer.sendWithOffsets(
        outputs,
        { groupId, positions, member },
        { onSent: () => failpoint('eos.after-send'), onOffered: () => failpoint('eos.after-send-offsets') },
      );
    }
    this.#assertOurs();
    if (!unsafe.offsetsOutsideTransaction || outputs.length > 0) await this.#endTransaction(producer);
    await failpoint('eos.after-commit');
    if (unsafe.offsetsOutsideTransaction) {
      await commitPlainly(producer.group(groupId), this.#ownership, positions);
    }
  }

  async #endTransaction(producer: TransactionalProducer): Promise<void> {
    const { failpoint } = this.#connections.settings;
    const answer = producer.commit();
    if (failpoint !== NO_FAILPOINT) {
      answer.catch(() => {}); // the failpoint may end the wait for it
      await setImmediate(); // until the request is written
      await failpoint('eos.commit-sent');
    }
    await answer;
  }

  /** Saves requests, and is no proof: the group's generation is, at the broker (ADR 6). */
  #assertOurs(): void {
    if (this.#ownership.stillOurs() || this.#connections.settings.unsafe.noFencing) return;
    const { topic, partition } = this.#ownership;
    throw new CodedError('NOT_A_MEMBER', `${topic}/${partition} was given to another member of the group.`, {
      faultClass: 'transient-dependency',
      dependency: 'kafka',
    });
  }

  /** Aborts what is open, if the broker answers soon. True: there was a producer. */
  async abandon(): Promise<boolean> {
    const producer = this.#producer;
    this.#producer = undefined;
    if (producer === undefined) return false;
    await within(ABORT_TIMEOUT_MS, producer.abort());
    producer.discard();
    return true;
  }
}

/** Every batch is a transaction; the previous owner is fenced before anything is read. */
class ExactlyOnce implements Committer {
  readonly #transactions: OwnedTransactions;
  readonly #ownership: Ownership;

  constructor(transactions: OwnedTransactions, ownership: Ownership) {
    this.#transactions = transactions;
    this.#ownership = ownership;
  }

  /**
   * What could happen: the owner before is frozen with a transaction open, and commits it after this one has read the offset,
   * so a batch is handled twice. What stops it, in this order: fencing ends what its id has open; the offset is read only
   * when no transaction is changing it, also not one that another partition's id carries (ADR 6); then the first record is
   * fetched.
   */
  async open(): Promise<Taken> {
    const producer = await this.#transactions.fence();
    const { groupId, topic } = this.#ownership;
    const taken = await committedOffset(producer.group(groupId), this.#ownership, this.#transactions.timeoutMs);
    return { ...taken, topicId: await producer.topicId(topic) };
  }

  commit(outputs: readonly OutputRecord[], offset: number, note?: string): Promise<number> {
    return this.#transactions.commitJointly(outputs, offset, note);
  }

  async abandon(): Promise<void> {
    await this.#transactions.abandon();
  }
}

async function commitPlainly(
  group: Coordinator,
  { groupId, generation }: Ownership,
  positions: readonly Position[],
): Promise<void> {
  const topics = positions.map(({ topic, partition, offset, note }) => ({
    topic,
    partitions: [{ partition, offset: String(offset), ...(note === undefined ? {} : { metadata: note }) }],
  }));
  const { generationId: groupGenerationId, memberId } = generation;
  await group.ask((coordinator) => coordinator.offsetCommit({ groupId, groupGenerationId, memberId, topics }));
}

/**
 * Offsets are committed plainly, and a batch with outputs in a transaction. The partition is not fenced when it is taken
 * over: the group checks the generation of every offset, in a transaction or not, so a late owner commits neither.
 */
class AtLeastOnce implements Committer {
  readonly #connections: Connections;
  readonly #ownership: Ownership;
  readonly #transactions: OwnedTransactions;
  #cluster: Cluster | undefined;
  #group: Coordinator | undefined;
  /** A transaction of ours may still be open: it is ended before anything is read, not waited for. */
  #fenceFirst = false;

  constructor(connections: Connections, ownership: Ownership, transactions: OwnedTransactions) {
    this.#connections = connections;
    this.#ownership = ownership;
    this.#transactions = transactions;
  }

  async open(): Promise<Taken> {
    const { topic, groupId } = this.#ownership;
    this.#cluster = this.#connections.cluster();
    await connectCluster(this.#cluster, [topic]);
    const { settings } = this.#connections;
    const timeoutMs = settings.transactionTimeoutMs;
    this.#group = new Coordinator(this.#cluster, groupId, 'group', timeoutMs);
    if (this.#fenceFirst || (await this.#isUnstable(this.#group))) await this.#transactions.fence();
    this.#fenceFirst = false;
    const taken = await committedOffset(this.#group, this.#ownership, timeoutMs);
    const topicId = await fetchTopicId(await this.#cluster.brokerPool.findConnectedBroker(), topic);
    return { ...taken, topicId: topicIdentity(settings, topic, topicId) };
  }

  /** Is somebody's transaction, perhaps a dead owner's, still changing the offset? */
  async #isUnstable(group: Coordinator): Promise<boolean> {
    const { groupId, topic, partition } = this.#ownership;
    return group.ask(async (coordinator) => {
      try {
        await fetchStableOffsets(coordinator, groupId, [{ topic, partitions: [partition] }]);
        return false;
      } catch (error) {
        if (brokerErrorType(error) !== 'UNSTABLE_OFFSET_COMMIT') throw error;
        return true;
      }
    });
  }

  async commit(outputs: readonly OutputRecord[], offset: number, note?: string): Promise<number> {
    const { failpoint } = this.#connections.settings;
    await failpoint('alo.before-commit');
    const joined = await this.#commit(outputs, offset, note);
    await failpoint('alo.after-commit');
    return joined;
  }

  async #commit(outputs: readonly OutputRecord[], offset: number, note: string | undefined): Promise<number> {
    if (outputs.length > 0) return this.#transactions.commitJointly(outputs, offset, note);
    const { topic, partition } = this.#ownership;
    await commitPlainly(this.#group!, this.#ownership, [{ topic, partition, offset, note }]);
    return 1;
  }

  async abandon(): Promise<void> {
    if (await this.#transactions.abandon()) this.#fenceFirst = true;
    if (this.#cluster !== undefined) discardCluster(this.#cluster);
    this.#cluster = undefined;
    this.#group = undefined;
  }
}
