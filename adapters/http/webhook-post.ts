// Sends a webhook. The address that is connected to is the one that was looked at: names are resolved here, once for each
// connection, so that no name can point elsewhere in between. Nothing is followed, and little is read.
import { Agent } from 'undici';
import { literalOf, mayReach, type Networks, urlFlaw } from '../../domain/webhooks/addresses.ts';
import type { PostAnswer, WebhookPost, WebhookReach, WebhookRequest } from '../../operations/webhooks/ports.ts';
import { foreignCodeOf } from '../../ports/error-codes.ts';
import { within } from '../../ports/pause.ts';
import { ADDRESS_REFUSED, guardedLookup, type Resolve, systemResolve } from './guarded-lookup.ts';

export interface WebhookPostOptions {
  readonly takesHttp: boolean;
  /** Networks that are no public ones, and may be reached. */
  readonly allowed: Networks;
  /** From the call to the headers of the answer, connecting included, ms. */
  readonly timeoutMs: number;
  /** Connections to one endpoint. */
  readonly perEndpoint: number;
  /** PEM of authorities beside those of the system: for tests. */
  readonly ca?: string;
  /** For tests: every address of a name. */
  readonly resolve?: Resolve;
}

/** Of an answer only the status counts; so much is read to keep the connection, and no more. */
const MAX_ANSWER_BYTES = 16_384;
const MAX_HEADERS_BYTES = 16_384;
const KEPT_MS = 10_000;
/** How long whoever registers a URL waits for its name to be looked up, ms. */
const LOOKUP_MS = 5_000;

/** Every address of a name, and none where there is no such name: for looking at a URL when it is registered. */
export const systemReach = (terms: Pick<WebhookReach, 'takesHttp' | 'allowed'>): WebhookReach => ({
  ...terms,
  resolve: async (hostname) => {
    const found = systemResolve(hostname).catch(() => []);
    return (await within(LOOKUP_MS, found)) ? (await found).map(({ address }) => address) : [];
  },
});

export interface WebhookPoster {
  readonly post: WebhookPost;
  /** Ends connections. */
  close(): Promise<void>;
}

/** Connects when first used. */
export function webhookPoster(options: WebhookPostOptions): WebhookPoster {
  const { allowed, timeoutMs, perEndpoint, resolve = systemResolve, ca } = options;
  const agent = new Agent({
    connections: perEndpoint,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: timeoutMs, lookup: guardedLookup(resolve, allowed), ...(ca === undefined ? {} : { ca }) },
    keepAliveTimeout: KEPT_MS,
    keepAliveMaxTimeout: KEPT_MS,
    maxHeaderSize: MAX_HEADERS_BYTES,
  });
  return {
    post: async (request) => {
      // Again at each send: what is stored is not believed, and an address in the URL itself is looked up by nobody.
      const flaw = urlFlaw(request.url, options);
      if (flaw !== undefined) return unanswered(ADDRESS_REFUSED, flaw);
      const literal = literalOf(new URL(request.url).hostname);
      if (literal !== undefined && !mayReach(literal, allowed)) return unanswered(ADDRESS_REFUSED, 'its address');
      return exchanged(agent, request, timeoutMs);
    },
    close: () => agent.destroy(),
  };
}

const unanswered = (code: Extract<PostAnswer, { kind: 'unanswered' }>['code'], detail: string): PostAnswer => ({
  kind: 'unanswered',
  code,
  detail,
});

/** Sends once. Over when the headers of the answer are there; the rest of it is read in passing, and cut off. */
function exchanged(agent: Agent, { url, headers, body }: WebhookRequest, timeoutMs: number): Promise<PostAnswer> {
  const { origin, pathname, search } = new URL(url);
  return new Promise((resolve) => {
    let cutOff: (() => void) | undefined;
    let isOver = false;
    let size = 0;
    const timer = setTimeout(() => {
      isOver = true;
      resolve(unanswered('TIMEOUT', `no answer within ${timeoutMs} ms`));
      cutOff?.();
    }, timeoutMs);
    const fail = (error: unknown) => {
      clearTimeout(timer);
      resolve(unanswered(foreignCodeOf(error) ?? 'HTTP_ERROR', 'the connection failed'));
    };
    const dispatch = () =>
      agent.dispatch(
        {
          ...{ origin, path: `${pathname}${search}`, method: 'POST', body, idempotent: false },
          headers: { 'content-type': 'application/json', 'user-agent': 'Corridor-Webhooks', ...headers },
          // Timed here, from the first to the last byte.
          ...{ headersTimeout: 0, bodyTimeout: 0 },
        },
        {
          onRequestStart(controller) {
            cutOff = () => controller.abort(new Error('cut off'));
            // It waited for a connection for too long: somebody will try again.
            if (isOver) cutOff();
          },
          onResponseStart(_controller, status, fields) {
            // Informational: the answer follows.
            if (status < 200) return;
            resolve({ kind: 'answered', status, retryAfterMs: retryAfterMs(fields['retry-after']) });
          },
          onResponseData(controller, chunk) {
            size += chunk.length;
            if (size > MAX_ANSWER_BYTES) controller.abort(new Error('cut off'));
          },
          onResponseEnd: () => clearTimeout(timer),
          onResponseError: (_controller, error) => fail(error),
        },
      );
    try {
      dispatch();
    } catch (error) {
      fail(error);
    }
  });
}

/** Seconds alone: what a date means depends on whose clock is right. */
function retryAfterMs(field: string | string[] | undefined): number | undefined {
  return typeof field === 'string' && /^\d{1,9}$/.test(field) ? Number(field) * 1_000 : undefined;
}
