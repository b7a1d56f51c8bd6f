// A running consumer: keeps its membership of the group, and a worker for every partition that the group gives it.

import { backoffMs } from '../../ports/backoff.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { ConsumerOptions, LogConsumer, PartitionProgress } from '../../ports/log.ts';
import { pause, within } from '../../ports/pause.ts';
import { KAFKA_BACKOFF } from './backoff.ts';
import { BatchSize } from './batch-size.ts';
import type { Connections } from './client.ts';
import { committerFor } from './commit.ts';
import { BrokenClientDeadline, UnknownTopicDeadline } from './error-deadlines.ts';
import { codedError, consumerFaultOf, FatalConsumerFault, verdictOf } from './fault.ts';
import { Fetcher } from './fetcher.ts';
import { JointCommits } from './joint-commits.ts';
import { type JoinedGeneration, Membership } from './membership.ts';
import { PartitionWorker } from './partition-worker.ts';
import { Signal } from './signal.ts';
import { Source } from './source.ts';
import { type TopicNews, TopicWatch } from './topic-watch.ts';

/** Heartbeats per session timeout. */
const HEARTBEATS_PER_SESSION = 4;
const LEAVE_TIMEOUT_MS = 2_000;
/** How often a batch that lingers is added to. */
const FETCHES_PER_LINGER = 4;
const FETCH_BYTES_PER_RECORD = 2_048;
const MIN_FETCH_BYTES = 262_144;
const MAX_FETCH_BYTES = 4 * 1_048_576;

/** The workers of one generation. */
interface Team {
  readonly generation: JoinedGeneration;
  readonly workers: readonly PartitionWorker[];
  readonly fetcher: Fetcher;
  /** Resolves when every worker has ended. */
  readonly done: Promise<void>;
  /** True when a worker has given its partition up. */
  incomplete(): boolean;
  /** Until it is revoked. */
  isOurs(): boolean;
  /** From now on nothing of this generation may be committed. */
  revoke(): void;
}

export class KafkaConsumer implements LogConsumer {
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
  readonly #connections: Connections;
  readonly #options: ConsumerOptions;
  readonly #groupId: string;
  readonly #membership: Membership;
  readonly #topicWatch: TopicWatch;
  readonly #stopping = new AbortController();
  readonly #heartbeatNow = new Signal();
  /** Per partition, the end of its last worker: the next one waits for it. */
  readonly #lastWorkers = new Map<string, Promise<void>>();
  /** Per partition, also while others have it. */
  readonly #batchSizes = new Map<string, BatchSize>();
  #team: Team | undefined;
  /** Set while the broker can't be reached: shown as a pause of every partition. */
  #waiting: PartitionProgress['paused'];
  readonly #unknownTopic = new UnknownTopicDeadline();
  /** Of membership: joining and heartbeats. */
  readonly #brokenClient = new BrokenClientDeadline();
  #fatal: FatalConsumerFault | undefined;
  #loop: Promise<void> = Promise.resolve();
  #markReady: () => void = () => {};
  #failReady: (fault: FatalConsumerFault) => void = () => {};
  #markEnded: () => void = () => {};
  #failEnded: (fault: FatalConsumerFault) => void = () => {};

  constructor(connections: Connections, options: ConsumerOptions) {
    this.#connections = connections;
    this.#options = options;
    this.#groupId = groupId(connections.settings.appName, options.name);
    this.#membership = new Membership(connections, this.#groupId, options.topics);
    // This pauses no partition: their own fetches show that a broker is away.
    this.#topicWatch = new TopicWatch(connections, options.topics, (error) => options.onFault(consumerFaultOf(error)));
    this.ready = new Promise((resolve, reject) => {
      this.#markReady = resolve;
      this.#failReady = reject;
    });
    this.ready.catch(() => {}); // `ended` tells it too
    this.ended = new Promise((resolve, reject) => {
      this.#markEnded = resolve;
      this.#failEnded = reject;
    });
  }

  /** Begins to join the group. */
  start(): void {
    this.#loop = this.#live();
  }

