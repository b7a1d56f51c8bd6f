// The log in memory: partitions, transactions that are all or nothing, consumers that can crash at every step.
import type { Clock } from '../../runtime/clock.ts';
import { systemClock } from '../../runtime/clock.ts';
import { groupId } from '../../runtime/names.ts';
import type {
  BatchResult,
  ConsumerOptions,
  Log,
  LogAdmin,
  LogConsumer,
  LogReader,
  LogRecord,
  LogWriter,
  OutputRecord,
  PartitionProgress,
  RecordBatch,
  TopicDescription,
} from '../../runtime/ports/log.ts';

/** Where a consumer can be made to fail: around the handler and around the commit. */
export type CrashPoint =
  /** The batch was fetched; nothing was done. */
  | 'before-handler'
  /** Handled (side effects done), nothing committed. */
  | 'before-commit'
  /** Committed, but the process died before it knew. */
  | 'after-commit';

/** `crash`: the consumer dies. `redeliver`: the transaction aborts and the batch is handed in again. */
export type CrashPlan = (point: CrashPoint, batch: RecordBatch) => 'crash' | 'redeliver' | undefined;

/** What a consumer that was made to crash ends with. */
export class CrashedError extends Error {
  readonly point: CrashPoint;
  constructor(point: CrashPoint) {
    super(`crashed ${point}`);
    this.name = 'CrashedError';
    this.point = point;
  }
}

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

interface PartitionState {
  readonly topic: string;
  readonly partition: number;
  position: number;
  lastProgressAt: number;
  paused: { readonly until: number; readonly code: string; readonly detail: string } | undefined;
  failed: { readonly code: string; readonly attempts: number } | undefined;
}

const id = (topic: string, partition: number) => `${topic}/${partition}`;

export class MemoryLog implements Log {
  readonly partitions: number;
  readonly clock: Clock;
  readonly app: string;
  readonly manual: boolean;
  crash: CrashPlan | undefined;
  readonly refuses: MemoryLogOptions['refuses'];
  readonly consumers: MemoryConsumer[] = [];
  /** Transactions committed, by consumer name. */
  readonly commits = new Map<string, number>();
  readonly #topics = new Map<string, LogRecord[][]>();
  readonly #committed = new Map<string, Map<string, number>>();
  readonly #appendListeners = new Set<() => void>();

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

  committed(group: string, topic: string, partition: number): number | undefined {
    return this.#committed.get(group)?.get(id(topic, partition));
  }

  /** Outputs and offset together, as a transaction makes them. */
  commit(name: string, result: BatchResult, batch: RecordBatch): void {
    this.append(result.outputs);
    if (result.doneThrough === undefined) return;
    const group = groupId(this.app, name);
    const offsets = this.#committed.get(group) ?? new Map<string, number>();
    this.#committed.set(group, offsets);
    offsets.set(id(batch.topic, batch.partition), result.doneThrough + 1);
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

  reader(): LogReader {
    const log = this;
    return {
      async offsets(topics) {
        return topics.flatMap((topic) =>
          log.#partitionsOf(topic).map((records, partition) => ({ topic, partition, from: 0, to: records.length })),
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
          stop: async () => {
            stop();
          },
        };
      },
    };
  }

  async admin(): Promise<LogAdmin> {
    const describe = (name: string): TopicDescription => ({
      name,
      partitions: this.#partitionsOf(name).length,
      config: {},
      replicationFactor: 1,
    });
    return {
      describeTopics: async (names) => names.filter((name) => this.#topics.has(name)).map(describe),
      createTopics: async (specs) => {
        for (const { name, partitions } of specs) this.#partitionsOf(name, partitions);
      },
      addPartitions: async (topic, total) => {
        const partitions = this.#partitionsOf(topic);
        while (partitions.length < total) partitions.push([]);
      },
      alterConfig: async () => undefined,
      committed: async (group, topics) =>
        topics.flatMap((topic) =>
          this.#partitionsOf(topic).map((_, partition) => ({
            topic,
            partition,
            offset: this.committed(group, topic, partition),
          })),
        ),
      initialiseOffsets: async () => undefined,
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

export class MemoryConsumer implements LogConsumer {
  readonly ready = Promise.resolve();
  readonly ended: Promise<void>;
  readonly options: ConsumerOptions;
  /** What ended the consumer, once it has ended by itself. */
  failure: Error | undefined;
  readonly #log: MemoryLog;
  readonly #states: PartitionState[] = [];
  readonly #stopped = new AbortController();
  #fail!: (error: Error) => void;
  #loops: Promise<void>[] = [];

  constructor(log: MemoryLog, options: ConsumerOptions) {
    this.#log = log;
    this.options = options;
    this.ended = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.ended.catch(() => undefined);
    for (const topic of options.topics) {
      for (let partition = 0; partition < log.partitions; partition++) {
        const position = log.committed(groupId(log.app, options.name), topic, partition) ?? 0;
        this.#states.push({
          topic,
          partition,
          position,
          lastProgressAt: performance.now(),
          paused: undefined,
          failed: undefined,
        });
      }
    }
  }

