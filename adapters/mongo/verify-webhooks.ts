// Webhooks in MongoDB, as verification reads them.
import type { Db } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { isEndpointSealed, type WebhookEndpoint } from '../../operations/webhooks/endpoint.ts';
import { type DeliveryDocument, isDeliverySealed } from '../../sinks/webhooks/delivery.ts';
import type { StoredWebhooks } from '../../verify/ports.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { DELIVERIES } from './webhook-deliveries.ts';
import { ENDPOINTS } from './webhook-endpoints.ts';

/** Read-only. @param ring of those who make webhooks; without it no seal is looked at */
export function verifyWebhooks(db: Db, ring: KeyRing | undefined): StoredWebhooks {
  const endpoints = db.collection<WebhookEndpoint>(ENDPOINTS, MAJORITY);
  const deliveries = db.collection<DeliveryDocument>(DELIVERIES, MAJORITY);
  return {
    async endpoints() {
      const found = await guarded(() => endpoints.find({}).toArray());
      return found.map((endpoint) => {
        const { _id: endpointId, producerId, events, createdAt, eventsSince, version } = endpoint;
        // One of before that was changed since: nobody knows by what, and when.
        const since = eventsSince ?? (version === 1 ? createdAt : undefined);
        const isSealed = ring === undefined || isEndpointSealed(ring, endpoint);
        return { endpointId, producerId, events, since: since?.getTime(), isSealed };
      });
    },
    async deliveries(ids) {
      const projection = { endpointId: 1, producerId: 1, type: 1, body: 1, seal: 1 };
      const found = await guarded(() => deliveries.find({ _id: { $in: [...ids] } }, { projection }).toArray());
      return found.map((delivery) => ({
        ...{ _id: delivery._id, body: delivery.body },
        isSealed: ring === undefined || isDeliverySealed(ring, delivery),
      }));
    },
  };
}
