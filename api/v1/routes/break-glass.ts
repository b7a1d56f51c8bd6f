// Broken glass over HTTP: who alone lets through what takes two, for some minutes, and who looks at it afterwards.
import { z } from 'zod';
import type { Principal } from '../../../operations/access/principal.ts';
import { permission } from '../../../operations/access/principal.ts';
import { termsOfAct } from '../../../operations/approvals/acts.ts';
import { decideApproval, findApproval } from '../../../operations/approvals/approvals.ts';
import { checkApprover, describeApproval } from '../../../operations/approvals/execute.ts';
import {
  actsUnder,
  breakGlass,
  findGlass,
  type Glass,
  type GlassDesk,
  glassInForce,
  listGlass,
  MAX_GLASS_MINUTES,
  reviewGlass,
} from '../../../operations/break-glass/break-glass.ts';
import { isCoded } from '../../../ports/fault.ts';
import { checkSameRequest, idFromKey, keyField, requestHash } from '../../http/idempotency.ts';
import { asSeen, checkIfMatch, etagOf } from '../../http/precondition.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { approvalDto, approvalEtag, approvalOf } from '../approval-dto.ts';
import { instant, instantOf } from '../dto.ts';
import { CHANGE_REFUSALS, ifMatch, operatorsOf, reasonText } from '../operators.ts';
import { doneAtOnce } from './approvals.ts';

/** Glasses that are listed: those without a review first. */
const MAX_GLASSES = 50;
const LOG_REFUSALS = ['KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE', 'WRITE_UNKNOWN', 'MONGO_UNAVAILABLE'] as const;

export const glassDto = z
  .object({
    glassId: z.string(),
    by: z.string(),
    reason: z.string(),
    brokenAt: instant,
    until: instant.describe('Nothing is let through under it from then on.'),
    review: z.object({ by: z.string(), at: instant, text: z.string() }).nullable().describe('Null: OPEN.'),
    acts: z.array(approvalDto).describe('What was let through under it.'),
  })
  .meta({ id: 'Glass' });

/** The person whom the token names: what stands in the log is its subject. */
const asPerson = (principal: Principal): Principal => ({ ...principal, name: principal.subject });

type Operators = ReturnType<typeof operatorsOf>;

async function shownGlass({ replays, ring }: Operators, glass: Glass): Promise<z.output<typeof glassDto>> {
  const { id: glassId, by, reason, brokenAt, until, review } = glass;
  const acts = await actsUnder(replays.approvals, glassId);
  return {
    ...{ glassId, by, reason, brokenAt: instantOf(brokenAt), until: instantOf(until) },
    review: review && { by: review.by, at: instantOf(review.at), text: review.text },
    acts: acts.map((approval) => approvalOf(approval, ring)),
  };
}

const etag = ({ id, review }: Glass): string => etagOf(`${id}.${review ? 'reviewed' : 'open'}`);

const list = route({
  name: 'listGlasses',
  method: 'GET',
  url: '/v1/break-glass',
  action: 'controls.read',
  tag: 'Operations',
  summary: 'Every glass that was broken, those without a review first, with what was done under it',
  answers: {
    200: z
      .object({
        items: z.array(glassDto),
        complete: z.boolean().describe('False: there are more, which were reviewed or broken earlier.'),
      })
      .meta({ id: 'Glasses' }),
  },
  refusals: LOG_REFUSALS,
  async handle({ parts, principal }) {
    const operators = operatorsOf(parts);
    const found = await listGlass(operators.controls.log, principal);
    const items = await Promise.all(found.slice(0, MAX_GLASSES).map((glass) => shownGlass(operators, glass)));
    return answer(200, { items, complete: found.length <= MAX_GLASSES });
  },
});

const path = z.strictObject({ glassId: z.string().min(1).max(64) });

const get = route({
  name: 'getGlass',
  method: 'GET',
  url: '/v1/break-glass/:glassId',
  action: 'controls.read',
  tag: 'Operations',
  summary: 'A broken glass, with what was done under it',
  path,
  answers: { 200: glassDto },
  refusals: [...LOG_REFUSALS, 'GLASS_UNKNOWN'],
  async handle({ parts, path: { glassId } }) {
    const operators = operatorsOf(parts);
    const glass = await findGlass(operators.controls.log, glassId);
    return answer(200, await shownGlass(operators, glass), { etag: etag(glass) });
  },
});

