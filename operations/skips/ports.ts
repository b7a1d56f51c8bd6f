// What skips of records need of their stores and of the log.
import type { LogRecord } from '../../ports/log.ts';
import type { Act } from '../approvals/acts.ts';
import type { Approval } from '../approvals/approval.ts';
import type { Approvals } from '../approvals/ports.ts';

export interface ApprovalsBySubject {
  /** Of one act on one subject, the latest first. @throws CodedError when the store cannot be asked */
  ofSubject(act: Act, subject: string, limit: number): Promise<readonly Approval[]>;
  /** Of one act in one state, the latest first. */
  ofAct(act: Act, state: Approval['state'], limit: number): Promise<readonly Approval[]>;
}

export type SkipApprovals = Pick<Approvals, 'insert' | 'find' | 'begin' | 'end'> & ApprovalsBySubject;

/** Where a consumer stands before a partition. */
export interface StandingPoint {
  readonly topicId: string;
  /** First record that it has not handled; undefined: it has handled all that there is. */
  readonly head: LogRecord | undefined;
  /** Committed offset; undefined: its group has none. */
  readonly position: number | undefined;
  /** End of what is committed in the partition. */
  readonly end: number;
}

export interface SkipLog {
  /** @throws CodedError SKIP_TARGET_UNKNOWN when there is no such partition, and when the log cannot be read */
  standingPoint(owner: string, topic: string, partition: number): Promise<StandingPoint>;
  /** Committed offset of a consumer; undefined: none, or the topic is another one by now. */
  position(owner: string, topic: string, topicId: string, partition: number): Promise<number | undefined>;
  /** Whether a dead letter of the consumer, sealed by stages where they seal, bears this skip; looked for since an instant. */
  hasLetter(owner: string, approvalId: string, since: Date): Promise<boolean>;
}
