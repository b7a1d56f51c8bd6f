// The webhook sink: turns lifecycle records into deliveries, each event once for each endpoint.
import type { KeyRing } from '../../domain/seals/seal.ts';
import { consumers } from '../../processors/topology.ts';
import type { Sink } from '../contract.ts';
import type { IdempotentStore } from '../idempotent-writes.ts';
import type { DeliveryDocument } from './delivery.ts';
import { deliveriesOf, isFresh, type Subscription } from './to-write.ts';

const { reads } = consumers['sink-webhooks'];

export interface WebhookSinkComponents {
  /** The endpoints of these producers, in one round trip. */
  readonly subscriptions: (producerIds: readonly string[]) => Promise<readonly Subscription[]>;
  readonly store: IdempotentStore<DeliveryDocument>;
  readonly ring: KeyRing;
  /** ms since 1970 */
  readonly clock: () => number;
}

/** Two round trips for a batch: whose endpoints there are, and all deliveries in one insert. */
export function webhooksSink({ subscriptions, store, ring, clock }: WebhookSinkComponents): Sink<typeof reads> {
  return {
    name: 'sink-webhooks',
    reads,
    async write(batch) {
      const now = clock();
      const fresh = batch.filter(({ value }) => isFresh(value, now));
      const producers = new Set(fresh.flatMap(({ value }) => value.producerId ?? []));
      const found = producers.size === 0 ? [] : await subscriptions([...producers]);
      const byProducer = Map.groupBy(found, ({ producerId }) => producerId);
      const made = batch.map(({ value }) =>
        deliveriesOf(value, byProducer.get(value.producerId ?? '') ?? [], ring, now),
      );
      const documents = [...new Map(made.flat().map((delivery) => [delivery._id, delivery])).values()];
      const { written, stale, conflicting } = await store.insertOnly(documents);
      const conflicts = new Set(conflicting);
      const failed = made.flatMap((own, index) => {
        const id = own.find(({ _id }) => conflicts.has(_id))?._id;
        if (id === undefined) return [];
        const detail = `${id} is stored with another body: the same id must never stand for two things`;
        return [
          { index, disposition: { kind: 'dead-letter' as const, cause: { code: 'ID_CONFLICT' as const, detail } } },
        ];
      });
      return { written, stale, failed };
    },
  };
}
