// Plain requests to the registry, for what the client library does not offer or answers from its cache.
import { dependencyDown } from '../../runtime/ports/fault.ts';
import type { RegistryOptions } from './codec.ts';

const TIMEOUT_MS = 10_000;

export type Call = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;

/** Rejects with REGISTRY_UNAVAILABLE when there is no answer, or one that says nothing of what was asked. */
export function registryCaller({ url, auth }: RegistryOptions): Call {
  const authorization = auth
    ? { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` }
    : {};
  return async (method, path, body) => {
    const response = await fetch(`${url.replace(/\/$/, '')}${path}`, {
      method,
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json', ...authorization },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw dependencyDown('registry', 'REGISTRY_UNAVAILABLE', error);
    });
    if (response.status >= 500 || response.status === 401 || response.status === 403) {
      throw dependencyDown('registry', 'REGISTRY_UNAVAILABLE', `status ${response.status} on ${method} ${path}`);
    }
    return { status: response.status, body: await response.json().catch(() => ({})) };
  };
}
