// Signing in at the local issuer by the device authorization grant, as an installation's issuer is signed in to, and what an
// issuer that answers otherwise than it should comes to.
import { mkdtempSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { DeviceGrants } from './device-grants.ts';
import { issuerClient } from './issuer-client.ts';
import { LOCAL_TERMS, localIssuer } from './local-issuer.ts';
import { decideLocally, LOCAL_CLIENT_ID, type LocalSignInOptions, startLocalSignIn } from './local-sign-in.ts';
import { tokenAuthenticator } from './tokens.ts';

const ENV = { CORRIDOR_ENV: 'test' };
const code = (expected: ErrorCode) => expect.objectContaining({ code: expected });
const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

async function local(more: Partial<LocalSignInOptions> = {}) {
  const keyFile = path.join(mkdtempSync(path.join(tmpdir(), 'sign-in-')), 'issuer.json');
  const served = await startLocalSignIn({ keyFile, env: ENV, port: 0, intervalS: 1, ...more });
  ending.push(() => served.close());
  const client = await issuerClient({ url: served.url, clientId: LOCAL_CLIENT_ID, isTrial: true });
  const begin = () => client.begin({ scope: 'openid', resource: undefined });
  const { keys } = await localIssuer(keyFile, ENV);
  return {
    url: served.url,
    client,
    begin,
    who: (token: string) => tokenAuthenticator(LOCAL_TERMS, keys).authenticate(token),
  };
}

describe('signing in at the local issuer', () => {
  it('gives a token of whom the page was told, which is renewed once by each refresh token', async () => {
    const { url, client, begin, who } = await local();
    const request = await begin();
    expect(request.userCode).toMatch(/^[B-Z]{4}-[B-Z]{4}$/);
    expect(request.urlWithCode).toBe(`${request.url}?code=${request.userCode}`);
    expect(await (await fetch(request.urlWithCode!)).text()).toContain(`value="${request.userCode}"`);
    const [granted] = await Promise.all([
      request.granted(),
      // However it is typed.
      decideLocally(url, {
        code: request.userCode.toLowerCase().replace('-', ' '),
        as: 'Asha',
        role: 'operator,viewer',
        verdict: 'approve',
      }),
    ]);
    expect(await who(granted.accessToken)).toMatchObject({ subject: 'asha', roles: ['viewer', 'operator'] });
    const next = await client.refresh(granted.refreshToken!);
    expect(await who(next.accessToken)).toMatchObject({ subject: 'asha' });
    // Used twice, it was stolen: the login is over for both.
    await expect(client.refresh(granted.refreshToken!)).rejects.toEqual(code('LOGIN_OVER'));
    await expect(client.refresh(next.refreshToken!)).rejects.toEqual(code('LOGIN_OVER'));
  });

  it('takes back what a login is renewed with', async () => {
    const { url, client, begin } = await local();
    const request = await begin();
    await decideLocally(url, { code: request.userCode, as: 'asha', role: 'operator', verdict: 'approve' });
    const { refreshToken } = await request.granted();
    expect(await client.revoke(refreshToken!)).toBe(true);
    await expect(client.refresh(refreshToken!)).rejects.toEqual(code('LOGIN_OVER'));
  });

  it('gives nothing when it is denied, or its code is over, or the approval names no role', async () => {
    const denied = await local();
    const request = await denied.begin();
    for (const wrong of [{ as: 'asha', role: 'king' }, { as: '', role: 'operator' }, { as: 'asha' }])
      await expect(
        decideLocally(denied.url, { code: request.userCode, verdict: 'approve', ...wrong } as Record<string, string>),
      ).rejects.toEqual(code('OPTION_INVALID'));
    await decideLocally(denied.url, { code: request.userCode, verdict: 'deny' });
    await expect(request.granted()).rejects.toEqual(code('LOGIN_REFUSED'));

    const over = await local({ codeLifeS: 2 });
    const late = await over.begin();
    await expect(late.granted()).rejects.toEqual(code('LOGIN_EXPIRED'));
    await expect(
      decideLocally(over.url, { code: late.userCode, as: 'a', role: 'viewer', verdict: 'approve' }),
    ).rejects.toEqual(code('OPTION_INVALID'));
  });

  it('is no page for others: another name for this machine, or another origin, is refused', async () => {
    const { url, begin } = await local();
    const { userCode } = await begin();
    const form = new URLSearchParams({ code: userCode, as: 'asha', role: 'admin', verdict: 'approve' });
    const elsewhere = await fetch(`${url}/device`, {
      method: 'POST',
      body: form,
      headers: { origin: 'https://evil.example' },
    });
    const renamed = await fetch(`${url.replace('127.0.0.1', 'localhost')}/device`, { method: 'POST', body: form });
    expect([elsewhere.status, renamed.status]).toEqual([403, 403]);
  });

  it('refuses to exist in production, and makes no key there', async () => {
    for (const env of [{}, { CORRIDOR_ENV: 'production' }]) {
      const keyFile = path.join(mkdtempSync(path.join(tmpdir(), 'sign-in-')), 'issuer.json');
      await expect(startLocalSignIn({ keyFile, env, port: 0 })).rejects.toEqual(code('UNSAFE_REFUSED'));
      expect(() => statSync(keyFile)).toThrow('ENOENT');
    }
  });
});

describe('what the local issuer keeps', () => {
  const IDENTITY = { subject: 'asha', roles: ['operator'] } as const;
  function grants() {
    let now = 0;
    let secrets = 0;
    const terms = {
      codeLifeS: 60,
      intervalS: 5,
      secret: () => `s${secrets++}`,
      userCode: () => `ABCD-EFG${'HIJKLMNOPQ'[secrets % 10]}`,
    };
    return { grants: new DeviceGrants({ ...terms, clock: () => now }), pass: (ms: number) => (now += ms) };
  }

  it('slows down who asks too soon, each time by five seconds more', () => {
    const { grants: kept, pass } = grants();
    const { deviceCode, userCode } = kept.begin('c');
    const poll = (ms: number) => {
      pass(ms);
      return kept.poll(deviceCode, 'c');
    };
    expect(poll(0)).toEqual({ refused: 'authorization_pending' });
    expect(poll(4_999)).toEqual({ refused: 'slow_down' });
    expect(poll(5_000)).toEqual({ refused: 'slow_down' });
    expect(poll(15_000)).toEqual({ refused: 'authorization_pending' });
    expect(kept.decide(userCode, IDENTITY)).toBe(true);
    expect(poll(14_999)).toEqual({ refused: 'slow_down' });
    expect(poll(20_000)).toMatchObject({ identity: IDENTITY });
    // A code is good for one token, and for who began with it.
    expect(poll(30_000)).toEqual({ refused: 'invalid_grant' });
    expect(kept.poll(kept.begin('c').deviceCode, 'another')).toEqual({ refused: 'invalid_grant' });
  });

  it('decides a code once, before its end', () => {
    const { grants: kept, pass } = grants();
    const one = kept.begin('c');
    expect(kept.decide(one.userCode, 'DENIED')).toBe(true);
    expect(kept.decide(one.userCode, IDENTITY)).toBe(false);
    const other = kept.begin('c');
    pass(60_000);
    expect(kept.decide(other.userCode, IDENTITY)).toBe(false);
    expect(kept.poll(other.deviceCode, 'c')).toEqual({ refused: 'expired_token' });
  });
});

type Handler = (request: IncomingMessage, response: ServerResponse, url: string) => void;

/** An issuer that answers as it is told. */
async function issuer(handlers: Readonly<Record<string, Handler>>, metadata: (url: string) => object = () => ({})) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const at = request.url!;
    asked.push(at);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const document = {
      issuer: url,
      token_endpoint: `${url}/token`,
      device_authorization_endpoint: `${url}/begin`,
      ...metadata(url),
    };
    if (at === '/.well-known/openid-configuration' && !handlers[at])
      return answer(200, document)(request, response, url);
    return (handlers[at] ?? answer(404, {}))(request, response, url);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ending.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, asked, open: () => issuerClient({ url, clientId: 'cli', isTrial: true }) };
}
const answer =
  (status: number, body: object, headers: object = {}): Handler =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const BEGUN = (url: string) => ({
  device_code: 'd',
  user_code: 'CODE',
  verification_uri: `${url}/page`,
  expires_in: 60,
  interval: 1,
});
const begins: Handler = (request, response, url) => answer(200, BEGUN(url))(request, response, url);

