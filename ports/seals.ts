// Seals on the records of the log: each says provably who made it. Written where records are made (records.ts),
// checked where they arrive (inbound-records.ts, table.ts) before anything else is done with them.
import { isSealedRecord, type SealedRecord, sealRecord } from '../domain/seals/record-seal.ts';
import { isAbsent, isSealed, type KeyRing, sealOf, speakerOf } from '../domain/seals/seal.ts';
import { contractOf } from '../topics/catalogue.ts';
import type { Issuer } from '../topics/contract.ts';
import { CLAIMED_SOURCE, HEADER, headerText, RECOVERY_HEADER } from '../topics/headers.ts';
import { isReplayTopic } from '../topics/recovery.ts';
import { CodedError } from './fault.ts';
import type { LogRecord, OutputRecord } from './log.ts';

/** The keys that a process has. It needs those of the issuers that it is one of, or that it believes. */
export type Rings = { readonly [I in Issuer]?: KeyRing | undefined };

/** Why a record is not believed. None of them is the transfer's fault: it is not that transfer's record. */
export const SEAL_CODES = ['SEAL_MISSING', 'SEAL_WRONG', 'SEAL_KEY_UNKNOWN'] as const;
export type SealCode = (typeof SEAL_CODES)[number];

const VARIABLES: Readonly<Record<Issuer, string>> = {
  stages: 'CORRIDOR_STAGE_KEYS',
  operators: 'CORRIDOR_OPERATOR_KEYS',
  executor: 'CORRIDOR_EXECUTOR_KEYS',
  feeds: 'CORRIDOR_FEED_KEYS',
  audit: 'CORRIDOR_AUDIT_KEYS',
  lifecycle: 'CORRIDOR_LIFECYCLE_KEYS',
};

/** The ring of an issuer. Throws a fatal CONFIG_INVALID that names its variable when the process has none. */
export function ringOf(rings: Rings, issuer: Issuer): KeyRing {
  const ring = rings[issuer];
  if (ring && !isAbsent(ring)) return ring;
  const message = `${VARIABLES[issuer]} is not set: this process makes or reads records sealed by ${issuer}`;
  throw new CodedError('CONFIG_INVALID', message, { faultClass: 'fatal' });
}

/** Whether a process has the keys of this issuer. */
export const hasRing = (rings: Rings, issuer: Issuer): boolean => {
  const ring = rings[issuer];
  return ring !== undefined && !isAbsent(ring);
};

/** Throws CONFIG_INVALID unless there is a ring for every one of these topics whose records are sealed. */
export function requireRings(rings: Rings, topics: readonly string[]): void {
  for (const topic of topics) {
    const issuer = contractOf(topic)?.sealedBy;
    if (issuer) ringOf(rings, issuer);
  }
}

/** The seal of a record that its contract's issuer makes; undefined where the contract names none. */
export function sealFor(
  rings: Rings,
  { topic, key, value }: Pick<OutputRecord, 'topic' | 'key' | 'value'>,
  cause = '',
): string | undefined {
  const issuer = contractOf(topic)?.sealedBy;
  return issuer ? sealRecord(ringOf(rings, issuer), { topic, key, cause, value }) : undefined;
}

/** The record with its seal, where its contract names an issuer. */
export function sealed(rings: Rings, record: OutputRecord, cause = ''): OutputRecord {
  const seal = sealFor(rings, record, cause);
  if (seal === undefined) return record;
  const headers = { ...record.headers, ...(cause === '' ? {} : { [HEADER.cause]: cause }), [HEADER.seal]: seal };
  return { ...record, headers };
}

/** What the seal of a record covers, as its headers and the contract topic it stands for have it. */
export function sealedRecordOf(topic: string, { key, value, headers }: LogRecord): SealedRecord {
  const cause = headerText(headers, HEADER.cause) ?? '';
  return { topic, key, cause, value, seal: headerText(headers, HEADER.seal) ?? '' };
}

/**
 * Why this record, read as one of `topic`, is not its issuer's; undefined: it is, or the topic has no issuer.
 * @param read what its seal covers, where that is at hand
 */
export function sealFlaw(
  rings: Rings,
  topic: string,
  record: LogRecord,
  read: SealedRecord = sealedRecordOf(topic, record),
): SealCode | undefined {
  const issuer = contractOf(topic)?.sealedBy;
  if (!issuer) return undefined;
  const ring = ringOf(rings, issuer);
  if (read.seal === '' && !ring.believesAll) {
    return record.timestamp < (ring.unsealedBefore ?? 0) ? undefined : 'SEAL_MISSING';
  }
  if (!isSealedRecord(ring, read)) return wrongOrUnknown(ring, read.seal);
  return ring.believesAll || mayBeOf(topic, read) ? undefined : 'SEAL_WRONG';
}

