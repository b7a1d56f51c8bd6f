// What waits for a second person, and what they say. Who decides is who their token says; who asked may not decide, whatever
// their roles are.
import { z } from 'zod';
import { type Principal, permission } from '../../../operations/access/principal.ts';
import { termsOfAct } from '../../../operations/approvals/acts.ts';
import { APPROVAL_STATES, type Approval, type Verdict } from '../../../operations/approvals/approval.ts';
import {
  decideApproval,
  findApproval,
  listApprovals,
  withdrawApproval,
} from '../../../operations/approvals/approvals.ts';
import { checkApprover, describeApproval, executeApproval } from '../../../operations/approvals/execute.ts';
import { isCoded } from '../../../ports/fault.ts';
import type { OperatorComponents } from '../../../services/api/operators.ts';
import { asSeen, namesEtag } from '../../http/precondition.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { approvalDto, approvalEtag, approvalOf } from '../approval-dto.ts';
import { CHANGE_REFUSALS, ifMatch, ifNoneMatch, operatorsOf, reasonText } from '../operators.ts';

const MAX_APPROVALS = 100;
const path = z.strictObject({ approvalId: z.string().min(1).max(200) });

const list = route({
  name: 'listApprovals',
  method: 'GET',
  url: '/v1/approvals',
  action: 'approvals.read',
  tag: 'Approvals',
  summary: 'The latest hundred approvals, the latest first',
  query: z.strictObject({ state: z.enum(APPROVAL_STATES).optional() }),
  answers: {
    200: z
      .object({
        items: z.array(approvalDto),
        complete: z.boolean().describe('False: there are more, which were asked for earlier. Name a state.'),
      })
      .meta({ id: 'Approvals' }),
  },
  refusals: ['MONGO_UNAVAILABLE'],
  async handle({ parts, query: { state } }) {
    const { replays, ring } = operatorsOf(parts);
    const states = state === undefined ? APPROVAL_STATES : [state];
    const found = await listApprovals(replays.approvals, states, MAX_APPROVALS + 1, new Date(parts.clock()));
    const items = found.slice(0, MAX_APPROVALS).map((approval) => approvalOf(approval, ring));
    return answer(200, { items, complete: found.length <= MAX_APPROVALS });
  },
});

const get = route({
  name: 'getApproval',
  method: 'GET',
  url: '/v1/approvals/:approvalId',
  action: 'approvals.read',
  tag: 'Approvals',
  summary: 'What was asked for, and what came of it',
  path,
  headers: ifNoneMatch,
  answers: { 200: approvalDto, 304: z.undefined().describe('It is as it was.') },
  refusals: ['APPROVAL_UNKNOWN', 'MONGO_UNAVAILABLE'],
  async handle({ parts, path: { approvalId }, header }) {
    const components = operatorsOf(parts);
    const approval = await findApproval(components.replays.approvals, approvalId);
    const headers = { etag: approvalEtag(approval) };
    if (namesEtag(header('if-none-match'), headers.etag)) return answer(304, undefined, headers);
    return answer(200, approvalOf(approval, components.ring, await linesOf(approval, components)), headers);
  },
});

/** What would be done, line by line; null where customers are named, or where it is not what was asked for. */
async function linesOf(
  approval: Approval,
  { handlers, ring }: Pick<OperatorComponents, 'handlers' | 'ring'>,
): Promise<readonly string[] | null> {
  if (!handlers[approval.act]?.namesNobody) return null;
  try {
    return await describeApproval(approval, handlers, ring);
  } catch (error) {
    if (isCoded(error)) return null;
    throw error;
  }
}

/** The person whom the token names: what is sealed is its subject. */
const asPerson = (principal: Principal): Principal => ({ ...principal, name: principal.subject });

/**
 * Does what was let through, where no process of its own does. The decision stands whatever comes of it: what failed says so
 * in the approval, and what a dependency kept from being done is done again by `execute`.
 */
export async function doneAtOnce(decided: Approval, parts: OperatorComponents, at: Date): Promise<Approval> {
  const { handlers, ring: operators, replays } = parts;
  if (decided.state !== 'APPROVED' || handlers[decided.act]?.execute === undefined) return decided;
  await executeApproval(replays.approvals, decided._id, { handlers, operators, at }).catch((error: unknown) => {
    if (!isCoded(error)) throw error;
  });
  return findApproval(replays.approvals, decided._id);
}

