// The signature of a request to S3 (AWS Signature Version 4): every header that is given is signed, and so are the bytes.
import { createHash, createHmac } from 'node:crypto';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface UnsignedRequest {
  readonly method: string;
  /** As it goes on the wire: S3 encodes each part once. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  /** Names in lower case; `host` is among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Everything but letters, digits and -._~ as %XX. */
export const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

/** The query as it goes on the wire, in the order that is signed. */
export const queryText = (query: ReadonlyMap<string, string>): string =>
  [...query]
    .map(([name, value]) => [percentEncoded(name), percentEncoded(value)] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');

/** All headers of the request, signed. @param now ms since 1970 */
export function signedHeaders(
  { method, path, query, headers, body }: UnsignedRequest,
  { accessKeyId, secretAccessKey, sessionToken }: S3Credentials,
  region: string,
  now: number,
): Readonly<Record<string, string>> {
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const all: Readonly<Record<string, string>> = {
    ...headers,
    ...{ 'x-amz-content-sha256': sha256(body), 'x-amz-date': time },
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(all).toSorted();
  const canonical = [
    ...[method, path, queryText(query)],
    ...names.map((name) => `${name}:${all[name]!.trim()}`),
    ...['', names.join(';'), all['x-amz-content-sha256']],
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const key = scope.split('/').reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')).toString('hex');
  const said = `Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...all, authorization: `AWS4-HMAC-SHA256 ${said}` };
}