const open = route({
  name: 'breakGlass',
  method: 'POST',
  url: '/v1/break-glass',
  action: 'glass.break',
  tag: 'Operations',
  summary: 'Break the glass for yourself, for some minutes: everybody is told until another person has reviewed it',
  headers: { 'idempotency-key': keyField },
  body: z
    .strictObject({ reason: reasonText, minutes: z.int().min(1).max(MAX_GLASS_MINUTES) })
    .meta({ id: 'GlassToBreak' }),
  answers: { 201: glassDto },
  refusals: [...LOG_REFUSALS, 'GLASS_TERMS_INVALID', 'IDEMPOTENCY_KEY_INVALID', 'IDEMPOTENCY_KEY_REUSED'],
  async handle({ parts, principal, body: { reason, minutes }, header }) {
    const operators = operatorsOf(parts);
    const { log } = operators.controls;
    const id = idFromKey('glass', principal.subject, header('idempotency-key'));
    const known = await findGlass(log, id).catch(orUndefined('GLASS_UNKNOWN'));
    if (known) {
      const before = (known.until.getTime() - known.brokenAt.getTime()) / 60_000;
      checkSameRequest(requestHash([known.reason, before]), requestHash([reason, minutes]));
    }
    const terms = { id, by: asPerson(principal), reason, minutes, at: new Date(parts.clock()) };
    const glass = known ?? (await breakGlass(glassDesk(operators), terms));
    const headers = {
      ...{ location: `/v1/break-glass/${id}`, etag: etag(glass) },
      ...(known ? { 'idempotent-replayed': 'true' } : {}),
    };
    const on = { kind: 'break-glass', id, isKnown: true };
    return { ...answer(201, await shownGlass(operators, glass), headers), audited: { on } };
  },
});

const orUndefined =
  (code: string) =>
  (error: unknown): undefined => {
    if (isCoded(error) && error.code === code) return undefined;
    throw error;
  };

const review = route({
  name: 'reviewGlass',
  method: 'POST',
  url: '/v1/break-glass/:glassId/review',
  action: 'glass.review',
  tag: 'Operations',
  summary: 'Close it: you have looked at what another person did under it',
  path,
  headers: ifMatch,
  body: z.strictObject({ text: reasonText.describe('What you found.') }).meta({ id: 'GlassReview' }),
  answers: { 200: glassDto },
  refusals: [...LOG_REFUSALS, ...CHANGE_REFUSALS, 'GLASS_UNKNOWN', 'GLASS_OVER', 'SECOND_PERSON_NEEDED'],
  async handle({ parts, principal, path: { glassId: id }, body: { text }, header }) {
    const operators = operatorsOf(parts);
    const { log } = operators.controls;
    checkIfMatch(header('if-match'), etag(await findGlass(log, id)));
    const reviewed = await reviewGlass(glassDesk(operators), {
      id,
      by: asPerson(principal),
      text,
      at: new Date(parts.clock()),
    });
    return answer(200, await shownGlass(operators, reviewed), { etag: etag(reviewed) });
  },
});

const alone = route({
  name: 'approveAlone',
  method: 'POST',
  url: '/v1/approvals/:approvalId/approve-alone',
  action: 'glass.break',
  tag: 'Approvals',
  summary: 'Let through, under a glass that you have broken, what you asked for yourself',
  description: 'Not for acts that can always wait for a second person. Another person reviews it.',
  path: z.strictObject({ approvalId: z.string().min(1).max(200) }),
  headers: ifMatch,
  body: z.strictObject({ reason: reasonText, glassId: z.string().min(1).max(64) }).meta({ id: 'ApprovalAlone' }),
  answers: { 200: approvalDto },
  refusals: [
    ...LOG_REFUSALS,
    ...CHANGE_REFUSALS,
    ...(['APPROVAL_UNKNOWN', 'APPROVAL_NOT_SEALED', 'SECOND_PERSON_NEEDED', 'EVIDENCE_CHANGED'] as const),
    ...(['APPROVAL_EXPIRED', 'APPROVAL_MOVED', 'REPLAY_UNKNOWN', 'REPLAY_MOVED', 'ACT_NOT_HERE'] as const),
    ...(['GLASS_UNKNOWN', 'GLASS_OVER', 'CASE_UNKNOWN', 'CASE_ALTERED'] as const),
  ],
  async handle({ parts, principal, path: { approvalId: id }, body: { reason, glassId }, header }) {
    const operators = operatorsOf(parts);
    const { replays, ring, handlers } = operators;
    const approvals = asSeen(replays.approvals, header('if-match'), approvalEtag);
    const found = await findApproval(approvals, id);
    permission(principal, termsOfAct(found.act).right);
    await describeApproval(found, handlers, ring);
    const [by, at] = [asPerson(principal), new Date(parts.clock())];
    await checkApprover(found, handlers, by);
    const glass = await glassInForce(glassDesk(operators), { id: glassId, by, at });
    const deciding = { id, hash: found.hash, verdict: 'APPROVED', by, reason, at, glass } as const;
    const done = await doneAtOnce(await decideApproval(approvals, deciding, ring), operators, at);
    const shown = answer(200, approvalOf(done, ring), { etag: approvalEtag(done) });
    return { ...shown, audited: { decidedOn: done.hash } };
  },
});

/** Glass begins and ends by the clock of approvals. */
const glassDesk = ({ controls: { log }, replays: { approvals } }: Operators): GlassDesk => ({
  log,
  clock: (own) => approvals.clock(own),
});

export const breakGlassRoutes: readonly Route[] = [list, get, open, review, alone];
