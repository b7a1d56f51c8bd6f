// A look at a record as it is: only with a reason, and only when the audit log has it.
import { CodedError } from '../../ports/fault.ts';
import type { Audit } from '../audit/audit.ts';
import { type Actor, type Target, ticketNumber } from '../audit/entry.ts';

/** Why somebody needs names and accounts as they are. A code, since the audit log keeps no text that somebody typed. */
export const LOOK_REASONS = ['CASE_WORK', 'CUSTOMER_REQUEST', 'INCIDENT', 'REGULATOR', 'AUDIT'] as const;
export type LookReason = (typeof LOOK_REASONS)[number];

export interface Look {
  readonly who: Actor;
  readonly on: Target;
  readonly reason: string;
  /** Number of a ticket, such as INC-1234. */
  readonly ticket?: string | undefined;
  readonly requestId?: string | undefined;
}

/**
 * Reads what is shown, and gives it out once the look is in the audit log. Whether `who` may is for the table of rights
 * (`records.unmask`) to say before.
 *
 * @throws CodedError LOOK_REASON_INVALID, TICKET_INVALID before anything is read; AUDIT_UNAVAILABLE; what `read` throws
 */
export async function lookUnmasked<T>(audit: Audit, look: Look, read: () => Promise<T>): Promise<T> {
  const { who, on, reason, requestId } = look;
  if (!(LOOK_REASONS as readonly string[]).includes(reason))
    throw new CodedError('LOOK_REASON_INVALID', `the reason of an unmasked look is one of ${LOOK_REASONS.join(', ')}`);
  const reference = look.ticket === undefined ? undefined : ticketNumber(look.ticket);
  const found = await read();
  const shown = { ...on, isKnown: true };
  await audit.record([
    { who, action: 'records.unmask', on: shown, outcome: 'VIEWED', reasonCode: reason, reference, requestId },
  ]);
  return found;
}
