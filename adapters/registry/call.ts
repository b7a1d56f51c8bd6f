// Requests to the registry that always end, are never answered from a cache, and are believed only where a registry speaks.
import { CodedError, dependencyDown, isCoded } from '../../ports/fault.ts';
import { boundedBody } from '../http/bounded-body.ts';
import type { RegistryOptions } from './options.ts';

const TIMEOUT_MS = 10_000;
/** Largest answer that is read, bytes: a schema of ours takes some 10,000. */
const MAX_ANSWER_BYTES = 4 * 1_048_576;

/** What a registry answered. `body` is undefined when it is no JSON: then it was no registry that spoke. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** Codes of the registry's own, in the body of a 404: something is not there. */
export const MISSING = { subject: 40_401, version: 40_402, schema: 40_403 } as const;

/**
 * Rejects with REGISTRY_UNAVAILABLE when there is no answer, or one that says nothing of what was asked (5xx, 429, a
 * timeout); with REGISTRY_UNAUTHORISED (fatal) when it does not let us in.
 */
export function registryCaller({ url, auth }: RegistryOptions, timeoutMs = TIMEOUT_MS): Call {
  const authorization = auth
    ? { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` }
    : {};
  return async (method, path, body) => {
    const asked = `${method} ${path}`;
    try {
      const response = await fetch(`${url.replace(/\/$/, '')}${path}`, {
        method,
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json', ...authorization },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      assertAnswers(response.status, asked);
      return { status: response.status, body: jsonIn(await textOf(response)) };
    } catch (error) {
      throw isCoded(error) ? error : dependencyDown('registry', 'REGISTRY_UNAVAILABLE', error);
    }
  };
}

/** Fields of an answer; none where it is no object. */
export function fieldsOf({ body }: Answer): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : {};
}

/** Whether the registry itself says that what was asked for is not there; any other 404 is somebody in between. */
export function saysMissing(answer: Answer, ...codes: readonly number[]): boolean {
  const { error_code: said } = fieldsOf(answer);
  return answer.status === 404 && codes.some((code) => code === said);
}

/** An answer that is of no use, and what to look at. Never the record's fault. */
export function uselessAnswer(asked: string, answer: Answer): CodedError {
  const { error_code: code } = fieldsOf(answer);
  const answered = typeof code === 'number' ? `code ${code}` : 'in no words of a registry: check CORRIDOR_REGISTRY_URL';
  return dependencyDown('registry', 'REGISTRY_UNAVAILABLE', `status ${answer.status} on ${asked}, ${answered}`);
}

function assertAnswers(status: number, asked: string): void {
  if (status === 401 || status === 403) {
    throw new CodedError(
      'REGISTRY_UNAUTHORISED',
      `the registry answers ${status} on ${asked}: check CORRIDOR_REGISTRY_USERNAME and its password, and that this user may read and write schemas`,
      { faultClass: 'fatal', dependency: 'registry' },
    );
  }
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    throw dependencyDown('registry', 'REGISTRY_UNAVAILABLE', `status ${status} on ${asked}`);
  }
}

/** @throws Error when it is too long, or no UTF-8: a schema of other letters would be another schema */
async function textOf(response: Response): Promise<string> {
  const bytes = await boundedBody(response.body, MAX_ANSWER_BYTES);
  if (bytes === undefined) throw new Error(`more than ${MAX_ANSWER_BYTES} bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
