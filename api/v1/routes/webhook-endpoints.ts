// Endpoints of webhooks: a producer's own, and for operators to look at and to disable.
import { z } from 'zod';
import type { WebhookEndpoint } from '../../../operations/webhooks/endpoint.ts';
import {
  deleteEndpoint,
  disableEndpoint,
  enableEndpoint,
  findEndpoint,
  registerEndpoint,
  rotateSecret,
  updateEndpoint,
} from '../../../operations/webhooks/endpoints.ts';
import { cursorOf, cursorParameter, limitParameter, pageOf, positionIn } from '../../http/cursor.ts';
import { checkSameRequest, idFromKey, keyField, requestHash } from '../../http/idempotency.ts';
import { checkIfMatch, namesEtag } from '../../http/precondition.ts';
import { type Asked, answer, type Route, route } from '../../http/route.ts';
import { CHANGE_REFUSALS, ifMatch, ifNoneMatch, reasonText } from '../operators.ts';
import { endpointDto, endpointEtag, endpointOf, eventTypes, withSecretDto } from '../webhook-dto.ts';

const HOUR_MS = 3_600_000;
const MAX_KEEP_HOURS = 168;
const MAX_PAGE_ITEMS = 100;
const PAGE_ITEMS = 50;

export const ofEndpoint = z.strictObject({
  endpointId: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'an id of an endpoint'),
});
type OfEndpoint = Asked<z.output<typeof ofEndpoint>, unknown, unknown>;

const url = z.string().min(1).max(1_000).describe('https:// alone; its host has public addresses only.');
const position = z.tuple([z.int(), z.string().max(64)]);

/** @throws CodedError WEBHOOK_ENDPOINT_UNKNOWN, also of what is another's */
export const endpointIn = ({ parts, path, principal, condition }: OfEndpoint): Promise<WebhookEndpoint> =>
  findEndpoint(parts.webhooks.endpoints, path.endpointId, principal, condition);

/** The endpoint, as whoever changes it has seen it. */
async function seenEndpoint(asked: OfEndpoint): Promise<WebhookEndpoint> {
  const given = asked.header('if-match');
  // Before anything is looked for.
  if (given === undefined) checkIfMatch(given, '');
  const endpoint = await endpointIn(asked);
  checkIfMatch(given, endpointEtag(endpoint));
  return endpoint;
}

const shown = (endpoint: WebhookEndpoint) => answer(200, endpointOf(endpoint), { etag: endpointEtag(endpoint) });

const CHANGES = [...CHANGE_REFUSALS, 'WEBHOOK_ENDPOINT_UNKNOWN'] as const;
const OF_CONTENT = ['WEBHOOK_ENDPOINT_FORGED', 'WEBHOOKS_OFF'] as const;
const tag = 'Webhooks';

const register = route({
  ...{
    name: 'registerWebhookEndpoint',
    method: 'POST',
    url: '/v1/webhook-endpoints',
    action: 'webhooks.register',
    tag,
  },
  isRecorded: true,
  summary: 'Have events of your transfers sent to a URL',
  description: 'The answer holds the secret that messages are signed with: it is shown once.',
  headers: { 'idempotency-key': keyField },
  body: z.strictObject({ url, events: eventTypes }).meta({ id: 'NewWebhookEndpoint' }),
  answers: { 201: withSecretDto },
  refusals: [
    ...(['IDEMPOTENCY_KEY_INVALID', 'IDEMPOTENCY_KEY_REUSED', 'WEBHOOK_URL_REFUSED', 'WEBHOOKS_OFF'] as const),
    ...(['WEBHOOK_ENDPOINTS_TOO_MANY', 'TOO_BUSY', 'MONGO_UNAVAILABLE'] as const),
  ],
  async handle({ parts, principal, body: asked, header }) {
    const id = idFromKey('webhook-endpoint', principal.subject, header('idempotency-key'));
    const request = requestHash(asked);
    const known = await parts.webhooks.endpoints.find(id);
    const terms = { id, producerId: principal.subject, ...asked, request, at: new Date(parts.clock()) };
    const made = known ? undefined : await registerEndpoint(parts.webhooks, terms);
    const endpoint = made?.endpoint ?? known ?? (await findEndpoint(parts.webhooks.endpoints, id, principal, 'own'));
    checkSameRequest(endpoint.request, request);
    const headers = { location: `/v1/webhook-endpoints/${id}`, etag: endpointEtag(endpoint) };
    const replayed = made ? {} : { 'idempotent-replayed': 'true' };
    const body = { endpoint: endpointOf(endpoint), secret: made?.secret ?? null };
    const audited = { on: { kind: 'webhook-endpoints', id, isKnown: true } };
    return { ...answer(201, body, { ...headers, ...replayed }), audited };
  },
});

const list = route({
  ...{ name: 'listWebhookEndpoints', method: 'GET', url: '/v1/webhook-endpoints', action: 'webhooks.read', tag },
  summary: 'Endpoints of webhooks, the latest first',
  query: z.strictObject({
    producer: z.string().min(1).max(64).optional().describe('Whose. A producer sees its own alone.'),
    limit: limitParameter(MAX_PAGE_ITEMS, PAGE_ITEMS),
    cursor: cursorParameter,
  }),
  answers: { 200: pageOf(endpointDto).meta({ id: 'WebhookEndpointPage' }) },
  refusals: ['CURSOR_INVALID', 'MONGO_UNAVAILABLE'],
  async handle({ parts, principal, condition, query: { producer: asked, limit, cursor } }) {
    const producer = condition === 'own' ? principal.subject : asked;
    if (asked !== undefined && asked !== producer) return answer(200, { items: [], nextCursor: null });
    const after = cursor === undefined ? undefined : positionIn(position, cursor);
    const place = after && { at: new Date(after[0]), id: after[1] };
    const found = await parts.webhooks.endpoints.list(producer, place, limit + 1);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const hasMore = found.length > limit && last !== undefined;
    const nextCursor = hasMore ? cursorOf([last.createdAt.getTime(), last._id]) : null;
    return answer(200, { items: page.map(endpointOf), nextCursor });
  },
});

