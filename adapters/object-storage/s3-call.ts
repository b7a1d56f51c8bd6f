// Requests to a bucket that speaks S3: signed, bounded in time and bytes, and tried again where a server fails for a moment.
import { Agent, request } from 'undici';
import { backoffMs } from '../../ports/backoff.ts';
import { CodedError } from '../../ports/fault.ts';
import { pause } from '../../ports/pause.ts';
import { boundedBody } from '../http/bounded-body.ts';
import { percentEncoded, queryText, type S3Credentials, signedHeaders } from './signature.ts';

export interface S3Options {
  /** Of a store that is not that of AWS. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly credentials: S3Credentials;
  /** Keys of a page of a list; for tests. */
  readonly pageKeys?: number;
}

const CONNECT_MS = 5_000;
/** Of a request as a whole. */
const REQUEST_MS = 120_000;
const ATTEMPTS = 5;
const BACKOFF = { firstMs: 100, maxMs: 5_000 };
const MAX_HEADERS_BYTES = 16_384;
/** A manifest of some hundred thousand files. */
const MAX_OBJECT_BYTES = 64 * 1_048_576;
const MAX_ANSWER_BYTES = 8 * 1_048_576;

export interface S3Call {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly key?: string;
  readonly query?: ReadonlyMap<string, string>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Answers that say no, and are no fault. */
  readonly refused?: readonly number[];
}
export interface S3Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly bytes: Buffer;
}

export interface S3Caller {
  /** undefined: the store says no. @throws CodedError EXPORT_NOT_WRITTEN */
  call(asked: S3Call): Promise<S3Answer | undefined>;
  close(): void;
}

/** Connects when first asked. */
export function s3Caller(bucket: string, options: S3Options): S3Caller {
  const { region, credentials } = options;
  // A name with a dot is in no certificate of AWS: such a bucket is in the path.
  const isInHost = options.endpoint === undefined && !bucket.includes('.');
  const base = new URL(options.endpoint ?? `https://${isInHost ? `${bucket}.` : ''}s3.${region}.amazonaws.com`);
  const root = isInHost ? '' : `${base.pathname.replace(/\/$/, '')}/${bucket}`;
  const agent = new Agent({
    ...{ connect: { timeout: CONNECT_MS }, connections: 8, allowH2: false, maxHeaderSize: MAX_HEADERS_BYTES },
  });

  async function once({ method, key = '', query = new Map(), headers = {}, body }: S3Call): Promise<S3Answer> {
    const path = `${root}/${key.split('/').map(percentEncoded).join('/')}`;
    const unsigned = { method, path, query, headers: { ...headers, host: base.host }, body: body ?? Buffer.alloc(0) };
    const { statusCode, ...answer } = await request(
      `${base.origin}${path}${query.size > 0 ? `?${queryText(query)}` : ''}`,
      {
        ...{ method, body: body ?? null, dispatcher: agent, signal: AbortSignal.timeout(REQUEST_MS) },
        headers: signedHeaders(unsigned, credentials, region, Date.now()),
      },
    );
    const bytes = await boundedBody(answer.body, key === '' ? MAX_ANSWER_BYTES : MAX_OBJECT_BYTES);
    if (bytes === undefined) throw unusable(`${method} ${key}: the answer is too large`);
    const { etag } = answer.headers;
    return { status: statusCode, etag: typeof etag === 'string' ? etag : undefined, bytes };
  }

  async function call(asked: S3Call): Promise<S3Answer | undefined> {
    const what = `${asked.method} ${asked.key ?? ''}`;
    for (let attempt = 1; ; attempt++) {
      const answer = await once(asked).catch((error: unknown) => {
        if (error instanceof CodedError || attempt >= ATTEMPTS)
          throw error instanceof CodedError ? error : unusable(`${what}: ${nameOf(error)}`, error);
      });
      if (answer !== undefined) {
        const { status, bytes } = answer;
        if (status >= 200 && status < 300) return answer;
        const said = codeIn(bytes);
        if (asked.refused?.includes(status) && said !== 'NoSuchBucket') return undefined;
        if ((status < 500 && status !== 429) || attempt >= ATTEMPTS) throw unusable(`${what}: ${said} ${status}`);
      }
      await pause(backoffMs(attempt, BACKOFF));
    }
  }

  return { call, close: () => void agent.destroy() };
}

/** Of what the store says its code alone is shown: the rest may repeat what it was sent. */
const codeIn = (bytes: Buffer): string =>
  /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(bytes.subarray(0, 10_000).toString('latin1'))?.[1] ?? 'unknown error';

function nameOf(error: unknown): string {
  const { name, code = name } = error as { readonly name: string; readonly code?: string };
  return /^[A-Za-z0-9_]{1,64}$/.test(code) ? code : 'unknown error';
}

export const unusable = (why: string, cause?: unknown): CodedError =>
  new CodedError('EXPORT_NOT_WRITTEN', `object storage cannot be used: ${why}`, { cause });
