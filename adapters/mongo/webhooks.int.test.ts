// Endpoints and deliveries in MongoDB: what the sink, senders and producers ask of them, together and one against another.
import { expect, inject, it } from 'vitest';
import type { Settled } from '../../operations/webhooks/ports.ts';
import { WebhookSender } from '../../operations/webhooks/sender.ts';
import { webhookRing } from '../../operations/webhooks/testing/memory-webhooks.ts';
import { deliveryFor, endpointFor, lifecycle } from '../../operations/webhooks/testing/world.ts';
import type { Received } from '../../processors/contract.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import { EVENT_TYPES } from '../../sinks/webhooks/event-types.ts';
import { webhooksSink } from '../../sinks/webhooks/sink.ts';
import { AT } from '../../test/kit/builders.ts';
import { freshDatabases } from './testing/databases.ts';
import { verifyWebhooks } from './verify-webhooks.ts';
import { webhookDeliveries } from './webhook-deliveries.ts';
import { webhookEndpoints } from './webhook-endpoints.ts';

const freshDatabase = freshDatabases('webhooks', inject('stack').mongoUri);
async function stores() {
  const db = freshDatabase();
  const endpoints = webhookEndpoints(db);
  const deliveries = webhookDeliveries(db);
  await Promise.all([endpoints.ensureIndexes(), deliveries.ensureIndexes()]);
  return { db, endpoints, deliveries };
}
const at = (ms: number) => new Date(AT + ms);
const record = (over: Partial<TransferLifecycle>) =>
  ({ value: lifecycle(over) }) as Received<TransferLifecycle, 'transfer.lifecycle'>;

it('endpoints are kept, listed by producer and page, and changed by compare-and-set', async () => {
  const { endpoints } = await stores();
  for (let i = 0; i < 5; i++)
    expect(await endpoints.insert(endpointFor(`e-${i}`, { createdAt: at(Math.floor(i / 2)) }))).toBe(true);
  expect(await endpoints.insert(endpointFor('theirs', { producerId: 'zenith' }))).toBe(true);
  const one = endpointFor('e-0', { createdAt: at(0) });
  expect(await endpoints.insert(one)).toBe(false);
  const found = (await endpoints.find('e-1'))!;
  expect(found).toMatchObject({ producerId: 'acme', disabled: null, version: 1 });
  const ids: string[] = [];
  for (let page = await endpoints.list('acme', undefined, 2); page.length > 0; ) {
    ids.push(...page.map(({ _id }) => _id));
    const { createdAt, _id } = page.at(-1)!;
    page = await endpoints.list('acme', { at: createdAt, id: _id }, 2);
  }
  expect(ids).toEqual(['e-4', 'e-3', 'e-2', 'e-1', 'e-0']);
  expect(await endpoints.list(undefined, undefined, 10)).toHaveLength(6);
  expect(await endpoints.change(found, { url: 'https://a.test/' })).toBe(true);
  expect(await endpoints.change(found, { url: 'https://b.test/' })).toBe(false);
  expect(await endpoints.find('e-1')).toMatchObject({ url: 'https://a.test/', version: 2 });
  expect(await endpoints.remove(found)).toBe(false);
  const disabling = { by: null, at: at(0), reason: 'gone' };
  await Promise.all([endpoints.disable('e-1', disabling), endpoints.disable('e-1', { ...disabling, reason: 'twice' })]);
  expect(await endpoints.find('e-1')).toMatchObject({ version: 3 });
  await endpoints.setBreakers(new Map([['e-1', { failures: 7, failingSince: at(0), openUntil: at(60_000) }]]));
  expect([await endpoints.countOpen(at(0)), await endpoints.countOpen(at(60_000))]).toEqual([1, 0]);
  expect(await endpoints.countDisabled()).toBe(1);
  expect(await endpoints.remove({ _id: 'e-1', version: 3 })).toBe(true);
  expect(await endpoints.byIds(['e-1', 'e-2'])).toHaveLength(1);
});

