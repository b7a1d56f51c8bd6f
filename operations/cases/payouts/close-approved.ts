// Cases of payouts that two persons let be closed, done where the key of the executor is. Killed at any point it is done again:
// the closing is a compare-and-set that knows itself, and the payout goes on from there as from any write.
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { codeAndDetail, isCoded } from '../../../ports/fault.ts';
import { type Act, termsOfAct } from '../../approvals/acts.ts';
import type { Approval } from '../../approvals/approval.ts';
import { type ActHandlers, executeApproval } from '../../approvals/execute.ts';
import type { Approvals } from '../../approvals/ports.ts';
import { type Audit, audited } from '../../audit/audit.ts';
import type { ApprovalsBySubject } from '../../skips/ports.ts';

export interface ApprovedClosings {
  readonly store: Approvals & Pick<ApprovalsBySubject, 'ofAct'>;
  /** Those that write payouts. */
  readonly handlers: ActHandlers;
  readonly operators: KeyRing;
  readonly audit: Audit;
  readonly now: () => Date;
  /** Told of what was not done, or not yet. */
  readonly onFault: (approvalId: string, fault: ReturnType<typeof codeAndDetail>) => void;
}

/** Acts that the executor does. */
const ACTS_OF_EXECUTOR = ['payouts.resolve', 'payouts.state'] as const satisfies readonly Act[];
/** Approvals of one look. */
const MAX_APPROVALS = 50;

/**
 * Does all that was let through and is not done yet; each has an entry of the audit log before it takes effect, and after.
 * @returns whether something is left, because a dependency is away or it has met what nobody expected
 * @throws CodedError when the approvals cannot be read
 */
export async function closeApproved(parts: ApprovedClosings): Promise<boolean> {
  let isLeft = false;
  for (const act of ACTS_OF_EXECUTOR) {
    const approved = await parts.store.ofAct(act, 'APPROVED', MAX_APPROVALS);
    for (const approval of approved) isLeft = (await close(approval, parts)) || isLeft;
  }
  return isLeft;
}

/** @returns whether it is to be tried again */
async function close({ _id, act, subject, hash }: Approval, parts: ApprovedClosings): Promise<boolean> {
  const { store, handlers, operators, audit, now, onFault } = parts;
  const entry = {
    who: { subject: 'payout-executor', roles: [], credential: 'SYSTEM' },
    action: termsOfAct(act).right,
    on: { kind: 'cases', id: subject, isKnown: true },
    decidedOn: hash,
  } as const;
  try {
    await audited(audit, entry, () => executeApproval(store, _id, { handlers, operators, at: now() }));
    return false;
  } catch (error) {
    // Whatever one of them holds, the others behind it are done.
    onFault(_id, codeAndDetail(error));
    return !isCoded(error) || error.faultClass === 'transient-dependency';
  }
}
