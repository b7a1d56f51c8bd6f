// Records for the recovery topics: a retry topic for a while, or the dead letters for good.
import { hash } from 'node:crypto';
import { safeText } from '../../domain/text/text.ts';
import { formatOrigin } from '../../domain/transfers/origin-position.ts';
import type { OutputRecord } from '../../ports/log.ts';
import type { ApprovedSkip } from '../../ports/record-skips.ts';
import type { Cause } from '../../processors/contract.ts';
import { formatCause, sourceOf } from '../../topics/cause.ts';
import { INTENT_MAX_MESSAGE_BYTES } from '../../topics/contract.ts';
import { deadLetterId } from '../../topics/dead-letter-id.ts';
import { CLAIMED_SOURCE, HEADER, RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic, RETRY_TIERS, retryTopic } from '../../topics/recovery.ts';
import type { InboundRecord } from '../hosts/inbound-records.ts';

const MAX_TEXT = 300;
const MAX_STACK = 1_000;
/** Of a larger key and value a dead letter keeps hash and length only. */
const MAX_KEPT_BYTES = INTENT_MAX_MESSAGE_BYTES;
/** Foreign headers (a producer's own) are kept as long as all of them together are no larger. */
const MAX_FOREIGN_BYTES = 4_096;

/** Attempts in each retry tier, shortest delay first. */
export type RetryPolicy = readonly number[];

/** The tier for a record that has failed `attempts` times (at least once); undefined when all are used up. */
export function tierFor(attempts: number, policy: RetryPolicy): number | undefined {
  let upTo = 0;
  for (let tier = 0; tier < RETRY_TIERS.length; tier++) {
    upTo += policy[tier] ?? 0;
    if (attempts <= upTo) return tier;
  }
  return undefined;
}

/** The shortest tier that covers a wait until then; the longest, again and again, where none does. */
export function tierForWait(untilMs: number, now: number): number {
  const tier = RETRY_TIERS.findIndex(({ delayMs }) => untilMs - now <= delayMs);
  return tier === -1 ? RETRY_TIERS.length - 1 : tier;
}

export interface RecoveryTerms {
  readonly owner: string;
  /** Group that failed. */
  readonly group: string;
  readonly inbound: InboundRecord;
  /** Partition of the input batch: recovery records stay on it. */
  readonly partition: number;
  readonly cause: Cause;
  /** Wall clock, ms. */
  readonly now: number;
  /** Failed attempts, this one included. */
  readonly attempts: number;
  /** Under which its consumer skips it. */
  readonly skip?: ApprovedSkip | undefined;
}

/**
 * A record for a retry tier. It is due at `dueAt`, but never later than the tier's delay from now. With `waits`, that time
 * counts as time that the record has waited.
 */
export function retryRecord(terms: RecoveryTerms, tier: number, dueAt: number, waits = false): OutputRecord {
  const latest = terms.now + RETRY_TIERS[tier]!.delayMs;
  const due = Math.min(Math.max(dueAt, terms.now), latest);
  const waitedMs = terms.inbound.source.waitedMs + (waits ? due - terms.now : 0);
  return {
    topic: retryTopic(terms.owner, tier),
    partition: terms.partition,
    key: terms.inbound.record.key,
    value: terms.inbound.record.value,
    headers: {
      ...keptHeaders(terms),
      ...editOf(terms.inbound),
      [RECOVERY_HEADER.retryCode]: safeText(terms.cause.code, MAX_TEXT),
      [RECOVERY_HEADER.retryDueAt]: String(due),
      [RECOVERY_HEADER.waitedMs]: String(waitedMs),
    },
  };
}

/**
 * `undecodable`: the bytes never decoded. `refused`: the stage asked for a person. `exhausted`: retries used up.
 * `poison`: the code broke on it, or it stood where it must not. `unproven`: nothing proves that its issuer wrote it.
 * `repeated`: it was handled before. `skipped`: its consumer could not get past it, and two persons let it.
 */
export type DeadLetterClass = 'undecodable' | 'refused' | 'exhausted' | 'poison' | 'unproven' | 'repeated' | 'skipped';

