// Signing in at the local issuer, over HTTP on this machine: the device authorization grant (RFC 8628), and a page on which a
// developer says as whom. It refuses to exist in production, as the issuer does.
import { randomBytes, randomInt } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { safeText } from '../../domain/text/text.ts';
import { ROLES, type Role } from '../../operations/access/table.ts';
import { CodedError, dependencyDown } from '../../ports/fault.ts';
import { boundedBody } from '../http/bounded-body.ts';
import { DeviceGrants, type Identity, type Refused } from './device-grants.ts';
import { type LocalIssuer, localIssuer } from './local-issuer.ts';

/** What commands are known as there. */
export const LOCAL_CLIENT_ID = 'corridor-cli';

export interface LocalSignInOptions {
  /** File of the key of the local issuer. */
  readonly keyFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** 0 takes any that is free. */
  readonly port: number;
  /** How long a token is valid, s. */
  readonly tokenLifeS?: number;
  readonly codeLifeS?: number;
  readonly intervalS?: number;
  readonly clock?: () => number;
}

export interface LocalSignIn {
  readonly url: string;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const TOKEN_LIFE_S = 3_600;
const CODE_LIFE_S = 600;
const INTERVAL_S = 2;
const TIMEOUT_MS = 10_000;
const MAX_FORM_BYTES = 8_192;
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** No vowels, so that no code is a word (RFC 8628, 6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

/** @throws CodedError UNSAFE_REFUSED unless CORRIDOR_ENV is development or test */
export async function startLocalSignIn(options: LocalSignInOptions): Promise<LocalSignIn> {
  const { keyFile, env, port, tokenLifeS = TOKEN_LIFE_S, codeLifeS = CODE_LIFE_S, intervalS = INTERVAL_S } = options;
  const issuer = await localIssuer(keyFile, env);
  const grants = new DeviceGrants({
    ...{ clock: options.clock ?? Date.now, codeLifeS, intervalS },
    secret: () => randomBytes(32).toString('base64url'),
    userCode,
  });
  let url = '';
  const server = createServer((request, response) => {
    void handle({ issuer, grants, tokenLifeS, codeLifeS, intervalS, url }, request, response).catch(() =>
      json(response, 500, { error: 'server_error' }),
    );
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, resolve);
  });
  url = `http://${HOST}:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Served {
  readonly issuer: LocalIssuer;
  readonly grants: DeviceGrants;
  readonly tokenLifeS: number;
  readonly codeLifeS: number;
  readonly intervalS: number;
  readonly url: string;
}

async function handle(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url, grants } = served;
  // Names that resolve to this machine, and pages of others, are not this page.
  const { host, origin } = request.headers;
  if (`http://${host}` !== url || (origin !== undefined && origin !== url))
    return json(response, 403, { error: 'access_denied' });
  const { pathname, searchParams } = new URL(request.url ?? '/', url);
  const asked = `${request.method} ${pathname}`;
  if (asked === 'GET /.well-known/openid-configuration' || asked === 'GET /.well-known/oauth-authorization-server')
    return json(response, 200, metadataOf(url));
  if (asked === 'GET /device') return page(response, 200, formFor(searchParams.get('code') ?? ''));
  if (request.method !== 'POST') return json(response, 404, { error: 'invalid_request' });
  const form = await formOf(request);
  if (!form) return json(response, 413, { error: 'invalid_request' });
  if (pathname === '/device') return decided(served, form, response);
  if (form.get('client_id') !== LOCAL_CLIENT_ID) return json(response, 401, { error: 'invalid_client' });
  if (pathname === '/device_authorization') return json(response, 200, begun(served));
  if (pathname === '/token') return token(served, form, response);
  if (pathname !== '/revoke') return json(response, 404, { error: 'invalid_request' });
  grants.revoke(form.get('token') ?? '');
  return json(response, 200, {});
}

/**
 * What the page does, for a command.
 * @throws CodedError OPTION_INVALID, ISSUER_UNAVAILABLE
 */
export async function decideLocally(url: string, form: Readonly<Record<string, string>>): Promise<void> {
  const at = URL.canParse(url) ? new URL(url) : undefined;
  if (at?.protocol !== 'http:' || at.hostname !== HOST) throw unfit(`the local issuer is at http://${HOST}:…`);
  const body = new URLSearchParams(form);
  const sent = { method: 'POST', body, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) } as const;
  const response = await fetch(`${at.origin}/device`, sent).catch((error: unknown) => {
    throw dependencyDown('issuer', 'ISSUER_UNAVAILABLE', error);
  });
  await response.body?.cancel();
  if (response.status === 404) throw unfit('no such code waits there');
  if (!response.ok) throw unfit('say as whom, and with which of the roles');
}

