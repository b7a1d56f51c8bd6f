// One case in the inbox, whatever its kind. Types only.
import type { Money } from '../../../domain/money/money.ts';
import type { ErrorCode } from '../../../ports/error-codes.ts';

/** HOLD: a transfer that a stage holds. PAYOUT: something about a payout. CUSTOMER: a customer who was paid already. */
export type CaseKind = 'HOLD' | 'PAYOUT' | 'CUSTOMER';
export const CASE_KINDS: readonly CaseKind[] = ['HOLD', 'PAYOUT', 'CUSTOMER'];

/** Where work stands still, or what is blocked: the stage that holds, the payout executor, or payouts of a customer. */
export type InboxStage = 'SCREENING' | 'LIMITS' | 'PAYOUT_DISPATCH' | 'PAYOUT' | 'RESCREENING';
export const INBOX_STAGES: readonly InboxStage[] = ['SCREENING', 'LIMITS', 'PAYOUT_DISPATCH', 'PAYOUT', 'RESCREENING'];

/** What an open case says of itself, before anybody has checked it. */
export interface CaseBrief {
  readonly kind: CaseKind;
  /** Of a hold: its id. Of a payout's case: TRANSFER/NUMBER. Of a customer's case: its id. */
  readonly id: string;
  readonly transferId: string;
  readonly stage: InboxStage;
  /** Why it is open; the first is the one to show. */
  readonly reasonCodes: readonly string[];
  /** Instructed, or debited; null: not known. */
  readonly amount: Money | null;
  /** Id of the corridor; null: not known. */
  readonly corridor: string | null;
  /** ms since 1970 */
  readonly openedAt: number;
  /** When it ends by itself, ms since 1970; null: never. */
  readonly expiresAt: number | null;
}

/** Who works on a case, and until when nobody else does. It gives no right, and takes none. */
export interface Assigned {
  readonly by: string;
  /** ms since 1970 */
  readonly until: number;
}

/** A case in its place: with the time by which somebody should have dealt with it. */
export interface QueuedCase extends CaseBrief {
  /** ms since 1970 */
  readonly dueAt: number;
  readonly assigned: Assigned | null;
}

/** A case as it is listed: checked, and with names that do not tell who it is. */
export interface InboxRow extends QueuedCase {
  /** Sender and beneficiary; null: not known here. */
  readonly names: { readonly sender: string; readonly beneficiary: string } | null;
  /** Why it is not what a program of ours wrote: then nothing else in the row proves anything. */
  readonly flaw: ErrorCode | null;
}
