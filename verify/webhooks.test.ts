// What producers asked for is a delivery; what is none, or says something else, is found.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { webhookRing } from '../operations/webhooks/testing/memory-webhooks.ts';
import type { TransferLifecycle } from '../schemas/types.generated.ts';
import { DELIVERY_KEPT_MS } from '../sinks/webhooks/delivery.ts';
import { EVENT_TYPES } from '../sinks/webhooks/event-types.ts';
import { deliveriesOf } from '../sinks/webhooks/to-write.ts';
import { AT } from '../test/kit/builders.ts';
import type { StoredDelivery, StoredEndpoint } from './ports.ts';
import type { Entry } from './testing/entry.ts';
import type { FixedLog } from './testing/fixed-log.ts';
import { History } from './testing/history.ts';
import { AT_ONCE } from './testing/plant.ts';
import { verify } from './verify.ts';

const DAY_MS = 24 * 3_600_000;
beforeEach(() => void vi.useFakeTimers({ now: AT + DAY_MS, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

const ENDPOINT: StoredEndpoint = {
  ...{ endpointId: 'one', producerId: 'acme', events: EVENT_TYPES, since: AT - DAY_MS, isSealed: true },
};

/** Two transfers of acme and one of nobody, and every delivery that the sink makes of them. */
function world(endpoint: Partial<StoredEndpoint> = {}) {
  const endpoints = [{ ...ENDPOINT, ...endpoint }];
  const history = new History();
  const ours = new Set([history.tell('completed'), history.tell('failed')]);
  history.tell('completed');
  const events = history.entries.filter(({ topic, key }) => topic === 'transfer.lifecycle' && ours.has(key));
  for (const { value } of events) value.producerId = 'acme';
  history.fillStores();
  const deliveries = new Map<string, StoredDelivery>();
  const subscription = { ...ENDPOINT, isEnabled: true, createdAt: new Date(AT - DAY_MS) };
  for (const { value } of events)
    for (const { _id, body } of deliveriesOf(value as TransferLifecycle, [subscription], webhookRing, AT))
      deliveries.set(_id, { _id, body, isSealed: true });
  const given = {
    endpoints: async () => endpoints,
    deliveries: async (ids: readonly string[]) => ids.flatMap((id) => deliveries.get(id) ?? []),
  };
  const findings = async (change: (fixed: FixedLog) => void = () => undefined) => {
    const sources = history.sources();
    change(sources.fixed);
    const report = await verify({ ...sources, webhooks: given }, AT_ONCE);
    return report.findings.filter(({ check }) => check === 'webhooks');
  };
  return { history, events, deliveries, endpoints, findings, given };
}
type World = ReturnType<typeof world>;

const codesAfter = async (plant: (of: World) => void, endpoint?: Partial<StoredEndpoint>) => {
  const of = world(endpoint);
  plant(of);
  return (await of.findings()).map(({ code }) => code);
};
const first = ({ deliveries }: World) => [...deliveries.values()][0]!;
const forget = (of: World) => void of.deliveries.delete(first(of)._id);
const change = (over: (delivery: StoredDelivery) => Partial<StoredDelivery>) => (of: World) => {
  const one = first(of);
  of.deliveries.set(one._id, { ...one, ...over(one) });
};

describe('what an endpoint is owed', () => {
  it('is a delivery of each event of its producer that it asks for', async () => {
    const of = world();
    expect(of.events.length).toBeGreaterThan(8);
    expect(of.deliveries.size).toBe(of.events.length);
    expect(await of.findings()).toEqual([]);
  });

  it('is reported when it is missing, with the transfer and the place in the log', async () => {
    const of = world();
    const gone = of.events.find(({ value }) => value.state === 'COMPLETED')!;
    for (const [id, { body }] of of.deliveries) if (body.includes(gone.value.eventId)) of.deliveries.delete(id);
    expect(await of.findings()).toEqual([
      expect.objectContaining({
        ...{ code: 'WEBHOOK_MISSING', severity: 'error', transferId: gone.key },
        position: `transfer.lifecycle/${gone.partition}/${gone.offset}`,
      }),
    ]);
  });

  it.each<[string, (of: World) => void, readonly string[]]>([
    ['one that somebody else made', change(() => ({ isSealed: false })), ['WEBHOOK_NOT_SEALED']],
    [
      'one of another event',
      change(({ body }) => ({ body: body.replace('"sequence":1', '"sequence":7') })),
      ['WEBHOOK_DIFFERS'],
    ],
    ['one that is no JSON', change(() => ({ body: 'x' })), ['WEBHOOK_DIFFERS']],
    [
      'fields that a later build adds',
      change(({ body }) => ({ body: body.replace('"data":{', '"data":{"more":1,') })),
      [],
    ],
    [
      'an endpoint that somebody else made',
      ({ endpoints }) => void Object.assign(endpoints[0]!, { isSealed: false }),
      ['WEBHOOK_NOT_SEALED'],
    ],
  ])('%s', async (_, plant, codes) => {
    expect(await codesAfter(plant)).toEqual(codes);
  });

  it.each<[string, Partial<StoredEndpoint>]>([
    ['happened before it asked', { since: AT + DAY_MS }],
    ['may have happened before it asked', { since: AT - 1 }],
    ['nobody knows whether it had asked for', { since: undefined }],
    ['is of a type that it does not ask for', { events: [] }],
    ['is of another producer', { producerId: 'zenith' }],
  ])('is nothing that %s', async (_, endpoint) => {
    expect(await codesAfter(({ deliveries }) => deliveries.clear(), endpoint)).toEqual([]);
  });

  it('is nothing that the sink has not come to, nor what is too old to be kept', async () => {
    const of = world();
    of.deliveries.clear();
    const unhandled = (fixed: FixedLog) => {
      for (const { partition } of of.events as readonly Entry[])
        fixed.commit('sink-webhooks', 'transfer.lifecycle', partition, 0);
    };
    expect(await of.findings(unhandled)).toEqual([]);
    vi.setSystemTime(AT + DELIVERY_KEPT_MS);
    expect(await of.findings()).toEqual([]);
  });

  it('goes with an endpoint that is deleted meanwhile', async () => {
    const of = world();
    forget(of);
    let asked = 0;
    Object.assign(of.given, { endpoints: async () => (asked++ === 0 ? of.endpoints : []) });
    expect(await of.findings()).toEqual([]);
    expect(asked).toBe(2);
  });
});
