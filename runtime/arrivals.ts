// Records as they arrive: where each one really comes from (a retry or replay stands for a record of a contract topic),
// decoded by that contract, with what must survive every detour.
import { hash } from 'node:crypto';
import { formatOrigin } from '../domain/origin-position.ts';
import type { Received } from '../processors/contract.ts';
import { eventIn } from '../processors/lifecycle.ts';
import { contractOf, type TopicName } from '../topics/catalogue.ts';
import { RETRY_TIERS, replayTopic, retryTopic } from '../topics/recovery.ts';
import { HEADER, headerInteger, headerText, RECOVERY_HEADER } from './headers.ts';
import { homePartition } from './home-partition.ts';
import type { Codec } from './ports/codec.ts';
import type { LogRecord, RecordBatch } from './ports/log.ts';

/** Where a record stood on its contract topic, and its history since. */
export interface Source {
  readonly topic: TopicName;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  /** Failed attempts so far. */
  readonly attempts: number;
  readonly firstFailedAt: number | undefined;
  /** Waits that its stage asked for, ms. */
  readonly waitedMs: number;
  readonly replayCount: number;
  /** Of a batch that cannot be read: its last offset; `offset` is its first. */
  readonly lastOffset?: number;
}

/** Why a record cannot be handed to the processor. */
export interface Refusal {
  /** `stop`: nothing may go on. `undecodable`: these bytes will never decode. `unacceptable`: decoded, but not for here. */
  readonly kind: 'stop' | 'undecodable' | 'unacceptable';
  readonly code: string;
  readonly detail: string;
}

/** One record of a batch. Exactly one of `received` and `refusal` is there, except for `unacceptable`, which has both. */
export interface Arrival {
  readonly record: LogRecord;
  readonly source: Source;
  readonly received: Received<unknown> | undefined;
  readonly refusal: Refusal | undefined;
  readonly originPosition: string | undefined;
  readonly traceparent: string | Buffer | undefined;
}

/** An arrival that can be handed on. */
export interface Accepted extends Arrival {
  readonly received: Received<unknown>;
  readonly refusal: undefined;
}

export interface ArrivalOptions {
  readonly owner: string;
  readonly reads: readonly TopicName[];
  readonly codec: Codec;
  readonly chainPartitions: number;
  /** Stable id of a topic for origin positions; its name where the cluster gives none. */
  readonly topicId?: (topic: string) => string;
}

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The topics that a processor or sink consumes: its contract topics, its retries and its replays. */
export function inputTopics(owner: string, reads: readonly string[]): readonly string[] {
  return [...reads, ...RETRY_TIERS.map((_, tier) => retryTopic(owner, tier)), replayTopic(owner)];
}

/** Reads batches of the input topics. The answer rejects only when the codec does (the registry is unavailable). */
export function createArrivals(options: ArrivalOptions): (batch: RecordBatch) => Promise<readonly Arrival[]> {
  const { codec, chainPartitions } = options;
  const reads: ReadonlySet<string> = new Set(options.reads);
  const topicId = options.topicId ?? ((topic: string) => topic);

  const originOf = ({ topic, partition, offset }: Source) =>
    formatOrigin({ topicId: topicId(topic), partition, offset });

  return async (batch) => {
    if (!reads.has(batch.topic)) return detoured(batch);
    const topic = batch.topic as TopicName;
    const results = await codec.decode(
      topic,
      batch.records.map((record) => record.value),
    );
    return batch.records.map((record, i) =>
      record.unreadable ? unreadable(record) : arrival(record, directSource(topic, record), results[i]!, true),
    );
  };

  /** A retry or replay batch may mix contract topics. */
  async function detoured(batch: RecordBatch): Promise<readonly Arrival[]> {
    const arrivals = new Array<Arrival>(batch.records.length);
    const bySource = new Map<TopicName, { record: LogRecord; source: Source; index: number }[]>();
    batch.records.forEach((record, index) => {
      if (record.unreadable) {
        arrivals[index] = unreadable(record);
        return;
      }
      const source = detourSource(record, reads);
      if (source === undefined) {
        arrivals[index] = stranger(record);
        return;
      }
      const group = bySource.get(source.topic);
      if (group) group.push({ record, source, index });
      else bySource.set(source.topic, [{ record, source, index }]);
    });
    for (const [topic, group] of bySource) {
      const results = await codec.decode(
        topic,
        group.map(({ record }) => record.value),
      );
      group.forEach(({ record, source, index }, i) => {
        arrivals[index] = arrival(record, source, results[i]!, false);
      });
    }
    return arrivals;
  }

  function arrival(
    record: LogRecord,
    source: Source,
    result: Awaited<ReturnType<Codec['decode']>>[number],
    direct: boolean,
  ): Arrival {
    const fromOutside = contractOf(source.topic)?.kind === 'intent';
    // What stands in the headers of an intent is the producer's: identity is taken from where the intent stands.
    const trusted = direct && fromOutside ? {} : record.headers;
    const carried = headerText(trusted, HEADER.originPosition);
    const here = fromOutside ? originOf(source) : undefined;
    if (!result.ok) {
      const kind = result.kind === 'newer-schema' ? 'stop' : 'undecodable';
      const refusal: Refusal = { kind, code: kind === 'stop' ? 'NEWER_SCHEMA' : result.code, detail: result.detail };
      const traceparent = traceOf(record, fromOutside ? here : undefined);
      return { record, source, received: undefined, refusal, originPosition: carried ?? here, traceparent };
    }
    const { value } = result;
    const originPosition =
      carried ??
      here ??
      eventIn(value)?.instruction.originPosition ??
      `${source.topic}:${source.partition}:${source.offset}`;
    const received: Received<unknown> = {
      topic: source.topic,
      value,
      appendedAt: source.timestamp,
      waitedMs: source.waitedMs,
      originPosition,
      position: originOf(source),
      partition: fromOutside ? homePartition(transferIdOf(value) ?? '', chainPartitions) : record.partition,
      causationId: headerText(trusted, HEADER.eventId) ?? identityOf(value) ?? originPosition,
    };
    const traceparent = traceOf(record, fromOutside ? originPosition : undefined);
    return { record, source, received, refusal: misplaced(value, record.partition), originPosition, traceparent };
  }
}

