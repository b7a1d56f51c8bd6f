// From lifecycle records to deliveries: one for each endpoint of the producer that asked for this type of event. Pure.
import type { KeyRing } from '../../domain/seals/seal.ts';
import { deterministicId } from '../../domain/transfers/event-id.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import { DELIVERY_KEPT_MS, type DeliveryDocument, sealDelivery } from './delivery.ts';
import { eventTypeOf } from './event-types.ts';

/** What the sink has to know of an endpoint. */
export interface Subscription {
  readonly endpointId: string;
  readonly producerId: string;
  readonly events: readonly string[];
  readonly isEnabled: boolean;
  readonly createdAt: Date;
}

/** The clock of a stage may be behind that of the API by so much, ms: what happened just before an endpoint counts as after. */
const SKEW_MS = 60_000;

/** The `webhook-id` of an event for an endpoint. Frozen: another rule would send everything again. */
export const deliveryIdOf = (endpointId: string, eventId: string): string =>
  deterministicId(`webhook\n${endpointId}\n${eventId}`);

/** What is sent. Fields may be added; none is taken away. Amounts are minor units as text. */
export function bodyOf(record: TransferLifecycle): string {
  const { eventId, transferId, sequence, attempt, state, stage, occurredAt, requestedAt, reasonCodes } = record;
  const money = (minor: bigint | null, currency: string) =>
    minor === null ? null : { minor: minor.toString(), currency };
  const data = {
    ...{ eventId, transferId, sequence, attempt, state, stage, reasonCodes },
    requestedAt: new Date(requestedAt).toISOString(),
    ...{ sourceCurrency: record.sourceCurrency, targetCurrency: record.targetCurrency },
    debit: money(record.debitMinor, record.sourceCurrency),
    credit: money(record.creditMinor, record.targetCurrency),
    fees: money(record.feesMinor, record.sourceCurrency),
    ...{ customerRate: record.customerRate, provider: record.provider },
  };
  return JSON.stringify({ type: eventTypeOf(state), timestamp: new Date(occurredAt).toISOString(), data });
}

/**
 * The deliveries that a record makes.
 * @param subscriptions of its producer
 * @param now ms since 1970
 */
export function deliveriesOf(
  record: TransferLifecycle,
  subscriptions: readonly Subscription[],
  ring: KeyRing,
  now: number,
): readonly DeliveryDocument[] {
  if (!isFresh(record, now)) return [];
  const type = eventTypeOf(record.state);
  const wanted = subscriptions.filter(
    ({ producerId, events, createdAt }) =>
      producerId === record.producerId && events.includes(type) && record.occurredAt >= createdAt.getTime() - SKEW_MS,
  );
  return wanted.map(({ endpointId, producerId, isEnabled }): DeliveryDocument => {
    const content = {
      _id: deliveryIdOf(endpointId, record.eventId),
      ...{ endpointId, producerId, transferId: record.transferId, type, body: bodyOf(record) },
    };
    const at = new Date(now);
    return {
      ...content,
      ...{ sequence: record.sequence, occurredAt: new Date(record.occurredAt), seal: sealDelivery(ring, content) },
      // What an endpoint misses while it is disabled can be sent again afterwards.
      ...(isEnabled
        ? { state: 'WAITING', lastCode: null, settledAt: null }
        : { state: 'FAILED', lastCode: 'WEBHOOK_ENDPOINT_DISABLED', settledAt: at }),
      ...{ dueAt: at, since: at, tries: 0, resends: 0, claim: null, lastTryAt: null, lastStatus: null },
    };
  });
}

/** Whether a record is of a producer, and not older than what is kept. */
export const isFresh = ({ producerId, occurredAt }: TransferLifecycle, now: number): boolean =>
  producerId !== null && occurredAt > now - DELIVERY_KEPT_MS;