const get = route({
  ...{
    name: 'getWebhookEndpoint',
    method: 'GET',
    url: '/v1/webhook-endpoints/:endpointId',
    action: 'webhooks.read',
    tag,
  },
  summary: 'An endpoint, and how it does',
  path: ofEndpoint,
  headers: ifNoneMatch,
  answers: { 200: endpointDto, 304: z.undefined().describe('Nobody has changed it.') },
  refusals: ['WEBHOOK_ENDPOINT_UNKNOWN', 'MONGO_UNAVAILABLE'],
  async handle(asked) {
    const endpoint = await endpointIn(asked);
    const headers = { etag: endpointEtag(endpoint) };
    if (namesEtag(asked.header('if-none-match'), headers.etag)) return answer(304, undefined, headers);
    return answer(200, endpointOf(endpoint), headers);
  },
});

const update = route({
  name: 'updateWebhookEndpoint',
  ...{ method: 'PATCH', url: '/v1/webhook-endpoints/:endpointId', action: 'webhooks.change', tag },
  isRecorded: true,
  summary: 'Change the URL or the types of events: what is left out stays',
  path: ofEndpoint,
  headers: ifMatch,
  body: z
    .strictObject({ url: url.optional(), events: eventTypes.optional() })
    .refine((change) => Object.keys(change).length > 0, 'must name what is changed')
    .meta({ id: 'WebhookEndpointChange', minProperties: 1 }),
  answers: { 200: endpointDto },
  refusals: [...CHANGES, ...OF_CONTENT, 'WEBHOOK_URL_REFUSED', 'TOO_BUSY'],
  handle: async (asked) => {
    const { url: to, events } = asked.body;
    const change = { ...(to !== undefined && { url: to }), ...(events !== undefined && { events }) };
    const at = new Date(asked.parts.clock());
    return shown(await updateEndpoint(asked.parts.webhooks, await seenEndpoint(asked), change, at));
  },
});

const rotate = route({
  name: 'rotateWebhookSecret',
  ...{ method: 'POST', url: '/v1/webhook-endpoints/:endpointId/rotate-secret', action: 'webhooks.change', tag },
  isRecorded: true,
  summary: 'Get a new secret; messages bear the signatures of the old ones too, for a while',
  path: ofEndpoint,
  headers: ifMatch,
  body: z
    .strictObject({
      keepOldHours: z
        .int()
        .min(0)
        .max(MAX_KEEP_HOURS)
        .default(24)
        .describe('How long the old ones sign too. 0: not any more, as after a leak.'),
    })
    .meta({ id: 'WebhookSecretRotation' }),
  answers: { 200: withSecretDto },
  refusals: [...CHANGES, ...OF_CONTENT],
  async handle(asked) {
    const { parts, body } = asked;
    const terms = { keepMs: body.keepOldHours * HOUR_MS, at: new Date(parts.clock()) };
    const { endpoint, secret } = await rotateSecret(parts.webhooks, await seenEndpoint(asked), terms);
    return answer(200, { endpoint: endpointOf(endpoint), secret }, { etag: endpointEtag(endpoint) });
  },
});

const disable = route({
  name: 'disableWebhookEndpoint',
  ...{ method: 'POST', url: '/v1/webhook-endpoints/:endpointId/disable', action: 'webhooks.disable', tag },
  isRecorded: true,
  summary: 'Send nothing more to it; what comes meanwhile is kept as failed, and can be resent',
  path: ofEndpoint,
  headers: ifMatch,
  body: z.strictObject({ reason: reasonText }).meta({ id: 'WebhookDisabling' }),
  answers: { 200: endpointDto },
  refusals: CHANGES,
  async handle(asked) {
    const { parts, principal, body } = asked;
    const disabling = { by: principal.subject, at: new Date(parts.clock()), reason: body.reason };
    return shown(await disableEndpoint(parts.webhooks.endpoints, await seenEndpoint(asked), disabling));
  },
});

const enable = route({
  name: 'enableWebhookEndpoint',
  ...{ method: 'POST', url: '/v1/webhook-endpoints/:endpointId/enable', action: 'webhooks.change', tag },
  isRecorded: true,
  summary: 'Send to it again; what it missed is sent when it is resent',
  path: ofEndpoint,
  headers: ifMatch,
  answers: { 200: endpointDto },
  refusals: CHANGES,
  handle: async (asked) => shown(await enableEndpoint(asked.parts.webhooks.endpoints, await seenEndpoint(asked))),
});

const remove = route({
  name: 'deleteWebhookEndpoint',
  ...{ method: 'DELETE', url: '/v1/webhook-endpoints/:endpointId', action: 'webhooks.change', tag },
  isRecorded: true,
  summary: 'Delete an endpoint, its secrets and what was to be sent to it',
  path: ofEndpoint,
  headers: ifMatch,
  answers: { 204: z.undefined().describe('It is gone.') },
  refusals: CHANGES,
  async handle(asked) {
    await deleteEndpoint(asked.parts.webhooks.endpoints, await seenEndpoint(asked));
    return answer(204, undefined);
  },
});

export const webhookEndpointRoutes: readonly Route[] = [register, list, get, update, rotate, disable, enable, remove];
