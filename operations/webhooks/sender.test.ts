// The sender over stores in memory: order of claim, post and mark; room; breakers; what nobody has sealed.
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, vi } from 'vitest';
import { secretText } from '../../domain/webhooks/signature.ts';
import type { DeliveryDocument } from '../../sinks/webhooks/delivery.ts';
import { AT } from '../../test/kit/builders.ts';
import { rotateSecret } from './endpoints.ts';
import type { PostAnswer, WebhookRequest } from './ports.ts';
import { BREAK_AFTER, CLOSED, GIVE_UP_AFTER_MS, MAX_TRIES } from './schedule.ts';
import { type SenderComponents, WebhookSender } from './sender.ts';
import { memoryReach, memoryWebhooks, webhookRing } from './testing/memory-webhooks.ts';
import { deliveryFor, endpointFor, SECRET } from './testing/world.ts';

const OK: PostAnswer = { kind: 'answered', status: 200, retryAfterMs: undefined };
const answered = (status: number): PostAnswer => ({ ...OK, status });
const HUNG: PostAnswer = { kind: 'unanswered', code: 'TIMEOUT', detail: '' };

/** A sender, its stores and a clock; what each endpoint answers is by its host. */
function world(
  answers: Readonly<Record<string, PostAnswer | Promise<PostAnswer>>> = {},
  over: Partial<SenderComponents> = {},
) {
  const stores = memoryWebhooks();
  const sent: WebhookRequest[] = [];
  const faults: unknown[] = [];
  const forged: string[] = [];
  const now = { at: AT };
  const parts: SenderComponents = {
    ...{ deliveries: stores.deliveries, endpoints: stores.endpoints, ring: webhookRing },
    post: async (request) => {
      sent.push(request);
      return (await answers[new URL(request.url).hostname.split('.')[0]!]) ?? OK;
    },
    terms: { connections: 8, perEndpoint: 4, claimMs: 15_000 },
    clock: () => now.at,
    random: () => 0,
    failpoint: () => undefined,
    onSettled: () => undefined,
    onFault: (error) => void faults.push(error),
    onForged: (code) => void forged.push(code),
    ...over,
  };
  const sender = new WebhookSender(parts);
  const add = (...deliveries: readonly DeliveryDocument[]) => {
    for (const each of deliveries) stores.kept.set(each._id, each);
  };
  const host = (...ids: readonly string[]) => {
    for (const id of ids) stores.held.set(id, endpointFor(id));
  };
  /** One tick, and the end of all that it sent. */
  const step = async (passedMs = 0) => {
    now.at += passedMs;
    await sender.tick();
    await sender.stop(10_000);
  };
  const states = () => [...stores.kept.values()].map(({ state }) => state);
  return { ...stores, sender, parts, sent, faults, forged, now, add, host, step, states };
}
const hostsOf = (sent: readonly WebhookRequest[]) => sent.map(({ url }) => new URL(url).hostname.split('.')[0]!);