/** The record, byte for byte, with why and where it failed. */
export function deadLetterRecord(terms: RecoveryTerms, deadLetterClass: DeadLetterClass, stack = ''): OutputRecord {
  const { cause } = terms;
  const headers: Record<string, string | Buffer> = {
    ...keptHeaders(terms),
    [RECOVERY_HEADER.deadLetterId]: deadLetterId({ owner: terms.owner, source: terms.inbound.source }),
    [RECOVERY_HEADER.deadLetterCode]: safeText(cause.code, MAX_TEXT),
    [RECOVERY_HEADER.deadLetterClass]: deadLetterClass,
    [RECOVERY_HEADER.deadLetterDetail]: safeText(cause.detail, MAX_TEXT),
  };
  if (terms.skip) {
    headers[RECOVERY_HEADER.skipId] = terms.skip.approvalId;
    headers[RECOVERY_HEADER.skipAskedBy] = safeText(terms.skip.askedBy, MAX_TEXT);
    headers[RECOVERY_HEADER.skipApprovedBy] = safeText(terms.skip.approvedBy, MAX_TEXT);
  }
  const { letterAt } = terms.inbound.source;
  if (letterAt) headers[RECOVERY_HEADER.deadLetterPosition] = formatOrigin(letterAt);
  if (stack !== '') headers[RECOVERY_HEADER.deadLetterStack] = stack.slice(0, MAX_STACK);
  const { key, value } = terms.inbound.record;
  const bytes = terms.inbound.record.unreadable?.bytes ?? value;
  const topic = deadLetterTopic(terms.owner);
  const { partition } = terms;
  if ((key?.length ?? 0) + (bytes?.length ?? 0) <= MAX_KEPT_BYTES)
    return { topic, partition, key, value: bytes, headers };
  // A batch may unpack to records that no topic takes: the letter would be refused for ever.
  headers[RECOVERY_HEADER.bytesHash] = hash('sha256', bytes ?? '', 'hex');
  headers[RECOVERY_HEADER.bytesLength] = String(bytes?.length ?? 0);
  return { topic, partition, key: (key?.length ?? 0) > MAX_FOREIGN_BYTES ? null : key, value: null, headers };
}

const OURS: ReadonlySet<string> = new Set([...Object.values(HEADER), ...Object.values(RECOVERY_HEADER)]);
const KEPT = [
  HEADER.eventId,
  HEADER.eventType,
  HEADER.cause,
  HEADER.seal,
  HEADER.producer,
  HEADER.producerSeal,
  RECOVERY_HEADER.replayId,
  RECOVERY_HEADER.replayedBy,
  RECOVERY_HEADER.approvedBy,
] as const;

/** Headers that go with a record to every recovery topic. Written anew each time, so that they never grow. */
function keptHeaders({ inbound, owner, group, now, attempts }: RecoveryTerms): Record<string, string | Buffer> {
  const { record, topicId, source, originPosition, traceparent } = inbound;
  const headers: Record<string, string | Buffer> = foreignHeaders(record.headers);
  for (const name of KEPT) {
    const value = record.headers[name];
    if (value !== undefined) headers[name] = value.subarray(0, MAX_TEXT);
  }
  if (originPosition !== undefined) headers[HEADER.originPosition] = originPosition.slice(0, MAX_TEXT);
  if (traceparent !== undefined) headers[HEADER.traceparent] = traceparent;
  const { partition, offset } = record;
  headers[RECOVERY_HEADER.recoveryCause] = formatCause({ source: sourceOf(owner, topicId), partition, offset, nth: 0 });
  headers[RECOVERY_HEADER.sourceTopic] = source.topic;
  if (source.topicId !== source.topic) headers[RECOVERY_HEADER.sourceTopicId] = source.topicId;
  // What is not proven stands for itself: what it says of its source is kept beside that, and believed by nobody.
  if (inbound.refusal?.kind === 'unproven' || inbound.refusal?.code === 'SOURCE_UNKNOWN') {
    for (const [name, claimed] of CLAIMED_SOURCE) {
      // Of the replay of such a letter: what its record claimed, not where it stood.
      const value = record.headers[RECOVERY_HEADER.claimedTopic] ? record.headers[claimed] : record.headers[name];
      if (value !== undefined) headers[claimed] = value.subarray(0, MAX_TEXT);
    }
  }
  headers[RECOVERY_HEADER.sourcePartition] = String(source.partition);
  headers[RECOVERY_HEADER.sourceOffset] = String(source.offset);
  if (source.lastOffset !== undefined) headers[RECOVERY_HEADER.sourceLastOffset] = String(source.lastOffset);
  headers[RECOVERY_HEADER.sourceTimestamp] = String(source.timestamp);
  headers[RECOVERY_HEADER.sourceGroup] = group;
  headers[RECOVERY_HEADER.firstFailedAt] = String(source.firstFailedAt ?? now);
  headers[RECOVERY_HEADER.attempts] = String(attempts);
  headers[RECOVERY_HEADER.replayCount] = String(source.replayCount);
  return headers;
}

/** A retry is of the record as it was edited; its dead letter is of the record as it was. */
function editOf({ record, source }: InboundRecord): Record<string, Buffer> {
  const edit = record.topic === source.topic ? undefined : record.headers[RECOVERY_HEADER.edit];
  return edit === undefined ? {} : { [RECOVERY_HEADER.edit]: edit };
}

function foreignHeaders(headers: InboundRecord['record']['headers']): Record<string, Buffer> {
  const kept: Record<string, Buffer> = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || OURS.has(name)) continue;
    bytes += name.length + value.length;
    if (bytes > MAX_FOREIGN_BYTES) return kept;
    kept[name] = value;
  }
  return kept;
}
