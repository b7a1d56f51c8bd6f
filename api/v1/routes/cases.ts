// The inbox over HTTP: every case that waits for a person, what it is about, who works on it, and the decision.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { sightOf } from '../../../operations/access/masking.ts';
import { lookUnmasked } from '../../../operations/access/unmasked-look.ts';
import type { ActResult } from '../../../operations/audit/audit.ts';
import { assignCase, releaseCase } from '../../../operations/cases/assignments/assign.ts';
import { decideInboxCase } from '../../../operations/cases/inbox/decide.ts';
import { decideAlike, findAlike } from '../../../operations/cases/inbox/decide-alike.ts';
import { type FoundCase, findCase } from '../../../operations/cases/inbox/find.ts';
import { listInbox } from '../../../operations/cases/inbox/inbox.ts';
import { CASE_KINDS, INBOX_STAGES } from '../../../operations/cases/inbox/row.ts';
import { askToDecide } from '../../../operations/cases/inbox/second-person.ts';
import { checkSight } from '../../../operations/cases/inbox/sight.ts';
import { MAX_NOTES } from '../../../operations/cases/notes/notes.ts';
import { isCoded } from '../../../ports/fault.ts';
import { actorOf } from '../../http/auditing.ts';
import { cursorParameter, limitParameter } from '../../http/cursor.ts';
import { checkIfMatch, namesEtag } from '../../http/precondition.ts';
import { type Asked, answer, type Route, route } from '../../http/route.ts';
import {
  assignmentDto,
  caseDto,
  caseEtag,
  caseOf,
  caseRowDto,
  rowOf,
  statedDocumentDto,
  VERDICT_NAMES,
} from '../case-dto.ts';
import { instant, instantOf, moneyDto, moneyOf } from '../dto.ts';
import { CHANGE_REFUSALS, ifMatch, ifNoneMatch, operatorsOf } from '../operators.ts';

const MAX_PAGE_ITEMS = 200;
const PAGE_ITEMS = 50;
const MAX_REASON_CHARACTERS = 2_000;
const path = z.strictObject({ caseId: z.string().min(1).max(100) });
const STORE_REFUSALS = ['MONGO_UNAVAILABLE', 'REGISTRY_UNAVAILABLE', 'AUDIT_UNAVAILABLE'] as const;
const FIND_REFUSALS = [...STORE_REFUSALS, 'CASE_UNKNOWN', 'CASE_ALTERED'] as const;

export const casePageDto = z
  .object({
    items: z.array(caseRowDto),
    nextCursor: z.string().nullable(),
    total: z.object({ cases: z.int(), money: z.array(moneyDto), withoutAmount: z.int() }),
    complete: z.boolean(),
    unknownPayouts: z
      .int()
      .describe(
        'Payouts of unknown outcome that are no cases (yet): the list has not got them, whatever is asked for.',
      ),
    missing: z.array(z.object({ source: z.string(), code: z.string() })).describe('What could not be read.'),
  })
  .meta({ id: 'CasePage' });

export const casesDecidedDto = z
  .object({
    items: z.array(
      z.object({
        caseId: z.string(),
        transferId: z.string(),
        refused: z.string().nullable().describe('Code: why nothing was decided of this one.'),
      }),
    ),
  })
  .meta({ id: 'CasesDecided' });

export const caseDecisionAskedDto = z
  .object({ approvalId: z.string(), expiresAt: z.string() })
  .meta({ id: 'CaseDecisionAsked', description: 'One person alone may not: another lets it through.' });

const list = route({
  name: 'listCases',
  method: 'GET',
  url: '/v1/cases',
  action: 'cases.read',
  tag: 'Cases',
  summary: 'Every open case, the first due first',
  query: z.strictObject({
    kind: z.enum(CASE_KINDS).optional(),
    stage: z.enum(INBOX_STAGES).optional(),
    corridor: z.string().max(20).optional(),
    openedBefore: instant.optional(),
    assignedTo: z.string().min(1).max(64).optional(),
    unassigned: z.literal('true').optional().describe('Those that nobody works on.'),
    limit: limitParameter(MAX_PAGE_ITEMS, PAGE_ITEMS),
    cursor: cursorParameter,
  }),
  answers: {
    200: casePageDto,
  },
  refusals: [...STORE_REFUSALS, 'CURSOR_INVALID'],
  async handle({
    parts,
    principal,
    traceId,
    query: { kind, stage, corridor, openedBefore, assignedTo, unassigned, limit, cursor },
  }) {
    const { sources } = operatorsOf(parts).inbox;
    const filter = {
      ...{ kind, stage, corridor, assignedTo: unassigned === 'true' ? null : assignedTo },
      openedBefore: openedBefore === undefined ? undefined : Date.parse(openedBefore),
    };
    const terms = { filter, limit, after: cursor, now: parts.clock(), sight: sightOf(principal.roles) };
    const { rows, next, total, unknownPayouts, complete, missing } = await listInbox(sources, terms);
    if (terms.sight === 'full' && rows.length > 0) await recordLook({ parts, principal, traceId });
    return answer(200, {
      items: rows.map(rowOf),
      nextCursor: next,
      total: { ...total, money: total.money.map(({ minor, currency }) => moneyOf(minor, currency)) },
      unknownPayouts,
      complete,
      missing: missing.map(({ source, code }) => ({ source, code })),
    });
  },
});

