// Runs a REAL processor on the REAL host over a log in memory, to the end: outputs by topic, retries after their delays,
// dead letters, and crashes wherever the test wants them.

import type { LogRecord, OutputRecord } from '../../ports/log.ts';
import type { RecordSkips } from '../../ports/record-skips.ts';
import type { ReplayClaims } from '../../ports/replay-claims.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import type { HostHealth } from '../../runtime/hosts/host.ts';
import { createProcessorHost, type HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createTable, type Table } from '../../runtime/hosts/table.ts';
import { silentLogger } from '../../runtime/logs-and-metrics/logger.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { BreakerLimits, DeadLetterBreaker } from '../../runtime/retries-and-dead-letters/breaker.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import { contractOf, type TopicName, type TopicValues } from '../../topics/catalogue.ts';
import { HEADER, RECOVERY_HEADER } from '../../topics/headers.ts';
import { homePartition } from '../../topics/home-partition.ts';
import { homePartitionOf, idOf, transferIdOf } from '../../topics/identity.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import { ManualClock } from './manual-clock.ts';
import { memoryReplayClaims } from './memory-claims.ts';
import { type MemoryCodec, memoryCodec } from './memory-codec.ts';
import { CrashedError, type CrashPlan, MemoryLog } from './memory-log.ts';
import { asIssued, testRings } from './rings.ts';

/** An input: a value of a topic, or (with `bytes`) whatever a producer may have sent. */
export interface Input {
  readonly topic: string;
  readonly value?: unknown;
  readonly bytes?: Buffer | null;
  readonly key?: string | null;
  readonly partition?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** As somebody without keys would write it. */
  readonly unsealed?: true;
  /** Append time; default: the clock's. */
  readonly appendedAt?: number;
}

/** A typed input. */
export function input<T extends TopicName>(
  topic: T,
  value: TopicValues[T],
  options: Omit<Input, 'topic' | 'value'> = {},
): Input {
  return { ...options, topic, value };
}

export interface RunOptions {
  readonly inputs: readonly Input[];
  /** Records of compacted topics, there before the first input. Give the processor its tables with `withTables`. */
  readonly tableInputs?: readonly Input[];
  /** Makes the processor anew after each crash, as a restarted process would; gets tables over the log in memory. */
  readonly tables?: readonly TopicName[];
  readonly partitions?: number;
  readonly maxBatchRecords?: number;
  readonly crash?: CrashPlan;
  readonly clock?: ManualClock;
  readonly codec?: MemoryCodec;
  readonly log?: MemoryLog;
  readonly retry?: readonly number[];
  readonly breaker?: BreakerLimits;
  /** Breakers that outlive the run, as within one process; over `breaker`. */
  readonly breakerOf?: (name: string) => DeadLetterBreaker;
  /** What people have paused. */
  readonly controls?: HostRuntime['controls'];
  /** Claims on replayed letters that outlive the run. */
  readonly replayClaims?: ReplayClaims;
  /** What two persons let it skip. */
  readonly skips?: RecordSkips;
  /** Virtual time after which the run ends although records still wait. Default 10 minutes. */
  readonly maxVirtualMs?: number;
}

/** A decoded output. */
export interface Output<V> {
  readonly value: V;
  readonly key: string | undefined;
  readonly partition: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly record: LogRecord;
}

export interface DeadLetter {
  readonly code: string;
  readonly class: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly record: LogRecord;
}

export interface RunResult {
  readonly log: MemoryLog;
  readonly codec: MemoryCodec;
  readonly clock: ManualClock;
  /** Committed outputs of a topic, decoded; partition by partition, in order. */
  outputs<T extends TopicName>(topic: T): readonly Output<TopicValues[T]>[];
  readonly lifecycle: readonly TransferLifecycle[];
  readonly deadLetters: readonly DeadLetter[];
  /** Records written to a retry topic, delays over or not. */
  retries(suffix: string): readonly LogRecord[];
  /** Why the processor stopped by itself, if it did. */
  readonly stopped: { readonly code: string; readonly detail: string } | undefined;
  readonly crashes: number;
  readonly health: HostHealth;
}

/** Makes the processor, given its tables; called again after each crash. */
export type ProcessorFactory = (tables: ReadonlyMap<TopicName, Table<unknown>>) => AnyProcessor;