/** The transfer that a decoded input belongs to. */
export function transferIdOf(value: unknown): string | undefined {
  const input = value as { transferId?: string; envelope?: { transferId: string }; command?: { transferId: string } };
  return input.envelope?.transferId ?? input.command?.transferId ?? input.transferId;
}

function identityOf(value: unknown): string | undefined {
  const input = value as { envelope?: { eventId: string }; command?: { commandId: string } };
  return input.envelope?.eventId ?? input.command?.commandId;
}

/** Chain records and commands stand on the home partition of their transfer; anywhere else, order would be lost. */
function misplaced(value: unknown, partition: number): Refusal | undefined {
  const input = value as { envelope?: { homePartition: number }; command?: { homePartition: number } };
  const home = input.envelope?.homePartition ?? input.command?.homePartition;
  if (home === undefined || home === partition) return undefined;
  const detail = `stands on partition ${partition}, but the home partition of its transfer is ${home}`;
  return { kind: 'unacceptable', code: 'HOME_PARTITION_MISMATCH', detail };
}

/** The trace goes through untouched; an intent without a (valid) one starts its own, the same one each time it runs. */
function traceOf(record: LogRecord, origin: string | undefined): string | Buffer | undefined {
  const given = record.headers[HEADER.traceparent];
  if (origin === undefined) return given;
  if (given !== undefined && given.length === 55 && TRACEPARENT.test(given.toString('latin1'))) return given;
  const digest = hash('sha256', origin, 'hex');
  return `00-${digest.slice(0, 32)}-${digest.slice(32, 48)}-01`;
}

function directSource(topic: TopicName, record: LogRecord): Source {
  const { partition, offset, timestamp } = record;
  return { topic, partition, offset, timestamp, attempts: 0, firstFailedAt: undefined, waitedMs: 0, replayCount: 0 };
}

/** Undefined when the headers do not name a topic that this consumer reads: nothing else may come in this way. */
function detourSource(record: LogRecord, reads: ReadonlySet<string>): Source | undefined {
  const { headers } = record;
  const topic = headerText(headers, RECOVERY_HEADER.sourceTopic);
  const partition = headerInteger(headers, RECOVERY_HEADER.sourcePartition);
  const offset = headerInteger(headers, RECOVERY_HEADER.sourceOffset);
  const timestamp = headerInteger(headers, RECOVERY_HEADER.sourceTimestamp);
  if (topic === undefined || !reads.has(topic)) return undefined;
  if (partition === undefined || offset === undefined || timestamp === undefined) return undefined;
  return {
    topic: topic as TopicName,
    partition,
    offset,
    timestamp,
    attempts: headerInteger(headers, RECOVERY_HEADER.attempts) ?? 0,
    firstFailedAt: headerInteger(headers, RECOVERY_HEADER.firstFailedAt),
    waitedMs: Math.max(0, headerInteger(headers, RECOVERY_HEADER.waitedMs) ?? 0),
    replayCount: headerInteger(headers, RECOVERY_HEADER.replayCount) ?? 0,
  };
}

/** A batch that nobody can read: one dead letter that names its offsets. */
function unreadable(record: LogRecord): Arrival {
  const { code, detail, firstOffset, lastOffset } = record.unreadable!;
  return {
    record,
    source: { ...directSource(record.topic as TopicName, record), offset: firstOffset, lastOffset },
    received: undefined,
    refusal: { kind: 'undecodable', code, detail },
    originPosition: undefined,
    traceparent: undefined,
  };
}

function stranger(record: LogRecord): Arrival {
  const detail = 'its source headers do not name a record of a topic that is read here';
  return {
    record,
    source: directSource(record.topic as TopicName, record),
    received: undefined,
    refusal: { kind: 'undecodable', code: 'SOURCE_UNKNOWN', detail },
    originPosition: headerText(record.headers, HEADER.originPosition),
    traceparent: record.headers[HEADER.traceparent],
  };
}