it('verification reads both as they are: whose they are, since when, and whether they are as they were made', async () => {
  const { db, endpoints, deliveries } = await stores();
  const [since, later] = [at(-60_000), at(5)];
  await endpoints.insert(endpointFor('old'));
  await endpoints.insert(endpointFor('changed', { version: 3 }));
  await endpoints.insert(endpointFor('new', { eventsSince: later, version: 4 }));
  await endpoints.insert({ ...endpointFor('forged'), url: 'https://thief.test/' });
  const found = await verifyWebhooks(db, webhookRing).endpoints();
  const times = found.map(({ endpointId, since: from, isSealed }) => [endpointId, from, isSealed]);
  expect(times.toSorted()).toEqual([
    ['changed', undefined, true],
    ['forged', since.getTime(), false],
    ['new', later.getTime(), true],
    ['old', since.getTime(), true],
  ]);
  expect(found[0]).toMatchObject({ producerId: 'acme', events: EVENT_TYPES });
  const [true_, other] = [deliveryFor('old', 'e-1'), deliveryFor('old', 'e-2')];
  await deliveries.insertOnly([true_, { ...other, type: 'transfer.rejected' }]);
  const stored = await verifyWebhooks(db, webhookRing).deliveries([true_._id, other._id, 'nothing']);
  expect(new Map(stored.map(({ _id, body, isSealed }) => [_id, [body, isSealed]]))).toEqual(
    new Map([
      [true_._id, [true_.body, true]],
      [other._id, [other.body, false]],
    ]),
  );
  // Without the key nobody can tell.
  const unproven = verifyWebhooks(db, undefined);
  for (const each of [...(await unproven.endpoints()), ...(await unproven.deliveries([other._id]))])
    expect(each.isSealed).toBe(true);
});

it('the sink makes each delivery once, for the endpoints of the record’s producer alone, however often it reads', async () => {
  const { endpoints, deliveries, db } = await stores();
  await endpoints.insert(endpointFor('one', { events: ['transfer.completed', 'transfer.rejected'] }));
  await endpoints.insert(endpointFor('off', { disabled: { by: 'asha', at: at(0), reason: 'r' } }));
  await endpoints.insert(endpointFor('theirs', { producerId: 'zenith' }));
  const sink = webhooksSink({ ...endpoints, store: deliveries, ring: webhookRing, clock: () => AT });
  const batch = [
    record({}),
    record({ eventId: 'e-2', sequence: 2, state: 'SCREENED' }),
    record({ eventId: 'e-3', producerId: null }),
    record({ eventId: 'e-4', producerId: 'zenith' }),
  ];
  expect(await sink.write(batch)).toEqual({ written: 4, stale: 0, failed: [] });
  expect(await sink.write([...batch, ...batch])).toEqual({ written: 0, stale: 4, failed: [] });
  const all = await db.collection('webhook_deliveries').find().toArray();
  expect(all.map(({ endpointId, type, state }) => [endpointId, type, state].join(' ')).toSorted()).toEqual([
    'off transfer.completed FAILED',
    'off transfer.screened FAILED',
    'one transfer.completed WAITING',
    'theirs transfer.completed WAITING',
  ]);
  // The same event with another content is an alarm, and never sent in its place.
  const { failed } = await sink.write([record({ eventId: 'e-9' }), record({ creditMinor: 1n })]);
  expect(failed).toMatchObject([{ index: 1, disposition: { cause: { code: 'ID_CONFLICT' } } }]);
});