describe('a due delivery', () => {
  it('is sent with its id, its time and a signature that the standard library verifies, and is over', async () => {
    const { host, add, step, sent, kept } = world();
    host('one');
    const delivery = deliveryFor('one');
    add(delivery);
    await step();
    await step(60_000);
    expect(sent).toHaveLength(1);
    const [{ headers, body }] = sent as [WebhookRequest];
    expect(headers).toMatchObject({ 'webhook-id': delivery._id, 'webhook-timestamp': String(AT / 1_000) });
    // Its clock is that of the test, which lies outside of what the library takes.
    const nowHeaders = { ...headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1_000)) };
    expect(() => new Webhook(secretText(SECRET)).verify(body, nowHeaders)).toThrow();
    expect(kept.get(delivery._id)).toMatchObject({ state: 'DELIVERED', lastStatus: 200, lastCode: null });
  });

  it('is signed with every secret that is in force, and with none that is over', async () => {
    const { host, add, step, sent, held, endpoints, now } = world();
    host('one');
    now.at = Date.now();
    const parts = { endpoints, ring: webhookRing, reach: memoryReach() };
    const { secret } = await rotateSecret(parts, held.get('one')!, { keepMs: 60_000, at: new Date(now.at) });
    add(deliveryFor('one', 'e-1', { dueAt: new Date(0) }), deliveryFor('one', 'e-2', { dueAt: new Date(0) }));
    await step();
    for (const { body, headers } of sent) {
      for (const each of [secret, secretText(SECRET)])
        expect(new Webhook(each).verify(body, { ...headers })).toMatchObject({ type: 'transfer.completed' });
    }
    add(deliveryFor('one', 'e-3', { dueAt: new Date(0) }));
    await step(61_000);
    expect(sent.at(-1)!.headers['webhook-signature']).not.toContain(' ');
  });

  it('is tried by the schedule, and parked after the last try; resent, it begins anew', async () => {
    const { host, add, step, sent, kept, deliveries } = world({ one: answered(500) });
    host('one');
    const delivery = deliveryFor('one');
    add(delivery);
    // A step an hour: the breaker opens for an hour at most.
    for (let hour = 0; hour < 200 && kept.get(delivery._id)!.state === 'WAITING'; hour++) await step(3_600_000);
    expect(sent).toHaveLength(MAX_TRIES);
    expect(kept.get(delivery._id)).toMatchObject({ state: 'FAILED', lastCode: 'HTTP_500', tries: MAX_TRIES });
    await step(3_600_000);
    expect(sent).toHaveLength(MAX_TRIES);
    expect(await deliveries.resend('one', { ids: [delivery._id] }, new Date(AT))).toBe(1);
    await step(3_600_000);
    expect(sent).toHaveLength(MAX_TRIES + 1);
    expect(new Set(sent.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([delivery._id]));
  });

  it('is sent again by somebody when its sender ended between claim, post and mark', async () => {
    for (const place of ['webhooks.after-claim', 'webhooks.after-post'] as const) {
      const failpoint = async (name: string) => {
        if (name === place) await new Promise(() => undefined);
      };
      const dying = world({}, { failpoint });
      dying.host('one');
      dying.add(deliveryFor('one'));
      const begun = dying.sender.tick();
      await Promise.race([begun, new Promise((resolve) => setTimeout(resolve, 50))]);
      const heir = new WebhookSender({ ...dying.parts, failpoint: () => undefined });
      dying.now.at += 14_999;
      await heir.tick();
      expect(dying.states()).toEqual(['WAITING']);
      dying.now.at += 1;
      await heir.tick();
      await heir.stop(10_000);
      expect(dying.states()).toEqual(['DELIVERED']);
      expect(dying.sent).toHaveLength(place === 'webhooks.after-claim' ? 1 : 2);
    }
  });

  it('is claimed by one of two senders', async () => {
    const { host, add, parts, sent, states } = world();
    host('one', 'two', 'three');
    add(...['one', 'two', 'three'].map((id) => deliveryFor(id)));
    const senders = [new WebhookSender(parts), new WebhookSender(parts)];
    await Promise.all(senders.map((sender) => sender.tick()));
    await Promise.all(senders.map((sender) => sender.stop(10_000)));
    expect(hostsOf(sent).toSorted()).toEqual(['one', 'three', 'two']);
    expect(states()).toEqual(['DELIVERED', 'DELIVERED', 'DELIVERED']);
  });

  it('stays delivered when a sender that was frozen meanwhile says that it failed, and is delivered when it says so', async () => {
    const { kept, deliveries, add } = world();
    const delivery = deliveryFor('one');
    add(delivery);
    const at = new Date(AT);
    const [zombie] = await deliveries.claim([delivery._id], 'zombie', at, new Date(AT + 1));
    const [heir] = await deliveries.claim([delivery._id], 'heir', new Date(AT + 2), new Date(AT + 3));
    const failure = { kind: 'again', dueAt: at, code: 'HTTP_500', status: 500 } as const;
    await deliveries.settle([{ delivery: zombie!, settlement: failure, at }]);
    expect(kept.get(delivery._id)).toMatchObject({ claim: 'heir', tries: 0 });
    await deliveries.settle([{ delivery: zombie!, settlement: { kind: 'delivered', status: 200 }, at }]);
    await deliveries.settle([{ delivery: heir!, settlement: failure, at }]);
    expect(kept.get(delivery._id)).toMatchObject({ state: 'DELIVERED', tries: 0 });
  });
});

