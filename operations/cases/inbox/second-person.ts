// Decisions on cases that two persons have to agree on: one asks for the verdict, the other lets it through.
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { CodedError, isCoded } from '../../../ports/fault.ts';
import { type Principal, permission } from '../../access/principal.ts';
import { type Act, canonicalJson, hashOfAct, termsOfAct } from '../../approvals/acts.ts';
import type { Approval } from '../../approvals/approval.ts';
import { askForApproval } from '../../approvals/approvals.ts';
import { type ActHandler, type ApprovedAct, describeContent } from '../../approvals/execute.ts';
import type { Approvals } from '../../approvals/ports.ts';
import { type CaseClosing, closeCase } from '../payouts/decide.ts';
import {
  type CaseVerdict,
  type DecidingStores,
  decideInboxCase,
  reasonsForTwo,
  type StatedDocument,
  statementIn,
} from './decide.ts';
import { justificationOf } from './decision-reasons.ts';
import { type FoundCase, findCase } from './find.ts';
import { checkSight } from './sight.ts';
import { fitting, isStated, type Verdict } from './verdict.ts';

/** What two persons agree on. */
interface AgreedVerdict extends Pick<CaseVerdict, 'caseId' | 'verdict' | 'seen' | 'code' | 'reason' | 'statement'> {
  readonly transferId: string;
  /** Of a payout: the keys that the provider was, or may have been, sent. */
  readonly keys?: readonly string[];
  /** Why one person alone may not. */
  readonly why: readonly string[];
}

export function actOfCase({ kind }: Pick<FoundCase, 'kind'>, verdict: Verdict): Act {
  if (isStated(verdict)) return 'payouts.state';
  return kind === 'PAYOUT' ? 'payouts.resolve' : 'cases.decide';
}

/**
 * Asks a second person to agree to a verdict, bound to what the first has seen.
 * @throws CodedError ACTION_FORBIDDEN, CASE_NOT_OPEN, EVIDENCE_CHANGED, VERDICT_UNFIT, DECISION_REASON_UNFIT, CASE_UNKNOWN,
 *   and for a payout what closing its case throws
 */
export async function askToDecide(
  stores: DecidingStores & { readonly approvals: Approvals },
  { id, by, ...asked }: Omit<CaseVerdict, 'by' | 'agreedBy'> & { readonly id: string; readonly by: Principal },
  operators: KeyRing,
): Promise<Approval> {
  const found = await findCase({ ...stores, operators }, asked.caseId);
  const verdict = fitting(found, asked.verdict);
  const act = actOfCase(found, verdict);
  permission(by, termsOfAct(act).right);
  justificationOf(verdict, asked.code, asked.reason);
  if (!found.isOpen) throw new CodedError('CASE_NOT_OPEN', `case ${found.id} is decided already`);
  if (asked.seen !== found.seen) {
    throw new CodedError('EVIDENCE_CHANGED', `case ${found.id} is not as it was shown: look at it again`);
  }
  const { seen, code, reason, at } = asked;
  const why = reasonsForTwo(found, verdict, stores);
  const statement = statementIn(verdict, asked);
  const justification = justificationOf(verdict, code, reason);
  checkClosing(found, { by: by.name, reason: justification, ...(statement && { statement }) }, at);
  const agreed: AgreedVerdict = {
    ...{ caseId: found.id, transferId: found.transferId, verdict, seen, code, reason, why },
    ...(asked.statement && { statement: asked.statement }),
    ...(found.kind === 'PAYOUT' && { keys: found.payout.attempts.map(({ key }) => key) }),
  };
  const content = canonicalJson(agreed);
  return askForApproval(
    stores.approvals,
    {
      ...{ id, act, subject: found.id, content, hash: hashOfAct(act, found.id, content) },
      ...{ summary: `${verdict} case ${found.id} of transfer ${found.transferId}`, by: by.name, reason },
      at: new Date(at),
    },
    operators,
  );
}

/** Asks for nothing that could not be done: of a payout, closing is tried on what was found. @throws as `closeCase` */
function checkClosing(found: FoundCase, closing: Omit<CaseClosing, 'number'>, at: number): void {
  if (found.kind === 'PAYOUT') closeCase(found.payout, { number: found.number, ...closing }, at);
}

