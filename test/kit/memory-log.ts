// The log in memory: partitions, and transactions that are all or nothing.

import type { Clock } from '../../ports/clock.ts';
import { systemClock } from '../../ports/clock.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type {
  BatchResult,
  ConsumerOptions,
  Log,
  LogAdmin,
  LogReader,
  LogRecord,
  LogTransactions,
  LogWriter,
  NewOffset,
  OutputRecord,
  RecordBatch,
  TopicDescription,
  UnreadableBatch,
} from '../../ports/log.ts';
import { type ConsumedLog, type CrashPlan, MemoryConsumer } from './memory-consumer.ts';

export { CrashedError, type CrashPlan, type CrashPoint, MemoryConsumer } from './memory-consumer.ts';

export interface MemoryLogOptions {
  readonly partitions?: number;
  readonly clock?: Clock;
  readonly app?: string;
  /** True: consumers move only by `step()` (deterministic). False: they run by themselves. */
  readonly manual?: boolean;
  readonly crash?: CrashPlan;
  /** Answers with a code for an output that the broker is to refuse, which aborts its transaction. */
  readonly refuses?: (output: OutputRecord) => string | undefined;
}

const id = (topic: string, partition: number) => `${topic}/${partition}`;
const isOf = (key: string, topic: string) => key.slice(0, key.lastIndexOf('/')) === topic;

export class MemoryLog implements Log, ConsumedLog {
  readonly partitions: number;
  readonly clock: Clock;
  readonly app: string;
  readonly manual: boolean;
  crash: CrashPlan | undefined;
  /** Set: consumers say that they wait for the brokers. */
  away: { readonly code: ErrorCode; readonly detail: string } | undefined;
  readonly refuses: MemoryLogOptions['refuses'];
  readonly consumers: MemoryConsumer[] = [];
  /** Transactions committed, by consumer name. */
  readonly commits = new Map<string, number>();
  readonly #topics = new Map<string, LogRecord[][]>();
  readonly #topicIds = new Map<string, string>();
  #remade = 0;
  readonly #notes = new Map<string, string>();
  readonly #committed = new Map<string, Map<string, number>>();
  readonly #appendListeners = new Set<() => void>();
  /** Who has each transactional id. */
  readonly #owners = new Map<string, object>();

  constructor(options: MemoryLogOptions = {}) {
    this.partitions = options.partitions ?? 4;
    this.clock = options.clock ?? systemClock;
    this.app = options.app ?? 'corridor';
    this.manual = options.manual ?? false;
    this.crash = options.crash;
    this.refuses = options.refuses;
  }

  /** The records of one partition, as committed. */
  records(topic: string, partition: number): readonly LogRecord[] {
    return this.#partitionsOf(topic)[partition]!;
  }

  /** All records of a topic, partition by partition. */
  all(topic: string): readonly LogRecord[] {
    return this.#partitionsOf(topic).flat();
  }

  topicNames(): readonly string[] {
    return [...this.#topics.keys()];
  }

  /** Appends all or (if one is out of range) none. Append times are the clock's. */
  append(outputs: readonly OutputRecord[], timestamp = this.clock.now()): void {
    for (const { topic, partition } of outputs) {
      if (!(partition >= 0 && partition < this.#partitionsOf(topic).length)) {
        throw new Error(`${topic} has no partition ${partition}`);
      }
    }
    for (const { topic, partition, key, value, headers } of outputs) {
      const records = this.#partitionsOf(topic)[partition]!;
      const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text as string)] as const);
      records.push({
        topic,
        partition,
        offset: records.length,
        key: key === null ? null : Buffer.from(key as string),
        value,
        headers: Object.fromEntries(bytes),
        timestamp,
      });
    }
    for (const listener of this.#appendListeners) listener();
  }