/** Who works on cases may see whom they are about; each look is in the audit log before it is shown. */
async function recordLook(
  { parts, principal, traceId }: Pick<Asked<never, never, never>, 'parts' | 'principal' | 'traceId'>,
  id?: string,
): Promise<void> {
  const look = { who: actorOf(principal), on: { kind: 'cases', id }, reason: 'CASE_WORK', requestId: traceId };
  await lookUnmasked(parts.audit, look, async () => undefined);
}

/** A case as it is told to who asks; that somebody was shown it unmasked is told. */
async function shown(found: FoundCase, asked: Pick<Asked<never, never, never>, 'parts' | 'principal' | 'traceId'>) {
  const { parts, principal } = asked;
  const { sources, assignments, notes, deciding } = operatorsOf(parts).inbox;
  const now = parts.clock();
  const sight = sightOf(principal.roles);
  const [assignment, written] = await Promise.all([assignments.find(found.id, now), notes.of(found.id, MAX_NOTES)]);
  const isOpenHold = found.kind === 'HOLD' && found.isOpen;
  const alike = isOpenHold ? await findAlike({ holds: { ...sources.holds, ...deciding.holds } }, found.id) : undefined;
  if (sight === 'full' && found.kind !== 'PAYOUT') await recordLook(asked, found.id);
  const others = alike && { seen: alike.seen, caseIds: alike.cases.map(({ _id }) => _id) };
  return caseOf(found, { sight, now, assignment, notes: written, alike: others });
}

const get = route({
  name: 'getCase',
  method: 'GET',
  url: '/v1/cases/:caseId',
  action: 'cases.read',
  tag: 'Cases',
  summary: 'All that a case is about, its evidence side by side',
  description: 'The id of a case of a payout is TRANSFER/NUMBER, its slash written as %2F.',
  path,
  headers: ifNoneMatch,
  answers: {
    200: caseDto,
    304: z.undefined().describe('What is decided on is as it was; who works on it, and notes, may be others.'),
  },
  refusals: FIND_REFUSALS,
  async handle(asked) {
    const {
      parts,
      path: { caseId },
      header,
    } = asked;
    const found = await findCase(operatorsOf(parts).inbox.sources, caseId);
    const headers = { etag: caseEtag(found) };
    if (namesEtag(header('if-none-match'), headers.etag)) return answer(304, undefined, headers);
    return answer(200, await shown(found, asked), headers);
  },
});

const assign = route({
  name: 'assignCase',
  method: 'PUT',
  url: '/v1/cases/:caseId/assignment',
  action: 'cases.decide',
  tag: 'Cases',
  summary: 'Say that you work on a case; it is over by itself',
  description: 'It gives no right to decide, and keeps nobody from deciding.',
  path,
  answers: { 200: assignmentDto },
  refusals: [...FIND_REFUSALS, 'CASE_ASSIGNED'],
  async handle({ parts, principal, path: { caseId } }) {
    const { sources, assignments } = operatorsOf(parts).inbox;
    const { id } = await findCase(sources, caseId);
    const { by, until } = await assignCase(assignments, { caseId: id, by: principal.subject, at: parts.clock() });
    return answer(200, { by, until: instantOf(until) });
  },
});

const release = route({
  name: 'releaseCase',
  method: 'DELETE',
  url: '/v1/cases/:caseId/assignment',
  action: 'cases.decide',
  tag: 'Cases',
  summary: 'Say that you no longer work on a case',
  path,
  answers: { 204: z.undefined().describe('It is nobody’s.') },
  refusals: ['MONGO_UNAVAILABLE', 'ASSIGNMENT_UNKNOWN'],
  async handle({ parts, principal, path: { caseId } }) {
    await releaseCase(operatorsOf(parts).inbox.assignments, { caseId, by: principal.subject });
    return answer(204, undefined);
  },
});

