// Doing what was let through. Killed at any point it is done again, so each executor is harmless to repeat.

import { DomainError } from '../../domain/fault.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { CodedError, codeAndDetail, isCoded, isOf } from '../../ports/fault.ts';
import type { Principal } from '../access/principal.ts';
import { type Act, hashOfAct } from './acts.ts';
import { type Approval, isAsked, isContentApproved } from './approval.ts';
import { findApproval, moved } from './approvals.ts';
import type { Approvals } from './ports.ts';

/** What was approved, with who let it through, as an executor gets it. */
export interface ApprovedAct {
  readonly approvalId: string;
  readonly subject: string;
  /** Of what two persons have seen. */
  readonly hash: string;
  /** JSON that two persons have seen. */
  readonly content: string;
  readonly reason: string;
  readonly askedBy: string;
  readonly approvedBy: string;
  readonly approvedAt: Date;
  /** When it is done, by the clock of who does it: who approved may have had another. */
  readonly doneAt: Date;
  /** The same by the clock of the store, which counts for what begins or ends by it. */
  readonly doneAtStore: Date;
  /** The broken glass under which one person was enough. */
  readonly glass?: string;
}

/**
 * Does one kind of act. The same approval again changes nothing more.
 * @returns one sentence of what came of it
 * @throws CodedError of a dependency, or fatal: it is tried again; any other: it has failed
 */
export type Executor = (approved: ApprovedAct) => Promise<string>;

export interface ActHandler {
  /**
   * What would be done, in lines for the person who approves: made of what the hash is over, never of what else the database
   * says.
   * @throws CodedError EVIDENCE_CHANGED when it is not what was asked for
   */
  readonly describe: (approval: Approval) => Promise<readonly string[]>;
  /** Its lines name no customer, so whoever may see approvals may see them. */
  readonly namesNobody?: true;
  /**
   * What who lets it through must fulfil beside the right for the act. Absent: nothing more.
   * @throws CodedError ACTION_FORBIDDEN
   */
  readonly checkApprover?: (approval: Approval, by: Principal) => Promise<void>;
  /** Absent: a process of its own does it once it is approved. */
  readonly execute?: Executor;
}

export type ActHandlers = { readonly [A in Act]?: ActHandler };

/**
 * What an approval is about, for the person who decides it.
 * @throws CodedError APPROVAL_NOT_SEALED, EVIDENCE_CHANGED, ACT_NOT_HERE
 */
export async function describeApproval(
  approval: Approval,
  handlers: ActHandlers,
  operators: KeyRing,
): Promise<readonly string[]> {
  if (!isAsked(operators, approval)) {
    throw new CodedError('APPROVAL_NOT_SEALED', `${approval._id} was not asked for through a program of operators`);
  }
  const handler = handlers[approval.act];
  if (!handler) throw notHere(approval);
  return handler.describe(approval);
}

/** The lines of an act whose approval carries all of it. `lines`: of the content, parsed. */
export const describeContent =
  <T>(lines: (content: T) => readonly string[]) =>
  async (approval: Approval): Promise<readonly string[]> => {
    const { _id, act, subject, content, hash } = approval;
    if (typeof content === 'string' && hashOfAct(act, subject, content) === hash)
      return lines(JSON.parse(content) as T);
    throw new CodedError('EVIDENCE_CHANGED', `${_id} is not, or no longer, what was asked for: ask anew`);
  };

/** Whether this person may let it through, as far as its act says more than its right. @throws CodedError ACTION_FORBIDDEN */
export async function checkApprover(approval: Approval, handlers: ActHandlers, by: Principal): Promise<void> {
  await handlers[approval.act]?.checkApprover?.(approval, by);
}

const notHere = ({ act }: Approval) =>
  new CodedError('ACT_NOT_HERE', `${act} is not done from here: see its own command`);

/**
 * Whether the act itself cannot be done. A dependency that is away, a process without its keys and a bug say nothing of it: it
 * stays APPROVED and begun.
 */
export const isOfTheAct = (error: unknown): boolean =>
  isOf(error, DomainError) ||
  (isCoded(error) && error.faultClass !== 'transient-dependency' && error.faultClass !== 'fatal');

/** What was begun and cut off may be done to its end for so long after it has expired, ms: consent does not hold for ever. */
const MAX_BEGUN_MS = 24 * 3_600_000;

/**
 * Does an approved act, once: the seals are looked at again, and it is noted that it begins. What ended in a fault that is not
 * of the act stays APPROVED and begun, and is to be done again.
 * @throws CodedError APPROVAL_UNKNOWN, APPROVAL_MOVED, APPROVAL_EXPIRED, APPROVAL_NOT_SEALED, ACT_NOT_HERE, and what the
 *   executor threw
 */
export async function executeApproval(
  store: Approvals,
  id: string,
  { handlers, operators, at: own }: { readonly handlers: ActHandlers; readonly operators: KeyRing; readonly at: Date },
): Promise<Approval> {
  const found = await findApproval(store, id);
  if (found.state !== 'APPROVED') throw moved(found);
  const execute = handlers[found.act]?.execute;
  if (!execute) throw notHere(found);
  const at = await store.clock(own);
  if (!isContentApproved(operators, found)) {
    const detail = `${id} is not what two persons let through: it was changed in the database`;
    await store.end(id, ['APPROVED'], 'FAILED', { at, code: 'APPROVAL_NOT_SEALED', detail });
    throw new CodedError('APPROVAL_NOT_SEALED', detail);
  }
  if (at.getTime() >= found.expiresAt.getTime() + MAX_BEGUN_MS) {
    const detail = `${id} was begun and never ended: it may have taken effect. See what it is about, then ask anew`;
    await store.end(id, ['APPROVED'], 'FAILED', { at, code: 'APPROVAL_EXPIRED', detail });
    throw new CodedError('APPROVAL_EXPIRED', detail);
  }
  if (!(await store.begin(id, at))) {
    await store.expire(at);
    throw moved(await findApproval(store, id));
  }
  const { subject, hash, content, reason, askedBy, decided } = found;
  const approved = { approvalId: id, subject, hash, content, reason, askedBy };
  try {
    const under = decided!.glass === undefined ? {} : { glass: decided!.glass };
    const detail = await execute({
      ...approved,
      approvedBy: decided!.by,
      approvedAt: decided!.at,
      doneAt: own,
      doneAtStore: at,
      ...under,
    });
    await store.end(id, ['APPROVED'], 'EXECUTED', { at, detail });
  } catch (error) {
    if (!isOfTheAct(error)) throw error;
    await store.end(id, ['APPROVED'], 'FAILED', { at, ...codeAndDetail(error) });
    throw error;
  }
  return findApproval(store, id);
}
