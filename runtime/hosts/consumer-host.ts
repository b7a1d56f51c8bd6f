// The life of one consumer: schemas and tables first, then the log, then watching it until it is stopped.

import { backoffMs, DEPENDENCY_BACKOFF } from '../../ports/backoff.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { BatchHandler, ConsumerOptions, Log, LogConsumer, PartitionProgress } from '../../ports/log.ts';
import { within } from '../../ports/pause.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { faultOf } from '../fault.ts';
import type { Logger } from '../logs-and-metrics/logger.ts';
import type { Metrics } from '../logs-and-metrics/metrics.ts';
import type { DependencyTrouble, Host, HostHealth, HostState } from './host.ts';
import type { Observer } from './observer.ts';
import type { Table } from './table.ts';

export interface ConsumerHostOptions {
  readonly name: string;
  readonly log: Log;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly observer: Observer;
  /** Topics whose schemas must be known. */
  readonly schemas: readonly TopicName[];
  readonly inputs: readonly string[];
  readonly delivery: ConsumerOptions['delivery'];
  readonly maxBatchRecords: number;
  readonly lingerMs: number;
  readonly tables?: readonly Table<unknown>[];
  readonly handler: BatchHandler;
  /** Dependencies that are away although no partition waits for them. */
  readonly moreTroubles?: () => readonly DependencyTrouble[];
  /** What is under way beyond the batches, for health. */
  readonly underWay?: () => Readonly<Record<string, number>>;
  /** Runs before the consumer starts and after it has stopped. */
  readonly resources?: HostResources;
}

/** What a consumer needs beside its log. */
export interface HostResources {
  open(): Promise<void>;
  close(deadlineMs: number): Promise<void>;
  /** Rejects when the consumer must not go on without them. */
  readonly failed?: Promise<never>;
}

/** A host over one consumer of the log. */
export const createConsumerHost = (options: ConsumerHostOptions): Host => new ConsumerHost(options);

class ConsumerHost implements Host {
  readonly name: string;
  readonly failed: Promise<never>;
  readonly #options: ConsumerHostOptions;
  readonly #tables: readonly Table<unknown>[];
  readonly #stopping = new AbortController();
  readonly #met: (attempt: () => Promise<void>) => Promise<void>;
  readonly #shown: ReturnType<typeof consumerHealth>;
  readonly #reject: (error: unknown) => void;
  readonly #stopped: Promise<void>;
  #state: HostState = 'new';
  #consumer: LogConsumer | undefined;
  #starting: Promise<void> | undefined;
  /** The start had not ended when there was no more time to wait for it: what it still makes, it has to end itself. */
  #isLeftBehind = false;