it('what is due is found without those that are busy, and is one claim’s until that runs out', async () => {
  const { deliveries } = await stores();
  const made = ['a', 'b'].flatMap((id) => [1, 2, 3].map((i) => deliveryFor(id, `e-${i}`, { dueAt: at(i) })));
  await deliveries.insertOnly(made);
  expect((await deliveries.due(at(2), 10)).map(({ dueAt }) => dueAt.getTime() - AT)).toEqual([1, 1, 2, 2]);
  const limits = new Map([
    ['a', 1],
    ['b', 9],
    ['none', 9],
  ]);
  expect((await deliveries.dueOf(at(2), limits)).map(({ endpointId }) => endpointId)).toEqual(['a', 'b', 'b']);
  expect(await deliveries.due(at(9), 5)).toHaveLength(5);
  const ids = made.map(({ _id }) => _id);
  const [one, two] = await Promise.all([
    deliveries.claim(ids, 'one', at(10), at(20)),
    deliveries.claim(ids, 'two', at(10), at(20)),
  ]);
  expect(one!.length + two!.length).toBe(6);
  expect(await deliveries.claim(ids, 'three', at(19), at(30))).toEqual([]);
  expect(await deliveries.claim(ids, 'four', at(20), at(30))).toHaveLength(6);
});

it('what is due to an endpoint is found in the order of an index, whatever waits', async () => {
  const { db, deliveries } = await stores();
  await deliveries.insertOnly(['a', 'b'].flatMap((id) => [1, 2, 3].map((i) => deliveryFor(id, `e-${i}`))));
  const all = db.collection('webhook_deliveries');
  const due = { state: 'WAITING', dueAt: { $lte: at(9) } };
  for (const query of [due, { ...due, endpointId: 'a' }]) {
    const { queryPlanner } = await all.find(query).sort({ dueAt: 1 }).explain('queryPlanner');
    const plan = JSON.stringify((queryPlanner as { winningPlan: unknown }).winningPlan);
    expect(plan).toMatch(/IXSCAN/);
    expect(plan).not.toMatch(/COLLSCAN|"SORT"/);
  }
});

it('what came of a try is written for the claim that made it; that it was taken, for any', async () => {
  const { deliveries } = await stores();
  const [a, b, c] = ['a', 'b', 'c'].map((id) => deliveryFor('one', id)) as [
    ReturnType<typeof deliveryFor>,
    never,
    never,
  ];
  await deliveries.insertOnly([a, b, c]);
  const ids = [a, b, c].map(({ _id }) => _id);
  const stale = await deliveries.claim(ids, 'stale', at(0), at(1));
  const fresh = await deliveries.claim(ids, 'fresh', at(2), at(30));
  const again = { kind: 'again', dueAt: at(100), code: 'HTTP_500', status: 500 } as const;
  const of = (claimed: typeof stale, i: number) => claimed.find(({ _id }) => _id === ids[i])!;
  const settle = (delivery: (typeof stale)[0], settlement: Settled['settlement']) =>
    deliveries.settle([{ delivery, settlement, at: at(5) }]);
  await settle(of(stale, 0), again);
  expect(await deliveries.find('one', ids[0]!)).toMatchObject({ tries: 0, claim: 'fresh' });
  await settle(of(stale, 0), { kind: 'delivered', status: 204 });
  await settle(of(fresh, 0), again);
  expect(await deliveries.find('one', ids[0]!)).toMatchObject({ state: 'DELIVERED', lastStatus: 204, tries: 0 });
  await settle(of(fresh, 1), again);
  expect(await deliveries.find('one', ids[1]!)).toMatchObject({ state: 'WAITING', tries: 1, dueAt: at(100) });
  await settle(of(fresh, 2), { kind: 'failed', code: 'WEBHOOK_GONE', status: 410, isGone: true });
  expect(await deliveries.find('one', ids[2]!)).toMatchObject({ state: 'FAILED', lastCode: 'WEBHOOK_GONE' });
  expect(await deliveries.find('two', ids[2]!)).toBeUndefined();
});

