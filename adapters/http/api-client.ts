// A client of Corridor's own API, for commands: bounded, and believing nothing that is not of the shape that was asked for.
import { z } from 'zod';
import { safeText } from '../../domain/text/text.ts';
import { type BackoffLimits, doubledMs } from '../../ports/backoff.ts';
import { type ErrorCode, errorCodes } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import { pause } from '../../ports/pause.ts';
import { boundedBody } from './bounded-body.ts';

export interface ApiClientOptions {
  /** Where the API is, without `/v1`. */
  readonly url: string;
  /** A person's own token, which may be another at each request. Never shown. */
  readonly token: () => Promise<string>;
  readonly fetch?: typeof fetch;
}

export interface ApiRequest {
  readonly body?: object;
  /** Of what was seen: `If-Match`. */
  readonly etag?: string | undefined;
  /** `Idempotency-Key`: with it a request is sent again when nobody answers. */
  readonly key?: string;
  readonly signal?: AbortSignal;
}

export interface ApiAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: unknown;
}

export interface ApiClient {
  readonly url: string;
  /** @throws CodedError of the problem that the API answers with; API_UNREACHABLE, API_ANSWER_WRONG */
  ask(method: string, path: string, request?: ApiRequest): Promise<ApiAnswer>;
}

const MAX_ANSWER_BYTES = 16 * 1_024 * 1_024;
const TIMEOUT_MS = 30_000;
const MAX_TRIES = 4;
const MAX_FLAWS = 20;
const flaw = z.object({ in: z.string(), pointer: z.string(), detail: z.string() });
const PAUSES: BackoffLimits = { firstMs: 500, maxMs: 4_000 };

export function apiClient({ url, token, fetch: send = fetch }: ApiClientOptions): ApiClient {
  const base = url.replace(/\/+$/, '');
  const once = async (method: string, path: string, { body, etag, key, signal }: ApiRequest): Promise<ApiAnswer> => {
    const response = await send(`${base}/v1${path}`, {
      method,
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]),
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${await token()}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(etag === undefined ? {} : { 'if-match': etag }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const parsed = await jsonOf(response);
    if (response.status >= 400) throw problemIn(response.status, parsed);
    return { status: response.status, etag: response.headers.get('etag') ?? undefined, body: parsed };
  };
  return {
    url: base,
    async ask(method, path, request = {}) {
      // What changes nothing, or is the same thing however often it is asked, is asked again.
      const tries = method === 'GET' || request.key !== undefined ? MAX_TRIES : 1;
      for (let attempt = 1; ; attempt++) {
        try {
          return await once(method, path, request);
        } catch (error) {
          if (request.signal?.aborted) throw error;
          const fault = faultOf(error, base);
          if (attempt >= tries || fault.faultClass !== 'transient-dependency') throw fault;
        }
        await pause(doubledMs(attempt, PAUSES), request.signal);
      }
    },
  };
}

async function jsonOf(response: Response): Promise<unknown> {
  const bytes = await boundedBody(response.body, MAX_ANSWER_BYTES);
  if (bytes === undefined) throw wrong('it is too long');
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw wrong(`it is no JSON (status ${response.status})`);
  }
}

const wrong = (why: string) => new CodedError('API_ANSWER_WRONG', `the API answered what cannot be used: ${why}`);

/** The problem as a fault of the same code, where the catalogue has it. */
function problemIn(status: number, body: unknown): CodedError {
  const { code, detail, action, errors } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  const known = typeof code === 'string' && Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : undefined;
  if (known === undefined) return wrong(`status ${status} without a code that is known here`);
  const texts = [detail, flawsIn(errors), action].filter((text) => typeof text === 'string' && text !== '');
  const says = texts.map((text) => safeText(text as string));
  return new CodedError(known, says.join('. '), {
    faultClass: status >= 500 ? 'transient-dependency' : 'invalid-request',
    ...(status >= 500 ? { dependency: 'api' } : {}),
  });
}

/** What is wrong with a request, each with its place in it: `body/select: name one`. */
function flawsIn(errors: unknown): string {
  const { data } = z.array(z.unknown()).safeParse(errors);
  const flaws = (data ?? []).slice(0, MAX_FLAWS).flatMap((each) => {
    const { data: found } = flaw.safeParse(each);
    return found ? [`${found.in}${found.pointer}: ${found.detail}`] : [];
  });
  return flaws.join('; ');
}

function faultOf(error: unknown, url: string): CodedError {
  if (error instanceof CodedError) return error;
  const why = error instanceof Error && error.name === 'TimeoutError' ? 'does not answer' : 'cannot be reached';
  return new CodedError('API_UNREACHABLE', `the API at ${url} ${why}`, {
    faultClass: 'transient-dependency',
    dependency: 'api',
  });
}
