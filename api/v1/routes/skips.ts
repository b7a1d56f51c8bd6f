// Skips over HTTP: the record that a consumer cannot get past, asked for by one person and let through by another.
import { z } from 'zod';
import type { Money } from '../../../domain/money/money.ts';
import { APPROVAL_STATES } from '../../../operations/approvals/approval.ts';
import { askedContent, checkTarget, contentOf, skipLines } from '../../../operations/skips/skip.ts';
import { askForSkip } from '../../../operations/skips/skips.ts';
import { checkSameRequest, idFromKey, keyField, requestHash } from '../../http/idempotency.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { approvalDto, approvalEtag, approvalOf } from '../approval-dto.ts';
import { instant, instantOf, moneyDto, moneyOf } from '../dto.ts';
import { operatorsOf, reasonText } from '../operators.ts';

const MAX_SKIPS = 100;
const LOG_REFUSALS = ['KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE', 'MONGO_UNAVAILABLE', 'NEWER_SCHEMA'] as const;
const TARGET_REFUSALS = ['SKIP_TARGET_UNKNOWN', 'SKIP_NOT_AT_HEAD'] as const;

const place = {
  consumer: z.string().min(1).max(60).describe('The processor, sink or executor that cannot get past a record.'),
  topic: z.string().min(1).max(120).describe('One of its input topics.'),
};
/** Partitions and offsets of a query are texts. */
const whole = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^\\d{1,${digits}}$`), 'a whole number')
    .transform(Number)
    .meta({ type: 'integer', minimum: 0 });

export const skipTargetDto = z
  .object({
    offset: z.int().describe('Of the record at which the consumer stands: the only one that can be skipped.'),
    transferId: z.string().nullable(),
    eventType: z.string().nullable(),
    appendedAt: instant,
    amount: moneyDto.nullable().describe('What the producer instructed; null: not known.'),
    isProven: z.boolean().describe('False: this process cannot tell a true record from a forged one.'),
    lines: z.array(z.string()).describe('What would be done.'),
  })
  .meta({ id: 'SkipTarget' });

const target = route({
  name: 'getSkipTarget',
  method: 'GET',
  url: '/v1/skips/target',
  action: 'skips.read',
  tag: 'Operations',
  summary: 'The record at which a consumer stands, and what skipping it would do',
  query: z.strictObject({ ...place, partition: whole(6) }),
  answers: { 200: skipTargetDto },
  refusals: [...LOG_REFUSALS, ...TARGET_REFUSALS],
  async handle({ parts, query: { consumer: owner, topic, partition } }) {
    checkTarget({ owner, topic });
    const skips = await operatorsOf(parts).skips.partsOf(owner);
    const point = await skips.log.standingPoint(owner, topic, partition);
    const amount: Money | null = point.head ? await skips.amountOf(point.head) : null;
    const at = { owner, topic, partition, offset: point.head?.offset ?? 0 };
    const content = contentOf(at, point, amount, skips.proves);
    return answer(200, {
      ...{ offset: content.offset, transferId: content.transferId, eventType: content.eventType },
      ...{ appendedAt: instantOf(content.appendedAt), isProven: content.isProven !== false },
      amount: amount && moneyOf(amount.minor, amount.currency),
      lines: [...skipLines(content)],
    });
  },
});

const list = route({
  name: 'listSkips',
  method: 'GET',
  url: '/v1/skips',
  action: 'skips.read',
  tag: 'Operations',
  summary: 'Skips of records, the latest first: those that wait, and what came of the others',
  query: z.strictObject({ state: z.enum(APPROVAL_STATES).optional() }),
  answers: {
    200: z
      .object({
        items: z.array(approvalDto),
        complete: z.boolean().describe('False: there are more, which were asked for earlier. Name a state.'),
      })
      .meta({ id: 'Skips' }),
  },
  refusals: ['MONGO_UNAVAILABLE'],
  async handle({ parts, query: { state } }) {
    const { skips, ring } = operatorsOf(parts);
    const states = state === undefined ? APPROVAL_STATES : [state];
    const found = await Promise.all(states.map((each) => skips.approvals.ofAct('records.skip', each, MAX_SKIPS + 1)));
    const latest = found.flat().toSorted((a, b) => b.askedAt.getTime() - a.askedAt.getTime());
    const items = latest.slice(0, MAX_SKIPS).map((approval) => approvalOf(approval, ring));
    return answer(200, { items, complete: latest.length <= MAX_SKIPS });
  },
});

const ask = route({
  name: 'askToSkip',
  method: 'POST',
  url: '/v1/skips',
  action: 'records.skip',
  tag: 'Operations',
  summary: 'Ask a second person to have a consumer skip the record at which it stands',
  description:
    'The consumer does it by itself at its next look at the record, once another person approves: it tries once more, then puts it aside and moves behind it in one transaction. Take it back with `POST /v1/approvals/{approvalId}/withdraw`.',
  headers: { 'idempotency-key': keyField },
  body: z
    .strictObject({
      ...place,
      partition: z.int().min(0).max(999_999),
      offset: z.int().min(0).max(999_999_999_999_999).describe('Of the record, as you were shown it.'),
      reason: reasonText,
    })
    .meta({ id: 'SkipAsked' }),
  answers: { 201: approvalDto },
  refusals: [
    ...LOG_REFUSALS,
    ...TARGET_REFUSALS,
    'APPROVAL_MOVED',
    'EVIDENCE_CHANGED',
    'IDEMPOTENCY_KEY_INVALID',
    'IDEMPOTENCY_KEY_REUSED',
  ],
  async handle({ parts, principal, body: { consumer: owner, reason, ...at }, header }) {
    const { skips, replays, ring } = operatorsOf(parts);
    const id = idFromKey('skip', principal.subject, header('idempotency-key'));
    const asked = { owner, ...at, reason };
    const known = await replays.approvals.find(id);
    // The record may have been skipped since: the same question has the same answer.
    if (known) {
      const { owner: by, topic, partition, offset } = askedContent(known);
      checkSameRequest(requestHash({ owner: by, topic, partition, offset, reason: known.reason }), hashOf(asked));
    }
    const approval =
      known ??
      (await askForSkip(await skips.partsOf(owner), {
        ...{ ...asked, id, by: principal.subject },
        at: new Date(parts.clock()),
      }));
    const headers = {
      ...{ location: `/v1/approvals/${approval._id}`, etag: approvalEtag(approval) },
      ...(known ? { 'idempotent-replayed': 'true' } : {}),
    };
    const on = { kind: 'skips', id: approval.subject, isKnown: true };
    return { ...answer(201, approvalOf(approval, ring), headers), audited: { on, decidedOn: approval.hash } };
  },
});

const hashOf = ({
  owner,
  topic,
  partition,
  offset,
  reason,
}: {
  readonly owner: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
}): string => requestHash({ owner, topic, partition, offset, reason });

export const skipRoutes: readonly Route[] = [target, list, ask];