it('waiting ones are put off, given up, parked, resent and swept', async () => {
  const { deliveries } = await stores();
  const old = deliveryFor('one', 'old', { since: at(-1_000) });
  const fresh = deliveryFor('one', 'fresh');
  const other = deliveryFor('two', 'other');
  await deliveries.insertOnly([old, fresh, other]);
  expect(await deliveries.standing()).toEqual({ waiting: 3, oldestSince: at(-1_000) });
  await deliveries.postpone([{ endpointId: 'one', until: at(50), giveUpSince: at(-1_000) }], at(0));
  expect(await deliveries.find('one', old._id)).toMatchObject({ state: 'FAILED', lastCode: 'WEBHOOK_GIVEN_UP' });
  expect(await deliveries.find('one', fresh._id)).toMatchObject({ state: 'WAITING', dueAt: at(50), tries: 0 });
  await deliveries.park([{ id: other._id, code: 'WEBHOOK_ENDPOINT_DISABLED' }], at(-1));
  expect(await deliveries.find('two', other._id)).toMatchObject({ state: 'WAITING' });
  await deliveries.park([{ id: other._id, code: 'WEBHOOK_ENDPOINT_DISABLED' }], at(1));
  expect(await deliveries.find('two', other._id)).toMatchObject({ state: 'FAILED' });
  const range = { from: at(-10), to: at(10), states: ['FAILED'] } as const;
  expect(await deliveries.resend('one', range, at(7))).toBe(1);
  expect(await deliveries.find('one', old._id)).toMatchObject({ state: 'WAITING', dueAt: at(7), resends: 1, tries: 0 });
  expect(await deliveries.resend('one', { ids: [fresh._id, other._id] }, at(8))).toBe(1);
  const listed = await deliveries.list('one', 'WAITING', undefined, 1);
  const [{ occurredAt, _id: id }] = listed as [(typeof listed)[0]];
  expect(await deliveries.list('one', 'WAITING', { at: occurredAt, id }, 5)).toHaveLength(1);
  expect(await deliveries.list('one', 'DELIVERED', undefined, 5)).toEqual([]);
  await deliveries.drop([fresh._id]);
  expect([await deliveries.sweep(at(0)), await deliveries.sweep(at(1))]).toEqual([0, 2]);
  expect(await deliveries.standing()).toEqual({ waiting: 0, oldestSince: null });
});

it('two senders send each delivery, and a dead endpoint keeps nobody waiting', async () => {
  const { endpoints, deliveries } = await stores();
  for (const id of ['dead', 'one', 'two']) await endpoints.insert(endpointFor(id));
  const of = (id: string, count: number) => Array.from({ length: count }, (_, i) => deliveryFor(id, `e-${i}`));
  await deliveries.insertOnly([...of('dead', 300), ...of('one', 100), ...of('two', 100)]);
  const sent = new Map<string, number>();
  // It looks again as time goes by.
  const began = performance.now();
  const hung = Promise.withResolvers<never>();
  const sender = () =>
    new WebhookSender({
      ...{
        deliveries,
        endpoints,
        ring: webhookRing,
        clock: () => AT + 1 + Math.floor(performance.now() - began),
        random: () => 0,
      },
      post: async ({ url, headers }) => {
        if (url.includes('dead')) return hung.promise;
        const id = headers['webhook-id']!;
        sent.set(id, (sent.get(id) ?? 0) + 1);
        return { kind: 'answered', status: 200, retryAfterMs: undefined };
      },
      terms: { connections: 16, perEndpoint: 4, claimMs: 600_000 },
      failpoint: () => undefined,
      onSettled: () => undefined,
      onFault: (error) => expect.unreachable(String(error)),
      onForged: (code) => expect.unreachable(code),
    });
  const senders = [sender(), sender()];
  while (sent.size < 200) await Promise.all(senders.map((each) => each.tick()));
  expect([...sent.values()].every((count) => count === 1)).toBe(true);
  expect(senders.every(({ underWay }) => underWay >= 4 && underWay <= 16)).toBe(true);
  for (const id of ['one', 'two'])
    await expect.poll(async () => (await deliveries.list(id, 'DELIVERED', undefined, 200)).length).toBe(100);
});