/** Shows and does what was agreed on. Again is the same. */
export const decisionHandler = (stores: DecidingStores, operators: KeyRing): ActHandler => ({
  describe: describeContent(({ caseId, transferId, verdict, code, reason, why, statement, keys }: AgreedVerdict) => [
    `${verdict.toLowerCase()} case ${caseId} of transfer ${transferId}: ${code}, ${reason}`,
    ...(statement ? statedLines(verdict, statement, keys ?? []) : []),
    `a second person because of: ${why.join(', ') || 'who asked wanted one'}`,
    `look at it first: corridor cases show ${caseId}`,
  ]),
  checkApprover: async ({ subject }, by) => checkSight(await findCase({ ...stores, operators }, subject), by),
  execute: (approved) => decide(stores, approved, operators),
});

function statedLines(verdict: Verdict, { reference, date, documentSha256 }: StatedDocument, keys: readonly string[]) {
  const [said, then] =
    verdict === 'PAID'
      ? ['has paid the transfer, once', 'the transfer is COMPLETED']
      : ['has paid none of them, and never will', 'the transfer is REJECTED and its sender gets the money back'];
  return [
    `the provider states in ${reference} of ${date} that of ${keys.join(', ')} it ${said}: ${then}`,
    `have the document before you: its SHA-256 is ${documentSha256}`,
    'nothing is ever sent again for this transfer; what the provider says otherwise later is a case',
  ];
}

async function decide(stores: DecidingStores, approved: ApprovedAct, operators: KeyRing): Promise<string> {
  const { caseId, verdict, seen, code, reason, statement, keys } = JSON.parse(approved.content) as AgreedVerdict;
  const at = approved.approvedAt.getTime();
  const asked = {
    ...{ caseId, verdict, seen, code, reason, by: approved.askedBy, agreedBy: approved.approvedBy, at },
    ...(statement && { statement }),
    ...(isStated(verdict) && { keys: keys ?? [] }),
    doneAt: approved.doneAt.getTime(),
    ...(approved.glass !== undefined && { glass: approved.glass }),
    ...{ approvalId: approved.approvalId, approvalHash: approved.hash },
  };
  try {
    await decideInboxCase(stores, asked, operators);
  } catch (error) {
    const isOver = isCoded(error) && (error.code === 'CASE_NOT_OPEN' || error.code === 'EVIDENCE_CHANGED');
    // Who died after the decision, and before it was noted, finds it decided: by this very act.
    if (!isOver || !isOurs(await findCase({ ...stores, operators }, caseId), approved, verdict)) throw error;
  }
  return `${caseId}: ${verdict}`;
}

/** Whether the case was decided by this very act: two that were asked for by one person and approved at one instant are two. */
function isOurs(found: FoundCase, approved: ApprovedAct, verdict: Verdict): boolean {
  const { approvalId, askedBy, approvedBy, approvedAt, glass } = approved;
  const at = approvedAt.getTime();
  const second = glass === undefined ? approvedBy : undefined;
  // Decisions of before name neither the second person nor the approval.
  const isSecond = (named: string | null | undefined) => isNone(named) || named === second;
  const isByThis = (named: string | null | undefined) => isNone(named) || named === approvalId;
  switch (found.kind) {
    case 'HOLD': {
      const { decision } = found.hold;
      if (decision?.decision !== verdict || decision.decidedBy !== askedBy) return false;
      return decision.decidedAt.getTime() === at && isSecond(decision.agreedBy) && isByThis(decision.approvalId);
    }
    case 'CUSTOMER': {
      const { state, decision } = found.found;
      if (state !== (verdict === 'CLEAR' ? 'CLEARED' : 'CONFIRMED') || decision?.by !== askedBy) return false;
      return decision.at === at && isSecond(decision.agreedBy) && isByThis(decision.approvalId);
    }
    case 'PAYOUT': {
      const { closedAt, closing } = found.one;
      const said = closing?.statement?.outcome ?? 'CLOSE';
      return closedAt === at && closing?.by === askedBy && isSecond(closing.agreedBy) && said === verdict;
    }
  }
}

const isNone = (text: string | null | undefined): boolean => text === null || text === undefined;
