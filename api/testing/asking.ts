// Asks an API as persons do.
import type { FastifyInstance } from 'fastify';
import type { Role } from '../../operations/access/table.ts';
import { bearer } from './api.ts';

export interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever is answered
  readonly body: any;
  readonly etag: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A person who asks: `get` and `post` take the path behind `/v1/`. */
export function person(app: () => FastifyInstance, name: string, role: Role) {
  const ask = async (
    method: 'GET' | 'POST',
    path: string,
    payload?: object,
    headers: object = {},
  ): Promise<Answered> => {
    const response = await app().inject({
      ...{ method, url: `/v1/${path}`, headers: { ...(await bearer(name, role)), ...headers } },
      ...(payload && { payload }),
    });
    const body = response.body === '' ? undefined : response.json();
    return { status: response.statusCode, body, etag: String(response.headers.etag), headers: response.headers };
  };
  return {
    get: (path: string, headers?: object) => ask('GET', path, undefined, headers),
    post: (path: string, payload: object, headers?: object) => ask('POST', path, payload, headers),
    /** Reads it, and then changes what was read. */
    change: async (path: string, verb: string, payload?: object, headers: object = {}) =>
      ask('POST', `${path}/${verb}`, payload, { ...headers, 'if-match': (await ask('GET', path)).etag }),
  };
}

export const keyed = (key: string) => ({ 'idempotency-key': key });
