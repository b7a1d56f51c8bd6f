// An exception in the one list of acts that wait for a second person. What is stored of the exception, and what screening goes
// by, stays as it was: the question and the approval under their own seals.
import type { KeyRing } from '../../domain/seals/seal.ts';
import { CodedError, isCoded } from '../../ports/fault.ts';
import type { ScreeningException } from '../../screening/exceptions.ts';
import { canonicalJson, hashOfAct } from '../approvals/acts.ts';
import type { Approval } from '../approvals/approval.ts';
import { askForApproval } from '../approvals/approvals.ts';
import { type ActHandler, type ApprovedAct, describeContent } from '../approvals/execute.ts';
import type { Approvals } from '../approvals/ports.ts';
import { approveException } from './exceptions.ts';
import type { Exceptions } from './ports.ts';

/** The approval of an exception: one for each. */
export const approvalIdOf = (exceptionId: string): string => `exception.${exceptionId}`;

/**
 * Asks a second person to let an exception through that was kept before. Again is the same question.
 * @param at ms since 1970
 */
export async function askToGrant(
  approvals: Approvals,
  exception: ScreeningException,
  at: number,
  operators: KeyRing,
): Promise<Approval> {
  const { exceptionId, token, source, entityId, expiresAt, grantedBy, reason } = exception;
  const content = canonicalJson(plain(exception));
  const act = { act: 'exceptions.grant', subject: exceptionId } as const;
  const until = new Date(expiresAt).toISOString().slice(0, 10);
  return askForApproval(
    approvals,
    {
      ...{ id: approvalIdOf(exceptionId), ...act, content, hash: hashOfAct(act.act, exceptionId, content) },
      ...{ summary: `let ${token} pass for ${source}:${entityId} until ${until}`, by: grantedBy, reason },
      at: new Date(at),
    },
    operators,
  );
}

/** Shows and does it. Again is the same. */
export const exceptionHandler = (
  store: Pick<Exceptions, 'waiting' | 'approve' | 'list'>,
  operators: KeyRing,
): ActHandler => ({
  describe: describeContent(({ token, source, entityId, expiresAt, reason }: ScreeningException) => [
    `let the counterparty ${token} pass for ${source}:${entityId} until ${new Date(expiresAt).toISOString()}`,
    `because: ${reason}`,
  ]),
  execute: (approved) => grant(store, approved, operators),
});

async function grant(
  store: Pick<Exceptions, 'waiting' | 'approve' | 'list'>,
  { subject, content, approvedBy: by, approvedAt }: ApprovedAct,
  operators: KeyRing,
): Promise<string> {
  const at = approvedAt.getTime();
  const asked = JSON.parse(content) as ScreeningException;
  const found = await store.waiting(subject, at);
  if (found && canonicalJson(plain(found)) !== content) {
    throw new CodedError('EVIDENCE_CHANGED', `exception ${subject} is not what was let through: ask for it anew`);
  }
  try {
    await approveException(store, subject, { by, at }, operators);
  } catch (error) {
    if (!isCoded(error) || error.code !== 'EXCEPTION_UNKNOWN') throw error;
    // Who died after the write finds it in force by this very act.
    const kept = await store.list({ token: asked.token, limit: MAX_LISTED });
    const ours = kept.find(({ exceptionId }) => exceptionId === subject)?.approved;
    if (ours?.by !== by || ours.at !== at) throw error;
  }
  return `${subject} is in force`;
}

const MAX_LISTED = 1_000;

const plain = ({
  exceptionId,
  token,
  source,
  entityId,
  entityHash,
  expiresAt,
  grantedBy,
  reason,
}: ScreeningException): ScreeningException => ({
  ...{ exceptionId, token, source, entityId, entityHash, expiresAt, grantedBy, reason },
});
