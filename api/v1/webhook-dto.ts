// Endpoints and deliveries of webhooks as the API shows them. A secret is no field of an endpoint: it is shown once.
import { z } from 'zod';
import type { WebhookEndpoint } from '../../operations/webhooks/endpoint.ts';
import { DELIVERY_STATES, type DeliveryDocument } from '../../sinks/webhooks/delivery.ts';
import { EVENT_TYPES } from '../../sinks/webhooks/event-types.ts';
import { etagOf } from '../http/precondition.ts';
import { instant, instantOf } from './dto.ts';

export const eventTypes = z
  .array(z.enum(EVENT_TYPES as [string, ...string[]]))
  .min(1)
  .max(EVENT_TYPES.length)
  .describe('Types of events that are sent. Others are not kept.');

export const endpointDto = z
  .object({
    endpointId: z.string(),
    producer: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    isEnabled: z.boolean(),
    disabled: z
      .object({ by: z.string().nullable().describe('Null: it answered 410 Gone.'), at: instant, reason: z.string() })
      .nullable()
      .describe('Why nothing is sent; null: it is enabled.'),
    secrets: z
      .array(z.object({ secretId: z.string(), createdAt: instant, expiresAt: instant.nullable() }))
      .describe('What messages are signed with, the newest first; never the secrets themselves.'),
    failures: z.int().describe('Tries that failed in a row, of whatever delivery.'),
    failingSince: instant.nullable(),
    leftAloneUntil: instant.nullable().describe('Nothing is tried until then; then one delivery is.'),
    createdAt: instant,
  })
  .meta({ id: 'WebhookEndpoint' });

export const endpointOf = (endpoint: WebhookEndpoint): z.output<typeof endpointDto> => ({
  endpointId: endpoint._id,
  producer: endpoint.producerId,
  url: endpoint.url,
  events: [...endpoint.events],
  isEnabled: endpoint.disabled === null,
  disabled: endpoint.disabled && { ...endpoint.disabled, at: instantOf(endpoint.disabled.at) },
  secrets: endpoint.secrets.map(({ secretId, createdAt, expiresAt }) => ({
    ...{ secretId, createdAt: instantOf(createdAt), expiresAt: expiresAt && instantOf(expiresAt) },
  })),
  failures: endpoint.breaker.failures,
  failingSince: endpoint.breaker.failingSince && instantOf(endpoint.breaker.failingSince),
  leftAloneUntil: endpoint.breaker.openUntil && instantOf(endpoint.breaker.openUntil),
  createdAt: instantOf(endpoint.createdAt),
});

/** Of what people change: how an endpoint does at the moment is no part of it. */
export const endpointEtag = ({ version }: WebhookEndpoint): string => etagOf(version);

export const withSecretDto = z
  .object({
    endpoint: endpointDto,
    secret: z
      .string()
      .nullable()
      .describe(
        '`whsec_…`, shown this once. Null: the same request was answered before; replace the secret if it is lost.',
      ),
  })
  .meta({ id: 'WebhookEndpointWithSecret' });

export const deliveryDto = z
  .object({
    deliveryId: z.string().describe('The `webhook-id` of every try.'),
    endpointId: z.string(),
    type: z.string(),
    transferId: z.string(),
    sequence: z.int(),
    occurredAt: instant,
    state: z
      .enum(DELIVERY_STATES)
      .describe('WAITING: it is sent, or sent again. DELIVERED: answered 2xx. FAILED: given up, until it is resent.'),
    tries: z.int().describe('That failed, since it was made or resent.'),
    resends: z.int(),
    nextTryAt: instant.nullable(),
    lastTryAt: instant.nullable(),
    lastStatus: z.int().nullable().describe('HTTP status of the last answer.'),
    lastCode: z.string().nullable().describe('Why the last try failed; null: it was taken, or not tried.'),
    settledAt: instant.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });

export const deliveryOf = (delivery: DeliveryDocument): z.output<typeof deliveryDto> => {
  const { _id, endpointId, type, transferId, state, lastTryAt, lastStatus, lastCode, settledAt } = delivery;
  return {
    ...{ deliveryId: _id, endpointId, type, transferId, state, lastCode },
    ...{ sequence: Number(delivery.sequence), tries: Number(delivery.tries), resends: Number(delivery.resends) },
    occurredAt: instantOf(delivery.occurredAt),
    nextTryAt: state === 'WAITING' ? instantOf(delivery.dueAt) : null,
    lastTryAt: lastTryAt && instantOf(lastTryAt),
    lastStatus: lastStatus === null ? null : Number(lastStatus),
    settledAt: settledAt && instantOf(settledAt),
  };
};