describe('a backlog', () => {
  /** How many deliveries the stores have answered with, by question. */
  function counted({ deliveries }: ReturnType<typeof world>) {
    const read = { due: 0, dueOf: 0 };
    for (const name of ['due', 'dueOf'] as const) {
      const ask = deliveries[name] as (...args: readonly unknown[]) => Promise<readonly DeliveryDocument[]>;
      const counting = async (...args: readonly unknown[]) => {
        const answer = await ask(...args);
        read[name] += answer.length;
        return answer;
      };
      Object.assign(deliveries, { [name]: counting });
    }
    return read;
  }
  const backlog = (id: string, count: number) =>
    Array.from({ length: count }, (_, i) => deliveryFor(id, `e-${i}`, { dueAt: new Date(0) }));

  it('is walked over for nobody: what is read beside the first page is what is sent', async () => {
    const never = new Promise<PostAnswer>(() => undefined);
    const it = world({ dead: never });
    it.host('dead', 'one');
    it.add(...backlog('dead', 1_000), ...backlog('one', 300));
    const read = counted(it);
    const sentTo = (id: string) => hostsOf(it.sent).filter((each) => each === id).length;
    for (let ticks = 0; sentTo('one') < 300; ticks++) {
      expect(ticks).toBeLessThan(300);
      expect(await it.sender.tick()).toBe(true);
      await vi.waitFor(() => expect(it.sender.underWay).toBe(sentTo('dead')));
    }
    expect(sentTo('dead')).toBe(4);
    expect(read).toEqual({ due: 200, dueOf: 300 });
    // Nothing has come back since: it is not asked again before a while is over.
    const before = { ...read };
    await it.sender.tick();
    await it.sender.tick();
    expect(read).toEqual(before);
    it.now.at += 250;
    await it.sender.tick();
    expect(read).toEqual({ ...before, due: 400 });
    it.now.at += 250;
    it.add(deliveryFor('one', 'late', { dueAt: new Date(AT) }));
    await it.sender.tick();
    await expect.poll(() => sentTo('one')).toBe(301);
  });

  it('of some keeps none of many waiting: each has its turn', async () => {
    const it = world({}, { terms: { connections: 1_000, perEndpoint: 1, claimMs: 15_000 } });
    const ids = Array.from({ length: 120 }, (_, n) => `host-${String(n).padStart(3, '0')}`);
    it.host(...ids);
    it.add(...backlog(ids[0]!, 900), ...ids.flatMap((id) => backlog(id, 2)));
    for (let ticks = 0; ticks < 8; ticks++) await it.step();
    const served = Map.groupBy(hostsOf(it.sent), (id) => id);
    expect([...served.keys()].toSorted()).toEqual(ids);
    expect(ids.slice(1).every((id) => served.get(id)!.length === 2)).toBe(true);
  });

  it('of an endpoint that is left alone is put off, that of a disabled one parked, that of a deleted one dropped', async () => {
    const it = world();
    it.host('busy', 'open', 'off');
    const later = new Date(AT + 3_600_000);
    const breaker = { failures: BREAK_AFTER, failingSince: new Date(AT), openUntil: later };
    it.held.set('open', { ...it.held.get('open')!, breaker });
    const disabled = { by: null, at: new Date(AT), reason: 'gone' };
    it.held.set('off', { ...it.held.get('off')!, disabled });
    it.add(...backlog('busy', 250), ...backlog('open', 30), ...backlog('off', 30), ...backlog('deleted', 30));
    await it.step();
    const of = (id: string) => [...it.kept.values()].filter(({ endpointId }) => endpointId === id);
    expect(of('open').every(({ dueAt, tries }) => dueAt.getTime() === later.getTime() && tries === 0)).toBe(true);
    expect(of('off').every(({ state }) => state === 'FAILED')).toBe(true);
    for (let ticks = 0; of('deleted').length > 0; ticks++) {
      expect(ticks).toBeLessThan(100);
      await it.step(250);
    }
  });
});

