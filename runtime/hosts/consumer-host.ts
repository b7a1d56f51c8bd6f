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
import type { DependencyTrouble, Host, HostState } from './host.ts';
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
export function createConsumerHost(options: ConsumerHostOptions): Host {
  const { name, log, codec, clock, logger, metrics, observer, tables = [] } = options;
  const stopping = new AbortController();
  let state: HostState = 'new';
  let consumer: LogConsumer | undefined;
  /** Wall clock, ms. */
  let logAwaySince: number | undefined;
  let fail!: (error: unknown) => void;
  const failed = new Promise<never>((_, reject) => {
    fail = (error) => {
      if (state === 'draining' || state === 'stopped' || state === 'failed') return;
      state = 'failed';
      reject(error);
    };
  });
  failed.catch(() => undefined);
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  let starting: Promise<void> | undefined;
  /** The start had not ended when there was no more time to wait for it: what it still makes, it has to end itself. */
  let isLeftBehind = false;

  async function start(): Promise<void> {
    state = 'starting';
    await patiently(() => codec.load(options.schemas));
    await Promise.all(tables.map((table) => patiently(() => table.start())));
    for (const table of tables) table.failed.catch(fail);
    if (stopping.signal.aborted) return;
    options.resources?.failed?.catch(fail);
    await options.resources?.open();
    if (stopping.signal.aborted) return endLate();
    consumer = await log.consume({
      name,
      topics: options.inputs,
      delivery: options.delivery,
      maxBatchRecords: options.maxBatchRecords,
      lingerMs: options.lingerMs,
      handler: measured,
      onFault: (fault) => observer.logFault(fault),
      onCommit: ({ durationMs }) => metrics.commitSeconds.observe({ consumer: name }, durationMs / 1_000),
    });
    consumer.ended.catch(fail);
    if (stopping.signal.aborted) return endLate();
    await Promise.race([consumer.ready, failed, stopped]);
    if (stopping.signal.aborted) return;
    state = 'running';
    logger.info({ stage: name }, 'consuming');
  }

  async function endLate(): Promise<void> {
    if (!isLeftBehind) return;
    logger.warn({ stage: name, code: 'DRAIN_TIMED_OUT' }, 'a start that came too late is undone');
    await consumer?.stop(0);
    await options.resources?.close(0);
  }

  /** A dependency that is down at the start is waited for, and shown; anything else ends the start. */
  async function patiently(attempt: () => Promise<void>): Promise<void> {
    for (let failures = 1; !stopping.signal.aborted; failures++) {
      try {
        await attempt();
        observer.dependencyBack('start', 0);
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        const fault = faultOf(error);
        if (fault.faultClass !== 'transient-dependency') throw error;
        observer.dependencyDown('start', 0, fault);
        await clock.sleep(backoffMs(failures, DEPENDENCY_BACKOFF), stopping.signal);
      }
    }
  }

  /** An attempt that met a dependency that is down is progress of a kind: only an attempt that never ends is a stall. */
  function progress(): readonly PartitionProgress[] {
    const partitions = consumer?.progress() ?? [];
    const troubles = observer.troubles();
    if (troubles.length === 0) return partitions;
    return partitions.map((partition) => {
      const met = troubles.find(({ topic, partition: p }) => topic === partition.topic && p === partition.partition);
      if (!met || met.lastMetAt < partition.lastProgressAt) return partition;
      return { ...partition, lastProgressAt: met.lastMetAt };
    });
  }

  /** The log itself is away: every partition waits, those too that this process has not been given yet. */
  function logTrouble(): readonly DependencyTrouble[] {
    const waiting = consumer?.waiting();
    if (waiting === undefined) {
      logAwaySince = undefined;
      return [];
    }
    logAwaySince ??= clock.now();
    const place = { topic: options.inputs[0]!, partition: 0 };
    return [{ dependency: 'kafka', ...waiting, since: logAwaySince, ...place, lastMetAt: performance.now() }];
  }

  const measured: BatchHandler = async (batch) => {
    const startedAt = performance.now();
    const result = await options.handler(batch);
    metrics.handlerSeconds.observe({ consumer: name }, (performance.now() - startedAt) / 1_000);
    const perTopic = new Map<string, number>();
    for (const { topic } of result.outputs) perTopic.set(topic, (perTopic.get(topic) ?? 0) + 1);
    for (const [topic, count] of perTopic) metrics.recordsOut.inc({ consumer: name, topic }, count);
    return result;
  };

  return {
    name,
    start: async () => {
      if (state !== 'new')
        throw new CodedError('HOST_STARTED_TWICE', `${name} was started before`, { faultClass: 'fatal' });
      starting = start();
      await starting.catch((error: unknown) => {
        if (state !== 'draining' && state !== 'stopped') state = 'failed';
        throw error;
      });
    },
    failed,
    health: () => ({
      name,
      state,
      partitions: progress(),
      troubles: [...observer.troubles(), ...logTrouble(), ...(options.moreTroubles?.() ?? [])],
      tables: tables.map((table) => table.health()),
      alarms: observer.alarms(),
      ...(options.underWay && { underWay: options.underWay() }),
    }),
    async stop(deadlineMs) {
      if (state === 'stopped') return;
      if (state !== 'failed') state = 'draining';
      stopping.abort();
      // A start that waits for a table has nothing to drain.
      const idle = consumer === undefined ? Promise.all(tables.map((table) => table.stop())) : undefined;
      // One that is under way ends by itself now; a consumer that it still makes in time is stopped like any other.
      const started = starting?.catch(() => undefined);
      isLeftBehind = !(await within(deadlineMs, Promise.all([started, idle]), clock));
      await consumer?.stop(deadlineMs);
      await Promise.all(tables.map((table) => table.stop()));
      await options.resources?.close(deadlineMs);
      if (state === 'draining') state = 'stopped';
    },
  };
}
