// Deliveries of an endpoint: what was sent, what came of it, and once more.
import { z } from 'zod';
import type { ResendSelection } from '../../../operations/webhooks/ports.ts';
import { findDelivery, resend } from '../../../operations/webhooks/resend.ts';
import { DELIVERY_KEPT_MS, DELIVERY_STATES } from '../../../sinks/webhooks/delivery.ts';
import { cursorOf, cursorParameter, limitParameter, pageOf, positionIn } from '../../http/cursor.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { instant } from '../dto.ts';
import { deliveryDto, deliveryOf } from '../webhook-dto.ts';
import { endpointIn, ofEndpoint } from './webhook-endpoints.ts';

const MAX_PAGE_ITEMS = 200;
const PAGE_ITEMS = 50;
const MAX_RESENT_IDS = 500;
const MAX_RANGE_MS = DELIVERY_KEPT_MS + 24 * 3_600_000;

const deliveryId = z.string().min(1).max(64);
const ofDelivery = ofEndpoint.extend({ deliveryId });
const position = z.tuple([z.int(), z.string().max(64)]);
const tag = 'Webhooks';
const OF_ENDPOINT = ['WEBHOOK_ENDPOINT_UNKNOWN', 'MONGO_UNAVAILABLE'] as const;

const list = route({
  name: 'listWebhookDeliveries',
  ...{ method: 'GET', url: '/v1/webhook-endpoints/:endpointId/deliveries', action: 'webhooks.read', tag },
  summary: 'What is sent to an endpoint, the latest event first',
  path: ofEndpoint,
  query: z.strictObject({
    state: z.enum(DELIVERY_STATES).optional(),
    limit: limitParameter(MAX_PAGE_ITEMS, PAGE_ITEMS),
    cursor: cursorParameter,
  }),
  answers: { 200: pageOf(deliveryDto).meta({ id: 'WebhookDeliveryPage' }) },
  refusals: [...OF_ENDPOINT, 'CURSOR_INVALID'],
  async handle(asked) {
    const { state, limit, cursor } = asked.query;
    const after = cursor === undefined ? undefined : positionIn(position, cursor);
    const { _id: endpointId } = await endpointIn(asked);
    const place = after && { at: new Date(after[0]), id: after[1] };
    const found = await asked.parts.webhooks.deliveries.list(endpointId, state, place, limit + 1);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const hasMore = found.length > limit && last !== undefined;
    const nextCursor = hasMore ? cursorOf([last.occurredAt.getTime(), last._id]) : null;
    return answer(200, { items: page.map(deliveryOf), nextCursor });
  },
});

const get = route({
  name: 'getWebhookDelivery',
  ...{ method: 'GET', url: '/v1/webhook-endpoints/:endpointId/deliveries/:deliveryId', action: 'webhooks.read', tag },
  summary: 'What is sent, and what came of it',
  path: ofDelivery,
  answers: { 200: deliveryDto },
  refusals: [...OF_ENDPOINT, 'WEBHOOK_DELIVERY_UNKNOWN'],
  async handle(asked) {
    const endpoint = await endpointIn(asked);
    return answer(
      200,
      deliveryOf(await findDelivery(asked.parts.webhooks.deliveries, endpoint, asked.path.deliveryId)),
    );
  },
});

const resendOne = route({
  name: 'resendWebhookDelivery',
  method: 'POST',
  url: '/v1/webhook-endpoints/:endpointId/deliveries/:deliveryId/resend',
  ...{ action: 'webhooks.change', tag },
  summary: 'Send it now, whatever came of it before; harmless to repeat',
  path: ofDelivery,
  answers: { 202: deliveryDto },
  refusals: [...OF_ENDPOINT, 'WEBHOOK_DELIVERY_UNKNOWN', 'WEBHOOK_ENDPOINT_DISABLED'],
  async handle(asked) {
    const { webhooks, clock } = asked.parts;
    const endpoint = await endpointIn(asked);
    const { _id: id } = await findDelivery(webhooks.deliveries, endpoint, asked.path.deliveryId);
    await resend(webhooks, endpoint, { ids: [id] }, new Date(clock()));
    return answer(202, deliveryOf(await findDelivery(webhooks.deliveries, endpoint, id)));
  },
});

const selection = z
  .strictObject({
    ids: z.array(deliveryId).min(1).max(MAX_RESENT_IDS).optional(),
    from: instant.optional().describe('Events from then on. With `to`.'),
    to: instant.optional().describe('And before that.'),
    states: z
      .array(z.enum(DELIVERY_STATES))
      .min(1)
      .max(DELIVERY_STATES.length)
      .optional()
      .describe('Of a range: FAILED alone unless others are named.'),
  })
  .refine(
    ({ ids, from, to, states }) =>
      ids === undefined ? from !== undefined && to !== undefined : (from ?? to ?? states) === undefined,
    'must name either ids, or from and to',
  )
  .refine(
    ({ from = '', to = '' }) =>
      !(Date.parse(to) - Date.parse(from) > MAX_RANGE_MS || Date.parse(to) <= Date.parse(from)),
    'must be a range of 31 days at most, its end after its beginning',
  )
  .meta({ id: 'WebhookResend' });

const selectionOf = ({ ids, from, to, states = ['FAILED'] }: z.output<typeof selection>): ResendSelection =>
  ids === undefined ? { from: new Date(from!), to: new Date(to!), states } : { ids };

const resendMany = route({
  name: 'resendWebhookDeliveries',
  ...{ method: 'POST', url: '/v1/webhook-endpoints/:endpointId/resend', action: 'webhooks.change', tag },
  summary: 'Send some of them again, by id or by when their events happened',
  path: ofEndpoint,
  body: selection,
  answers: { 202: z.object({ resent: z.int().describe('How many there were.') }).meta({ id: 'WebhooksResent' }) },
  refusals: [...OF_ENDPOINT, 'WEBHOOK_ENDPOINT_DISABLED'],
  async handle(asked) {
    const { webhooks, clock } = asked.parts;
    const endpoint = await endpointIn(asked);
    const resent = await resend(webhooks, endpoint, selectionOf(asked.body), new Date(clock()));
    return answer(202, { resent });
  },
});

export const webhookDeliveryRoutes: readonly Route[] = [list, get, resendOne, resendMany];