  progress(): readonly PartitionProgress[] {
    const all = this.#team?.workers.map((worker) => worker.progress()) ?? [];
    const waiting = this.#waiting;
    return waiting === undefined ? all : all.map((each) => ({ ...each, paused: each.paused ?? waiting }));
  }

  waiting(): PartitionProgress['paused'] {
    return this.#waiting;
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping.abort();
    this.#heartbeatNow.wake();
    for (const worker of this.#team?.workers ?? []) worker.drain();
    await within(deadlineMs, this.#loop);
    this.#team?.revoke();
    await this.#leave();
    if (this.#fatal === undefined) this.#markEnded();
  }

  /** Ends the consumer by itself. */
  #fail(fault: FatalConsumerFault): void {
    if (this.#fatal !== undefined || this.#stopping.signal.aborted) return;
    this.#fatal = fault;
    this.#options.onFault(fault);
    this.#stopping.abort();
    this.#heartbeatNow.wake();
    this.#team?.workers.forEach((worker) => {
      worker.drain();
    });
    void this.#end(fault);
  }

  async #end(fault: FatalConsumerFault): Promise<void> {
    // A handler that never returns must not keep the consumer looking alive.
    await within(this.#connections.settings.sessionTimeoutMs, this.#loop);
    this.#team?.revoke();
    await this.#leave();
    this.#failReady(fault);
    this.#failEnded(fault);
  }

  /** Does not wait for a broker that does not answer. */
  async #leave(): Promise<void> {
    this.#topicWatch.close();
    await within(LEAVE_TIMEOUT_MS, Promise.all([this.#team?.fetcher.stop(), this.#membership.leave()]));
  }

  #tell(error: unknown): void {
    // Of one partition's trouble the fetcher says which.
    const { topic, partition } = error as { topic?: string; partition?: number };
    const fault = consumerFaultOf(error, topic === undefined || partition === undefined ? {} : { topic, partition });
    if (fault.code === 'KAFKA_UNAVAILABLE') this.#waiting = { code: fault.code, detail: 'waiting for the broker' };
    // Not the broker's fault: no declared pause, or the watch would never end this process.
    if (fault.code === 'CLIENT_BUG') this.#waiting = undefined;
    this.#options.onFault(fault);
  }

  async #live(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const generation = await this.#join();
        if (generation === undefined) return;
        this.#waiting = undefined;
        this.#brokenClient.worked();
        failures = 0;
        await this.#serve(generation);
      } catch (error) {
        if (signal.aborted) return;
        const fatal = this.#fatalFrom(error) ?? this.#brokenClient.passed(error);
        if (fatal !== undefined) return this.#fail(fatal);
        if (verdictOf(error) !== 'not-member') {
          this.#tell(error);
          this.#membership.reconnect();
        }
        await pause(backoffMs(++failures, KAFKA_BACKOFF), signal);
      }
    }
  }

  /** Joins the group; undefined when the consumer is stopped meanwhile. */
  async #join(): Promise<JoinedGeneration | undefined> {
    const { signal } = this.#stopping;
    const stopped = Promise.withResolvers<undefined>();
    const stop = () => stopped.resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
    const joining = this.#membership.join();
    joining.catch(() => {});
    try {
      return await Promise.race([joining, stopped.promise]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Works the assignment of one generation until the group moves on. */
  async #serve(generation: JoinedGeneration): Promise<void> {
    const team = this.#form(generation);
    this.#team = team;
    void Promise.all(team.workers.map(({ ready }) => ready)).then((takenOver) => {
      if (takenOver.every(Boolean)) this.#markReady();
    });
    let lost = false;
    try {
      lost = await this.#keepAlive(team);
    } finally {
      for (const worker of team.workers) worker.drain();
      if (lost) {
        team.revoke();
        await within(this.#connections.settings.sessionTimeoutMs / 2, team.done);
      } else await this.#finish(team);
      team.revoke();
      void team.fetcher.stop();
    }
  }

  /**
   * Waits for the batches in hand. What could happen: a rebalance takes a partition away in the middle of a batch, which is
   * then handled again, and once more by the next rebalance if it takes long. What stops it: until every member has joined,
   * or the rebalance timeout is over, the group takes commits of this generation, and heartbeats keep this member's place.
   * What has not ended by then is given up: its commit names an old generation, and the broker refuses it (ADR 6). A
   * partition that is only being taken over is not waited for as long: what it waits for may be ended by the next generation.
   */
  async #finish(team: Team): Promise<void> {
    const { sessionTimeoutMs, rebalanceTimeoutMs } = this.#connections.settings;
    const intervalMs = sessionTimeoutMs / HEARTBEATS_PER_SESSION;
    // The group may have begun to wait a heartbeat before this member heard of it, and has to hear of it in time.
    const began = performance.now();
    const withBatch = began + rebalanceTimeoutMs - 2 * intervalMs;
    const without = began + sessionTimeoutMs / 2;
    while (!(await within(intervalMs, team.done)) && team.isOurs()) {
      const deadline = team.workers.some((worker) => worker.hasBatch) ? withBatch : without;
      // A consumer that stops has a deadline of its own, and is revoked when that is over.
      if (!this.#stopping.signal.aborted && performance.now() > deadline) return;
      if (!(await this.#isStillMember())) return;
    }
  }

  /** Sends one heartbeat. Without an answer it counts as a member. */
  async #isStillMember(): Promise<boolean> {
    try {
      await this.#membership.heartbeat();
      return true;
    } catch (error) {
      if (typeOf(error) === 'REBALANCE_IN_PROGRESS') return true;
      if (typeOf(error) === 'UNKNOWN_MEMBER_ID') this.#membership.forget();
      const verdict = verdictOf(error);
      if (verdict === 'not-member' || verdict === 'fatal') return false;
      this.#tell(error);
      this.#membership.reconnect();
      return true;
    }
  }

  #form(generation: JoinedGeneration): Team {
    const { settings } = this.#connections;
    let ours = true;
    let running = 0;
    const joint = new JointCommits(settings.jointCommits);
    const sources: Source[] = [];
    const workers: PartitionWorker[] = [];
    const runs: Promise<void>[] = [];
    for (const [topic, partitions] of Object.entries(generation.assigned)) {
      for (const partition of partitions) {
        const key = `${topic}/${partition}`;
        const source = new Source(topic, partition, { isGapless: true, timeoutMs: settings.unreadableTimeoutMs });
        const ownership = { topic, partition, groupId: this.#groupId, generation, stillOurs: () => ours };
        const worker = new PartitionWorker({
          consumer: this.#options,
          ownership,
          committer: committerFor(this.#connections, this.#options, ownership, joint),
          source,
          fetcher: () => fetcher,
          idleCommitMs: settings.idleCommitMs,
          batchSize: this.#batchSizeOf(key),
          after: this.#lastWorkers.get(key) ?? Promise.resolve(),
          onFault: this.#options.onFault,
          onFatal: (fault) => this.#fail(fault),
          confirmMembership: () => this.#confirm(generation, () => ours),
        });
        const run = worker
          .run()
          .catch((error: unknown) => this.#tell(error))
          .finally(() => {
            running--;
            this.#heartbeatNow.wake();
          });
        this.#lastWorkers.set(key, run);
        sources.push(source);
        workers.push(worker);
        runs.push(run);
        running++;
      }
    }
    const bytes = this.#options.maxBatchRecords * FETCH_BYTES_PER_RECORD;
    const fetcher = new Fetcher({
      connections: this.#connections,
      sources,
      bufferRecords: this.#options.maxBatchRecords,
      maxBytesPerPartition: Math.min(MAX_FETCH_BYTES, Math.max(MIN_FETCH_BYTES, bytes)),
      paceMs: this.#options.lingerMs / FETCHES_PER_LINGER,
      onError: (error) => this.#fetchFailed(error),
    });
    const revoke = () => {
      ours = false;
      for (const worker of workers) worker.drain();
    };
    const incomplete = () => running < workers.length;
    const done = Promise.all(runs).then(() => {});
    return { generation, workers, fetcher, done, incomplete, isOurs: () => ours, revoke };
  }

  #batchSizeOf(partition: string): BatchSize {
    const known = this.#batchSizes.get(partition) ?? new BatchSize(this.#options.maxBatchRecords);
    this.#batchSizes.set(partition, known);
    return known;
  }

  #fetchFailed(error: unknown): void {
    const fatal = this.#fatalFrom(error);
    if (fatal === undefined) this.#tell(error);
    else this.#fail(fatal);
  }

  #fatalFrom(error: unknown): FatalConsumerFault | undefined {
    if (verdictOf(error) !== 'fatal') return this.#unknownTopic.passed(error);
    const { code, message } = codedError(error);
    return new FatalConsumerFault(code, message, error);
  }

  /** Sends heartbeats until the group rebalances (false) or has lost this member (true), or the consumer stops (false). */
  async #keepAlive(team: Team): Promise<boolean> {
    const { sessionTimeoutMs } = this.#connections.settings;
    const { signal } = this.#stopping;
    const intervalMs = sessionTimeoutMs / HEARTBEATS_PER_SESSION;
    let lastAt = performance.now();
    let news: Promise<TopicNews> | undefined;
    for (let waitMs = intervalMs; !signal.aborted; ) {
      await this.#heartbeatNow.wait(waitMs);
      if (signal.aborted) return false;
      waitMs = intervalMs;
      try {
        await this.#membership.heartbeat();
        lastAt = performance.now();
        this.#waiting = undefined;
        this.#brokenClient.worked();
        // A broker that does not answer must not cost this member its place: the next heartbeat hears what this one does not.
        news ??= this.#topicWatch.look({ ids: idsOf(team), counts: this.#countsOf(team) });
        if (await within(intervalMs / 2, news)) {
          const { madeAnew, isRaised } = await news;
          news = undefined;
          if (madeAnew !== undefined) throw this.#madeAnew(madeAnew);
          if (isRaised) return false;
        }
        if (team.incomplete()) return false; // joining again is how a partition given up gets an owner
      } catch (error) {
        const verdict = verdictOf(error);
        if (verdict === 'fatal') throw error;
        if (typeOf(error) === 'REBALANCE_IN_PROGRESS') return false;
        if (verdict === 'not-member') {
          if (typeOf(error) === 'UNKNOWN_MEMBER_ID') this.#membership.forget();
          return true;
        }
        this.#tell(error);
        this.#membership.reconnect();
        if (performance.now() - lastAt > sessionTimeoutMs) return true;
        waitMs = backoffMs(3, KAFKA_BACKOFF);
      }
    }
    return false;
  }

  /** The leader looks after new partitions. */
  #countsOf({ generation }: Team): ReadonlyMap<string, number> | undefined {
    return generation.isLeader ? this.#membership.counts : undefined;
  }

  /**
   * Positions are by name, for fetches too: a topic that was deleted and made again under this member is read on from the old
   * offset, over all that stands before it. Its id alone tells.
   */
  #madeAnew(topic: string): FatalConsumerFault {
    return new FatalConsumerFault(
      'OFFSET_OF_ANOTHER_TOPIC',
      `${topic} was deleted and made again while it was read: the offset of group ${this.#groupId} is of the one before. ` +
        'Run `corridor topics apply`, then look with `corridor topics resume`.',
    );
  }

  /** A worker was refused as an old owner: asks the group at once whether it still is one. */
  async #confirm(generation: JoinedGeneration, ours: () => boolean): Promise<boolean> {
    if (!ours() || this.#team?.generation !== generation) return false;
    try {
      await this.#membership.heartbeat();
      return ours();
    } catch (error) {
      // Without an answer from the group this member still is the owner, as far as it knows.
      return verdictOf(error) !== 'not-member' && ours();
    }
  }
}

/** Ids of the topics as they were taken over, of those that were. */
const idsOf = ({ workers }: Team) =>
  workers.flatMap(({ topic, topicId }) => (topicId === undefined ? [] : [[topic, topicId] as const]));

const typeOf = (error: unknown) => (error as { type?: string }).type;
