// A record that its consumer cannot get past, and that two persons have let it skip: it goes to the dead letters, and the
// position moves behind it, in one transaction of the consumer itself.
import { hash } from 'node:crypto';
import { formatCause, sourceOf } from '../topics/cause.ts';
import type { LogRecord } from './log.ts';

/** Exactly one record of an input topic of one consumer. */
export interface SkippableRecord {
  /** Processor, sink or executor that stands before it. */
  readonly owner: string;
  readonly topic: string;
  /** Its id; its name where the cluster gives none. */
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  /** SHA-256 over key and value, in hexadecimal: what was looked at is what is skipped. */
  readonly digest: string;
}

/** A skip that was let through. */
export interface ApprovedSkip {
  readonly approvalId: string;
  readonly askedBy: string;
  readonly approvedBy: string;
}

export interface RecordSkips {
  /**
   * What two persons have let through for exactly this record, and what has not expired.
   * @throws CodedError when the store cannot be asked
   */
  approved(record: SkippableRecord): Promise<ApprovedSkip | undefined>;
  /** Notes that it is done now: from here on it is neither withdrawn nor too late. Again is the same. @returns false: it is not to be done */
  begin(skip: ApprovedSkip): Promise<boolean>;
}

/** What names the record in its approval, and (as its cause) in its dead letter. */
export const skipSubject = ({ owner, topicId, partition, offset }: Omit<SkippableRecord, 'topic' | 'digest'>): string =>
  formatCause({ source: sourceOf(owner, topicId), partition, offset, nth: 0 });

/** Key and value, each with its length, so that nothing of one passes for the other; absent differs from empty. */
export function recordDigest({ key, value }: Pick<LogRecord, 'key' | 'value'>): string {
  const parts = [key, value].map((part) => [`${part === null ? -1 : part.length}\n`, part ?? Buffer.alloc(0)] as const);
  return hash('sha256', Buffer.concat(parts.flat().map((part) => Buffer.from(part as Uint8Array))), 'hex');
}
