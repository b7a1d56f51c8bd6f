// A consumer of the log in memory, which can be made to crash at every step.

import type { Clock } from '../../ports/clock.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type {
  BatchResult,
  ConsumerOptions,
  LogConsumer,
  LogRecord,
  OutputRecord,
  PartitionProgress,
  RecordBatch,
} from '../../ports/log.ts';
import type { ManualClock } from './manual-clock.ts';

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

/** The log in memory, as far as a consumer needs it. */
export interface ConsumedLog {
  readonly app: string;
  readonly partitions: number;
  readonly clock: Clock;
  readonly crash: CrashPlan | undefined;
  readonly away: { readonly code: ErrorCode; readonly detail: string } | undefined;
  readonly refuses: ((output: OutputRecord) => string | undefined) | undefined;
  records(topic: string, partition: number): readonly LogRecord[];
  topicId(topic: string): string | undefined;
  committed(group: string, topic: string, partition: number): number | undefined;
  note(group: string, topic: string, partition: number): string;
  commit(name: string, result: BatchResult, batch: RecordBatch): void;
  onAppend(listener: () => void): () => void;
}

interface PartitionState {
  readonly topic: string;
  readonly partition: number;
  position: number;
  lastProgressAt: number;
  paused: { readonly until: number; readonly code: ErrorCode; readonly detail: string } | undefined;
  failed: { readonly code: ErrorCode; readonly attempts: number } | undefined;
}

/** Batches of one run; more is a run that never comes to rest. */
const MAX_STEPS = 100_000;

export class MemoryConsumer implements LogConsumer {
  readonly ready = Promise.resolve();
  readonly ended: Promise<void>;
  readonly options: ConsumerOptions;
  /** What ended the consumer, once it has ended by itself. */
  failure: Error | undefined;
  readonly #log: ConsumedLog;
  readonly #states: PartitionState[] = [];
  readonly #stopped = new AbortController();
  #fail!: (error: Error) => void;
  #loops: Promise<void>[] = [];

  constructor(log: ConsumedLog, options: ConsumerOptions) {
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

  waiting(): PartitionProgress['paused'] {
    return this.#log.away;
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

  /**
   * Handles all that there is, and moves the clock on to the next end of a pause, until nothing is left or that end is after
   * `endAt`. Returns why the consumer failed, where it did.
   */
  async untilIdle(clock: ManualClock, endAt = Number.POSITIVE_INFINITY): Promise<Error | undefined> {
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      if (this.failure) return this.failure;
      if (await this.step()) continue;
      const wakeAt = this.nextWakeAt();
      if (wakeAt === undefined || wakeAt > endAt) return this.failure;
      clock.advance(Math.max(1, wakeAt - clock.now()));
    }
    throw new Error('the run does not end: it never came to rest');
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
    const note = this.#log.note(groupId(this.#log.app, this.options.name), topic, partition);
    const topicId = this.#log.topicId(topic);
    const batch: RecordBatch = {
      topic,
      partition,
      records,
      note,
      ...(topicId === undefined ? {} : { topicId }),
      ...(state.failed ? { failed: state.failed } : {}),
    };
    try {
      if (this.#disturbed('before-handler', batch)) return true;
      const result = await this.options.handler(batch);
      // After a stop was called for, a batch in hand is still committed, as a drain does.
      if (this.failure) return false;
      if (this.#disturbed('before-commit', batch)) return true;
      this.#refuse(result);
      this.#log.commit(this.options.name, result, batch);
      if (result.doneThrough !== undefined) {
        state.failed = undefined;
        this.options.onCommit?.({ topic, partition, outputs: result.outputs.length, joined: 1, durationMs: 0 });
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
    const { code = 'HANDLER_FAILED' } = error as { readonly code?: ErrorCode };
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
