import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isEndpointSealed } from '../../../operations/webhooks/endpoint.ts';
import { webhookRing } from '../../../operations/webhooks/testing/memory-webhooks.ts';
import { deliveryFor } from '../../../operations/webhooks/testing/world.ts';
import { AT } from '../../../test/kit/builders.ts';
import { bearer, type TestApi, testApi } from '../../testing/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.app.close());

type Method = NonNullable<InjectOptions['method']>;
interface Wish {
  readonly who?: string;
  readonly role?: 'producer' | 'operator' | 'viewer';
  readonly etag?: string;
  readonly key?: string;
  readonly body?: object;
}
async function ask(method: Method, url: string, { who = 'acme', role = 'producer', etag, key, body }: Wish = {}) {
  const headers = {
    ...(await bearer(who, role)),
    ...(etag === undefined ? {} : { 'if-match': etag }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  };
  const response = await api.app.inject({ method, url: `/v1${url}`, headers, ...(body && { payload: body }) });
  const parsed = response.body === '' ? undefined : response.json();
  return { status: response.statusCode, body: parsed, etag: response.headers['etag'] as string, text: response.body };
}

let keys = 0;
async function register(who = 'acme', over: object = {}) {
  const body = { url: 'https://hooks.acme.test/in', events: ['transfer.completed'], ...over };
  return ask('POST', '/webhook-endpoints', { who, key: `key-of-test-${++keys}`, body });
}
const pathOf = ({ body }: { body: { endpoint: { endpointId: string } } }) =>
  `/webhook-endpoints/${body.endpoint.endpointId}`;

describe('an endpoint over the API', () => {
  it('is registered once for a key, and shows its secret once', async () => {
    const wish = { key: 'the-same-key', body: { url: 'https://hooks.acme.test/', events: ['transfer.rejected'] } };
    const first = await ask('POST', '/webhook-endpoints', wish);
    expect(first).toMatchObject({
      status: 201,
      etag: '"1"',
      body: { endpoint: { isEnabled: true, producer: 'acme' } },
    });
    const { secret, endpoint } = first.body;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const again = await ask('POST', '/webhook-endpoints', wish);
    expect(again).toMatchObject({ status: 201, body: { secret: null, endpoint: { endpointId: endpoint.endpointId } } });
    const other = await ask('POST', '/webhook-endpoints', {
      ...wish,
      body: { ...wish.body, events: ['transfer.held'] },
    });
    expect(other).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    // The key of another producer is another key.
    expect((await ask('POST', '/webhook-endpoints', { ...wish, who: 'zenith' })).body.secret).not.toBeNull();
    for (const role of ['producer', 'operator', 'viewer'] as const)
      expect((await ask('GET', pathOf(first), { role })).text).not.toContain(secret.slice(6));
    expect(JSON.stringify(api.memory.webhooks.held.get(endpoint.endpointId))).not.toContain(secret.slice(6));
  });

  it.each([
    ['http://hooks.acme.test/'],
    ['https://inside.acme.test/'],
    ['https://nobody.acme.test/'],
    ['https://192.168.0.1/'],
  ])('is refused at %s', async (url) => {
    const refused = await register('acme', { url });
    expect(refused).toMatchObject({ status: 422, body: { code: 'WEBHOOK_URL_REFUSED' } });
    // What was sent is not told back.
    expect(refused.text).not.toContain(url);
  });

  it('takes types of events that there are', async () => {
    expect(await register('acme', { events: ['transfer.lost'] })).toMatchObject({ status: 400 });
    expect(await register('acme', { events: [] })).toMatchObject({ status: 400 });
  });

  it('changes as it was seen, and as nobody else has', async () => {
    const path = pathOf(await register());
    expect(await ask('PATCH', path, { body: { events: ['transfer.held'] } })).toMatchObject({ status: 428 });
    const changed = await ask('PATCH', path, { etag: '"1"', body: { events: ['transfer.held'] } });
    expect(changed).toMatchObject({ status: 200, etag: '"2"', body: { events: ['transfer.held'] } });
    expect(await ask('PATCH', path, { etag: '"1"', body: { url: 'https://hooks.acme.test/' } })).toMatchObject({
      status: 412,
    });
    expect(await ask('PATCH', path, { etag: '"2"', body: { url: 'https://inside.acme.test/' } })).toMatchObject({
      status: 422,
    });
    // Whoever may not see it does not learn that it is there, by whatever tag.
    for (const etag of ['"1"', '"2"'])
      expect(await ask('PATCH', path, { who: 'zenith', etag, body: { events: ['transfer.held'] } })).toMatchObject({
        status: 404,
      });
  });

  it('has its secret replaced, and the old one beside it for a while', async () => {
    const made = await register();
    const rotated = await ask('POST', `${pathOf(made)}/rotate-secret`, { etag: '"1"', body: { keepOldHours: 2 } });
    expect(rotated).toMatchObject({ status: 200, body: { secret: expect.stringMatching(/^whsec_/) } });
    expect(rotated.body.secret).not.toBe(made.body.secret);
    const [newest, old] = rotated.body.endpoint.secrets;
    expect([newest.expiresAt, old.expiresAt]).toEqual([null, new Date(AT + 2 * 3_600_000).toISOString()]);
  });

  it('is disabled by its producer or an operator, enabled and deleted by its producer alone', async () => {
    const path = pathOf(await register());
    const off = await ask('POST', `${path}/disable`, {
      ...{ who: 'asha', role: 'operator', etag: '"1"', body: { reason: 'it floods us' } },
    });
    expect(off).toMatchObject({ status: 200, body: { isEnabled: false, disabled: { by: 'asha' } } });
    const viewer = { who: 'vera', role: 'viewer', etag: '"2"', body: { reason: 'r' } } as const;
    expect(await ask('POST', `${path}/disable`, viewer)).toMatchObject({ status: 403 });
    const operator = { who: 'asha', role: 'operator', etag: '"2"' } as const;
    expect(await ask('POST', `${path}/enable`, operator)).toMatchObject({ status: 403 });
    expect(await ask('DELETE', path, operator)).toMatchObject({ status: 403 });
    expect(await ask('POST', `${path}/enable`, { etag: '"2"' })).toMatchObject({
      status: 200,
      body: { disabled: null },
    });
    const [kept] = [...api.memory.webhooks.held.values()].slice(-1);
    expect(isEndpointSealed(webhookRing, kept!)).toBe(true);
    expect(await ask('DELETE', path, { etag: '"3"' })).toMatchObject({ status: 204 });
    expect(await ask('GET', path)).toMatchObject({ status: 404, body: { code: 'WEBHOOK_ENDPOINT_UNKNOWN' } });
  });

  it('is listed to its producer, and all are to an operator, page by page', async () => {
    for (let i = 0; i < 3; i++) await register('lister');
    const all: string[] = [];
    let cursor = '';
    for (;;) {
      const { body } = await ask('GET', `/webhook-endpoints?limit=2${cursor}`, { who: 'lister' });
      all.push(...body.items.map(({ producer }: { producer: string }) => producer));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(all).toEqual(['lister', 'lister', 'lister']);
    const theirs = await ask('GET', '/webhook-endpoints?producer=acme', { who: 'lister' });
    expect(theirs.body.items).toEqual([]);
    const asOperator = await ask('GET', '/webhook-endpoints?producer=lister', { who: 'asha', role: 'operator' });
    expect(asOperator.body.items).toHaveLength(3);
  });

  it('cannot be registered by a process that has no keys of webhooks, which can disable all the same', async () => {
    const path = pathOf(await register());
    const keyless = await testApi({}, { webhooks: { ...api.parts.webhooks, ring: undefined } });
    const inject = async (url: string, who: string, role: 'producer' | 'operator', payload: object, more: object) =>
      (
        await keyless.app.inject({
          ...{ method: 'POST', url: `/v1${url}`, payload },
          headers: { ...(await bearer(who, role)), ...more },
        })
      ).json();
    const body = { url: 'https://hooks.acme.test/', events: ['transfer.held'] };
    const refused = await inject('/webhook-endpoints', 'acme', 'producer', body, { 'idempotency-key': 'a-new-key-1' });
    expect(refused).toMatchObject({ code: 'WEBHOOKS_OFF' });
    const off = await inject(`${path}/disable`, 'asha', 'operator', { reason: 'r' }, { 'if-match': '"1"' });
    expect(off).toMatchObject({ isEnabled: false });
    await keyless.app.close();
  });
});

describe('the audit log', () => {
  it('has each act on an endpoint before it is done, also of a program, and without it nothing is done', async () => {
    const { audit, webhooks } = api.memory;
    const from = audit.entries.length;
    const made = await register('auditee');
    const path = pathOf(made);
    await ask('POST', `${path}/rotate-secret`, { who: 'auditee', etag: '"1"', body: {} });
    await ask('PATCH', path, { who: 'auditee', etag: '"2"', body: { events: ['transfer.held'] } });
    const acts = audit.entries.slice(from);
    expect(acts.map(({ outcome, reasonCode }) => `${outcome} ${reasonCode}`)).toEqual([
      'ALLOWED registerWebhookEndpoint',
      'DONE registerWebhookEndpoint',
      'ALLOWED rotateWebhookSecret',
      'DONE rotateWebhookSecret',
      'ALLOWED updateWebhookEndpoint',
      'DONE updateWebhookEndpoint',
    ]);
    const id = made.body.endpoint.endpointId;
    expect(acts.slice(1).map(({ objectKind, objectId }) => `${objectKind} ${objectId}`)).toContain(
      `webhook-endpoints ${id}`,
    );
    expect(JSON.stringify(acts)).not.toContain(made.body.secret.slice(6));
    audit.isDown = true;
    const before = webhooks.held.size;
    expect(await register('auditee')).toMatchObject({ status: 503, body: { code: 'AUDIT_UNAVAILABLE' } });
    audit.isDown = false;
    expect(webhooks.held.size).toBe(before);
  });
});

describe('deliveries over the API', () => {
  it('are listed by state, and sent again by id and by range', async () => {
    const made = await register();
    const path = pathOf(made);
    const id = made.body.endpoint.endpointId;
    const { kept } = api.memory.webhooks;
    for (const [i, state] of (['DELIVERED', 'FAILED', 'FAILED'] as const).entries()) {
      const each = deliveryFor(id, `e-${i}`, { state, lastCode: 'HTTP_500', occurredAt: new Date(AT + i) });
      kept.set(each._id, each);
    }
    const failed = await ask('GET', `${path}/deliveries?state=FAILED&limit=1`);
    expect(failed.body).toMatchObject({ items: [{ state: 'FAILED', lastCode: 'HTTP_500', nextTryAt: null }] });
    const next = await ask('GET', `${path}/deliveries?state=FAILED&limit=1&cursor=${failed.body.nextCursor}`);
    expect(next.body).toMatchObject({ items: [{ state: 'FAILED' }], nextCursor: null });
    expect((await ask('GET', `${path}/deliveries`, { who: 'vera', role: 'viewer' })).body.items).toHaveLength(3);
    expect(await ask('GET', `${path}/deliveries`, { who: 'zenith' })).toMatchObject({ status: 404 });

    const one = `${path}/deliveries/${failed.body.items[0].deliveryId}`;
    const resent = await ask('POST', `${one}/resend`);
    expect(resent).toMatchObject({ status: 202, body: { state: 'WAITING', resends: 1, tries: 0 } });
    expect(await ask('GET', one)).toMatchObject({ status: 200, body: { state: 'WAITING' } });
    const unknown = await ask('POST', `${path}/deliveries/nothing/resend`);
    expect(unknown).toMatchObject({ status: 404, body: { code: 'WEBHOOK_DELIVERY_UNKNOWN' } });

    const range = { from: new Date(AT).toISOString(), to: new Date(AT + 1_000).toISOString() };
    expect(await ask('POST', `${path}/resend`, { body: range })).toMatchObject({ status: 202, body: { resent: 1 } });
    const everything = { ...range, states: ['DELIVERED', 'FAILED', 'WAITING'] };
    expect((await ask('POST', `${path}/resend`, { body: everything })).body).toEqual({ resent: 3 });
    const ids = [...kept.values()].filter(({ endpointId }) => endpointId === id).map(({ _id }) => _id);
    expect((await ask('POST', `${path}/resend`, { body: { ids } })).body).toEqual({ resent: 3 });
  });

  it('are not resent without a selection that means one thing, nor while nothing is sent', async () => {
    const path = pathOf(await register());
    const range = { from: new Date(AT).toISOString(), to: new Date(AT + 1_000).toISOString() };
    for (const body of [
      {},
      { from: range.from },
      { ...range, ids: ['a'] },
      { from: range.to, to: range.from },
      { ...range, to: new Date(AT + 40 * 86_400_000).toISOString() },
    ])
      expect(await ask('POST', `${path}/resend`, { body })).toMatchObject({ status: 400 });
    await ask('POST', `${path}/disable`, { etag: '"1"', body: { reason: 'r' } });
    const refused = await ask('POST', `${path}/resend`, { body: range });
    expect(refused).toMatchObject({ status: 409, body: { code: 'WEBHOOK_ENDPOINT_DISABLED' } });
  });
});
