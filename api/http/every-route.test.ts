// What holds for every route: a new one is asked all of this by being registered.
import { createHmac } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ACTIONS, conditionFor, ROLES } from '../../operations/access/table.ts';
import { deliveryFor, endpointFor } from '../../operations/webhooks/testing/world.ts';
import { errorCodes } from '../../ports/error-codes.ts';
import { bearer, PUBLIC_JWK, TERMS, testApi, tokenFor, transferDocument } from '../testing/api.ts';
import { ROUTES } from '../v1/routes.ts';
import { problemDto } from './problem.ts';
import type { Route } from './route.ts';
import { refusalsOf, schemaOf } from './schema.ts';

let app: FastifyInstance;
let logged: unknown[];
beforeAll(async () => {
  const api = await testApi();
  ({ app, logged } = api);
  // What there is belongs to acme.
  api.memory.transfers.push(transferDocument({ producerId: 'acme' }));
  api.memory.submissions.set('transfer-0001', {
    ...{ transferId: 'transfer-0001', producer: 'acme', hash: 'v1:a', requestedAt: 0, submittedAt: 0, publishedAt: 0 },
  });
  api.memory.quotes.asked.set('transfer-0001', {
    request: {
      ...{ requestId: 'transfer-0001', producerId: 'acme', kind: 'GUARANTEED', side: 'SOURCE' },
      ...{ amount: { minor: 1n, currency: 'GBP' }, sourceCurrency: 'GBP', targetCurrency: 'INR', chargeBearer: 'SLEV' },
      ...{ kycTier: null, fundingMethod: null, declaredTaxes: [] },
    },
    askedAt: 0,
  });
  const endpoint = endpointFor('transfer-0001');
  api.memory.webhooks.held.set(endpoint._id, endpoint);
  api.memory.webhooks.kept.set('transfer-0001', deliveryFor(endpoint._id, 'e', { _id: 'transfer-0001' }));
  const { _id: transferId, version: _, updatedAt: __, lastEventId: ___, ...row } = transferDocument();
  api.memory.events.push({ ...row, _id: 'e', topic: 'transfer.lifecycle', transferId, occurredAt: 0 } as never);
});
afterAll(() => app.close());

const pathOf = ({ url }: Route) => url.replaceAll(/:\w+/g, 'transfer-0001');
const asked = (route: Route, over: Partial<InjectOptions> = {}): InjectOptions => ({
  method: route.method as never,
  url: pathOf(route),
  ...over,
});
/** Changes of what is one's own that are well formed. */
const CHANGES: Readonly<Record<string, object>> = {
  updateWebhookEndpoint: { events: ['transfer.completed'] },
  rotateWebhookSecret: {},
  disableWebhookEndpoint: { reason: 'r' },
  resendWebhookDeliveries: { ids: ['transfer-0001'] },
};
const OTHERS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'];
const NAMED = ROUTES.map((route) => [`${route.method} ${route.url}`, route] as const);
const roleFor = ({ action }: Route) => ROLES.find((role) => conditionFor([role], action) === 'always') ?? 'producer';

let addresses = 0;

/** The answer as a problem: of the declared shape, and without a word of the inside. */
async function problemIn(options: InjectOptions) {
  // Each from an address of its own: what is refused is counted by address.
  addresses += 1;
  const remoteAddress = `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`;
  const response = await app.inject({ remoteAddress, ...options });
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = z.strictObject(problemDto.shape).parse(response.json());
  expect(problem.status).toBe(response.statusCode);
  expect(problem.type).toBe(`https://docs.test/errors.md#${problem.code}`);
  expect(response.headers['request-id']).toBe(problem.traceId);
  expect(response.body).not.toMatch(/node_modules|\.ts\b|\bat .*:\d+|Error:/);
  return { ...problem, headers: response.headers };
}

