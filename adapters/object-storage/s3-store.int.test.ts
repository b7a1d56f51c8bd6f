// Against a server that speaks S3, of another's make (it says nothing of the stack of other tests, and needs none of it).
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ObjectStorageServer,
  startObjectStorage,
  TEST_CREDENTIALS,
} from '../../test/kit/object-storage/server.ts';
import { pythonWith } from '../../test/kit/python.ts';
import { type S3Store, s3Store } from './s3-store.ts';
import { queryText, signedHeaders } from './signature.ts';

const BUCKET = 'corridor-tests';
let server: ObjectStorageServer;
let store: S3Store;

beforeAll(async () => {
  server = await startObjectStorage(BUCKET);
  store = s3Store(BUCKET, { endpoint: server.url, region: 'us-east-1', credentials: TEST_CREDENTIALS });
}, 600_000);
afterAll(async () => {
  store?.close();
  await server?.stop();
});

const bytes = (text: string) => Buffer.from(text);

describe('object storage', () => {
  it('gives back what was stored, and nothing where there is nothing', async () => {
    expect(await store.get('a/nothing')).toBeUndefined();
    const etag = await store.put('a/one=é', bytes('first'));
    expect(await store.get('a/one=é')).toEqual({ bytes: bytes('first'), etag });
  });

  it('takes a write only where there is none yet, or where it is still what it was', async () => {
    const first = await store.put('b', bytes('first'), { absent: true });
    expect(first).toBeDefined();
    expect(await store.put('b', bytes('second'), { absent: true })).toBeUndefined();
    const second = await store.put('b', bytes('second'), { etag: first! });
    expect(second).toBeDefined();
    expect(await store.put('b', bytes('third'), { etag: first! })).toBeUndefined();
    expect((await store.get('b'))!.bytes).toEqual(bytes('second'));
    expect(await store.put('c', bytes('none'), { etag: first! })).toBeUndefined();
    expect(await store.get('c')).toBeUndefined();
  });

  it('lists what begins with a prefix, page by page, and takes it away', async () => {
    const keys = ['é &<', 'b+c', ...Array.from({ length: 21 }, (_, at) => `n-${at}`)].map((name) => `many/${name}`);
    for (const key of keys) await store.put(key, bytes(key));
    await store.put('manyothers', bytes('x'));
    const options = { endpoint: server.url, region: 'us-east-1', credentials: TEST_CREDENTIALS };
    const inPages = s3Store(BUCKET, { ...options, pageKeys: 5 });
    expect([...(await inPages.list('many/'))].toSorted()).toEqual(keys.toSorted());
    inPages.close();
    expect([...(await store.list('many/'))].toSorted()).toEqual(keys.toSorted());
    await store.remove([...keys, 'many/never']);
    expect(await store.list('many/')).toEqual([]);
    expect(await store.get('manyothers')).toBeDefined();
  });

  it('is no store without its bucket, and nothing of what the server says is shown', async () => {
    const other = s3Store('no-such-bucket', {
      endpoint: server.url,
      region: 'us-east-1',
      credentials: TEST_CREDENTIALS,
    });
    const asked = [() => other.get('a'), () => other.list(''), () => other.put('a', bytes('a'), { etag: '"x"' })];
    for (const ask of asked)
      await expect(ask()).rejects.toMatchObject({ code: 'EXPORT_NOT_WRITTEN', message: /NoSuchBucket 404$/ });
    other.close();
  });

  it('asks again where a server fails for a moment, and gives up where it goes on', async () => {
    let asked = 0;
    let failures = 2;
    const failing = createServer((request, response) => {
      asked += 1;
      request.resume().on('end', () => {
        const fails = failures-- > 0;
        response.writeHead(fails ? 503 : 200, { etag: '"0"' }).end();
      });
    });
    await new Promise<void>((resolve) => failing.listen(0, '127.0.0.1', resolve));
    const { port } = failing.address() as AddressInfo;
    const shaky = s3Store(BUCKET, {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: TEST_CREDENTIALS,
    });
    expect(await shaky.put('a', bytes('a'))).toBe('"0"');
    expect(asked).toBe(3);
    failures = Number.POSITIVE_INFINITY;
    await expect(shaky.put('a', bytes('a'))).rejects.toMatchObject({ code: 'EXPORT_NOT_WRITTEN' });
    expect(asked).toBe(8);
    shaky.close();
    failing.closeAllConnections();
    failing.close();
  });
});

describe('a signature', () => {
  const KIT = path.resolve(import.meta.dirname, '../../test/kit/object-storage');
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret/with+signs', sessionToken: 'token==' };
  const now = Date.UTC(2026, 11, 1, 4, 5, 6);
  const region = 'eu-central-1';

  it.each([
    { method: 'GET', path: '/bucket/a/b%3Dc.parquet', query: {}, headers: {}, body: '' },
    {
      method: 'PUT',
      path: '/bucket/a/b',
      query: {},
      headers: { 'if-match': '"abc"', 'content-md5': 'x==' },
      body: 'é',
    },
    { method: 'GET', path: '/bucket/', query: { prefix: 'a b/~=', 'list-type': '2' }, headers: {}, body: '' },
  ])(
    'of $method $path is that of the library of AWS',
    async ({ body, headers: plain, query: asked, ...of }) => {
      const python = await pythonWith(path.join(KIT, 'requirements.txt'));
      const query = new Map(Object.entries(asked).filter((each): each is [string, string] => each[1] !== undefined));
      const headers: Record<string, string> = { host: 'store.example', ...plain };
      const url = `https://store.example${of.path}${query.size > 0 ? `?${queryText(query)}` : ''}`;
      const input = JSON.stringify({ ...of, ...credentials, url, headers: plain, body, region, now });
      const { status, stdout, stderr } = spawnSync(python, [path.join(KIT, 'sign.py')], { input, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
      const ours = signedHeaders({ ...of, query, headers, body: Buffer.from(body) }, credentials, region, now);
      expect(ours['authorization']).toBe((JSON.parse(stdout) as Record<string, string>)['authorization']);
    },
    600_000,
  );
});
