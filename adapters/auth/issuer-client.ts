// The issuer of tokens as a person signs in there from a terminal: the device authorization grant (RFC 8628), by openid-client.
// Its answers are bounded, redirects are refused, and it has no endpoints but its own.
import * as oauth from 'openid-client';
import { isPlainText, safeText } from '../../domain/text/text.ts';
import { CodedError, codeAndDetail, dependencyDown } from '../../ports/fault.ts';
import { boundedBody } from '../http/bounded-body.ts';

export interface IssuerTerms {
  /** Its URL, exactly as it names itself. */
  readonly url: string;
  /** What commands are registered as there: a public client, without a secret. */
  readonly clientId: string;
  /** Development or test: http is allowed to this machine. */
  readonly isTrial: boolean;
  readonly fetch?: typeof fetch;
}

/** What a person signs in with: shown to them, and waited for. */
export interface DeviceRequest {
  readonly userCode: string;
  /** Where the code is typed. */
  readonly url: string;
  /** The same with the code in it, if the issuer has such a page. */
  readonly urlWithCode: string | undefined;
  readonly expiresAt: Date;
  /** Until the person has decided. */
  granted(signal?: AbortSignal): Promise<Granted>;
}

export interface Granted {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Undefined: the issuer does not say. */
  readonly expiresAt: Date | undefined;
}

export interface IssuerClient {
  /** @throws CodedError LOGIN_REFUSED, ISSUER_ANSWER_WRONG, ISSUER_UNAVAILABLE */
  begin(asked: { readonly scope: string; readonly resource: string | undefined }): Promise<DeviceRequest>;
  /** The next token; the refresh token may be another from then on. @throws CodedError LOGIN_OVER, and those above */
  refresh(refreshToken: string): Promise<Granted>;
  /** False: the issuer has no way to take one back. */
  revoke(refreshToken: string): Promise<boolean>;
}

const TIMEOUT_S = 10;
const MAX_ANSWER_BYTES = 64 * 1_024;
const MAX_TOKEN_CHARACTERS = 8_192;
const MAX_URL_CHARACTERS = 2_000;
const MAX_CODE_CHARACTERS = 100;
/** A person has no longer than this, whatever the issuer says, s. */
const MAX_WAIT_S = 1_800;
/** Between two questions, s: what an issuer may ask for. RFC 8628 has 5 where it asks for nothing. */
const MIN_INTERVAL_S = 1;
const MAX_INTERVAL_S = 60;
const DEFAULT_INTERVAL_S = 5;

/**
 * The issuer, as its own document describes it.
 * @throws CodedError ISSUER_URL_UNFIT, ISSUER_ANSWER_WRONG, ISSUER_UNAVAILABLE
 */
export async function issuerClient(terms: IssuerTerms): Promise<IssuerClient> {
  const { clientId, isTrial } = terms;
  const url = issuerUrl(terms);
  const config = await checked(() =>
    oauth.discovery(url, clientId, undefined, oauth.None(), {
      timeout: TIMEOUT_S,
      [oauth.customFetch]: boundedFetch(url, terms),
      ...(isTrial ? { execute: [oauth.allowInsecureRequests] } : {}),
    }),
  );
  const metadata = config.serverMetadata();
  if (metadata.issuer.replace(/\/$/, '') !== url.href.replace(/\/$/, '')) throw wrong('it names another issuer');
  if (metadata.device_authorization_endpoint === undefined)
    throw wrong('it does not sign in from terminals (RFC 8628)');
  return {
    async begin({ scope, resource }) {
      const sent = { scope, ...(resource === undefined ? {} : { resource }) };
      const answer = await checked(() => oauth.initiateDeviceAuthorization(config, sent));
      return deviceRequest(config, answer, isTrial);
    },
    refresh: async (refreshToken) =>
      granted(await checked(() => oauth.refreshTokenGrant(config, refreshToken)), refreshToken),
    async revoke(refreshToken) {
      if (metadata.revocation_endpoint === undefined) return false;
      await checked(() => oauth.tokenRevocation(config, refreshToken, { token_type_hint: 'refresh_token' }));
      return true;
    },
  };
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const isSafe = (url: URL, isTrial: boolean): boolean =>
  url.protocol === 'https:' || (isTrial && url.protocol === 'http:' && LOOPBACK.has(url.hostname));

function issuerUrl({ url, isTrial }: IssuerTerms): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isBare = parsed?.username === '' && parsed.password === '' && parsed.search === '' && parsed.hash === '';
  if (parsed && isBare && isSafe(parsed, isTrial)) return parsed;
  throw new CodedError(
    'ISSUER_URL_UNFIT',
    'the issuer must be named by https://…, without a password, a query or a fragment; by http:// only on this machine, where CORRIDOR_ENV is development or test',
  );
}

/** Asks the issuer alone, on its own origin; what it says is read to an end that we set. */
function boundedFetch({ origin }: URL, { fetch: send = fetch }: IssuerTerms): oauth.CustomFetch {
  return async (target, { body, headers, method, signal }) => {
    if (new URL(target).origin !== origin) throw wrong('it names an endpoint on another host');
    const response = await send(target, {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined || body === null ? {} : { body: body as NonNullable<RequestInit['body']> }),
      signal: signal ?? AbortSignal.timeout(TIMEOUT_S * 1_000),
    });
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
      await response.body?.cancel();
      throw wrong('it answers with a redirect');
    }
    const { status, headers: answered } = response;
    return new Response(await bytesOf(response), { status, headers: answered });
  };
}