const tokens = {
  'another audience': () => tokenFor('asha', [...ROLES], { audience: 'another' }),
  'another issuer': () => tokenFor('asha', [...ROLES], { issuer: 'https://other.test' }),
  'no more time': () => tokenFor('asha', [...ROLES], { issuedAt: 1_000, expiresAt: 2_000 }),
  'a day of age and no end in sight': () => tokenFor('asha', [...ROLES], { issuedAt: Date.now() / 1_000 - 90_000 }),
  'a time to come': () => tokenFor('asha', [...ROLES], { claims: { nbf: Date.now() / 1_000 + 3_600 } }),
  'no end': async () => {
    const { privateKey } = await generateKeyPair('ES256');
    return new SignJWT({ roles: ROLES }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(privateKey);
  },
  'a key of somebody else': async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const signer = new SignJWT({ roles: ROLES }).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).setSubject('asha');
    const { issuer, audience } = TERMS;
    return signer.setIssuer(issuer).setAudience(audience).setIssuedAt().setExpirationTime('1 h').sign(privateKey);
  },
  'a key that is not known': () => tokenFor('asha', [...ROLES], { kid: 'k2' }),
  'no signature (alg none)': async () => {
    const { issuer, audience } = TERMS;
    const unsecured = new UnsecuredJWT({ roles: ROLES }).setSubject('asha').setIssuer(issuer).setAudience(audience);
    return unsecured.setIssuedAt().setExpirationTime('1 h').encode();
  },
  'the public key as a shared secret (HS256)': async () => {
    const [, payload] = (await tokenFor('asha', [...ROLES])).split('.');
    const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid: 'k1' })).toString('base64url');
    const mac = createHmac('sha256', JSON.stringify(PUBLIC_JWK)).update(`${head}.${payload}`).digest('base64url');
    return `${head}.${payload}.${mac}`;
  },
  'a changed payload': async () => {
    const [head, payload, signature] = (await tokenFor('asha', ['viewer'])).split('.');
    const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, roles: ROLES })).toString('base64url');
    return `${head}.${forged}.${signature}`;
  },
  'the name of the system': () => tokenFor('hold-expiry', [...ROLES]),
  'a subject without end': () => tokenFor('a'.repeat(65), [...ROLES]),
  'roles that are no list': () => tokenFor('asha', [], { claims: { roles: { operator: true } } }),
  'ten thousand characters': () => tokenFor('asha', [...ROLES], { claims: { more: 'a'.repeat(10_000) } }),
  'no form of a token': async () => 'no-token',
} as const;