  /** One batch that nobody can read, as the reader hands it in. */
  appendUnreadable(topic: string, partition: number, code: UnreadableBatch['code']): void {
    const records = this.#partitionsOf(topic)[partition]!;
    const offset = records.length;
    const unreadable = { code, detail: code, firstOffset: offset, lastOffset: offset, bytes: Buffer.alloc(0) };
    const timestamp = this.clock.now();
    records.push({ topic, partition, offset, key: null, value: null, headers: {}, timestamp, unreadable });
    for (const listener of this.#appendListeners) listener();
  }

  committed(group: string, topic: string, partition: number): number | undefined {
    return this.#committed.get(group)?.get(id(topic, partition));
  }

  /** The group loses its offsets, as after an expiry or under another name. */
  forget(group: string): void {
    this.#committed.delete(group);
    for (const key of this.#notes.keys()) if (key.startsWith(`${group} `)) this.#notes.delete(key);
  }

  /** Deletes the topic and makes it again, as brokers do: it has another id, and no group has offsets of it. */
  remake(topic: string): void {
    this.#topics.delete(topic);
    this.#topicIds.set(topic, `${++this.#remade}`.padStart(32, '0'));
    for (const offsets of this.#committed.values())
      for (const key of offsets.keys()) if (isOf(key, topic)) offsets.delete(key);
    for (const key of this.#notes.keys()) if (isOf(key.slice(key.indexOf(' ') + 1), topic)) this.#notes.delete(key);
    this.#partitionsOf(topic);
  }

  /** Undefined until the topic is made again: then its name stands for it. */
  topicId(topic: string): string | undefined {
    return this.#topicIds.get(topic);
  }

  /** What was committed beside the offset. */
  note(group: string, topic: string, partition: number): string {
    return this.#notes.get(`${group} ${id(topic, partition)}`) ?? '';
  }

  /** Outputs and offset together, as a transaction makes them. */
  commit(name: string, result: BatchResult, batch: RecordBatch): void {
    this.append(result.outputs);
    if (result.doneThrough === undefined) return;
    const group = groupId(this.app, name);
    const offsets = this.#committed.get(group) ?? new Map<string, number>();
    this.#committed.set(group, offsets);
    offsets.set(id(batch.topic, batch.partition), result.doneThrough + 1);
    if (result.note !== undefined) this.#notes.set(`${group} ${id(batch.topic, batch.partition)}`, result.note);
    this.commits.set(name, (this.commits.get(name) ?? 0) + 1);
  }

  onAppend(listener: () => void): () => void {
    this.#appendListeners.add(listener);
    return () => this.#appendListeners.delete(listener);
  }

  async consume(options: ConsumerOptions): Promise<MemoryConsumer> {
    const consumer = new MemoryConsumer(this, options);
    this.consumers.push(consumer);
    if (!this.manual) consumer.run();
    return consumer;
  }

  async writer(): Promise<LogWriter> {
    return {
      send: async (records) => this.append(records),
      close: async () => undefined,
    };
  }

  async transactions(transactionalId: string): Promise<LogTransactions> {
    const owner = {};
    this.#owners.set(transactionalId, owner);
    return {
      commit: async (records) => {
        if (this.#owners.get(transactionalId) !== owner) throw new Error('another has taken over');
        this.append(records);
      },
      close: async () => undefined,
    };
  }

  reader(): LogReader {
    const log = this;
    return {
      async offsets(topics) {
        return topics.flatMap((topic) =>
          log.#partitionsOf(topic).map((records, partition) => ({ topic, partition, from: 0, to: records.length })),
        );
      },
      async ends(topics) {
        return topics.flatMap((topic) =>
          log.#partitionsOf(topic).map((records, partition) => ({ topic, partition, offset: records.length })),
        );
      },
      async offsetsSince(topics, since) {
        if (since < 0) throw new Error(`there is no time ${since}: brokers refuse it`);
        return topics.flatMap((topic) =>
          log.#partitionsOf(topic).map((records, partition) => {
            const first = records.findIndex(({ timestamp }) => timestamp >= since);
            return { topic, partition, from: first === -1 ? records.length : first, to: records.length };
          }),
        );
      },
      async read(ranges, onBatch) {
        for (const { topic, partition, from, to } of ranges) {
          const records = log.records(topic, partition).slice(from, to);
          if (records.length > 0) await onBatch({ topic, partition, records });
        }
      },
      follow(topics, onBatch, options) {
        const positions = new Map<string, number>();
        const pump = (deliver: boolean) => {
          for (const topic of topics) {
            log.#partitionsOf(topic).forEach((all, partition) => {
              const from = positions.get(id(topic, partition)) ?? 0;
              positions.set(id(topic, partition), all.length);
              if (deliver && all.length > from) onBatch({ topic, partition, records: all.slice(from) });
            });
          }
        };
        pump(options?.fromEnd !== true);
        const stop = log.onAppend(() => pump(true));
        return {
          caughtUp: Promise.resolve(),
          currentAt: () => performance.now(),
          stop: async () => {
            stop();
          },
        };
      },
    };
  }

  #setOffsets(group: string, offsets: readonly NewOffset[]): void {
    const known = this.#committed.get(group) ?? new Map<string, number>();
    this.#committed.set(group, known);
    for (const { topic, partition, offset, note } of offsets) {
      known.set(id(topic, partition), offset);
      this.#notes.set(`${group} ${id(topic, partition)}`, note);
    }
  }

  async admin(): Promise<LogAdmin> {
    const describe = (name: string): TopicDescription => ({
      name,
      partitions: this.#partitionsOf(name).length,
      config: {},
      replicationFactor: 1,
      ...(this.#topicIds.has(name) ? { topicId: this.#topicIds.get(name)! } : {}),
    });
    return {
      describeTopics: async (names) => names.filter((name) => this.#topics.has(name)).map(describe),
      createTopics: async (specs) => {
        for (const { name, partitions } of specs) this.#partitionsOf(name, partitions);
      },
      addPartitions: async () => undefined,
      awaitLeaders: async () => undefined,
      alterConfig: async () => undefined,
      committed: async (group, topics) =>
        topics.flatMap((topic) =>
          this.#partitionsOf(topic).map((_, partition) => ({
            topic,
            partition,
            offset: this.committed(group, topic, partition),
            note: this.note(group, topic, partition),
          })),
        ),
      initialiseOffsets: async (group, topics, notes) => {
        const missing = topics.flatMap((topic) =>
          this.#partitionsOf(topic)
            .map((_, partition) => ({ topic, partition, offset: 0, note: notes?.get(topic) ?? '' }))
            .filter(({ partition }) => this.committed(group, topic, partition) === undefined),
        );
        this.#setOffsets(group, missing);
      },
      setOffsets: async (group, offsets) => this.#setOffsets(group, offsets),
      deleteTopics: async (names) => {
        for (const name of names) this.#topics.delete(name);
      },
      close: async () => undefined,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop(0)));
  }

  #partitionsOf(topic: string, partitions = this.partitions): LogRecord[][] {
    const known = this.#topics.get(topic);
    if (known) return known;
    const created = Array.from({ length: partitions }, (): LogRecord[] => []);
    this.#topics.set(topic, created);
    return created;
  }
}
