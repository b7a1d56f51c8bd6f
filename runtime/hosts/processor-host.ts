// Hosts one processor of the chain over the log, exactly once.

import { type Clock, systemClock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import type { Controls } from '../../ports/controls.ts';
import type { Log } from '../../ports/log.ts';
import type { RecordSkips } from '../../ports/record-skips.ts';
import type { ReplayClaims } from '../../ports/replay-claims.ts';
import type { Rings } from '../../ports/seals.ts';
import type { AnyProcessor, Edges } from '../../processors/contract.ts';
import { stageOf } from '../../processors/lifecycle.ts';
import { contractOf, type TopicName } from '../../topics/catalogue.ts';
import { inputTopics } from '../../topics/recovery.ts';
import type { Logger } from '../logs-and-metrics/logger.ts';
import type { Metrics } from '../logs-and-metrics/metrics.ts';
import { OutputLookup } from '../progress/output-lookup.ts';
import { type BreakerLimits, DEFAULT_BREAKER, DeadLetterBreaker } from '../retries-and-dead-letters/breaker.ts';
import type { RetryPolicy } from '../retries-and-dead-letters/recovery-records.ts';
import { createBatchHandler } from './batch-handler.ts';
import { createConsumerHost } from './consumer-host.ts';
import { createEmitter } from './emit.ts';
import type { DependencyTrouble, Host } from './host.ts';
import { createObserver } from './observer.ts';
import { runProcessor } from './run-processor.ts';
import type { Table } from './table.ts';

/** What hosts of processors and of sinks have in common. */
export interface HostRuntime {
  readonly app: string;
  readonly log: Log;
  readonly codec: Codec;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly chainPartitions: number;
  readonly maxBatchRecords: number;
  readonly lingerMs: number;
  /** Attempts in each retry tier. */
  readonly retry: RetryPolicy;
  readonly breaker?: BreakerLimits;
  /** The breaker of a consumer, which outlives its restarts within the process. Default: a new one. */
  readonly breakerOf?: (name: string) => DeadLetterBreaker;
  readonly clock?: Clock;
  /** What people have paused, already read; absent: nothing can be paused here. */
  readonly controls?: Controls;
  /** Keys of those whose records it makes and believes. */
  readonly rings: Rings;
  /** What two persons let its hosts skip; absent: nothing. */
  readonly skips?: RecordSkips;
}

export interface ProcessorHostOptions extends HostRuntime {
  readonly processor: AnyProcessor;
  /** Tables that the processor looks things up in; read to their ends before the first record. */
  readonly tables?: readonly Table<unknown>[];
  readonly replayClaims: ReplayClaims;
  /** What it waits for beyond its batches, for health; absent: nothing. */
  readonly moreTroubles?: () => readonly DependencyTrouble[];
  /** For tests: offsets are believed, and nobody looks what the outputs prove. */
  readonly unsafeBelievesOffsets?: boolean;
}

/** A host for one processor. */
export function createProcessorHost(options: ProcessorHostOptions): Host {
  const { processor, codec, logger, metrics, clock = systemClock } = options;
  const edges = processor.edges as Edges;
  const reads = edges.reads.map((contract) => contract.name as TopicName);
  const writes = edges.writes.map((contract) => contract.name as TopicName);
  const stage = stageOf(processor.name);
  const observer = createObserver({ name: processor.name, clock, logger, metrics });
  const emit = createEmitter({
    owner: processor.name,
    stage,
    writes,
    codec,
    rings: options.rings,
    chainPartitions: options.chainPartitions,
    rekeys: reads.some((topic) => contractOf(topic)?.kind === 'intent'),
  });
  const producing = { owner: processor.name, writes, rings: options.rings };
  const lookup = new OutputLookup(options.log.reader(), producing, clock);
  const handler = createBatchHandler({
    ...options,
    owner: processor.name,
    reads,
    clock,
    observer,
    breaker: options.breakerOf?.(processor.name) ?? new DeadLetterBreaker(options.breaker ?? DEFAULT_BREAKER),
    statusMarkStage: stage,
    sealsRecovery: true,
    discards: true,
    ...(options.unsafeBelievesOffsets ? {} : { wasHandled: (input) => lookup.wasHandled(input) }),
    run: (items) => runProcessor(processor, emit, items),
  });
  return createConsumerHost({
    ...options,
    name: processor.name,
    clock,
    observer,
    schemas: [...new Set<TopicName>([...reads, ...writes, 'transfer.lifecycle', 'fx.position'])],
    inputs: inputTopics(processor.name, reads),
    delivery: 'exactly-once',
    handler,
    resources: { open: async () => undefined, close: async () => lookup.stop() },
  });
}
