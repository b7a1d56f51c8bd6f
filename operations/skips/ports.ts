// What skips of records need of their stores and of the log.
import type { LogRecord } from '../../ports/log.ts';
import type { Act } from '../approvals/acts.ts';
import type { Approval } from '../approvals/approval.ts';
import type { Approvals } from '../approvals/ports.ts';

export interface ApprovalsBySubject {
  /** Of one act on one subject, the latest first. @throws CodedError when the store cannot be asked */
  ofSubject(act: Act, subject: string, limit: number): Promise<readonly Approval[]>;
  /** Of one act in one state, the latest first: for people. */
  ofAct(act: Act, state: Approval['state'], limit: number): Promise<readonly Approval[]>;
  /** Of one act that are APPROVED, the one asked for first in front, without those that are named: for whoever does them all. */
  toDo(act: Act, limit: number, except: readonly string[]): Promise<readonly Approval[]>;
}

export type SkipApprovals = Pick<Approvals, 'clock' | 'insert' | 'find' | 'begin' | 'end'> & ApprovalsBySubject;

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
  /** Committed offsets of consumers, in the order asked for; undefined: none, or the topic is another one by now. One pass. */
  positions(places: readonly SkipPlace[]): Promise<readonly (number | undefined)[]>;
  /**
   * The approvals of which a dead letter of the consumer, sealed by stages where they seal, bears the skip; looked for since
   * the instant of each. One pass over the dead letters of all of them.
   */
  skipped(open: readonly OpenSkip[]): Promise<ReadonlySet<string>>;
}

/** A partition as a consumer reads it. */
export interface SkipPlace {
  readonly owner: string;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
}

export interface OpenSkip {
  readonly owner: string;
  readonly approvalId: string;
  readonly since: Date;
}
