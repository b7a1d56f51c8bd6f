// The log as the runtime needs it (adapters/kafka implements it): fenced consumption with transactions, plain writes,
// bounded reads, and administration. Offsets are numbers: they stay below 2^53.
import type { ErrorCode } from './error-codes.ts';

/** A record as it stands in the log. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | undefined>>;
  /** Append time at the broker for LogAppendTime topics, else the producer's time; ms. */
  readonly timestamp: number;
  /** Set on what stands for a whole batch that nobody can read: it has no key, value and headers, and the last offset. */
  readonly unreadable?: UnreadableBatch;
}

/** A batch of records that cannot be unpacked or taken apart. */
export interface UnreadableBatch {
  readonly code:
    | 'BATCH_CORRUPT'
    | 'BATCH_MALFORMED'
    | 'BATCH_CODEC_UNKNOWN'
    | 'BATCH_TOO_LARGE'
    | 'BATCH_UNPACK_FAILED';
  readonly detail: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** The batch as the broker gave it. */
  readonly bytes: Buffer;
}

/** A record to be written. The partition is always explicit: the chain is co-partitioned. */
export interface OutputRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  /** Short and few: they are read without decoding. */
  readonly headers: Readonly<Record<string, string | Buffer>>;
}

/** Records of one partition of one topic, in order. Never empty. */
export interface RecordBatch {
  readonly topic: string;
  /** Its id, where the cluster gives one: a topic that is made anew has the old name and the old offsets. */
  readonly topicId?: string;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** What was committed beside the offset that these records follow; see BatchResult. */
  readonly note?: string;
  /** Set when these records were handed in before and could not be committed: why (a fault's code), and how often. */
  readonly failed?: { readonly code: ErrorCode; readonly attempts: number };
}

/** What the handler made of a batch. */
export interface BatchResult {
  /**
   * Offset of the last record that is done (undefined: none). Outputs and this position are committed together; later
   * records of the batch are handed in again, first thing.
   */
  readonly doneThrough: number | undefined;
  readonly outputs: readonly OutputRecord[];
  /**
   * Committed beside the offset, in the same transaction, and handed in with every later batch of the partition, whoever
   * owns it. At most 4,000 bytes. Absent: the note stays as it is. Kept by exactly-once consumers alone.
   */
  readonly note?: string;
  /** What to do after the commit. `pause` keeps the partition paused and shown as such; `stop` ends the consumer. */
  readonly then:
    | { readonly do: 'continue' }
    | { readonly do: 'pause'; readonly forMs: number; readonly code: ErrorCode; readonly detail: string }
    | { readonly do: 'stop'; readonly code: ErrorCode; readonly detail: string };
}

/** Called with one batch at a time per partition; partitions run side by side. May throw: the partition is then
 * re-fenced and the batch handed in again after a back-off, and the error is given to `onFault`. */
export type BatchHandler = (batch: RecordBatch) => Promise<BatchResult>;

export interface ConsumerOptions {
  /** Processor, sink or executor name. Group id is `<app>.<name>`; transactional id `<app>.<name>.<topic>.<partition>`. */
  readonly name: string;
  /** Input topics; partition p of all of them goes to the same member. */
  readonly topics: readonly string[];
  /**
   * `exactly-once`: outputs and offsets in one transaction, one transactional producer per input partition, fenced on
   * assignment. `at-least-once`: the offset is committed plainly after the handler, or in one transaction with the outputs
   * when there are any: for consumers whose usual batch has none (sinks, executor).
   */
  readonly delivery: 'exactly-once' | 'at-least-once';
  readonly maxBatchRecords: number;
  /** How long a batch may wait to fill when load is low; adaptive: no wait when a full batch is at hand. */
  readonly lingerMs: number;
  readonly handler: BatchHandler;
  /** Every fault met (re-fence, failed commit, broker gone), for metrics and health. Never throws. */
  readonly onFault: (fault: ConsumerFault) => void;
  /** Every commit, for metrics. Never throws. */
  readonly onCommit?: (commit: LogCommit) => void;
}

/** One commit of outputs and offset, or of an offset alone. */
export interface LogCommit {
  readonly topic: string;
  readonly partition: number;
  readonly outputs: number;
  /** Partitions that were committed in the same transaction, this one included. */
  readonly joined: number;
  /** From when the batch was ready to the answer, ms: waiting for a transaction to join is part of it. */
  readonly durationMs: number;
}

/** A fault of the log, with a stable code. */
export interface ConsumerFault {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly topic?: string;
  readonly partition?: number;
  /** `fatal`: the consumer has stopped (authorisation, a missing offset, fenced for good): the process must end. */
  readonly severity: 'transient' | 'fatal';
}

export interface PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to be handled. */
  readonly position: number;
  /** Records not yet handled, by the last known end of the partition (read_committed where known). */
  readonly lag: number;
  /** The broker has told no end of late: `lag` is 1 at least, for nobody knows that there is nothing to do. */
  readonly isEndUnknown?: boolean;
  /** Monotonic ms (performance.now) of the last progress: a commit, or finding nothing to do. */
  readonly lastProgressAt: number;
  readonly paused: { readonly code: ErrorCode; readonly detail: string } | undefined;
}

