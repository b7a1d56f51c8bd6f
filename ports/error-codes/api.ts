// Codes of the API: who asks, how, and what a request must look like. Nothing was changed.
import { entry } from './entry.ts';

export const apiCodes = {
  CREDENTIAL_MISSING: entry(
    'invalid-request',
    'the caller',
    401,
    'Send `Authorization: Bearer` with a token of the issuer, or with an API key.',
  ),
  CREDENTIAL_INVALID: entry(
    'invalid-request',
    'the caller',
    401,
    'Get a token of the issuer for this audience, or ask for an API key.',
  ),
  CREDENTIAL_EXPIRED: entry('invalid-request', 'the caller', 401, 'Get a new token, or use the next API key.'),
  ISSUER_UNAVAILABLE: entry(
    'transient-dependency',
    'a dependency',
    503,
    'Check that the URL of CORRIDOR_AUTH_JWKS_URL answers. API keys work on.',
  ),
  ACTION_FORBIDDEN: entry(
    'invalid-request',
    'the caller',
    403,
    'Ask for a role that may do it: docs/security.md has the table.',
  ),
  ROUTE_UNKNOWN: entry('invalid-request', 'the caller', 404, 'Look the path up in the OpenAPI document.'),
  METHOD_UNKNOWN: entry('invalid-request', 'the caller', 405, 'Use one of the methods that the Allow field names.'),
  REQUEST_INVALID: entry('invalid-request', 'the caller', 400, 'Correct what `errors` names.'),
  REQUEST_MALFORMED: entry('invalid-request', 'the caller', 400, 'Send valid HTTP/1.1, and JSON in UTF-8.'),
  REQUEST_TOO_SLOW: entry('invalid-request', 'the caller', 408, 'Send the request without pauses.'),
  REQUEST_TIMED_OUT: entry(
    'transient-dependency',
    'the process',
    503,
    'Ask again, with the same Idempotency-Key if it was a submission.',
  ),
  BODY_TOO_LARGE: entry('invalid-request', 'the caller', 413, 'Send less in one request.'),
  MEDIA_TYPE_UNSUPPORTED: entry(
    'invalid-request',
    'the caller',
    415,
    'Send the `Content-Type` that the OpenAPI document names for the path: `application/json` for all but batches.',
  ),
  CURSOR_INVALID: entry('invalid-request', 'the caller', 400, 'Ask for the list from its beginning.'),
  PRECONDITION_MISSING: entry(
    'invalid-request',
    'the caller',
    428,
    'Read the resource, and send its ETag as If-Match with the change.',
  ),
  PRECONDITION_FAILED: entry(
    'invalid-request',
    'the caller',
    412,
    'Read the resource again: it changed since you looked.',
  ),
  IDEMPOTENCY_KEY_INVALID: entry(
    'invalid-request',
    'the caller',
    400,
    'Send one Idempotency-Key of the form that the path asks for: of a submission it is the id of the transfer.',
  ),
  IDEMPOTENCY_KEY_REUSED: entry(
    'invalid-request',
    'the caller',
    409,
    'Look at what the key stands for. Another transfer, or another request, needs another key.',
  ),
  TRANSFER_ID_TAKEN: entry('invalid-request', 'the caller', 409, 'Use another id: this one is of somebody else.'),
  INTENT_INVALID: entry(
    'invalid-request',
    'the caller',
    422,
    'Correct what `reasons` names, and send it again, with the same key if you like.',
  ),
  API_UNREACHABLE: entry(
    'transient-dependency',
    'a dependency',
    503,
    'Check the URL of the API (--api, CORRIDOR_API_URL), and that it runs. `--direct` works on the stores, with their keys.',
  ),
  API_ANSWER_WRONG: entry(
    'transient-dependency',
    'a dependency',
    502,
    'Check that the URL is that of the API, and that command and API are of releases that go together.',
  ),
  TOO_BUSY: entry('transient-dependency', 'the process', 503, 'Ask again in a moment.'),
  RATE_LIMITED: entry('invalid-request', 'the caller', 429, 'Wait as long as Retry-After says.'),
} as const;
