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
