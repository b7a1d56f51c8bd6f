// An endpoint, deliveries and lifecycle records for tests of webhooks.

import type { TransferLifecycle } from '../../../schemas/types.generated.ts';
import type { DeliveryDocument } from '../../../sinks/webhooks/delivery.ts';
import { EVENT_TYPES } from '../../../sinks/webhooks/event-types.ts';
import { deliveriesOf } from '../../../sinks/webhooks/to-write.ts';
import { AT } from '../../../test/kit/builders.ts';
import { keptSecret, NEW, sealedEndpoint, type WebhookEndpoint } from '../endpoint.ts';
import { webhookRing } from './memory-webhooks.ts';

export const SECRET = Buffer.alloc(32, 7);

export function lifecycle(over: Partial<TransferLifecycle> = {}): TransferLifecycle {
  return {
    ...{ eventId: 'e-1', transferId: 'acme-0001', sequence: 6, attempt: 1, state: 'COMPLETED', stage: 'SETTLEMENT' },
    ...{ occurredAt: AT, requestedAt: AT - 1_000, sourceCountry: 'GB', targetCountry: 'IN' },
    ...{ sourceCurrency: 'GBP', targetCurrency: 'INR', debtorToken: 'd', creditorToken: 'c', purposeCode: 'DEPD' },
    ...{ chargeBearer: 'SLEV', debitMinor: 2n ** 60n, creditMinor: 12_480_000n, feesMinor: 199n },
    ...{ midRate: '125.2579', customerRate: '124.69', marginBps: 45, rateSnapshotId: 'r', screeningOutcome: 'CLEAR' },
    ...{ provider: 'simulator', reasonCodes: [], producerId: 'acme' },
    ...over,
  } as TransferLifecycle;
}

export function endpointFor(id: string, over: Partial<WebhookEndpoint> = {}): WebhookEndpoint {
  const createdAt = new Date(AT - 60_000);
  return {
    ...sealedEndpoint(webhookRing, {
      ...{ _id: id, producerId: 'acme', url: `https://${id}.test/hook`, events: EVENT_TYPES, createdAt, request: 'r' },
      secrets: [keptSecret(webhookRing, id, { secretId: 's-1', bytes: SECRET, at: createdAt })],
      ...over,
    }),
    ...NEW,
    ...over,
  };
}

/** The delivery of an event to an endpoint. */
export function deliveryFor(
  endpointId: string,
  eventId = 'e-1',
  over: Partial<DeliveryDocument> = {},
  record: Partial<TransferLifecycle> = {},
): DeliveryDocument {
  const producerId = record.producerId ?? 'acme';
  const subscription = { endpointId, producerId, events: EVENT_TYPES, isEnabled: true, createdAt: new Date(0) };
  const [made] = deliveriesOf(lifecycle({ eventId, ...record }), [subscription], webhookRing, AT);
  return { ...made!, ...over };
}