  constructor(options: ConsumerHostOptions) {
    const { signal } = this.#stopping;
    this.name = options.name;
    this.#options = options;
    this.#tables = options.tables ?? [];
    this.#met = waitingForDependencies({ observer: options.observer, clock: options.clock, signal });
    this.#shown = consumerHealth(options);
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.failed = promise;
    this.#reject = reject;
    this.#stopped = new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }

  async start(): Promise<void> {
    if (this.#state !== 'new')
      throw new CodedError('HOST_STARTED_TWICE', `${this.name} was started before`, { faultClass: 'fatal' });
    this.#starting = this.#start();
    await this.#starting.catch((error: unknown) => {
      if (this.#state !== 'draining' && this.#state !== 'stopped') this.#state = 'failed';
      throw error;
    });
  }

  health(): HostHealth {
    return this.#shown(this.#state, this.#consumer);
  }

  async stop(deadlineMs: number): Promise<void> {
    if (this.#state === 'stopped') return;
    if (this.#state !== 'failed') this.#state = 'draining';
    this.#stopping.abort();
    // A start that waits for a table has nothing to drain.
    const idle = this.#consumer === undefined ? this.#stopTables() : undefined;
    // One that is under way ends by itself now; a consumer that it still makes in time is stopped like any other.
    const started = this.#starting?.catch(() => undefined);
    this.#isLeftBehind = !(await within(deadlineMs, Promise.all([started, idle]), this.#options.clock));
    await this.#consumer?.stop(deadlineMs);
    await this.#stopTables();
    await this.#options.resources?.close(deadlineMs);
    if (this.#state === 'draining') this.#state = 'stopped';
  }

  async #start(): Promise<void> {
    const { codec, logger, resources, schemas } = this.#options;
    const { signal } = this.#stopping;
    const fail = (error: unknown) => this.#fail(error);
    this.#state = 'starting';
    await this.#met(() => codec.load(schemas));
    await Promise.all(this.#tables.map((table) => this.#met(() => table.start())));
    for (const table of this.#tables) table.failed.catch(fail);
    if (signal.aborted) return;
    resources?.failed?.catch(fail);
    await resources?.open();
    if (signal.aborted) return this.#endLate();
    this.#consumer = await consume(this.#options);
    this.#consumer.ended.catch(fail);
    if (signal.aborted) return this.#endLate();
    await Promise.race([this.#consumer.ready, this.failed, this.#stopped]);
    if (signal.aborted) return;
    this.#state = 'running';
    logger.info({ stage: this.name }, 'consuming');
  }

  #fail(error: unknown): void {
    if (this.#state === 'draining' || this.#state === 'stopped' || this.#state === 'failed') return;
    this.#state = 'failed';
    this.#reject(error);
  }

  async #endLate(): Promise<void> {
    if (!this.#isLeftBehind) return;
    this.#options.logger.warn({ stage: this.name, code: 'DRAIN_TIMED_OUT' }, 'a start that came too late is undone');
    await this.#consumer?.stop(0);
    await this.#options.resources?.close(0);
  }

  async #stopTables(): Promise<void> {
    await Promise.all(this.#tables.map((table) => table.stop()));
  }
}

function consume(options: ConsumerHostOptions): Promise<LogConsumer> {
  const { name, log, observer, metrics } = options;
  return log.consume({
    name,
    topics: options.inputs,
    delivery: options.delivery,
    maxBatchRecords: options.maxBatchRecords,
    lingerMs: options.lingerMs,
    handler: measured(options),
    onFault: (fault) => observer.logFault(fault),
    onCommit: ({ durationMs }) => metrics.commitSeconds.observe({ consumer: name }, durationMs / 1_000),
  });
}

interface Waiting extends Pick<ConsumerHostOptions, 'observer' | 'clock'> {
  readonly signal: AbortSignal;
}

/** A dependency that is down at the start is waited for, and shown; anything else ends the start. */
function waitingForDependencies({ observer, clock, signal }: Waiting): (attempt: () => Promise<void>) => Promise<void> {
  return async (attempt) => {
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        await attempt();
        observer.dependencyBack('start', 0);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const fault = faultOf(error);
        if (fault.faultClass !== 'transient-dependency') throw error;
        observer.dependencyDown('start', 0, fault);
        await clock.sleep(backoffMs(failures, DEPENDENCY_BACKOFF), signal);
      }
    }
  };
}

/** The handler, with what it takes and gives counted. */
function measured({ name, handler, metrics }: ConsumerHostOptions): BatchHandler {
  return async (batch) => {
    const startedAt = performance.now();
    const result = await handler(batch);
    metrics.handlerSeconds.observe({ consumer: name }, (performance.now() - startedAt) / 1_000);
    const perTopic = new Map<string, number>();
    for (const { topic } of result.outputs) perTopic.set(topic, (perTopic.get(topic) ?? 0) + 1);
    for (const [topic, count] of perTopic) metrics.recordsOut.inc({ consumer: name, topic }, count);
    return result;
  };
}

/** What a host with this consumer says of itself. */
function consumerHealth(options: ConsumerHostOptions) {
  const { name, clock, observer, inputs, tables = [] } = options;
  /** Wall clock, ms. */
  let logAwaySince: number | undefined;

  return (state: HostState, consumer: LogConsumer | undefined): HostHealth => ({
    name,
    state,
    partitions: progress(consumer?.progress() ?? []),
    troubles: [...observer.troubles(), ...logTrouble(consumer), ...(options.moreTroubles?.() ?? [])],
    tables: tables.map((table) => table.health()),
    alarms: observer.alarms(),
    ...(options.underWay && { underWay: options.underWay() }),
  });

  /** An attempt that ended because a dependency is down counts as progress: only an attempt that never ends is a stall. */
  function progress(partitions: readonly PartitionProgress[]): readonly PartitionProgress[] {
    const troubles = observer.troubles();
    if (troubles.length === 0) return partitions;
    return partitions.map((partition) => {
      const met = troubles.find(({ topic, partition: p }) => topic === partition.topic && p === partition.partition);
      if (!met || met.lastMetAt < partition.lastProgressAt) return partition;
      return { ...partition, lastProgressAt: met.lastMetAt };
    });
  }

  /** The log itself is away: every partition waits, those too that this process has not been given yet. */
  function logTrouble(consumer: LogConsumer | undefined): readonly DependencyTrouble[] {
    const waiting = consumer?.waiting();
    if (waiting === undefined) {
      logAwaySince = undefined;
      return [];
    }
    logAwaySince ??= clock.now();
    const place = { topic: inputs[0]!, partition: 0 };
    return [{ dependency: 'kafka', ...waiting, since: logAwaySince, ...place, lastMetAt: performance.now() }];
  }
}
