// One HTTP exchange with a provider that knows for certain whether its first byte was sent.

import { isUtf8 } from 'node:buffer';
import type { Dispatcher } from 'undici';
import { foreignCodeOf, type ShownCode } from '../../ports/error-codes.ts';

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the call to the last byte of the answer, ms. */
  readonly timeoutMs: number;
  /** Asked right before the first byte is written; when it says no, nothing is sent. */
  readonly mayStart?: () => boolean;
}

export type Exchange =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter: string | undefined;
      /** Says that it is JSON, in no further coding. */
      readonly isJson: boolean;
      readonly body: string;
    }
  /** No byte of the request was written, and none will be. */
  | { readonly kind: 'not-sent'; readonly code: ShownCode; readonly detail: string }
  /** It may have arrived. */
  | { readonly kind: 'unanswered'; readonly code: ShownCode; readonly detail: string };

const MAX_ANSWER_BYTES = 64 * 1_024;
const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json *(?:;|$)/i;

/** Code of an exchange that `mayStart` stopped. */
export const TOO_LATE_TO_SEND = 'TOO_LATE_TO_SEND';

/**
 * Sends the request at most once, without any retry. Never rejects.
 *
 * The client calls `onRequestStart` in the same turn of the event loop as it writes to the socket, and only when it has a
 * connection: a failure before that call is a failure before the first byte. The gap that remains is a process stopped
 * between that call and the write; what closes it is the expiry that the provider enforces.
 */
export function exchange(dispatcher: Dispatcher, request: ExchangeRequest): Promise<Exchange> {
  return new Promise((resolve) => {
    const once = new OneExchange(request, resolve);
    try {
      dispatcher.dispatch(
        {
          method: request.method,
          path: request.path,
          headers: { ...request.headers },
          body: request.body ?? null,
          idempotent: false,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        once,
      );
    } catch (error) {
      once.fail(foreignCodeOf(error) ?? 'HTTP_ERROR', 'it could not be sent');
    }
  });
}

/** The state of one exchange, which every callback of the client sees: whether the first byte went, and what came back. */
class OneExchange implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest;
  readonly #resolve: (result: Exchange) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #status = 0;
  #retryAfter: string | undefined;
  #isJson = false;
  #started = false;
  #over = false;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(request: ExchangeRequest, resolve: (result: Exchange) => void) {
    this.#request = request;
    this.#resolve = resolve;
    this.#timer = setTimeout(() => {
      this.fail('TIMEOUT', `no answer within ${request.timeoutMs} ms`);
      this.#controller?.abort(new Error('timed out'));
    }, request.timeoutMs);
  }

  fail(code: ShownCode, detail: string): void {
    this.#end({ kind: this.#started ? 'unanswered' : 'not-sent', code, detail });
  }

  #end(result: Exchange): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#resolve(result);
  }

  onRequestStart(given: Dispatcher.DispatchController): void {
    this.#controller = given;
    const { mayStart } = this.#request;
    const late = mayStart !== undefined && !mayStart();
    // A second start would be a second send.
    if (!this.#over && !this.#started && !late) {
      this.#started = true;
      return;
    }
    if (late && !this.#started) this.fail(TOO_LATE_TO_SEND, 'the lease or the price ran out before the first byte');
    given.abort(new Error('must not be sent'));
  }

  onResponseStart(_given: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    this.#status = status;
    this.#retryAfter = only(headers['retry-after']);
    this.#isJson = JSON_TYPE.test(only(headers['content-type']) ?? '') && headers['content-encoding'] === undefined;
  }

  onResponseData(given: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size <= MAX_ANSWER_BYTES) {
      this.#chunks.push(chunk);
      return;
    }
    this.fail('ANSWER_TOO_LARGE', `more than ${MAX_ANSWER_BYTES} bytes`);
    given.abort(new Error('answer too large'));
  }

  onResponseEnd(): void {
    const bytes = Buffer.concat(this.#chunks);
    if (!isUtf8(bytes)) {
      this.fail('ANSWER_NOT_UTF8', 'its bytes are no UTF-8');
      return;
    }
    const body = bytes.toString('utf8');
    this.#end({ kind: 'answered', status: this.#status, retryAfter: this.#retryAfter, isJson: this.#isJson, body });
  }

  onResponseError(_given: Dispatcher.DispatchController, error: Error): void {
    this.fail(foreignCodeOf(error) ?? 'HTTP_ERROR', 'the connection failed');
  }
}

type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A header that came once, or nothing. */
function only(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