  progress(): readonly PartitionProgress[] {
    return this.#states.map(({ topic, partition, position, lastProgressAt, paused }) => ({
      topic,
      partition,
      position,
      lag: this.#log.records(topic, partition).length - position,
      lastProgressAt,
      paused: paused && { code: paused.code, detail: paused.detail },
    }));
  }

  /** Handles one batch of each partition that has one and is not paused. True when there was any. */
  async step(): Promise<boolean> {
    let moved = false;
    for (const state of this.#states) moved = (await this.#handleNext(state)) || moved;
    return moved;
  }

  /** The earliest end of a pause, in clock ms, while some partition has records that wait for it. */
  nextWakeAt(): number | undefined {
    const waiting = this.#states.filter((state) => state.paused && this.#hasRecords(state));
    return waiting.length === 0 ? undefined : Math.min(...waiting.map((state) => state.paused!.until));
  }

  /** Runs by itself, partitions side by side, until stopped. */
  run(): void {
    this.#loops = this.#states.map((state) => this.#loop(state));
  }

  async stop(_deadlineMs: number): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#loops);
  }

  async #loop(state: PartitionState): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      if (await this.#handleNext(state)) continue;
      if (signal.aborted) return;
      if (state.paused) await this.#log.clock.sleep(state.paused.until - this.#log.clock.now(), signal);
      else await this.#appended(state, signal);
    }
  }

  #appended(state: PartitionState, signal: AbortSignal): Promise<void> {
    if (this.#hasRecords(state)) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        stopListening();
        resolve();
      };
      const stopListening = this.#log.onAppend(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #hasRecords(state: PartitionState): boolean {
    return this.#log.records(state.topic, state.partition).length > state.position;
  }

  async #handleNext(state: PartitionState): Promise<boolean> {
    if (this.#stopped.signal.aborted || !this.#hasRecords(state)) return false;
    if (state.paused && state.paused.until > this.#log.clock.now()) return false;
    state.paused = undefined;
    const { topic, partition } = state;
    const all = this.#log.records(topic, partition);
    const records = all.slice(state.position, state.position + this.options.maxBatchRecords);
    const batch: RecordBatch = { topic, partition, records, ...(state.failed ? { failed: state.failed } : {}) };
    try {
      if (this.#disturbed('before-handler', batch)) return true;
      const result = await this.options.handler(batch);
      // After a stop was called for, a batch in hand is still committed, as a drain does.
      if (this.failure) return false;
      if (this.#disturbed('before-commit', batch)) return true;
      if (result.outputs.length > 0 && this.options.delivery === 'at-least-once') {
        throw new Error('an at-least-once consumer has no outputs');
      }
      this.#refuse(result);
      this.#log.commit(this.options.name, result, batch);
      if (result.doneThrough !== undefined) {
        state.failed = undefined;
        this.options.onCommit?.({ topic, partition, outputs: result.outputs.length, durationMs: 0 });
      }
      if (result.doneThrough !== undefined) state.position = result.doneThrough + 1;
      state.lastProgressAt = performance.now();
      this.#disturbed('after-commit', batch);
      this.#apply(state, result.then);
    } catch (error) {
      if (error instanceof CrashedError) this.#end(error);
      else this.#refence(state, error as Error);
    }
    return true;
  }

  #refuse({ outputs }: BatchResult): void {
    for (const output of outputs) {
      const code = this.#log.refuses?.(output);
      if (code !== undefined) throw Object.assign(new Error(`${output.topic} refuses a record`), { code });
    }
  }

  #apply(state: PartitionState, then: BatchResult['then']): void {
    if (then.do === 'pause') {
      state.paused = { until: this.#log.clock.now() + then.forMs, code: then.code, detail: then.detail };
    }
    if (then.do === 'stop') this.#end(Object.assign(new Error(then.detail), { code: then.code }));
  }

  #disturbed(point: CrashPoint, batch: RecordBatch): boolean {
    const what = this.#log.crash?.(point, batch);
    if (what === 'crash') throw new CrashedError(point);
    return what === 'redeliver' && point !== 'after-commit';
  }

  #refence(state: PartitionState, error: Error): void {
    const { topic, partition } = state;
    const code = (error as { code?: string }).code ?? 'HANDLER_FAILED';
    state.failed = { code, attempts: (state.failed?.attempts ?? 0) + 1 };
    this.options.onFault({ code, detail: error.message, topic, partition, severity: 'transient' });
    state.paused = { until: this.#log.clock.now() + 100, code, detail: error.message };
  }

  #end(error: Error): void {
    this.failure = error;
    this.#stopped.abort();
    this.#fail(error);
  }
}