describe('an issuer', () => {
  it('that asks to slow down is asked later, and one that is away for a moment is asked again', async () => {
    const times: number[] = [];
    const tokens: Handler[] = [
      answer(400, { error: 'slow_down' }),
      (request) => request.socket.destroy(),
      answer(200, { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 60 }),
    ];
    const { open } = await issuer({
      '/begin': begins,
      '/token': (request, response, url) => {
        times.push(Date.now());
        tokens[times.length - 1]!(request, response, url);
      },
    });
    const request = await (await open()).begin({ scope: 'openid', resource: 'https://api.example' });
    expect(await request.granted()).toMatchObject({ accessToken: 'a.b.c', refreshToken: undefined });
    // A lower bound is no limit of time: it is what the issuer asked for.
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(5_900);
  }, 60_000);

  it('is believed nothing that is not its own, bounded, and of the form', async () => {
    const other = await issuer({}, () => ({ issuer: 'https://other.example' }));
    await expect(other.open()).rejects.toEqual(code('ISSUER_ANSWER_WRONG'));
    const none = await issuer({}, () => ({ device_authorization_endpoint: undefined }));
    await expect(none.open()).rejects.toEqual(code('ISSUER_ANSWER_WRONG'));
    const wanderer = await issuer({
      '/.well-known/openid-configuration': (_, response) =>
        response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    });
    await expect(wanderer.open()).rejects.toEqual(code('ISSUER_ANSWER_WRONG'));
    const long = await issuer({ '/.well-known/openid-configuration': answer(200, { issuer: 'x'.repeat(70_000) }) });
    await expect(long.open()).rejects.toEqual(code('ISSUER_ANSWER_WRONG'));
    const elsewhere = await issuer({}, () => ({ device_authorization_endpoint: 'http://127.0.0.1:1/begin' }));
    const asked = { scope: 'openid', resource: undefined };
    await expect((await elsewhere.open()).begin(asked)).rejects.toEqual(code('ISSUER_ANSWER_WRONG'));
    const redirects = await issuer({ '/begin': answer(307, {}, { location: 'http://127.0.0.1:1/' }) });
    await expect((await redirects.open()).begin(asked)).rejects.toEqual(code('ISSUER_ANSWER_WRONG'));
    for (const wrong of [
      { verification_uri: 'javascript:alert(1)' },
      { verification_uri: 'http://other.example/page' },
      { user_code: 'a\u202Eb' },
      { expires_in: -1 },
      { device_code: 7 },
    ]) {
      const { open } = await issuer({ '/begin': (q, r, url) => answer(200, { ...BEGUN(url), ...wrong })(q, r, url) });
      await expect((await open()).begin(asked), JSON.stringify(wrong)).rejects.toEqual(code('ISSUER_ANSWER_WRONG'));
    }
    const pours = await issuer({
      '/begin': begins,
      '/token': answer(200, { access_token: 'x'.repeat(9_000), token_type: 'Bearer' }),
    });
    await expect((await (await pours.open()).begin(asked)).granted()).rejects.toEqual(code('ISSUER_ANSWER_WRONG'));
    const refuses = await issuer({ '/begin': answer(401, { error: 'invalid_client' }) });
    await expect((await refuses.open()).begin(asked)).rejects.toEqual(code('LOGIN_REFUSED'));
  });

  it('is asked over https, but for this machine in development', async () => {
    const { url, asked } = await issuer({});
    for (const wrong of [
      url,
      'http://issuer.example',
      'ftp://issuer.example',
      'https://a:b@issuer.example',
      'https://issuer.example?x=1',
      'issuer',
    ])
      await expect(issuerClient({ url: wrong, clientId: 'cli', isTrial: false }), wrong).rejects.toEqual(
        code('ISSUER_URL_UNFIT'),
      );
    await expect(issuerClient({ url: 'http://issuer.example', clientId: 'cli', isTrial: true })).rejects.toEqual(
      code('ISSUER_URL_UNFIT'),
    );
    expect(asked).toEqual([]);
    await expect(issuerClient({ url: 'http://127.0.0.1:1', clientId: 'cli', isTrial: true })).rejects.toEqual(
      code('ISSUER_UNAVAILABLE'),
    );
  });
});