const decide = route({
  name: 'decideCase',
  method: 'POST',
  url: '/v1/cases/:caseId/decide',
  action: 'cases.decide',
  tag: 'Cases',
  summary: 'Decide an open case, once',
  description:
    'The decision is bound to the evidence that If-Match names. What was decided by comparing a party with a list takes a role that sees both unmasked. A case of a payout takes two persons here, whatever its code: the executor, which alone has the key, closes what both let through.',
  path,
  headers: ifMatch,
  body: z
    .strictObject({
      verdict: z.enum(VERDICT_NAMES),
      code: z.string().min(1).max(40).describe('Why, as a code: the case lists those that fit.'),
      reason: z.string().trim().min(1).max(MAX_REASON_CHARACTERS).describe('Why, as a text: kept, and in the log.'),
      statement: statedDocumentDto
        .optional()
        .describe('With PAID and UNPAID: the document in which the provider says so.'),
      alikeSeen: z
        .string()
        .max(100)
        .optional()
        .describe('Decides every hold that is alike too, each by a decision of its own: `alike.seen` of the case.'),
    })
    .meta({ id: 'CaseDecision' }),
  answers: {
    200: casesDecidedDto,
    202: caseDecisionAskedDto,
  },
  refusals: [
    ...FIND_REFUSALS,
    ...CHANGE_REFUSALS,
    ...(['VERDICT_UNFIT', 'DECISION_REASON_UNFIT', 'EVIDENCE_CHANGED', 'CASE_NOT_OPEN', 'CASE_MOVED'] as const),
    ...([
      'CASE_GUARDS_PAYOUT',
      'HOLD_LAPSED',
      'CUSTOMER_CASE_NOT_SEALED',
      'CUSTOMER_DECISION_NOT_SEALED',
      'CASE_CLOSES_ITSELF',
      'STATEMENT_UNFIT',
    ] as const),
  ],
  async handle({ parts, principal, path: { caseId }, body: { alikeSeen, statement, ...body }, header }) {
    const { inbox, replays, ring } = operatorsOf(parts);
    const found = await findCase(inbox.sources, caseId);
    checkIfMatch(header('if-match'), caseEtag(found));
    checkSight(found, principal);
    const verdict = {
      ...{ caseId: found.id, ...body, seen: found.seen, by: principal.subject, at: parts.clock() },
      ...(statement && { statement }),
    };
    if (alikeSeen !== undefined) {
      const stores = { ...inbox.deciding, holds: { ...inbox.sources.holds, ...inbox.deciding.holds } };
      const outcomes = await decideAlike(stores, { ...verdict, seen: alikeSeen }, ring);
      const items = outcomes.map(({ refused, ...each }) => ({ ...each, refused: refused?.code ?? null }));
      return { ...answer(200, { items }), audited: decided(found.id, alikeSeen, body.code, items) };
    }
    try {
      await decideInboxCase(inbox.deciding, verdict, ring);
    } catch (error) {
      if (!isCoded(error) || error.code !== 'SECOND_APPROVER_NEEDED') throw error;
      const stores = { ...inbox.deciding, approvals: replays.approvals };
      const asked = { ...verdict, id: randomUUID(), by: { ...principal, name: principal.subject } };
      const { _id: approvalId, expiresAt } = await askToDecide(stores, asked, ring);
      const waits = answer(202, { approvalId, expiresAt: expiresAt.toISOString() });
      return { ...waits, audited: { decidedOn: found.seen, reasonCode: error.code } };
    }
    const items = [{ caseId: found.id, transferId: found.transferId, refused: null }];
    return { ...answer(200, { items }), audited: decided(found.id, found.seen, body.code, items) };
  },
});

/** What the audit log says of a decision: what it was made on, why, and what became of each case. */
const decided = (
  id: string,
  seen: string,
  code: string,
  items: readonly { readonly caseId: string; readonly refused: string | null }[],
): ActResult => ({
  on: { kind: 'cases', id, isKnown: true },
  decidedOn: seen,
  reasonCode: code,
  items: items.map(({ caseId, refused }) => ({
    on: { kind: 'cases', id: caseId, isKnown: true },
    outcome: refused === null ? 'DONE' : 'FAILED',
    reasonCode: refused ?? code,
    decidedOn: seen,
  })),
});

export const caseRoutes: readonly Route[] = [list, get, assign, release, decide];
