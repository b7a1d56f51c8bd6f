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
/* oxlint-disable eslint/max-lines-per-function -- one state: whether the first byte went, seen by every callback of the client */
export function exchange(dispatcher: Dispatcher, request: ExchangeRequest): Promise<Exchange> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let status = 0;
    let retryAfter: string | undefined;
    let isJson = false;
    let started = false;
    let over = false;
    let controller: Dispatcher.DispatchController | undefined;

    const end = (result: Exchange) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      resolve(result);
    };
    const fail = (code: ShownCode, detail: string) => end({ kind: started ? 'unanswered' : 'not-sent', code, detail });
    const timer = setTimeout(() => {
      fail('TIMEOUT', `no answer within ${request.timeoutMs} ms`);
      controller?.abort(new Error('timed out'));
    }, request.timeoutMs);

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(given) {
        controller = given;
        const late = request.mayStart !== undefined && !request.mayStart();
        // A second start would be a second send.
        if (!over && !started && !late) {
          started = true;
          return;
        }
        if (late && !started) fail(TOO_LATE_TO_SEND, 'the lease or the price ran out before the first byte');
        given.abort(new Error('must not be sent'));
      },
      onResponseStart(_controller, statusCode, headers) {
        status = statusCode;
        retryAfter = only(headers['retry-after']);
        isJson = JSON_TYPE.test(only(headers['content-type']) ?? '') && headers['content-encoding'] === undefined;
      },
      onResponseData(given, chunk) {
        size += chunk.length;
        if (size <= MAX_ANSWER_BYTES) {
          chunks.push(chunk);
          return;
        }
        fail('ANSWER_TOO_LARGE', `more than ${MAX_ANSWER_BYTES} bytes`);
        given.abort(new Error('answer too large'));
      },
      onResponseEnd() {
        const bytes = Buffer.concat(chunks);
        if (!isUtf8(bytes)) return fail('ANSWER_NOT_UTF8', 'its bytes are no UTF-8');
        end({ kind: 'answered', status, retryAfter, isJson, body: bytes.toString('utf8') });
      },
      onResponseError(_controller, error) {
        fail(foreignCodeOf(error) ?? 'HTTP_ERROR', 'the connection failed');
      },
    };

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
        handler,
      );
    } catch (error) {
      fail(foreignCodeOf(error) ?? 'HTTP_ERROR', 'it could not be sent');
    }
  });
}
/* oxlint-enable eslint/max-lines-per-function */

/** A header that came once, or nothing. */
function only(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