describe.each(NAMED)('%s', (_, route) => {
  it('has an action of the table and a DTO for each answer, and names codes of the catalogue', () => {
    expect(ACTIONS).toContain(route.action);
    expect(Object.keys(route.answers).length).toBeGreaterThan(0);
    for (const shape of Object.values(route.answers)) expect(shape).toBeInstanceOf(z.ZodType);
    for (const code of refusalsOf(route)) expect(errorCodes).toHaveProperty(code);
  });

  it('lets nobody in without a credential', async () => {
    const { status, code, headers } = await problemIn(asked(route));
    expect([status, code]).toEqual([401, 'CREDENTIAL_MISSING']);
    expect(headers['www-authenticate']).toMatch(/^Bearer/);
    for (const authorization of ['', 'Basic YTpi', 'Bearer', 'Bearer a b', `Bearer ${'\u00e9'}`]) {
      expect(await problemIn(asked(route, { headers: { authorization } }))).toMatchObject({ status: 401 });
    }
  });

  it.each(Object.entries(tokens))('lets nobody in whose token has %s', async (_what, make) => {
    const token = await make();
    const problem = await problemIn(asked(route, { headers: { authorization: `Bearer ${token}` } }));
    expect(problem).toMatchObject({ status: 401, code: expect.stringMatching(/^CREDENTIAL_(INVALID|EXPIRED)$/) });
    expect(JSON.stringify(problem)).not.toContain(token);
  });

  it('lets nobody do it whose roles may not', async () => {
    for (const role of ROLES.filter((each) => conditionFor([each], route.action) === 'never')) {
      const problem = await problemIn(asked(route, { headers: await bearer('asha', role) }));
      expect(problem, role).toMatchObject({ status: 403, code: 'ACTION_FORBIDDEN' });
    }
    const roleless = await problemIn(asked(route, { headers: await bearer('asha') }));
    expect(roleless).toMatchObject({ status: 403 });
  });

  it('hides what belongs to another', async () => {
    const mine = ROLES.filter((role) => conditionFor([role], route.action) === 'own');
    const payload = CHANGES[route.name];
    for (const role of mine) {
      const stranger = asked(route, {
        ...(payload && { payload }),
        headers: {
          ...(await bearer('another-producer', role)),
          ...(route.headers?.['if-match'] && { 'if-match': '"1"' }),
        },
      });
      if (route.method !== 'GET') {
        expect(await problemIn(stranger)).toMatchObject({ status: 404 });
        continue;
      }
      const owner = await app.inject(asked(route, { headers: await bearer('acme', role) }));
      expect(owner.statusCode).toBeLessThan(300);
      if (route.path === undefined) {
        // A list of what is one's own.
        expect(owner.json().items).toHaveLength(1);
        expect((await app.inject(stranger)).json()).toMatchObject({ items: [] });
      } else {
        expect(await problemIn(stranger)).toMatchObject({ status: 404 });
      }
    }
  });

  it('refuses parameters that it does not know', async () => {
    const { querystring, params } = schemaOf(route) as Record<string, z.ZodType>;
    for (const shape of [querystring!, params!]) {
      const issues = shape.safeParse({ surprise: '1' }).error?.issues;
      expect(issues).toContainEqual(expect.objectContaining({ code: 'unrecognized_keys', keys: ['surprise'] }));
    }
    // A body is looked at first, and this one has none.
    if (route.body) return;
    const headers = await bearer('asha', roleFor(route));
    const problem = await problemIn(asked(route, { headers, url: `${pathOf(route)}?surprise=1` }));
    expect(problem).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
    expect(problem.errors).toContainEqual({ in: 'query', pointer: '/surprise', detail: 'is not known' });
  });

  it('answers other methods with those that it takes', async () => {
    const own = ROUTES.filter(({ url }) => url === route.url).map(({ method }) => method);
    for (const method of OTHERS.filter((each) => !(own as string[]).includes(each)) as never[]) {
      const problem = await problemIn(asked(route, { method }));
      expect(problem, method).toMatchObject({ status: 405, code: 'METHOD_UNKNOWN' });
      for (const each of own) expect(problem.headers['allow']).toContain(each);
    }
  });
});

describe.each(NAMED.filter(([, { body }]) => body))('%s', (_, route) => {
  it('takes nothing but JSON, of a bounded size, that means one thing', async () => {
    const media = route.media ?? 'application/json';
    const headers = { ...(await bearer('asha', roleFor(route))), 'content-type': media };
    const send = (payload: string | Buffer, over: Record<string, string> = {}) =>
      problemIn(asked(route, { headers: { ...headers, ...over }, payload }));
    for (const other of ['text/plain', 'application/json', 'application/x-ndjson'].filter((each) => each !== media))
      expect(await send('{}', { 'content-type': other })).toMatchObject({ status: 415 });
    const tooMuch = JSON.stringify({ surprise: 'a'.repeat(route.bodyLimit ?? 65_536) });
    expect(await send(tooMuch)).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
    expect(await send(Buffer.from([0xff, 0xfe]))).toMatchObject({ status: 400, code: 'REQUEST_MALFORMED' });
    // Lines are looked at one by one: their own tests.
    if (route.media !== undefined) return;
    for (const text of ['{', '', '{"__proto__":{"a":1}}', '{"a":1,"a":2}', '{"a":12345678901234567890}'])
      expect(await send(text)).toMatchObject({ status: 400 });
    const { errors } = await send('{"sur~pri/se":1}');
    expect(errors).toContainEqual({ in: 'body', pointer: '/sur~0pri~1se', detail: 'is not known' });
    expect(await send(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)).toMatchObject({ status: 400 });
  });
});