const unfit = (why: string) => new CodedError('OPTION_INVALID', why);

const metadataOf = (url: string) => ({
  issuer: url,
  device_authorization_endpoint: `${url}/device_authorization`,
  token_endpoint: `${url}/token`,
  revocation_endpoint: `${url}/revoke`,
  grant_types_supported: [DEVICE_GRANT, 'refresh_token'],
  token_endpoint_auth_methods_supported: ['none'],
});

function begun({ grants, url, codeLifeS, intervalS }: Served) {
  const { deviceCode, userCode: code } = grants.begin(LOCAL_CLIENT_ID);
  return {
    ...{ device_code: deviceCode, user_code: code, verification_uri: `${url}/device` },
    ...{ verification_uri_complete: `${url}/device?code=${code}`, expires_in: codeLifeS, interval: intervalS },
  };
}

async function token({ grants, issuer, tokenLifeS }: Served, form: URLSearchParams, response: ServerResponse) {
  const answer =
    form.get('grant_type') === DEVICE_GRANT
      ? grants.poll(form.get('device_code') ?? '', LOCAL_CLIENT_ID)
      : form.get('grant_type') === 'refresh_token'
        ? grants.refresh(form.get('refresh_token') ?? '', LOCAL_CLIENT_ID)
        : { refused: 'unsupported_grant_type' as Refused };
  if ('refused' in answer) return json(response, 400, { error: answer.refused });
  const { subject, roles } = answer.identity;
  return json(response, 200, {
    ...{ access_token: await issuer.token(subject, roles, tokenLifeS), token_type: 'Bearer', expires_in: tokenLifeS },
    refresh_token: answer.refreshToken,
  });
}

/** What a person has said on the page, or a command for them. */
function decided({ grants }: Served, form: URLSearchParams, response: ServerResponse): void {
  const code = form.get('code') ?? '';
  const verdict = form.get('verdict') === 'deny' ? 'DENIED' : identityIn(form);
  if (!verdict) page(response, 400, `<p>Say as whom, and with which roles.</p>${formFor(code)}`);
  else if (!grants.decide(code, verdict)) page(response, 404, `<p>No such code waits.</p>${formFor('')}`);
  else page(response, 200, '<p>Done. You can close this page.</p>');
}

function identityIn(form: URLSearchParams): Identity | undefined {
  const subject = (form.get('as') ?? '').trim();
  const named = form.getAll('role').flatMap((text) => text.split(','));
  const roles = named.map((name) => ROLES.find((role) => role === name.trim()));
  if (subject === '' || safeText(subject, 100) !== subject || roles.length === 0) return undefined;
  return roles.every((role): role is Role => role !== undefined) ? { subject, roles } : undefined;
}

const formFor = (code: string): string => `<form method="post" action="/device">
<p><label>Code <input name="code" required value="${escaped(code)}"></label></p>
<p><label>As <input name="as" placeholder="asha"></label></p>
<p>${ROLES.map((role) => `<label><input type="checkbox" name="role" value="${role}"> ${role}</label>`).join(' ')}</p>
<p><button name="verdict" value="approve">Approve</button> <button name="verdict" value="deny">Deny</button></p>
</form>`;

const escaped = (text: string): string =>
  safeText(text, 50).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const userCode = (): string => {
  const letters = Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
};

async function formOf(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const bytes = await boundedBody(request, MAX_FORM_BYTES);
  return bytes && new URLSearchParams(bytes.toString('utf8'));
}

const json = (response: ServerResponse, status: number, body: object): void =>
  sent(response, status, 'application/json', JSON.stringify(body));
const page = (response: ServerResponse, status: number, body: string): void =>
  sent(
    response,
    status,
    'text/html; charset=utf-8',
    `<!doctype html><title>Corridor: sign in (development)</title><h1>Sign in (development)</h1>${body}\n`,
  );

function sent(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    ...{ 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
  });
  response.end(body);
}
