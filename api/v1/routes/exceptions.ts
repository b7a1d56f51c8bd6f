// Exceptions of screening over HTTP: counterparties that are known not to be a listed entity.
import { z } from 'zod';
import { MAX_DAYS } from '../../../operations/exceptions/ask.ts';
import {
  askForException,
  EXCEPTION_STATES,
  type ListedException,
  listExceptions,
  revokeException,
  stateOf,
} from '../../../operations/exceptions/exceptions.ts';
import { approvalIdOf, askToGrant } from '../../../operations/exceptions/second-person.ts';
import { limitParameter } from '../../http/cursor.ts';
import { idFromKey, keyField } from '../../http/idempotency.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { instant, instantOf } from '../dto.ts';
import { operatorsOf, reasonText } from '../operators.ts';

const MAX_PAGE_ITEMS = 500;
const PAGE_ITEMS = 50;

export const exceptionDto = z
  .object({
    exceptionId: z.string(),
    state: z.enum(EXCEPTION_STATES).describe('What it counts for now.'),
    token: z.string().describe('Of the counterparty.'),
    entity: z.string().describe('SOURCE:ID of the listed entity.'),
    expiresAt: instant,
    askedBy: z.string(),
    askedAt: instant,
    approvedBy: z.string().nullable(),
    revokedBy: z.string().nullable(),
    reason: z.string(),
    approvalId: z.string().describe('What waits for a second person.'),
  })
  .meta({ id: 'ScreeningException' });

const exceptionOf = (one: ListedException): z.output<typeof exceptionDto> => ({
  ...{ exceptionId: one.exceptionId, state: one.state, token: one.token, entity: `${one.source}:${one.entityId}` },
  ...{ expiresAt: instantOf(one.expiresAt), askedBy: one.grantedBy, askedAt: instantOf(one.grantedAt) },
  ...{ approvedBy: one.approved?.by ?? null, revokedBy: one.revoked?.by ?? null, reason: one.reason },
  approvalId: approvalIdOf(one.exceptionId),
});

const list = route({
  name: 'listExceptions',
  method: 'GET',
  url: '/v1/exceptions',
  action: 'exceptions.read',
  tag: 'Screening',
  summary: 'Exceptions, the newest first, those that have ended included',
  query: z.strictObject({
    token: z.string().min(1).max(200).optional().describe('Of this counterparty alone.'),
    limit: limitParameter(MAX_PAGE_ITEMS, PAGE_ITEMS),
  }),
  answers: {
    200: z
      .object({
        items: z.array(exceptionDto),
        complete: z
          .boolean()
          .describe('False: there are more, which are older. Ask for more, or for one counterparty.'),
      })
      .meta({ id: 'ScreeningExceptions' }),
  },
  refusals: ['MONGO_UNAVAILABLE'],
  async handle({ parts, query: { token, limit } }) {
    const { exceptions, ring: operators } = operatorsOf(parts);
    const filter = { limit: limit + 1, ...(token === undefined ? {} : { token }) };
    const found = await listExceptions(exceptions.store, filter, { operators, now: parts.clock() });
    return answer(200, { items: found.slice(0, limit).map(exceptionOf), complete: found.length <= limit });
  },
});

const counterparty = {
  caseId: z.string().min(1).max(100).optional().describe('The hold that showed it: the counterparty is of it.'),
  role: z.string().min(1).max(30).optional().describe('Which party of the hold: debtor, creditor, intermediary-1, …'),
  token: z.string().min(1).max(200).optional().describe('Or the token of the counterparty itself.'),
};

const ask = route({
  name: 'askForException',
  method: 'POST',
  url: '/v1/exceptions',
  action: 'exceptions.grant',
  tag: 'Screening',
  summary: 'Ask that a counterparty may pass for one listed entity, until it expires or the entity changes',
  description: 'It counts once another person has approved it. An identical identifier is never excused.',
  headers: { 'idempotency-key': keyField },
  body: z
    .strictObject({
      ...counterparty,
      entity: z.string().min(3).max(120).describe('SOURCE:ID, such as OFAC:12345.'),
      days: z.int().min(1).max(MAX_DAYS),
      reason: reasonText,
    })
    .refine(({ caseId, role, token }) => (token === undefined) !== (caseId === undefined || role === undefined), {
      message: 'names either caseId and role, or token',
    })
    .meta({ id: 'ExceptionAsked' }),
  answers: { 201: exceptionDto },
  refusals: [
    ...(['OPTION_INVALID', 'CASE_UNKNOWN', 'CASE_ALTERED', 'NO_ACTIVE_LIST', 'ENTITY_UNKNOWN'] as const),
    ...(['EXCEPTION_TAKEN', 'APPROVAL_MOVED', 'IDEMPOTENCY_KEY_INVALID', 'MONGO_UNAVAILABLE'] as const),
    ...(['LIST_VERSION_UNKNOWN', 'LIST_VERSION_NOT_SEALED', 'LIST_VERSION_DAMAGED', 'TOO_BUSY'] as const),
  ],
  async handle({ parts, principal, body: { caseId, role, token, ...body }, header }) {
    const { exceptions, inbox, lists, replays, ring } = operatorsOf(parts);
    const request = {
      ...{ ...body, exceptionId: idFromKey('exception', principal.subject, header('idempotency-key')) },
      ...{ by: principal.subject, at: parts.clock() },
      counterparty: token === undefined ? { holdId: caseId!, role: role! } : { token },
    };
    const sources = { store: exceptions.store, holds: inbox.sources.holds, lists: lists.store };
    const kept = await lists.comparing(() => askForException(sources, request, ring));
    await askToGrant(replays.approvals, kept, kept.grantedAt, ring);
    const added = exceptionOf({ ...kept, state: stateOf(kept, ring, kept.grantedAt) });
    const on = { kind: 'exceptions', id: kept.exceptionId, isKnown: true };
    const headers = { location: `/v1/approvals/${added.approvalId}` };
    return { ...answer(201, added, headers), audited: { on } };
  },
});

const revoke = route({
  name: 'revokeException',
  method: 'POST',
  url: '/v1/exceptions/:exceptionId/revoke',
  action: 'exceptions.revoke',
  tag: 'Screening',
  summary: 'End an exception now, alone: what it let pass is looked at again',
  description: 'It stands in the log first, which cannot be taken back, whatever the database says of the exception.',
  path: z.strictObject({ exceptionId: z.string().min(1).max(100) }),
  body: z.strictObject({ reason: reasonText }).meta({ id: 'ExceptionRevocation' }),
  answers: { 204: z.undefined().describe('It excuses nobody any more.') },
  refusals: ['EXCEPTION_UNKNOWN', 'MONGO_UNAVAILABLE', 'KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE', 'WRITE_UNKNOWN'],
  async handle({ parts, principal, path: { exceptionId }, body: { reason } }) {
    const { exceptions, ring } = operatorsOf(parts);
    const asked = { by: principal.subject, reason, at: parts.clock() };
    await revokeException(exceptions, exceptionId, asked, ring);
    return answer(204, undefined);
  },
});

export const exceptionRoutes: readonly Route[] = [list, ask, revoke];
