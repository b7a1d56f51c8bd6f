// Decisions on cases that two persons have to agree on: one asks for the verdict, the other lets it through.
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { CodedError, isCoded } from '../../../ports/fault.ts';
import { type Principal, permission } from '../../access/principal.ts';
import { type Act, canonicalJson, hashOfAct, termsOfAct } from '../../approvals/acts.ts';
import type { Approval } from '../../approvals/approval.ts';
import { askForApproval } from '../../approvals/approvals.ts';
import { type ActHandler, type ApprovedAct, describeContent } from '../../approvals/execute.ts';
import type { Approvals } from '../../approvals/ports.ts';
import { type CaseVerdict, type DecidingStores, decideInboxCase } from './decide.ts';
import { justificationOf } from './decision-reasons.ts';
import { type FoundCase, findCase } from './find.ts';
import { secondReasons } from './policy.ts';
import { checkSight } from './sight.ts';
import { fitting } from './verdict.ts';

/** What two persons agree on. */
interface AgreedVerdict extends Pick<CaseVerdict, 'caseId' | 'verdict' | 'seen' | 'code' | 'reason'> {
  readonly transferId: string;
  /** Why one person alone may not. */
  readonly why: readonly string[];
}

export const actOfCase = ({ kind }: Pick<FoundCase, 'kind'>): Act =>
  kind === 'PAYOUT' ? 'payouts.resolve' : 'cases.decide';

/**
 * Asks a second person to agree to a verdict, bound to what the first has seen.
 * @throws CodedError ACTION_FORBIDDEN, CASE_NOT_OPEN, EVIDENCE_CHANGED, VERDICT_UNFIT, DECISION_REASON_UNFIT, CASE_UNKNOWN
 */
export async function askToDecide(
  stores: DecidingStores & { readonly approvals: Approvals },
  { id, by, ...asked }: Omit<CaseVerdict, 'by' | 'agreedBy'> & { readonly id: string; readonly by: Principal },
  operators: KeyRing,
): Promise<Approval> {
  const found = await findCase({ ...stores, operators }, asked.caseId);
  const act = actOfCase(found);
  permission(by, termsOfAct(act).right);
  const verdict = fitting(found, asked.verdict);
  justificationOf(verdict, asked.code, asked.reason);
  if (!found.isOpen) throw new CodedError('CASE_NOT_OPEN', `case ${found.id} is decided already`);
  if (asked.seen !== found.seen) {
    throw new CodedError('EVIDENCE_CHANGED', `case ${found.id} is not as it was shown: look at it again`);
  }
  const { seen, code, reason, at } = asked;
  const why = secondReasons(found, verdict, stores.policy, stores.corridors);
  const agreed: AgreedVerdict = { caseId: found.id, transferId: found.transferId, verdict, seen, code, reason, why };
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

/** Shows and does what was agreed on. Again is the same. */
export const decisionHandler = (stores: DecidingStores, operators: KeyRing): ActHandler => ({
  describe: describeContent(({ caseId, transferId, verdict, code, reason, why }: AgreedVerdict) => [
    `${verdict.toLowerCase()} case ${caseId} of transfer ${transferId}: ${code}, ${reason}`,
    `a second person because of: ${why.join(', ') || 'who asked wanted one'}`,
    `look at it first: corridor cases show ${caseId}`,
  ]),
  checkApprover: async ({ subject }, by) => checkSight(await findCase({ ...stores, operators }, subject), by),
  execute: (approved) => decide(stores, approved, operators),
});

async function decide(stores: DecidingStores, approved: ApprovedAct, operators: KeyRing): Promise<string> {
  const { caseId, verdict, seen, code, reason } = JSON.parse(approved.content) as AgreedVerdict;
  const at = approved.approvedAt.getTime();
  const asked = { caseId, verdict, seen, code, reason, by: approved.askedBy, agreedBy: approved.approvedBy, at };
  try {
    await decideInboxCase(stores, asked, operators);
  } catch (error) {
    const isOver = isCoded(error) && (error.code === 'CASE_NOT_OPEN' || error.code === 'EVIDENCE_CHANGED');
    // Who died after the decision, and before it was noted, finds it decided: by this very act.
    if (!isOver || !isOurs(await findCase({ ...stores, operators }, caseId), approved.askedBy, at)) throw error;
  }
  return `${caseId}: ${verdict}`;
}

function isOurs(found: FoundCase, by: string, at: number): boolean {
  switch (found.kind) {
    case 'HOLD': {
      const { decision } = found.hold;
      return decision?.decidedBy === by && decision.decidedAt.getTime() === at;
    }
    case 'CUSTOMER':
      return found.found.decision?.by === by && found.found.decision.at === at;
    case 'PAYOUT':
      return found.one.closedAt === at && found.one.closing?.by === by;
  }
}