/** A running consumer. */
export interface LogConsumer {
  /** Resolves when the first assignment is fenced and running (or the group gave this member nothing). */
  readonly ready: Promise<void>;
  /** Rejects with the fatal fault when the consumer ends by itself; never resolves before `stop`. */
  readonly ended: Promise<void>;
  progress(): readonly PartitionProgress[];
  /** Set while the log itself is away: shown also when this member has no partition (yet). */
  waiting(): PartitionProgress['paused'];
  /** Finishes the batches that are being handled within the deadline, then leaves the group. */
  stop(deadlineMs: number): Promise<void>;
}

/** Writes from outside the chain: outbox relays, the feed, operators. Idempotent producer; every record acknowledged
 * by all in-sync replicas before it resolves; rejects with a coded error when any record's fate is unknown. */
export interface LogWriter {
  send(records: readonly OutputRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface PartitionRange {
  readonly topic: string;
  readonly partition: number;
  /** First offset to read. */
  readonly from: number;
  /** First offset not to read (an end offset taken earlier). */
  readonly to: number;
}

/** Bounded and following reads, read_committed, without a group. */
export interface LogReader {
  /** Start and end offsets (read_committed: last stable offset) of every partition of the topics. */
  offsets(topics: readonly string[]): Promise<readonly PartitionRange[]>;
  /**
   * The ends of all partitions with what is not committed yet: every record that was acknowledged before the call stands
   * before them, also while somebody else's transaction is open. A read up to there waits for that transaction.
   * `unreplicatedToo`: with what the leader has and others have not yet, which nobody has acknowledged and which may come.
   */
  ends(
    topics: readonly string[],
    options?: { readonly unreplicatedToo?: boolean },
  ): Promise<readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]>;
  /** The same, from the first record on that was appended at this time (ms) or later. */
  offsetsSince(topics: readonly string[], since: number): Promise<readonly PartitionRange[]>;
  /** Reads the ranges to their ends; batches of one partition are in order. Bounded memory: back-pressure by await.
   * What is unreadable comes as one record that says so. */
  read(ranges: readonly PartitionRange[], onBatch: (batch: RecordBatch) => Promise<void> | void): Promise<void>;
  /** Reads a topic from its start and goes on for ever, also over faults (`onFault` is told, and must not throw);
   * `caughtUp` resolves at the end offsets known at the call, and rejects only when the read could not begin. */
  follow(
    topics: readonly string[],
    onBatch: (batch: RecordBatch) => void,
    options?: { readonly fromEnd?: boolean; readonly onFault?: (fault: ConsumerFault) => void },
  ): Following;
}

/** A read that goes on for ever. */
export interface Following {
  readonly caughtUp: Promise<void>;
  /**
   * The moment (performance.now, ms) at which the log last said, of each partition, that nothing follows what was given to
   * `onBatch`; undefined: something does, or it has not said so yet.
   */
  currentAt(): number | undefined;
  stop(): Promise<void>;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** Topic configuration as Kafka names it: cleanup.policy, retention.ms, message.timestamp.type … */
  readonly config: Readonly<Record<string, string>>;
}
export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number | undefined;
  /** What was committed beside it; see BatchResult. */
  readonly note: string;
}
export interface NewOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly note: string;
}
export interface TopicDescription extends TopicSpec {
  readonly topicId?: string;
  readonly replicationFactor: number;
}

export interface LogAdmin {
  describeTopics(names: readonly string[]): Promise<readonly TopicDescription[]>;
  createTopics(specs: readonly (TopicSpec & { readonly replicationFactor: number })[]): Promise<void>;
  /** Raises the numbers of partitions of these topics. */
  addPartitions(topics: readonly { readonly name: string; readonly partitions: number }[]): Promise<void>;
  /** Resolves when every broker knows these topics with at least so many partitions, each with a leader. */
  awaitLeaders(topics: readonly { readonly name: string; readonly partitions: number }[]): Promise<void>;
  alterConfig(topic: string, config: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Committed offsets of a group; undefined where there is none. Under load some are always changing: `evenUnstable` takes
   * the last ones, for those who only ask whether there are any.
   */
  committed(
    groupId: string,
    topics: readonly string[],
    options?: { readonly evenUnstable?: boolean },
  ): Promise<readonly CommittedOffset[]>;
  /**
   * Commits the earliest offset for every partition of the topics that has none; done once, at provisioning. `notes` are
   * what stands beside it, by topic.
   */
  initialiseOffsets(groupId: string, topics: readonly string[], notes?: ReadonlyMap<string, string>): Promise<void>;
  /** Commits these offsets, with their notes, whatever was committed before. Also while the group is running. */
  setOffsets(groupId: string, offsets: readonly NewOffset[]): Promise<void>;
  deleteTopics(names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Writes in transactions, as the only one who may: whoever takes the same transactional id over ends the right of this one.
 * After an error nothing is believed: close it, take the id over again, and read what was committed.
 */
export interface LogTransactions {
  /** Writes all of these or none. Rejects with a coded error when that is unknown, or when another has taken over. */
  commit(records: readonly OutputRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** The whole log. */
export interface Log {
  consume(options: ConsumerOptions): Promise<LogConsumer>;
  writer(name: string): Promise<LogWriter>;
  /**
   * Takes a transactional id over (ports/consumer-groups/names.ts makes them): what its owner had not committed is void
   * before this resolves. `topic` is one that is written to.
   */
  transactions(transactionalId: string, topic: string): Promise<LogTransactions>;
  reader(): LogReader;
  admin(): Promise<LogAdmin>;
  close(): Promise<void>;
}
