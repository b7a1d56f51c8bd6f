// Deliveries that a producer has sent again: one, several, or all of a range of time. The same id goes out, so that whoever
// has handled it knows the repeat.
import { CodedError } from '../../ports/fault.ts';
import type { DeliveryDocument } from '../../sinks/webhooks/delivery.ts';
import type { WebhookEndpoint } from './endpoint.ts';
import type { ResendSelection, SenderEndpoints, WebhookDeliveries } from './ports.ts';
import { CLOSED } from './schedule.ts';

export interface ResendComponents {
  readonly deliveries: WebhookDeliveries;
  readonly endpoints: Pick<SenderEndpoints, 'setBreakers'>;
}

/** @throws CodedError WEBHOOK_DELIVERY_UNKNOWN */
export async function findDelivery(
  deliveries: Pick<WebhookDeliveries, 'find'>,
  endpoint: WebhookEndpoint,
  id: string,
): Promise<DeliveryDocument> {
  const found = await deliveries.find(endpoint._id, id);
  if (found) return found;
  throw new CodedError('WEBHOOK_DELIVERY_UNKNOWN', 'there is no such delivery of this endpoint');
}

/**
 * Has them tried now, from the beginning of the schedule, also where the endpoint failed: whoever asks says that it is mended.
 * @returns how many there are
 * @throws CodedError WEBHOOK_ENDPOINT_DISABLED
 */
export async function resend(
  { deliveries, endpoints }: ResendComponents,
  endpoint: WebhookEndpoint,
  selection: ResendSelection,
  at: Date,
): Promise<number> {
  if (endpoint.disabled !== null)
    throw new CodedError('WEBHOOK_ENDPOINT_DISABLED', 'the endpoint is disabled: nothing would be sent');
  const count = await deliveries.resend(endpoint._id, selection, at);
  if (count > 0 && endpoint.breaker.failures > 0) await endpoints.setBreakers(new Map([[endpoint._id, CLOSED]]));
  return count;
}