/** Runs until every input (and its retries) is handled, the processor stops, or virtual time is up. */
export async function runProcessor(
  processor: AnyProcessor | ProcessorFactory,
  options: RunOptions,
): Promise<RunResult> {
  const clock = options.clock ?? new ManualClock();
  const codec = options.codec ?? memoryCodec();
  const log = options.log ?? new MemoryLog({ partitions: options.partitions ?? 4, clock, manual: true });
  log.crash = options.crash;
  for (const each of options.tableInputs ?? []) append(log, codec, each);
  for (const each of options.inputs) append(log, codec, each);
  const replayClaims = options.replayClaims ?? memoryReplayClaims();
  const endAt = clock.now() + (options.maxVirtualMs ?? 600_000);
  let crashes = 0;
  for (;;) {
    const tables = new Map(
      (options.tables ?? []).map((topic) => [
        topic,
        createTable({ topic, log, codec, rings: testRings, clock }) as Table<unknown>,
      ]),
    );
    const made = typeof processor === 'function' ? processor(tables) : processor;
    const host = createProcessorHost({
      processor: made,
      replayClaims,
      tables: [...tables.values()],
      app: log.app,
      log,
      codec,
      rings: testRings,
      clock,
      logger: silentLogger,
      metrics: createMetrics(),
      chainPartitions: log.partitions,
      maxBatchRecords: options.maxBatchRecords ?? 500,
      lingerMs: 0,
      retry: options.retry ?? [3, 3],
      ...(options.controls ? { controls: options.controls } : {}),
      ...(options.skips ? { skips: options.skips } : {}),
      ...(options.breaker ? { breaker: options.breaker } : {}),
      ...(options.breakerOf ? { breakerOf: options.breakerOf } : {}),
    });
    await host.start();
    const consumer = log.consumers.at(-1)!;
    await log.consumers.at(-1)!.untilIdle(clock, endAt);
    const health = host.health();
    await host.stop(0);
    if (consumer.failure instanceof CrashedError) {
      crashes++;
      continue;
    }
    return resultOf(made.name, { log, codec, clock, crashes, health, failure: consumer.failure });
  }
}

/** Appends an input as its producer would: keyed by transfer, on the home partition, with an event id. */
export function append(log: MemoryLog, codec: MemoryCodec, each: Input): void {
  const { topic, value } = each;
  const contract = contractOf(topic);
  const transferId = value === undefined ? undefined : transferIdOf(topic, value);
  const partition =
    each.partition ??
    (value === undefined ? undefined : homePartitionOf(topic, value)) ??
    (transferId === undefined ? 0 : homePartition(transferId, log.partitions));
  const eventId = value === undefined ? undefined : idOf(topic, value);
  const record: OutputRecord = {
    topic,
    partition,
    key: each.key !== undefined ? each.key : value === undefined ? null : contract!.keyOf(value as never),
    value: each.bytes !== undefined ? each.bytes : codec.encode(topic as TopicName, value as never),
    headers: { ...(eventId === undefined ? {} : { [HEADER.eventId]: eventId }), ...each.headers },
  };
  log.append([each.unsealed ? record : asIssued(record)], each.appendedAt ?? log.clock.now());
}

interface Ended {
  readonly log: MemoryLog;
  readonly codec: MemoryCodec;
  readonly clock: ManualClock;
  readonly crashes: number;
  readonly health: HostHealth;
  readonly failure: Error | undefined;
}

async function resultOf(name: string, { log, codec, clock, crashes, health, failure }: Ended): Promise<RunResult> {
  const decoded = new Map<string, readonly Output<unknown>[]>();
  for (const topic of log.topicNames()) {
    if (contractOf(topic) === undefined) continue;
    const records = log.all(topic);
    const results = await codec.decode(
      topic as TopicName,
      records.map((record) => record.value),
    );
    decoded.set(
      topic,
      records.flatMap((record, i) => {
        const result = results[i]!;
        return result.ok ? [{ ...outputOf(record), value: result.value }] : [];
      }),
    );
  }
  const outputs = <T extends TopicName>(topic: T) => (decoded.get(topic) ?? []) as readonly Output<TopicValues[T]>[];
  return {
    log,
    codec,
    clock,
    crashes,
    health,
    outputs,
    lifecycle: outputs('transfer.lifecycle').map(({ value }) => value),
    deadLetters: log.all(deadLetterTopic(name)).map((record) => {
      const { headers } = outputOf(record);
      const code = headers[RECOVERY_HEADER.deadLetterCode] ?? '';
      return { code, class: headers[RECOVERY_HEADER.deadLetterClass] ?? '', headers, record };
    }),
    retries: (suffix) => log.all(`${name}.retry.${suffix}`),
    stopped: failure && { code: (failure as Error & { code?: string }).code ?? '', detail: failure.message },
  };
}

function outputOf(record: LogRecord) {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(record.headers)) headers[name] = value!.toString();
  return { key: record.key?.toString(), partition: record.partition, headers, record };
}
