// Record headers: only what must be read without decoding.
import { isUtf8 } from 'node:buffer';

export const HEADER = {
  eventId: 'event-id',
  eventType: 'event-type',
  originPosition: 'origin-position',
  traceparent: 'traceparent',
  /** The input that the record was made from; see cause.ts. */
  cause: 'cause',
  /** Who made the record: MAC over topic, key, cause and value; see seals.ts. */
  seal: 'seal',
  /** Of an intent: the producer that it is from, and the seal that proves it; domain/producers/intent-seal.ts. */
  producer: 'producer',
  producerSeal: 'producer-seal',
} as const;

/** What retry, replay and dead-letter records carry beside. Overwritten at each failure, never appended to. */
export const RECOVERY_HEADER = {
  /** The contract topic by which the record is decoded, and where it stood there. */
  sourceTopic: 'source-topic',
  /** Its id: a topic that is made anew has the old name and the old offsets. */
  sourceTopicId: 'source-topic-id',
  sourcePartition: 'source-partition',
  sourceOffset: 'source-offset',
  /** Of a batch that could not be read: its last offset; `source-offset` is its first, and the value is the batch. */
  sourceLastOffset: 'source-last-offset',
  /** Append time of the record on its source topic, in ms: limits and windows go by it, also after retries. */
  sourceTimestamp: 'source-timestamp',
  /** Consumer group that failed. */
  sourceGroup: 'source-group',
  /** When the record failed first, in ms. */
  firstFailedAt: 'first-failed-at',
  /** Failed attempts so far; waiting is no attempt. */
  attempts: 'attempts',
  /**
   * How long the record has waited by decision of its stage, in ms: the waits that were asked for, not the time that
   * passed. A stage that gives up does so by this, so that an outage uses up nobody's patience.
   */
  waitedMs: 'waited-ms',
  /** Why the record was last put aside. */
  retryCode: 'retry-code',
  /** Not to be handled before this instant, in ms. */
  retryDueAt: 'retry-due-at',
  /** Of a dead letter whose bytes do not fit: their SHA-256 and length. It has no value then. */
  bytesHash: 'dlq-bytes-sha256',
  bytesLength: 'dlq-bytes-length',
  deadLetterId: 'dlq-id',
  /** Where the record itself stands (topicId:partition:offset), when its letter is not that of its source: recovery-records.ts. */
  deadLetterPosition: 'dlq-position',
  /**
   * What a record on a retry or replay topic says of its source, when nothing proves it: its letter stands for the place of
   * the record itself. Believed by nobody; an operator who knows better replays the letter with it (`asClaimed`).
   */
  claimedTopic: 'claimed-source-topic',
  claimedTopicId: 'claimed-source-topic-id',
  claimedPartition: 'claimed-source-partition',
  claimedOffset: 'claimed-source-offset',
  claimedTimestamp: 'claimed-source-timestamp',
  /** Of a record that its consumer could not get past: the approval under which it was skipped, and who asked and approved. */
  skipId: 'skip-id',
  skipAskedBy: 'skip-asked-by',
  skipApprovedBy: 'skip-approved-by',
  deadLetterCode: 'dlq-error-code',
  deadLetterClass: 'dlq-class',
  /** One sentence without personal data. */
  deadLetterDetail: 'dlq-error-detail',
  /** Where in the code, without the error's message. */
  deadLetterStack: 'dlq-error-stack',
  /** How often operators have replayed it; raised by the replay tool, kept by the runtime. */
  replayCount: 'replay-count',
  replayId: 'replay-id',
  replayedBy: 'replayed-by',
  approvedBy: 'approved-by',
  /** Of a replay that ends its transfer instead of deciding again: the reason code of the rejection. Never kept by a letter. */
  discardReason: 'discard-reason',
  /** Of a replay whose letter bears no seal: its id in the index, which is the place where it stands. Never kept by a letter. */
  replayedLetter: 'replayed-letter',
  /** Of a replay, and of its retries: what operators change of the record, which stands there as it was. Never kept by a letter. */
  edit: 'replay-edit',
  /** The record that was put aside, as the cause of this one; see cause.ts. */
  recoveryCause: 'detour-cause',
  /** Of the stage that put a record aside, or of the operator who replays it, over all that its reader goes by. */
  recoverySeal: 'detour-seal',
} as const;

/** The text of a header; undefined when it is absent, or no UTF-8: half-read text names nothing. */
export function headerText(headers: Readonly<Record<string, Buffer | undefined>>, name: string): string | undefined {
  const bytes = headers[name];
  const text = bytes?.toString('utf8');
  return text?.includes('\ufffd') && !isUtf8(bytes!) ? undefined : text;
}

/** The whole number in a header; undefined when it is absent or holds anything else. */
export function headerInteger(headers: Readonly<Record<string, Buffer | undefined>>, name: string): number | undefined {
  const text = headers[name]?.toString('latin1');
  if (text === undefined || !/^-?\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}

/** Headers of the source of a record, and where a letter keeps what was claimed of them without proof. */
export const CLAIMED_SOURCE: readonly (readonly [source: string, claimed: string])[] = [
  [RECOVERY_HEADER.sourceTopic, RECOVERY_HEADER.claimedTopic],
  [RECOVERY_HEADER.sourceTopicId, RECOVERY_HEADER.claimedTopicId],
  [RECOVERY_HEADER.sourcePartition, RECOVERY_HEADER.claimedPartition],
  [RECOVERY_HEADER.sourceOffset, RECOVERY_HEADER.claimedOffset],
  [RECOVERY_HEADER.sourceTimestamp, RECOVERY_HEADER.claimedTimestamp],
];

/**
 * The headers of a letter, with the source that its record claimed to have in the place of its own, which stays as the place
 * of the letter. For the replay of what nothing proves by an operator who knows that the claim is true; the record's own seal
 * is checked all the same, and of all letters of one source one is decided. Unchanged when nothing was claimed.
 */
export function asClaimed(headers: Readonly<Record<string, Buffer | undefined>>): Record<string, Buffer | string> {
  const present = Object.entries(headers).filter((entry): entry is [string, Buffer] => entry[1] !== undefined);
  if (headers[RECOVERY_HEADER.claimedTopic] === undefined) return Object.fromEntries(present);
  const replaced = new Set(CLAIMED_SOURCE.flat());
  const { sourceTopic, sourceTopicId, sourcePartition, sourceOffset } = RECOVERY_HEADER;
  const topicId = headerText(headers, sourceTopicId) ?? headerText(headers, sourceTopic);
  const place = [topicId, headerText(headers, sourcePartition), headerText(headers, sourceOffset)].join(':');
  const claimed = CLAIMED_SOURCE.flatMap(([source, name]) => {
    const value = headers[name];
    return value === undefined ? [] : [[source, value] as const];
  });
  return {
    ...Object.fromEntries(present.filter(([name]) => !replaced.has(name))),
    ...Object.fromEntries(claimed),
    [RECOVERY_HEADER.deadLetterPosition]: place,
  };
}