/** Whether the key of a true seal speaks for the name that the record is of: a feed may say what it says, not what others do. */
function mayBeOf(topic: string, { key, seal }: SealedRecord): boolean {
  const nameOf: ((key: string) => string) | undefined = contractOf(topic)?.speakerOf;
  if (nameOf === undefined) return true;
  const speaker = speakerOf(seal.slice(0, seal.indexOf('.')));
  return speaker === undefined || nameOf(Buffer.from(key ?? '').toString('utf8')) === speaker;
}

const wrongOrUnknown = (ring: KeyRing, seal: string): SealCode =>
  ring.keys.has(seal.slice(0, seal.indexOf('.'))) ? 'SEAL_WRONG' : 'SEAL_KEY_UNKNOWN';

/**
 * All that the reader of a detour goes by, beside topic, key and value, in the order in which it is sealed. Frozen: another
 * order or another name would make every recovery record that is on its way a forgery.
 */
const RECOVERY_PARTS: readonly string[] = [
  HEADER.eventId,
  HEADER.eventType,
  HEADER.originPosition,
  HEADER.cause,
  HEADER.seal,
  RECOVERY_HEADER.sourceTopic,
  RECOVERY_HEADER.sourceTopicId,
  RECOVERY_HEADER.sourcePartition,
  RECOVERY_HEADER.sourceOffset,
  RECOVERY_HEADER.sourceLastOffset,
  RECOVERY_HEADER.sourceTimestamp,
  RECOVERY_HEADER.sourceGroup,
  RECOVERY_HEADER.firstFailedAt,
  RECOVERY_HEADER.attempts,
  RECOVERY_HEADER.waitedMs,
  RECOVERY_HEADER.retryCode,
  RECOVERY_HEADER.retryDueAt,
  RECOVERY_HEADER.bytesHash,
  RECOVERY_HEADER.bytesLength,
  RECOVERY_HEADER.deadLetterId,
  RECOVERY_HEADER.deadLetterCode,
  RECOVERY_HEADER.deadLetterClass,
  RECOVERY_HEADER.deadLetterDetail,
  RECOVERY_HEADER.deadLetterStack,
  RECOVERY_HEADER.replayCount,
  RECOVERY_HEADER.replayId,
  RECOVERY_HEADER.replayedBy,
  RECOVERY_HEADER.approvedBy,
  RECOVERY_HEADER.recoveryCause,
];
/** Headers that came later: sealed where they are there. */
const LATER_RECOVERY_PARTS: readonly string[] = [
  RECOVERY_HEADER.deadLetterPosition,
  HEADER.producer,
  HEADER.producerSeal,
  ...CLAIMED_SOURCE.map(([, claimed]) => claimed),
  RECOVERY_HEADER.skipId,
  RECOVERY_HEADER.skipAskedBy,
  RECOVERY_HEADER.skipApprovedBy,
  RECOVERY_HEADER.discardReason,
  RECOVERY_HEADER.replayedLetter,
  RECOVERY_HEADER.edit,
];

const recoveryIssuer = (topic: string): Issuer => (isReplayTopic(topic) ? 'operators' : 'stages');

function recoveryContent(
  topic: string,
  key: OutputRecord['key'],
  value: Buffer | null,
  headers: OutputRecord['headers'] | LogRecord['headers'],
) {
  const later = LATER_RECOVERY_PARTS.flatMap((name) => (headers[name] === undefined ? [] : [name, headers[name]]));
  return [`detour\n${topic}`, key ?? '', value ?? '', ...RECOVERY_PARTS.map((name) => headers[name] ?? ''), ...later];
}

/** A retry or a dead letter under the seal of stages, or a replay under that of operators: by its topic. */
export function sealedRecovery(rings: Rings, record: OutputRecord): OutputRecord {
  const { topic, key, value, headers } = record;
  const ring = ringOf(rings, recoveryIssuer(topic));
  const seal = sealOf(ring, 'record', recoveryContent(topic, key, value, headers));
  return { ...record, headers: { ...headers, [RECOVERY_HEADER.recoverySeal]: seal } };
}

/** Why a retry or replay was not written by who alone may write one; undefined: it was. */
export function recoverySealFlaw(rings: Rings, { topic, key, value, headers }: LogRecord): SealCode | undefined {
  const ring = ringOf(rings, recoveryIssuer(topic));
  const seal = headerText(headers, RECOVERY_HEADER.recoverySeal) ?? '';
  if (seal === '' && !ring.believesAll) return 'SEAL_MISSING';
  return isSealed(ring, 'record', recoveryContent(topic, key, value, headers), seal)
    ? undefined
    : wrongOrUnknown(ring, seal);
}

/** One sentence for people about a flaw. */
export function sealDetail(code: SealCode, topic: string): string {
  const issuer = contractOf(topic)?.sealedBy;
  if (code === 'SEAL_MISSING') return `it bears no seal, but what stands on ${topic} is sealed by ${issuer}`;
  if (code === 'SEAL_WRONG')
    return `its seal is not that of ${issuer} over its topic, key, cause and value, or its key speaks for another`;
  return `its seal names a key that is not among ${VARIABLES[issuer!]}`;
}
