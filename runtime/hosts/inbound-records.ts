// Records as they arrive: where each one really comes from (a retry or replay stands for a record of a contract topic),
// decoded by that contract, with what must survive retries and replays.

import { hash } from 'node:crypto';
import type { SealedRecord } from '../../domain/seals/record-seal.ts';
import { formatOrigin, type OriginPosition } from '../../domain/transfers/origin-position.ts';
import type { Codec, DecodeResult } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { LogRecord, RecordBatch } from '../../ports/log.ts';
import { type Rings, recoverySealFlaw, sealDetail, sealedRecordOf, sealFlaw } from '../../ports/seals.ts';
import type { Received } from '../../processors/contract.ts';
import { editIn, withEdit } from '../../processors/edits.ts';
import { eventIn } from '../../processors/lifecycle.ts';
import { contractOf, type TopicName } from '../../topics/catalogue.ts';
import { type Cause, parseCause } from '../../topics/cause.ts';
import { HEADER, headerInteger, headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { homePartition } from '../../topics/home-partition.ts';
import { homePartitionOf, idOf, transferIdOf } from '../../topics/identity.ts';
import { isReplayTopic } from '../../topics/recovery.ts';

/** Where a record stood on its contract topic, and its history since. */
export interface Source {
  readonly topic: TopicName;
  /** What positions call the topic: its id; its name where there is none. */
  readonly topicId: string;
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
  /**
   * Where the record itself stands, when its dead letter must not be taken for the one of its source: nothing proves that it
   * is what was put aside, or it is not the first that says so.
   */
  readonly letterAt?: OriginPosition | undefined;
}

/** Why a record cannot be handed to the processor. */
export interface Refusal {
  /**
   * `stop`: nothing may go on. `undecodable`: these bytes will never decode. `unacceptable`: decoded, but not for here.
   * `unproven`: nothing proves that its issuer wrote it; it was not decoded, and is no concern of any transfer.
   * `repeated`: its issuer wrote it, and it was handled here before. `dropped`: so was what it asks for; nothing comes of it.
   */
  readonly kind: 'stop' | 'undecodable' | 'unacceptable' | 'unproven' | 'repeated' | 'dropped';
  readonly code: ErrorCode;
  readonly detail: string;
}

/** One record of a batch. Exactly one of `received` and `refusal` is there, except for `unacceptable`, which has both. */
export interface InboundRecord {
  readonly record: LogRecord;
  /** Id of the topic that it was read from; its name where the cluster gives none. */
  readonly topicId: string;
  readonly source: Source;
  readonly received: Received<unknown> | undefined;
  readonly refusal: Refusal | undefined;
  readonly originPosition: string | undefined;
  readonly traceparent: string | Buffer | undefined;
}

/** An arrival that can be handed on. */
export interface AcceptedRecord extends InboundRecord {
  readonly received: Received<unknown>;
  readonly refusal: undefined;
}

export interface InboundOptions {
  readonly owner: string;
  readonly reads: readonly TopicName[];
  readonly codec: Codec;
  readonly chainPartitions: number;
  readonly rings: Rings;
  /** Whether its retries are sealed by stages and its replays by operators. */
  readonly sealsRecovery: boolean;
}

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What the record was made from, where a seal says so; for a retry, what was put aside. Replays come in any order. */
export function provenCauseOf({ record, source, received, refusal }: InboundRecord): Cause | undefined {
  if (refusal?.kind === 'unproven' || refusal?.code === 'SOURCE_UNKNOWN') return undefined;
  const direct = record.topic === source.topic;
  if (direct ? !contractOf(source.topic)?.sealedBy : isReplayTopic(record.topic)) return undefined;
  if (direct && received?.sealed) return parseCause(received.sealed.cause);
  const text = headerText(record.headers, direct ? HEADER.cause : RECOVERY_HEADER.recoveryCause);
  return text === undefined ? undefined : parseCause(text);
}

interface Sourced {
  readonly record: LogRecord;
  readonly topicId: string;
  readonly source: Source;
  /** What its seal covers, where that was read already. */
  readonly sealed?: SealedRecord | undefined;
}

/** Reads batches of the input topics. The answer rejects only when the codec does (the registry is unavailable). */
export function inboundReader(options: InboundOptions): (batch: RecordBatch) => Promise<readonly InboundRecord[]> {
  const { codec, chainPartitions, rings, sealsRecovery } = options;
  const reads: ReadonlySet<string> = new Set(options.reads);

  return async (batch) => {
    const topicId = batch.topicId ?? batch.topic;
    if (!reads.has(batch.topic)) return readRecovery(batch, topicId);
    const topic = batch.topic as TopicName;
    const inboundRecords = new Array<InboundRecord>(batch.records.length);
    const proven: (Sourced & { index: number })[] = [];
    batch.records.forEach((record, index) => {
      if (record.unreadable) {
        inboundRecords[index] = unreadable(record, topicId);
        return;
      }
      const sealed = sealedOf(topic, record);
      const sourced = { record, topicId, source: directSource(topic, topicId, record), sealed, index };
      const refusal = sealed && notIssuers(rings, topic, record, sealed);
      if (refusal) inboundRecords[index] = refused(sourced, refusal);
      else proven.push(sourced);
    });
    await decodeInto(inboundRecords, topic, proven, true);
    return inboundRecords;
  };

  /** A retry or replay batch may mix contract topics. */
  async function readRecovery(batch: RecordBatch, topicId: string): Promise<readonly InboundRecord[]> {
    const inboundRecords = new Array<InboundRecord>(batch.records.length);
    const bySource = new Map<TopicName, (Sourced & { index: number })[]>();
    batch.records.forEach((record, index) => {
      if (record.unreadable) {
        inboundRecords[index] = unreadable(record, topicId);
        return;
      }
      const source = recoverySource(record, reads);
      const refusal = unproven(options, record, source?.topic);
      if (refusal || source === undefined) {
        inboundRecords[index] = refused(ownSource(record, topicId), refusal ?? SOURCE_UNKNOWN);
        return;
      }
      const sourced = {
        record,
        topicId,
        source: sealsRecovery ? source : { ...source, letterAt: placeOf(record, topicId) },
      };
      const group = bySource.get(source.topic);
      if (group) group.push({ ...sourced, index });
      else bySource.set(source.topic, [{ ...sourced, index }]);
    });
    for (const [topic, group] of bySource) await decodeInto(inboundRecords, topic, group, false);
    return inboundRecords;
  }

  async function decodeInto(
    inboundRecords: InboundRecord[],
    topic: TopicName,
    group: readonly (Sourced & { index: number })[],
    direct: boolean,
  ): Promise<void> {
    if (group.length === 0) return;
    const results = await codec.decode(
      topic,
      group.map(({ record }) => record.value),
    );
    group.forEach((sourced, i) => {
      const inbound = inboundOf(sourced, results[i]!, direct, chainPartitions);
      inboundRecords[sourced.index] = direct ? inbound : edited(inbound, options);
    });
  }
}

/** What the seal of a record covers, where its contract names an issuer. */
const sealedOf = (topic: TopicName, record: LogRecord): SealedRecord | undefined =>
  contractOf(topic)?.sealedBy ? sealedRecordOf(topic, record) : undefined;

/** Set when its issuer has not sealed it. */
function notIssuers(rings: Rings, topic: TopicName, record: LogRecord, sealed: SealedRecord): Refusal | undefined {
  const flaw = sealFlaw(rings, topic, record, sealed);
  return flaw && { kind: 'unproven', code: flaw, detail: sealDetail(flaw, topic) };
}

/** The seal of who put it aside or back, and that of what was put aside. */
function unproven(
  { rings, sealsRecovery }: InboundOptions,
  record: LogRecord,
  topic: TopicName | undefined,
): Refusal | undefined {
  const recoveryFlaw = sealsRecovery ? recoverySealFlaw(rings, record) : undefined;
  if (recoveryFlaw) {
    const claims = topic === undefined ? '' : `, where it says that it is one of ${topic}`;
    return {
      kind: 'unproven',
      code: recoveryFlaw,
      detail: `nothing proves who wrote it to ${record.topic}${claims}`,
    };
  }
  if (topic === undefined) return undefined;
  const flaw = sealFlaw(rings, topic, record);
  if (flaw) return { kind: 'unproven', code: flaw, detail: sealDetail(flaw, topic) };
  if (!sealsRecovery) return undefined;
  const cause = parseCause(headerText(record.headers, RECOVERY_HEADER.recoveryCause) ?? '');
  if (cause === undefined || cause.partition === record.partition) return undefined;
  const detail = `it was put aside on partition ${cause.partition}: this is a copy`;
  return { kind: 'unproven', code: 'DETOUR_MISPLACED', detail };
}

/** A record that was decoded, or of which the codec says why not. `direct`: read from its own topic. */
function inboundOf(
  sourced: Sourced,
  result: DecodeResult<unknown>,
  direct: boolean,
  chainPartitions: number,
): InboundRecord {
  const { record, topicId, source } = sourced;
  const contract = contractOf(source.topic);
  const fromOutside = contract?.kind === 'intent';
  if (!result.ok) {
    const kind = result.kind === 'newer-schema' ? 'stop' : 'undecodable';
    return refused(sourced, { kind, code: kind === 'stop' ? 'NEWER_SCHEMA' : result.code, detail: result.detail });
  }
  const { value } = result;
  const position = formatOrigin(source);
  // What stands in the headers of an intent is the producer's: identity is taken from where the intent stands. Elsewhere
  // the value is sealed, and the headers are not.
  const trusted = direct && fromOutside ? {} : record.headers;
  const carried = headerText(trusted, HEADER.originPosition);
  const sealed = sourced.sealed ?? sealedOf(source.topic, record);
  const originPosition = eventIn(source.topic, value)?.instruction.originPosition ?? carried ?? position;
  const received: Received<unknown> = {
    topic: source.topic,
    value,
    appendedAt: source.timestamp,
    waitedMs: source.waitedMs,
    originPosition,
    position,
    partition: fromOutside ? homePartition(transferIdOf(source.topic, value) ?? '', chainPartitions) : record.partition,
    causationId: idOf(source.topic, value) ?? headerText(trusted, HEADER.eventId) ?? originPosition,
    ...(sealed ? { sealed } : {}),
    ...(fromOutside ? intentSealIn(record) : {}),
  };
  const traceparent = traceOf(record, fromOutside ? originPosition : undefined);
  return {
    record,
    topicId,
    source,
    received,
    refusal: misplaced(source.topic, value, record.partition),
    originPosition,
    traceparent,
  };
}

/**
 * What operators have edited, as they did. Its bytes stay those that its issuer sealed; a retry bears the edit on, under the
 * seal of the stage.
 */
function edited(inbound: InboundRecord, { owner, sealsRecovery }: InboundOptions): InboundRecord {
  const { record, source, received, refusal } = inbound;
  const header = record.headers[RECOVERY_HEADER.edit];
  if (header === undefined || received === undefined || refusal) return inbound;
  const edit = editIn(headerText(record.headers, RECOVERY_HEADER.edit) ?? '');
  const refuse = (detail: string): InboundRecord => ({
    ...inbound,
    refusal: { kind: 'unacceptable', code: 'EDIT_REFUSED', detail },
  });
  if (!edit || !sealsRecovery) return refuse(edit ? 'nothing proves who edited it' : 'its edit cannot be read');
  const result = withEdit(owner, source.topic, received.value, edit);
  if (!result.ok) return refuse(result.detail);
  return { ...inbound, received: { ...received, value: result.value, unedited: received.value } };
}

/** What an intent says of its producer. A name without a seal is one that nothing proves. */
function intentSealIn({ headers, value }: LogRecord): Pick<Received<unknown>, 'intentSeal'> {
  const producer = headerText(headers, HEADER.producer);
  if (producer === undefined || value === null) return {};
  return { intentSeal: { producer, seal: headerText(headers, HEADER.producerSeal) ?? '', value } };
}

/** What is not handed on. Its origin is told as its headers have it: nothing is done by it. */
function refused({ record, topicId, source }: Sourced, refusal: Refusal): InboundRecord {
  const here = contractOf(source.topic)?.kind === 'intent' ? formatOrigin(source) : undefined;
  const direct = record.topic === source.topic;
  const originPosition = direct && here ? here : (headerText(record.headers, HEADER.originPosition) ?? here);
  const traceparent = traceOf(record, here);
  return { record, topicId, source, received: undefined, refusal, originPosition, traceparent };
}

/** Chain records and commands stand on the home partition of their transfer; anywhere else, order would be lost. */
function misplaced(topic: string, value: unknown, partition: number): Refusal | undefined {
  const home = homePartitionOf(topic, value);
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

function directSource(topic: TopicName, topicId: string, record: LogRecord): Source {
  const { partition, offset, timestamp } = record;
  const fresh = { attempts: 0, firstFailedAt: undefined, waitedMs: 0, replayCount: 0 };
  return { topic, topicId, partition, offset, timestamp, ...fresh };
}

/** Undefined when the headers do not name a topic that this consumer reads: nothing else may come in this way. */
function recoverySource(record: LogRecord, reads: ReadonlySet<string>): Source | undefined {
  const { headers } = record;
  const topic = headerText(headers, RECOVERY_HEADER.sourceTopic);
  const partition = headerInteger(headers, RECOVERY_HEADER.sourcePartition);
  const offset = headerInteger(headers, RECOVERY_HEADER.sourceOffset);
  const timestamp = headerInteger(headers, RECOVERY_HEADER.sourceTimestamp);
  if (topic === undefined || !reads.has(topic)) return undefined;
  if (partition === undefined || offset === undefined || timestamp === undefined) return undefined;
  return {
    topic: topic as TopicName,
    topicId: headerText(headers, RECOVERY_HEADER.sourceTopicId) ?? topic,
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
function unreadable(record: LogRecord, topicId: string): InboundRecord {
  const { code, detail, firstOffset, lastOffset } = record.unreadable!;
  return {
    record,
    topicId,
    source: { ...directSource(record.topic as TopicName, topicId, record), offset: firstOffset, lastOffset },
    received: undefined,
    refusal: { kind: 'undecodable', code, detail },
    originPosition: undefined,
    traceparent: undefined,
  };
}

const SOURCE_UNKNOWN: Refusal = {
  kind: 'undecodable',
  code: 'SOURCE_UNKNOWN',
  detail: 'its source headers do not name a record of a topic that is read here',
};

export const placeOf = ({ partition, offset }: LogRecord, topicId: string): OriginPosition => ({
  topicId,
  partition,
  offset,
});

/** What is not proven to stand for another record stands for itself, whatever its headers say. */
const ownSource = (record: LogRecord, topicId: string): Sourced => ({
  record,
  topicId,
  source: directSource(record.topic as TopicName, topicId, record),
});
