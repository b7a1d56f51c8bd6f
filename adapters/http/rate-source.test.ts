// A source of rates that does everything that a source may do, against the client that asks it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RateSource, rateSourcesOf } from '../../operations/rates/sources.ts';
import { type RateSourceClient, type RateSourceOptions, rateSourceClient } from './rate-source.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let port: number;
let answer: Answer;
const requests: IncomingMessage[] = [];
const open: RateSourceClient[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
beforeEach(() => {
  requests.length = 0;
});
afterAll(async () => {
  await Promise.all(open.map((client) => client.close()));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const sourceOf = (over: Partial<RateSource> = {}): RateSource =>
  rateSourcesOf(
    Buffer.from(
      JSON.stringify({
        sources: [
          {
            ...{ kind: 'ecb', source: 'ecb', url: `http://127.0.0.1:${port}/rates.xml`, everyMs: 60_000 },
            ...{ timeoutMs: 5_000, maxBytes: 1_000, networks: ['127.0.0.0/8'], ...over },
          },
        ],
      }),
    ),
  )[0]!;
function clientOf(source: RateSource, over: Partial<RateSourceOptions> = {}): RateSourceClient {
  const client = rateSourceClient([source], { takesHttp: true, env: {}, ...over });
  open.push(client);
  return client;
}
const ask = (source = sourceOf(), known = {}, over: Partial<RateSourceOptions> = {}) =>
  clientOf(source, over).ask(source, known);

describe('a source', () => {
  it('is asked whether there is anything new', async () => {
    answer = (request, response) => {
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"1"', 'last-modified': 'Tue, 01 Dec 2026 09:00:00 GMT' }).end('<xml/>');
    };
    const first = await ask();
    expect(first).toEqual({
      kind: 'answered',
      bytes: Buffer.from('<xml/>'),
      validators: { etag: '"1"', lastModified: 'Tue, 01 Dec 2026 09:00:00 GMT' },
    });
    expect(await ask(sourceOf(), { etag: '"1"' })).toEqual({ kind: 'unchanged' });
    expect(requests.map(({ headers }) => headers['accept-encoding'])).toEqual(['identity', 'identity']);
  });

  it('gets the secret that a variable holds, and nothing is asked without it', async () => {
    answer = (_, response) => void response.end('x');
    const source = sourceOf({ headers: { 'x-api-key': { env: 'BANK_KEY' } } });
    await ask(source, {}, { env: { BANK_KEY: 'secret' } });
    expect(requests[0]!.headers['x-api-key']).toBe('secret');
    expect(() => clientOf(source)).toThrow(expect.objectContaining({ code: 'RATE_SOURCES_INVALID' }));
  });

  it.each<[string, Answer, string]>([
    [
      'that sends elsewhere',
      (_, response) => void response.writeHead(302, { location: '/' }).end(),
      'RATE_SOURCE_WRONG',
    ],
    [
      'that sends to where clouds keep their secrets',
      (_, response) => void response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
      'RATE_SOURCE_WRONG',
    ],
    ['that is broken', (_, response) => void response.writeHead(500).end('sorry'), 'RATE_SOURCE_DOWN'],
    ['that wants no more of us', (_, response) => void response.writeHead(429).end(), 'RATE_SOURCE_DOWN'],
    ['that hangs up', (request) => void request.socket.destroy(), 'RATE_SOURCE_DOWN'],
    [
      'that hangs up in the middle',
      (request, response) => {
        response.writeHead(200, { 'content-length': '500' }).write('<xml');
        setImmediate(() => request.socket.destroy());
      },
      'RATE_SOURCE_DOWN',
    ],
    [
      'that never ends',
      (_, response) => {
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(10_000)));
        };
        response.on('drain', more).writeHead(200);
        more();
      },
      'RATE_SOURCE_WRONG',
    ],
    ['that is larger than agreed', (_, response) => void response.end('x'.repeat(1_001)), 'RATE_SOURCE_WRONG'],
    [
      'that packs what was not to be packed',
      (_, response) =>
        void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(1_000_000))),
      'RATE_SOURCE_WRONG',
    ],
    [
      'with headers without an end',
      (_, response) => void response.writeHead(200, { 'x-more': 'x'.repeat(20_000) }).end('x'),
      'RATE_SOURCE_DOWN',
    ],
  ])('%s gives nothing', async (_, how, code) => {
    answer = how;
    await expect(ask()).rejects.toMatchObject({ code, faultClass: 'transient-dependency' });
    expect(requests).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    ['that never answers', () => undefined],
    ['that answers a byte now and then', (_, response) => void response.writeHead(200).write('x')],
  ])('%s is given up', async (_, how) => {
    answer = how;
    await expect(ask(sourceOf({ timeoutMs: 200 }))).rejects.toMatchObject({ code: 'RATE_SOURCE_DOWN' });
  });

  it('of which nobody listens is down', async () => {
    await expect(ask(sourceOf({ url: 'http://127.0.0.1:1/' }))).rejects.toMatchObject({ code: 'RATE_SOURCE_DOWN' });
  });

  it('says what it likes of its answer, and only one plain line of it is sent back', async () => {
    answer = (_, response) => void response.writeHead(200, { etag: `"${'x'.repeat(1_000)}"` }).end('x');
    expect(await ask()).toMatchObject({ validators: {} });
  });
});

describe('a URL', () => {
  it.each<[string, Partial<RateSource>, boolean]>([
    ['in clear, in production', {}, false],
    ['of an address that is not public', { networks: [] }, true],
    ['with a password', { url: 'https://a:b@rates.example/' }, true],
    ['of no scheme that is asked', { url: 'file:///etc/passwd' }, true],
    [
      'of the metadata of a cloud, whatever is allowed',
      { url: 'http://169.254.169.254/', networks: ['169.254.0.0/16'] },
      true,
    ],
  ])('%s is refused before anything is asked', (_, over, takesHttp) => {
    expect(() => clientOf(sourceOf(over), { takesHttp })).toThrow(
      expect.objectContaining({ code: 'RATE_SOURCES_INVALID' }),
    );
  });

  it('whose name leads to where nothing may be asked is not asked', async () => {
    answer = (_, response) => void response.end('x');
    const source = sourceOf({ url: `http://rates.example:${port}/`, networks: [] });
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    await expect(ask(source, {}, { resolve })).rejects.toMatchObject({ code: 'RATE_SOURCE_DOWN' });
    expect(requests).toEqual([]);
    expect(await ask({ ...source, networks: ['127.0.0.0/8'] }, {}, { resolve })).toMatchObject({ kind: 'answered' });
  });
});
