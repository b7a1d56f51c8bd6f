// Object storage that speaks S3, believed in nothing but tags and bytes.
import { createHash } from 'node:crypto';
import { SaxesParser } from 'saxes';
import type { Condition, ObjectStore } from './object-store.ts';
import { type S3Options, s3Caller, unusable } from './s3-call.ts';

export interface S3Store extends ObjectStore {
  close(): void;
}

const MAX_KEYS = 2_000_000;
const REMOVED_AT_ONCE = 8;

/** A client of one bucket. */
export function s3Store(bucket: string, options: S3Options): S3Store {
  const { call, close } = s3Caller(bucket, options);
  const { pageKeys = 1_000 } = options;
  return {
    close,

    async get(key) {
      const answer = await call({ method: 'GET', key, refused: [404] });
      if (answer === undefined) return undefined;
      if (answer.etag === undefined) throw unusable(`GET ${key}: the store gives no tag`);
      return { bytes: answer.bytes, etag: answer.etag };
    },

    async put(key, body, condition) {
      const sum = createHash('md5').update(body).digest('base64');
      const headers = { 'content-md5': sum, ...headersOf(condition) };
      const answer = await call({ method: 'PUT', key, headers, body, refused: refusals(condition) });
      if (answer !== undefined && answer.etag === undefined) throw unusable(`PUT ${key}: the store gives no tag`);
      return answer?.etag;
    },

    async list(prefix) {
      const keys: string[] = [];
      let token: string | undefined;
      do {
        const page = { 'list-type': '2', 'encoding-type': 'url', 'max-keys': String(pageKeys), prefix };
        const query = new Map(Object.entries(token === undefined ? page : { ...page, 'continuation-token': token }));
        const answer = await call({ method: 'GET', query });
        const listed = listedIn(answer!.bytes);
        keys.push(...listed.keys.filter((key) => key.startsWith(prefix)));
        if (keys.length > MAX_KEYS || (listed.next !== undefined && listed.next === token))
          throw unusable(`GET ${prefix}: the list has more than ${MAX_KEYS} objects, or no end`);
        token = listed.next;
      } while (token !== undefined);
      return keys;
    },

    async remove(keys) {
      for (let first = 0; first < keys.length; first += REMOVED_AT_ONCE) {
        const some = keys.slice(first, first + REMOVED_AT_ONCE);
        await Promise.all(some.map((key) => call({ method: 'DELETE', key, refused: [404] })));
      }
    },
  };
}

function headersOf(condition: Condition | undefined): Readonly<Record<string, string>> {
  if (condition === undefined) return {};
  return 'etag' in condition ? { 'if-match': condition.etag } : { 'if-none-match': '*' };
}

/** 409: somebody writes at this moment. 404: what should be there is not. */
function refusals(condition: Condition | undefined): readonly number[] {
  if (condition === undefined) return [];
  return 'etag' in condition ? [404, 409, 412] : [409, 412];
}

/** @throws CodedError EXPORT_NOT_WRITTEN */
function keyIn(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    throw unusable('GET: a key of the list is not written as it stands in URLs', error);
  }
}

/** Keys of a page, which are asked for as they stand in URLs, and what names the next page. */
function listedIn(bytes: Buffer): { readonly keys: readonly string[]; readonly next: string | undefined } {
  const keys: string[] = [];
  let next: string | undefined;
  const open: string[] = [];
  let text = '';
  const parser = new SaxesParser();
  parser.on('error', () => {
    throw unusable('GET: the list is no XML');
  });
  parser.on('opentag', ({ name }) => {
    open.push(name);
    text = '';
  });
  parser.on('text', (more) => {
    text += more;
  });
  parser.on('closetag', () => {
    const place = open.slice(1).join('/');
    if (place === 'Contents/Key') keys.push(keyIn(text));
    if (place === 'NextContinuationToken') next = text;
    open.pop();
    text = '';
  });
  parser.write(bytes.toString('utf8')).close();
  return { keys, next };
}
