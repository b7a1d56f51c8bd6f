// Hosts a sink (or another consumer of committed events) over the log, at least once.
//
// Offsets are committed plainly, without a transaction: a sink reads many topics, and a transaction for each of its input
// partitions would cost more than the writes (docs/reliability.md). A batch that puts records aside commits them and the
// offset in one transaction.

import { Batcher } from '../../ports/batcher.ts';
import { systemClock } from '../../ports/clock.ts';
import { CodedError } from '../../ports/fault.ts';
import type { ReplayClaims } from '../../ports/replay-claims.ts';
import type { Sink } from '../../sinks/contract.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { inputTopics } from '../../topics/recovery.ts';
import { failpoint } from '../failpoints.ts';
import { faultOf } from '../fault.ts';
import type { Metrics } from '../logs-and-metrics/metrics.ts';
import { DEFAULT_BREAKER, DeadLetterBreaker } from '../retries-and-dead-letters/breaker.ts';
import { createBatchHandler } from './batch-handler.ts';

import { createConsumerHost, type HostResources } from './consumer-host.ts';

import type { DependencyTrouble, Host } from './host.ts';
import type { AcceptedRecord } from './inbound-records.ts';
import type { Outcome } from './isolate.ts';
import { createObserver } from './observer.ts';
import type { HostRuntime } from './processor-host.ts';

/** A sink whatever it reads. */
// biome-ignore lint/suspicious/noExplicitAny: the host treats every sink alike
export type AnySink = Sink<any>;

export interface SinkHostOptions extends HostRuntime {
  readonly sink: AnySink;
  /** Whether a copy of what was handled is a dead letter, as with stages. Needs the keys of stages and operators. */
  readonly refusesRepeats?: boolean;
  /** Claims on the letters that are replayed. */
  readonly replayClaims?: ReplayClaims;
  /** Most records in one write, over all partitions. Default: twice the largest batch. */
  readonly maxWriteRecords?: number;
  /** Dependencies that are away although no record waits for them, for health. */
  readonly moreTroubles?: () => readonly DependencyTrouble[];
  /** What the sink has begun and not ended when a batch counts as written, for health. */
  readonly underWay?: () => Readonly<Record<string, number>>;
  /** What the sink needs to be opened before, and closed after its consumer (such as the executor's timers). */
  readonly resources?: HostResources;
}

/** A host for one sink. */
export function createSinkHost(options: SinkHostOptions): Host {
  const { sink, logger, metrics, clock = systemClock } = options;
  const reads = (sink.reads as readonly { name: TopicName }[]).map(({ name }) => name);
  const observer = createObserver({ name: sink.name, clock, logger, metrics });
  // The batches of several partitions go into one write: events of the same transfer meet there.
  const writes = new Batcher<AcceptedRecord, Outcome>({
    run: (items) => writeAll(sink, items, metrics),
    maxItems: options.maxWriteRecords ?? 2 * options.maxBatchRecords,
    blamesOne: (error) => faultOf(error).faultClass === 'poison',
  });
  const handler = createBatchHandler({
    ...options,
    owner: sink.name,
    reads,
    clock,
    observer,
    breaker: options.breakerOf?.(sink.name) ?? new DeadLetterBreaker(options.breaker ?? DEFAULT_BREAKER),
    sealsRecovery: options.refusesRepeats === true,
    ...(sink.statusMarkStage ? { statusMarkStage: sink.statusMarkStage } : {}),
    run: (items) => writes.addAll(items),
  });
  return createConsumerHost({
    ...options,
    name: sink.name,
    clock,
    observer,
    schemas: sink.statusMarkStage ? [...new Set<TopicName>([...reads, 'transfer.lifecycle'])] : reads,
    inputs: inputTopics(sink.name, reads),
    delivery: 'at-least-once',
    handler,
  });
}

async function writeAll(
  sink: AnySink,
  items: readonly AcceptedRecord[],
  metrics: Metrics,
): Promise<readonly Outcome[]> {
  await failpoint(`${sink.name}.before-write`);
  const report = await sink.write(items.map((item) => item.received));
  await failpoint(`${sink.name}.after-write`);
  metrics.sinkWrites.inc({ consumer: sink.name, result: 'written' }, report.written);
  metrics.sinkWrites.inc({ consumer: sink.name, result: 'stale' }, report.stale);
  metrics.sinkWrites.inc({ consumer: sink.name, result: 'failed' }, report.failed.length);
  const outcomes = new Array<Outcome>(items.length).fill({ kind: 'done', outputs: [] });
  for (const { index, disposition } of report.failed) {
    if (index < 0 || index >= items.length) {
      const detail = `${sink.name} reports a failure at ${index} of ${items.length} records`;
      throw new CodedError('REPORT_OUT_OF_RANGE', detail, { faultClass: 'fatal' });
    }
    outcomes[index] = disposition;
  }
  return outcomes;
}
