import { describe, expect, it } from 'vitest';
import { webhookRing } from '../../operations/webhooks/testing/memory-webhooks.ts';
import { lifecycle } from '../../operations/webhooks/testing/world.ts';
import { AT } from '../../test/kit/builders.ts';
import { DELIVERY_KEPT_MS, isDeliverySealed } from './delivery.ts';
import { EVENT_TYPES } from './event-types.ts';
import { deliveriesOf, type Subscription } from './to-write.ts';

const subscription = (over: Partial<Subscription> = {}): Subscription => ({
  ...{ endpointId: 'one', producerId: 'acme', events: EVENT_TYPES, isEnabled: true, createdAt: new Date(AT - 1_000) },
  ...over,
});
const made = (record: Parameters<typeof lifecycle>[0], subscriptions: readonly Subscription[], now = AT) =>
  deliveriesOf(lifecycle(record), subscriptions, webhookRing, now);

describe('the deliveries of a record', () => {
  it('are one for each endpoint of its producer, always under the same id', () => {
    const found = made({}, [
      subscription(),
      subscription({ endpointId: 'two' }),
      subscription({ producerId: 'zenith' }),
    ]);
    expect(found.map(({ endpointId }) => endpointId)).toEqual(['one', 'two']);
    expect(new Set(found.map(({ _id }) => _id)).size).toBe(2);
    expect(made({}, [subscription()], AT + 5)[0]!._id).toBe(found[0]!._id);
    expect(made({ eventId: 'e-2' }, [subscription()])[0]!._id).not.toBe(found[0]!._id);
  });

  it('are none of a record without a producer, nor of a type that nobody asked for', () => {
    expect(made({ producerId: null }, [subscription()])).toEqual([]);
    expect(made({}, [subscription({ events: ['transfer.rejected'] })])).toEqual([]);
    expect(made({ state: 'REJECTED' }, [subscription({ events: ['transfer.rejected'] })])).toHaveLength(1);
  });

  it('are none of what was long before the endpoint, or is not kept any more', () => {
    expect(made({}, [subscription({ createdAt: new Date(AT + 59_000) })])).toHaveLength(1);
    expect(made({}, [subscription({ createdAt: new Date(AT + 61_000) })])).toEqual([]);
    expect(made({}, [subscription()], AT + DELIVERY_KEPT_MS - 1)).toHaveLength(1);
    expect(made({}, [subscription()], AT + DELIVERY_KEPT_MS)).toEqual([]);
  });

  it('wait, or are parked where the endpoint is disabled', () => {
    expect(made({}, [subscription()])[0]).toMatchObject({ state: 'WAITING', dueAt: new Date(AT), tries: 0 });
    const parked = made({}, [subscription({ isEnabled: false })])[0];
    expect(parked).toMatchObject({ state: 'FAILED', lastCode: 'WEBHOOK_ENDPOINT_DISABLED' });
  });

  it('say what happened, in exact amounts, with the sequence and without tokens of customers', () => {
    const { body } = made({ reasonCodes: ['AM14'], state: 'REJECTED' }, [subscription()])[0]!;
    expect(JSON.parse(body)).toEqual({
      type: 'transfer.rejected',
      timestamp: new Date(AT).toISOString(),
      data: {
        ...{ eventId: 'e-1', transferId: 'acme-0001', sequence: 6, attempt: 1, state: 'REJECTED', stage: 'SETTLEMENT' },
        ...{ reasonCodes: ['AM14'], requestedAt: new Date(AT - 1_000).toISOString() },
        ...{ sourceCurrency: 'GBP', targetCurrency: 'INR', customerRate: '124.69', provider: 'simulator' },
        debit: { minor: '1152921504606846976', currency: 'GBP' },
        credit: { minor: '12480000', currency: 'INR' },
        fees: { minor: '199', currency: 'GBP' },
      },
    });
    expect(body).not.toContain('oken');
  });

  it('bear the seal of the sink over all that is sent', () => {
    const one = made({}, [subscription()])[0]!;
    expect(isDeliverySealed(webhookRing, one)).toBe(true);
    for (const over of [{ body: '{}' }, { endpointId: 'two' }, { producerId: 'zenith' }, { _id: 'x' }, { type: 'a' }])
      expect(isDeliverySealed(webhookRing, { ...one, ...over })).toBe(false);
    expect(isDeliverySealed(webhookRing, { ...one, body: { a: 1 } as never })).toBe(false);
  });
});