async function bytesOf(response: Response): Promise<Buffer | null> {
  const bytes = await boundedBody(response.body, MAX_ANSWER_BYTES);
  if (bytes === undefined) throw wrong('it is too long');
  return bytes.length === 0 ? null : bytes;
}

function deviceRequest(
  config: oauth.Configuration,
  answer: oauth.DeviceAuthorizationResponse,
  isTrial: boolean,
): DeviceRequest {
  const { user_code: userCode, verification_uri: url, verification_uri_complete: urlWithCode } = answer;
  if (!isPlainText(userCode) || userCode === '' || userCode.length > MAX_CODE_CHARACTERS)
    throw wrong('its code cannot be shown');
  const lifeS = Math.ceil(Math.min(answer.expires_in, MAX_WAIT_S));
  const expiresAt = new Date(Date.now() + lifeS * 1_000);
  return {
    userCode,
    url: pageOf(url, isTrial),
    urlWithCode: urlWithCode === undefined ? undefined : pageOf(urlWithCode, isTrial),
    expiresAt,
    granted: (signal) => waited(config, answer, { lifeS, signal }),
  };
}

/** Shown to a person, who opens it. */
function pageOf(text: string, isTrial: boolean): string {
  const url = text.length <= MAX_URL_CHARACTERS && URL.canParse(text) ? new URL(text) : undefined;
  if (url && isSafe(url, isTrial) && url.username === '' && url.password === '') return url.href;
  throw wrong('its page is at no address that a person may be sent to');
}

interface Waiting {
  readonly lifeS: number;
  readonly signal: AbortSignal | undefined;
}

/** `slow_down` is honoured by the library; an issuer that is away for a moment is asked again, half as often. */
async function waited(
  config: oauth.Configuration,
  answer: oauth.DeviceAuthorizationResponse,
  { lifeS, signal }: Waiting,
): Promise<Granted> {
  const end = AbortSignal.timeout(lifeS * 1_000);
  const until = signal ? AbortSignal.any([end, signal]) : end;
  let interval = Math.min(Math.max(answer.interval ?? DEFAULT_INTERVAL_S, MIN_INTERVAL_S), MAX_INTERVAL_S);
  for (;;) {
    try {
      const polled = { ...answer, interval };
      return granted(
        await checked(() => oauth.pollDeviceAuthorizationGrant(config, polled, undefined, { signal: until })),
      );
    } catch (error) {
      if (end.aborted) throw new CodedError('LOGIN_EXPIRED', 'nobody has approved the code in time');
      if (until.aborted || codeAndDetail(error).code !== 'ISSUER_UNAVAILABLE') throw error;
      interval = Math.min(interval * 2, MAX_INTERVAL_S);
    }
  }
}

const isToken = (text: unknown): text is string =>
  typeof text === 'string' && text.length <= MAX_TOKEN_CHARACTERS && /^[\x21-\x7e]+$/.test(text);

function granted(answer: oauth.TokenEndpointResponse, last?: string): Granted {
  const { access_token: accessToken, refresh_token: refreshToken = last, expires_in: lifeS } = answer;
  if (!isToken(accessToken)) throw wrong('it is no token that can be sent');
  if (refreshToken !== undefined && !isToken(refreshToken)) throw wrong('its refresh token cannot be kept');
  const expiresAt = lifeS === undefined ? undefined : new Date(Date.now() + Math.min(lifeS, 31_536_000) * 1_000);
  return { accessToken, refreshToken, expiresAt };
}

const wrong = (why: string) => new CodedError('ISSUER_ANSWER_WRONG', `the issuer answered what cannot be used: ${why}`);

async function checked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw faultOf(error);
  }
}

/** By code, never by text; nothing of what was sent is in it. */
function faultOf(error: unknown): CodedError {
  const coded = codedIn(error);
  if (coded) return coded;
  if (error instanceof oauth.ResponseBodyError) return refusal(error);
  const code = error instanceof oauth.ClientError ? error.code : undefined;
  const isAway = code === undefined || code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT';
  if (isAway || (code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' && statusIn(error) >= 500))
    return dependencyDown('issuer', 'ISSUER_UNAVAILABLE', error);
  return wrong(WHY[code] ?? code);
}

/** What our own fetch threw comes back as a cause. */
function codedIn(error: unknown): CodedError | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    if (at instanceof CodedError) return at;
  return undefined;
}

const statusIn = (error: unknown): number => {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Response ? cause.status : 0;
};

const WHY: Readonly<Record<string, string>> = {
  OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED: 'it names another issuer',
  OAUTH_RESPONSE_IS_NOT_CONFORM: 'its status was not to be expected',
  OAUTH_RESPONSE_IS_NOT_JSON: 'it is no JSON',
  OAUTH_PARSE_ERROR: 'it is no JSON',
  OAUTH_INVALID_RESPONSE: 'a field is missing or wrong',
  OAUTH_HTTP_REQUEST_FORBIDDEN: 'it names an endpoint without TLS',
};

function refusal({ error }: oauth.ResponseBodyError): CodedError {
  if (error === 'access_denied') return new CodedError('LOGIN_REFUSED', 'it was denied at the issuer');
  if (error === 'expired_token') return new CodedError('LOGIN_EXPIRED', 'nobody has approved the code in time');
  if (error === 'invalid_grant') return new CodedError('LOGIN_OVER', 'the issuer renews this login no more');
  return new CodedError('LOGIN_REFUSED', `the issuer refuses: ${safeText(error, 100)}`);
}