describe.each(NAMED.filter(([, { body, method }]) => !body && method !== 'GET'))('%s', (_, route) => {
  it('takes no body, of whatever size and kind, and waits for none', async () => {
    const headers = await bearer('asha', roleFor(route));
    const refusal = { status: 400, code: 'REQUEST_INVALID' };
    for (const [payload, media] of [
      ['{}', 'application/json'],
      ['{', 'application/json'],
      ['a', 'text/plain'],
      [JSON.stringify('a'.repeat(65_536)), 'application/json'],
    ] as const) {
      const problem = await problemIn(asked(route, { headers: { ...headers, 'content-type': media }, payload }));
      expect(problem).toMatchObject(refusal);
      expect(problem.errors).toEqual([{ in: 'body', pointer: '', detail: 'is not taken here' }]);
    }
    // One that is announced, and does not come.
    const announced = { ...headers, 'content-length': '100', 'content-type': 'application/json' };
    expect(await problemIn(asked(route, { headers: announced }))).toMatchObject(refusal);
    const chunked = { ...headers, 'transfer-encoding': 'chunked' };
    expect(await problemIn(asked(route, { headers: chunked }))).toMatchObject(refusal);
  });
});

it('every route is looked at with a body, or for having none', () => {
  const withBody = NAMED.filter(([, { body }]) => body);
  const without = NAMED.filter(([, { body, method }]) => !body && method !== 'GET');
  const reads = NAMED.filter(([, { method }]) => method === 'GET');
  expect(reads.filter(([, { body }]) => body)).toEqual([]);
  expect(withBody.length + without.length + reads.length).toBe(NAMED.length);
  expect(Math.min(withBody.length, without.length, reads.length)).toBeGreaterThan(5);
});

