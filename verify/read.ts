// Reads ranges of the log: decodes contract records, separates recovery records, and hands both on in order.

import type { Codec } from '../ports/codec.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import type { LogReader, LogRecord, PartitionRange } from '../ports/log.ts';
import { type Rings, recoverySealFlaw, sealFlaw } from '../ports/seals.ts';
import { deadLetterMark, eventIn } from '../processors/lifecycle.ts';
import { contractOf, type TopicName } from '../topics/catalogue.ts';
import type { RecoveryTopic } from '../topics/recovery.ts';
import { digest } from './digest.ts';
import { type EditFact, editFactOf } from './edits.ts';
import { type DeadLetter, deadLetterOf, isAlone, sourceOf } from './recovery-trail.ts';
import { isContract, MARKING, recoveryTopicOf } from './topics.ts';
import type { AnySeen } from './transfer.ts';

export interface Reading {
  readonly reader: LogReader;
  readonly codec: Codec;
  readonly rings: Rings | undefined;
  readonly ranges: readonly PartitionRange[];
  /** False: the record is passed over. */
  readonly wants: (record: LogRecord) => boolean;
  /** Decoded records of one topic and partition, in order. */
  readonly batch: (batch: readonly AnySeen[]) => Promise<void>;
  /** Each retry and replay, with the digest of its bytes: a dead letter may stand for it. */
  readonly stands?: (record: LogRecord, bytes: number) => void;
  /** A record that does not decode, or that its issuer has not sealed, with the digest of its bytes. */
  readonly undecodable: (record: LogRecord, code: ErrorCode, bytes: number) => void;
  /** A record of a recovery topic; a dead letter where it is one, and what it bears of an edit. */
  readonly recovery: (topic: RecoveryTopic, record: LogRecord, letter: DeadLetter | undefined, edit?: EditFact) => void;
  /** A record of a recovery topic whose headers do not name its source. */
  readonly sourceless: (record: LogRecord) => void;
}

/** Reads to the ends of the ranges. Memory is bounded by the batches under way. */
export async function readAll(reading: Reading): Promise<void> {
  const { reader, ranges, wants } = reading;
  await reader.read(ranges, async ({ topic, records }) => {
    const wanted = records.filter((record) => wants(record) && !unreadable(record, reading));
    if (wanted.length === 0) return;
    const recovery = recoveryTopicOf(topic);
    if (recovery) await trail(recovery, wanted, reading);
    else if (isContract(topic)) await reading.batch(await decoded(topic, wanted, reading));
  });
}

/** A batch that nobody can read stands where it begins. @returns false for any other record */
function unreadable(record: LogRecord, reading: Reading): boolean {
  const batch = record.unreadable;
  if (batch === undefined) return false;
  const { topic, partition, timestamp } = record;
  const standing = { topic, partition, timestamp, offset: batch.firstOffset, key: null, value: null, headers: {} };
  reading.undecodable(standing, batch.code, digest(batch.bytes));
  return true;
}

/** Digest of a record's bytes; of a tombstone too. */
export const bytesOf = ({ value }: LogRecord): number => digest(value ?? '');

async function decoded(
  topic: TopicName,
  records: readonly LogRecord[],
  { codec, rings, undecodable }: Reading,
): Promise<readonly AnySeen[]> {
  const proven = records.filter((record) => {
    const flaw = rings && sealFlaw(rings, topic, record);
    if (flaw) undecodable(record, flaw, bytesOf(record));
    return !flaw;
  });
  const results = await codec.decode(
    topic,
    proven.map(({ value }) => value),
  );
  return results.flatMap((result, index) => {
    const record = proven[index]!;
    const bytes = bytesOf(record);
    if (result.ok) return [{ topic, value: result.value, record, bytes } as AnySeen];
    undecodable(record, result.code, bytes);
    return [];
  });
}

async function trail(topic: RecoveryTopic, records: readonly LogRecord[], reading: Reading): Promise<void> {
  for (const record of records) {
    if (topic.kind !== 'dlq') reading.stands?.(record, bytesOf(record));
    const flaw = reading.rings && MARKING.has(topic.owner) ? recoverySealFlaw(reading.rings, record) : undefined;
    if (flaw) {
      reading.undecodable(record, flaw, bytesOf(record));
      continue;
    }
    const source = sourceOf(topic.owner, record);
    if (source === undefined) {
      reading.sourceless(record);
      continue;
    }
    if (topic.kind !== 'dlq') {
      const edit = MARKING.has(topic.owner)
        ? await editFactOf(topic.owner, source.topic, record, reading.codec)
        : undefined;
      reading.recovery(topic, record, undefined, edit);
      continue;
    }
    const stops =
      MARKING.has(topic.owner) && !isAlone(record) ? await stopped(source.topic, record, reading.codec) : undefined;
    reading.recovery(topic, record, deadLetterOf(source, record, stops));
  }
}

const NO_MARK = { eventId: '', occurredAt: 0, stage: 'UNKNOWN', code: 'UNEXPECTED_ERROR' } as const;

/** The transfer that a dead letter stops. */
async function stopped(topic: string, { value }: LogRecord, codec: Codec): Promise<string | undefined> {
  if (contractOf(topic) === undefined) return undefined;
  const [result] = await codec.decode(topic as TopicName, [value]);
  if (!result?.ok || eventIn(topic, result.value) === undefined) return undefined;
  return deadLetterMark(topic, result.value, NO_MARK)?.transferId;
}
