// A delivery: one event for one endpoint of a producer, from its lifecycle record until it was taken or given up. No personal
// data: the lifecycle has none.
import { isSealed, type KeyRing, sealOf } from '../../domain/seals/seal.ts';
import type { IndexSpec } from '../idempotent-writes.ts';

/** `WAITING`: to be sent, or sent again. `DELIVERED`: the endpoint answered 2xx. `FAILED`: given up, until somebody resends it. */
export const DELIVERY_STATES = ['WAITING', 'DELIVERED', 'FAILED'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/**
 * How long a delivery is kept after its event, ms. What is older is neither made nor kept, so that a delivery which was
 * deleted never comes again, also when the lifecycle is read from its beginning.
 */
export const DELIVERY_KEPT_MS = 30 * 24 * 3_600_000;

export interface DeliveryDocument {
  /** Of event and endpoint; the `webhook-id` of every try. */
  readonly _id: string;
  readonly endpointId: string;
  readonly producerId: string;
  readonly transferId: string;
  /** Type of the event, such as `transfer.completed`. */
  readonly type: string;
  readonly sequence: number;
  readonly occurredAt: Date;
  /** What is sent, byte for byte. */
  readonly body: string;
  /** Of the sink that made it: a delivery that somebody wrote into the database is not sent. */
  readonly seal: string;
  readonly state: DeliveryState;
  /** When it is tried next; while it is being tried, when somebody else may take it. */
  readonly dueAt: Date;
  /** Since when it is tried: from its making, or from the last resend. */
  readonly since: Date;
  /** Tries that have failed since then. */
  readonly tries: number;
  readonly resends: number;
  /** Of the try that is under way, or was last; null: none. */
  readonly claim: string | null;
  readonly lastTryAt: Date | null;
  /** What the last try came to: the status of the answer, or null; a code, or null when it was taken. */
  readonly lastStatus: number | null;
  readonly lastCode: string | null;
  readonly settledAt: Date | null;
}

// Those of waiting ones name the state too: it is an equality of each query, so that none sorts.
export const deliveryIndexes: readonly IndexSpec[] = [
  {
    name: 'waiting_state_dueAt',
    keys: { state: 1, dueAt: 1 },
    partialFilterExpression: { state: 'WAITING' },
    servedQuery: 'what is due now, the longest due first (the sender)',
  },
  {
    name: 'waiting_state_endpointId_dueAt',
    keys: { state: 1, endpointId: 1, dueAt: 1 },
    partialFilterExpression: { state: 'WAITING' },
    servedQuery: 'what is due to one endpoint, the longest due first, whatever waits for others (the sender)',
  },
  {
    name: 'waiting_since',
    keys: { since: 1 },
    partialFilterExpression: { state: 'WAITING' },
    servedQuery: 'since when the oldest waits, and how many wait (metrics)',
  },
  {
    name: 'endpoint_state_occurredAt',
    keys: { endpointId: 1, state: 1, occurredAt: -1, _id: -1 },
    servedQuery: 'deliveries of one endpoint in one state, latest first; those of a range of time (resend, breaker)',
  },
  {
    name: 'endpoint_occurredAt',
    keys: { endpointId: 1, occurredAt: -1, _id: -1 },
    servedQuery: 'all deliveries of one endpoint, latest first',
  },
  { name: 'occurredAt', keys: { occurredAt: 1 }, servedQuery: 'deliveries that are no longer kept (the sweep)' },
];

type Sealed = Pick<DeliveryDocument, '_id' | 'endpointId' | 'producerId' | 'type' | 'body'>;

const partsOf = ({ _id, endpointId, producerId, type, body }: Sealed) => [_id, endpointId, producerId, type, body];

export const sealDelivery = (ring: KeyRing, delivery: Sealed): string =>
  sealOf(ring, 'webhook-delivery', partsOf(delivery));

/** Whether the sink made it as it stands. Never throws. */
export function isDeliverySealed(ring: KeyRing, delivery: Sealed & Pick<DeliveryDocument, 'seal'>): boolean {
  try {
    return isSealed(ring, 'webhook-delivery', partsOf(delivery), delivery.seal);
  } catch {
    // Something other than text.
    return false;
  }
}