describe('the server', () => {
  it('has no route that is not in the list', () => {
    const printed = app.printRoutes({ commonPrefix: false });
    const served = [...printed.matchAll(/(\/v1\/[^\s]*) \(([^)]*)\)/g)].map(([, url]) => url);
    const known = new Set<string | undefined>(['/v1/openapi.json', ...ROUTES.map(({ url }) => url)]);
    expect(served.filter((url) => !known.has(url))).toEqual([]);
  });

  it('answers what it does not have, or cannot read, as a problem', async () => {
    expect(await problemIn({ url: '/v2/anything' })).toMatchObject({ status: 404, code: 'ROUTE_UNKNOWN' });
    expect(await problemIn({ url: '/v1/transfers/%zz' })).toMatchObject({ status: 400, code: 'REQUEST_MALFORMED' });
    expect(await problemIn({ url: `/v1/transfers/${'a'.repeat(3_000)}` })).toMatchObject({ status: 404 });
  });

  it('sends the fields that keep browsers out of it, and allows no other origin', async () => {
    for (const options of [{ url: '/v1/openapi.json' }, { url: '/nothing' }, { url: '/v1/corridors' }]) {
      const { headers } = await app.inject({ ...options, headers: { origin: 'https://evil.test' } });
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  it('goes by the trace id of the caller, where it is one', async () => {
    const id = '4bf92f3577b34da6a3ce929d0e0e4736';
    const of = async (traceparent: string) =>
      (await app.inject({ url: '/v1/corridors', headers: { traceparent } })).headers['request-id'];
    expect(await of(`00-${id}-00f067aa0ba902b7-01`)).toBe(id);
    for (const wrong of ['', id, `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `00-${id}-${'0'.repeat(16)}-01`]) {
      expect(await of(wrong)).toMatch(/^[0-9a-f]{32}$/);
      expect(await of(wrong)).not.toBe(id);
    }
  });

  it('counts the requests of each subject, and of those whom it does not know', async () => {
    const { app: small } = await testApi({ requestsPerMinute: 2 });
    const ask = async (subject: string) =>
      small.inject({ url: '/v1/corridors', headers: await bearer(subject, 'viewer') });
    const first = await ask('asha');
    expect(first.headers).toMatchObject({ 'ratelimit-policy': '"subject";q=2;w=60' });
    expect(first.headers['ratelimit']).toMatch(/^"subject";r=1;t=\d+$/);
    await ask(' ASHA ');
    const third = await ask('asha');
    expect(third.statusCode).toBe(429);
    expect(third.json()).toMatchObject({ code: 'RATE_LIMITED' });
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('bela')).statusCode).toBe(200);
    const statuses = new Set<number>();
    for (let i = 0; i < 301; i++) statuses.add((await small.inject({ url: '/v1/corridors' })).statusCode);
    expect([...statuses]).toEqual([401, 429]);
    // Whoever is known is not kept out by those who are not.
    expect((await ask('bela')).statusCode).toBe(200);
    await small.close();
  });

  it('tells a failure of ours in general, and the log in particular', async () => {
    const { app: failing, memory, logged: lines } = await testApi();
    memory.outage = new Error('MARKER password of the database');
    const headers = await bearer('asha', 'viewer');
    const response = await failing.inject({ url: '/v1/transfers/transfer-0001', headers });
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ code: 'UNEXPECTED_ERROR' });
    expect(response.body).not.toContain('MARKER');
    expect(JSON.stringify(lines)).toContain(response.json().traceId);
    await failing.close();
  });
});

describe('a body that never ends', () => {
  let patient: FastifyInstance;
  let port: number;
  beforeAll(async () => {
    ({ app: patient } = await testApi({ arrivalMs: 200 }));
    await patient.listen({ host: '127.0.0.1', port: 0 });
    ({ port } = patient.server.address() as AddressInfo);
  });
  afterAll(() => patient.close());

  it.each(NAMED.filter(([, { body }]) => body))('is cut off and told so: %s', async (_, route) => {
    const token = await tokenFor('asha', [roleFor(route)]);
    const fields = [
      `${route.method} ${pathOf(route)} HTTP/1.1`,
      ...['Host: a', `Authorization: Bearer ${token}`, `Content-Type: ${route.media ?? 'application/json'}`],
      'Content-Length: 100',
    ];
    const socket = connect(port, '127.0.0.1');
    socket.write(`${fields.join('\r\n')}\r\n\r\n{`);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1.1 408 .*"code":"REQUEST_TOO_SLOW"/s);
  });
});

describe('a slow or broken client', () => {
  async function raw(send: (socket: ReturnType<typeof connect>) => void): Promise<string> {
    const { app: withTimeout } = await testApi({ arrivalMs: 200 });
    await withTimeout.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect((withTimeout.server.address() as AddressInfo).port, '127.0.0.1');
    send(socket);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    await withTimeout.close();
    return answer;
  }

  it('that never ends its request is told so, and cut off', async () => {
    const token = await tokenFor('acme', ['producer']);
    const head = `POST /v1/transfers HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    for (const start of ['GET /v1/corr', head]) {
      const answer = await raw((socket) => socket.write(start));
      expect(answer).toMatch(/^HTTP\/1.1 408 .*"code":"REQUEST_TOO_SLOW"/s);
    }
  });

  it('that speaks no HTTP is told so', async () => {
    expect(await raw((socket) => socket.write('\u0016\u0003\u0001\r\n\r\n'))).toMatch(
      /^HTTP\/1.1 400 .*"code":"REQUEST_MALFORMED"/s,
    );
  });
});

it('nothing of all that was a failure of ours', () => expect(logged).toEqual([]));