const decision = (name: string, verb: string, verdict: Verdict, summary: string) =>
  route({
    name,
    method: 'POST',
    url: `/v1/approvals/:approvalId/${verb}`,
    action: 'approvals.decide',
    tag: 'Approvals',
    summary,
    path,
    headers: ifMatch,
    body: z.strictObject({ reason: reasonText }).meta({ id: 'ApprovalDecision' }),
    answers: { 200: approvalDto },
    refusals: [
      ...CHANGE_REFUSALS,
      ...(['APPROVAL_UNKNOWN', 'APPROVAL_NOT_SEALED', 'SECOND_PERSON_NEEDED', 'EVIDENCE_CHANGED'] as const),
      ...(['APPROVAL_EXPIRED', 'APPROVAL_MOVED', 'REPLAY_UNKNOWN', 'REPLAY_MOVED', 'ACT_NOT_HERE'] as const),
      ...(['CASE_UNKNOWN', 'CASE_ALTERED'] as const),
    ],
    async handle({ parts, principal, path: { approvalId }, body: { reason }, header }) {
      const { replays, ring, handlers } = operatorsOf(parts);
      const approvals = asSeen(replays.approvals, header('if-match'), approvalEtag);
      const found = await findApproval(approvals, approvalId);
      permission(principal, termsOfAct(found.act).right);
      // What a person was shown must be what was asked for, whatever stands in the database by now.
      await describeApproval(found, handlers, ring);
      if (verdict === 'APPROVED') await checkApprover(found, handlers, asPerson(principal));
      const at = new Date(parts.clock());
      const deciding = { id: approvalId, hash: found.hash, verdict, by: asPerson(principal), reason, at };
      const decided = await decideApproval(approvals, deciding, ring);
      const done = await doneAtOnce(decided, operatorsOf(parts), at);
      const shown = answer(200, approvalOf(done, ring), { etag: approvalEtag(done) });
      return { ...shown, audited: { decidedOn: done.hash, reasonCode: verdict } };
    },
  });

const execute = route({
  name: 'executeApproval',
  method: 'POST',
  url: '/v1/approvals/:approvalId/execute',
  action: 'approvals.read',
  tag: 'Approvals',
  summary: 'Do what was let through and was cut off before its end; harmless to repeat',
  path,
  headers: ifMatch,
  answers: { 200: approvalDto },
  refusals: [
    ...CHANGE_REFUSALS,
    ...(['APPROVAL_UNKNOWN', 'APPROVAL_MOVED', 'APPROVAL_EXPIRED', 'APPROVAL_NOT_SEALED', 'ACT_NOT_HERE'] as const),
  ],
  async handle({ parts, principal, path: { approvalId }, header }) {
    const { replays, ring: operators, handlers } = operatorsOf(parts);
    const approvals = asSeen(replays.approvals, header('if-match'), approvalEtag);
    permission(principal, termsOfAct((await findApproval(approvals, approvalId)).act).right);
    const at = new Date(parts.clock());
    const done = await executeApproval(approvals, approvalId, { handlers, operators, at });
    return answer(200, approvalOf(done, operators), { etag: approvalEtag(done) });
  },
});

const withdraw = route({
  name: 'withdrawApproval',
  method: 'POST',
  url: '/v1/approvals/:approvalId/withdraw',
  action: 'approvals.withdraw',
  tag: 'Approvals',
  summary: 'Take back what you asked for',
  path,
  headers: ifMatch,
  answers: { 200: approvalDto },
  refusals: [...CHANGE_REFUSALS, 'APPROVAL_UNKNOWN', 'APPROVAL_MOVED', 'MAKER_ONLY'],
  async handle({ parts, principal, path: { approvalId }, header }) {
    const { replays, ring } = operatorsOf(parts);
    const approvals = asSeen(replays.approvals, header('if-match'), approvalEtag);
    await withdrawApproval(approvals, approvalId, principal.subject, new Date(parts.clock()));
    const approval = await findApproval(replays.approvals, approvalId);
    return answer(200, approvalOf(approval, ring), { etag: approvalEtag(approval) });
  },
});

export const approvalRoutes: readonly Route[] = [
  list,
  get,
  decision('approve', 'approve', 'APPROVED', 'Let through what another person asked for'),
  decision('refuse', 'refuse', 'REFUSED', 'Refuse what another person asked for'),
  withdraw,
  execute,
];