describe('an endpoint that fails', () => {
  it('keeps nobody else waiting, whatever stands before the others', async () => {
    const never = new Promise<PostAnswer>(() => undefined);
    const { host, add, sender, sent, kept } = world({ dead: never });
    host('dead', 'one', 'two');
    // A backlog of the dead one, due before all others.
    add(...Array.from({ length: 500 }, (_, i) => deliveryFor('dead', `e-${i}`, { dueAt: new Date(0) })));
    add(deliveryFor('one'), deliveryFor('two'));
    await sender.tick();
    await sender.tick();
    expect(hostsOf(sent).filter((id) => id === 'dead')).toHaveLength(4);
    const others = [...kept.values()].filter(({ endpointId }) => endpointId !== 'dead');
    await expect.poll(() => others.map(({ _id }) => kept.get(_id)!.state)).toEqual(['DELIVERED', 'DELIVERED']);
  });

  it('opens its breaker: nothing is tried meanwhile, no try is used up, then one goes to see', async () => {
    const answers = { one: HUNG as PostAnswer };
    const { host, add, step, sent, kept, held } = world(answers);
    host('one');
    add(...Array.from({ length: 20 }, (_, i) => deliveryFor('one', `e-${i}`)));
    while (held.get('one')!.breaker.failures < BREAK_AFTER) await step();
    const tried = sent.length;
    await step();
    await step(1_000);
    expect(sent).toHaveLength(tried);
    const untried = [...kept.values()].filter(({ tries }) => tries === 0);
    expect(untried).toHaveLength(20 - tried);
    const { openUntil } = held.get('one')!.breaker;
    expect(untried.every(({ dueAt }) => dueAt.getTime() === openUntil!.getTime())).toBe(true);
    await step(openUntil!.getTime() - AT);
    expect(sent).toHaveLength(tried + 1);
    answers.one = OK;
    for (let i = 0; i < 40; i++) await step(600_000);
    expect(held.get('one')!.breaker).toEqual(CLOSED);
    expect([...kept.values()].every(({ state }) => state === 'DELIVERED')).toBe(true);
  });

  it('has what waited for over a day given up, whether it was tried or not', async () => {
    const { host, add, step, sent, kept, held } = world({ one: HUNG });
    host('one');
    add(...Array.from({ length: 50 }, (_, i) => deliveryFor('one', `e-${i}`)));
    for (let passed = 0; passed < GIVE_UP_AFTER_MS + 43_200_000; passed += 1_800_000) {
      await step(1_800_000);
      // One goes to see; then the others are put off, or given up.
      await step();
    }
    const all = [...kept.values()];
    expect(all.every(({ state }) => state === 'FAILED')).toBe(true);
    expect(new Set(all.map(({ lastCode }) => lastCode))).toEqual(new Set(['WEBHOOK_GIVEN_UP', 'TIMEOUT']));
    // Each by its own schedule would be 550.
    expect(sent.length).toBeLessThan(100);
    expect(held.get('one')!.disabled).toBeNull();
  });

  it('is disabled when it answers 410: nothing more is sent, what waits is parked', async () => {
    const { host, add, step, sent, held, kept } = world({ one: answered(410) });
    host('one');
    add(deliveryFor('one'));
    await step();
    expect(held.get('one')!.disabled).toMatchObject({ by: null, reason: expect.stringContaining('410') });
    add(deliveryFor('one', 'e-2'));
    await step(60_000);
    expect(sent).toHaveLength(1);
    expect([...kept.values()].map(({ state, lastCode }) => [state, lastCode])).toEqual([
      ['FAILED', 'WEBHOOK_GONE'],
      ['FAILED', 'WEBHOOK_ENDPOINT_DISABLED'],
    ]);
  });

  it('is disabled also when its sender ends before the answer is written down: nobody sends it again', async () => {
    const failpoint = async (name: string) => {
      if (name === 'webhooks.after-disable') await new Promise(() => undefined);
    };
    const dying = world({ one: answered(410) }, { failpoint });
    dying.host('one');
    dying.add(deliveryFor('one'));
    await dying.sender.tick();
    await vi.waitUntil(() => dying.held.get('one')!.disabled !== null);
    expect(dying.states()).toEqual(['WAITING']);
    const heir = new WebhookSender({ ...dying.parts, failpoint: () => undefined });
    dying.now.at += 15_000;
    await heir.tick();
    await heir.stop(10_000);
    expect(dying.sent).toHaveLength(1);
    expect([...dying.kept.values()]).toMatchObject([{ state: 'FAILED', lastCode: 'WEBHOOK_ENDPOINT_DISABLED' }]);
  });

  it('is tried again when it redirects, and told so', async () => {
    const { host, add, step, kept } = world({ one: answered(302) });
    host('one');
    add(deliveryFor('one'));
    await step();
    expect([...kept.values()]).toMatchObject([{ state: 'WAITING', lastCode: 'WEBHOOK_REDIRECTED', tries: 1 }]);
  });
});

describe('what nobody has sealed', () => {
  it('is not sent: another URL, another body, a delivery for somebody else’s endpoint', async () => {
    const { held, add, step, sent, kept, forged } = world();
    held.set('moved', { ...endpointFor('moved'), url: 'https://thief.test/' });
    held.set('one', endpointFor('one'));
    held.set('theirs', endpointFor('theirs', { producerId: 'zenith' }));
    const foreign = deliveryFor('theirs');
    add(deliveryFor('moved'), deliveryFor('one', 'e-1', { body: '{"type":"transfer.completed"}' }), foreign);
    await step();
    expect(sent).toEqual([]);
    expect(forged.toSorted()).toEqual([
      'WEBHOOK_DELIVERY_FORGED',
      'WEBHOOK_DELIVERY_FORGED',
      'WEBHOOK_ENDPOINT_FORGED',
    ]);
    expect(kept.get(foreign._id)).toMatchObject({ state: 'FAILED', lastCode: 'WEBHOOK_DELIVERY_FORGED' });
  });

  it('is dropped where the endpoint is gone', async () => {
    const { add, step, kept, sent } = world();
    add(deliveryFor('gone'));
    await step();
    expect([kept.size, sent.length]).toEqual([0, 0]);
  });
});

it('stores that are away lose nothing: the claim runs out, and it is sent again', async () => {
  const { host, add, step, parts, sent, states, faults } = world();
  host('one');
  add(deliveryFor('one'));
  const settle = parts.deliveries.settle;
  Object.assign(parts.deliveries, { settle: () => Promise.reject(new Error('away')) });
  await step();
  expect([sent.length, faults.length, states()]).toEqual([1, 1, ['WAITING']]);
  Object.assign(parts.deliveries, { settle });
  await step(15_000);
  expect([sent.length, states()]).toEqual([2, ['DELIVERED']]);
});
