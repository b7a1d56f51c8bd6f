// The life of one consumer: schemas and tables first, then the log, then watching it until it is stopped.
import type { TopicName } from '../topics/catalogue.ts';
import { backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import { faultOf } from './faults.ts';
import type { Host, HostState } from './host.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { Observer } from './observer.ts';
import type { Codec } from './ports/codec.ts';
import { CodedError } from './ports/fault.ts';
import type { BatchHandler, ConsumerOptions, Log, LogConsumer } from './ports/log.ts';
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
  /** Runs before the consumer starts and after it has stopped. */
  readonly resources?: { open(): Promise<void>; close(): Promise<void> };
}

/** A host over one consumer of the log. */
export function createConsumerHost(options: ConsumerHostOptions): Host {
  const { name, log, codec, clock, logger, metrics, observer, tables = [] } = options;
  const stopping = new AbortController();
  let state: HostState = 'new';
  let consumer: LogConsumer | undefined;
  let fail!: (error: unknown) => void;
  const failed = new Promise<never>((_, reject) => {
    fail = (error) => {
      if (state === 'draining' || state === 'stopped' || state === 'failed') return;
      state = 'failed';
      reject(error);
    };
  });
  failed.catch(() => undefined);

  async function start(): Promise<void> {
    state = 'starting';
    await patiently(() => codec.load(options.schemas));
    await Promise.all(tables.map((table) => patiently(() => table.start())));
    for (const table of tables) table.failed.catch(fail);
    await options.resources?.open();
    if (stopping.signal.aborted) return;
    consumer = await log.consume({
      name,
      topics: options.inputs,
      delivery: options.delivery,
      maxBatchRecords: options.maxBatchRecords,
      lingerMs: options.lingerMs,
      handler: measured,
      onFault: (fault) => observer.logFault(fault),
    });
    consumer.ended.catch(fail);
    await Promise.race([consumer.ready, failed]);
    if (!stopping.signal.aborted) state = 'running';
    logger.info({ stage: name }, 'consuming');
  }

  /** A dependency that is down at the start is waited for, and shown; anything else ends the start. */
  async function patiently(attempt: () => Promise<void>): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        await attempt();
        observer.dependencyBack('start', 0);
        return;
      } catch (error) {
        const fault = faultOf(error);
        if (fault.faultClass !== 'transient-dependency') throw error;
        observer.dependencyDown('start', 0, fault);
        await clock.sleep(backoffMs(failures), stopping.signal);
      }
    }
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
      await start().catch((error: unknown) => {
        if (state !== 'draining' && state !== 'stopped') state = 'failed';
        throw error;
      });
    },
    failed,
    health: () => ({
      name,
      state,
      partitions: consumer?.progress() ?? [],
      troubles: observer.troubles(),
      tables: tables.map((table) => table.health()),
    }),
    async stop(deadlineMs) {
      if (state === 'stopped') return;
      if (state !== 'failed') state = 'draining';
      stopping.abort();
      await consumer?.stop(deadlineMs);
      await Promise.all(tables.map((table) => table.stop()));
      await options.resources?.close();
      if (state === 'draining') state = 'stopped';
    },
  };
}
