// Everything that a registry, or whoever stands in its place, can answer: what is an outage, what is the record's fault, and
// what only an operator can mend. On a server of the test's own, since a real one cannot be put into most of these modes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selfContained } from '../../schemas/load.ts';
import { contracts } from '../../topics/catalogue.ts';
import { registryCodec } from './codec.ts';
import { pushSchemas } from './push.ts';
import { subjectOf } from './registered-schemas.ts';

type Respond = (response: ServerResponse, request: IncomingMessage) => void;

/** Some of these never answer. A machine can be busy for longer: what must come true is asked for `untilItWorks`. */
const WAIT_MS = 1_500;
const OWN = 1;
const STRANGE = 99;
const TYPE = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
const json =
  (status: number, body: unknown, headers: Record<string, string> = TYPE): Respond =>
  (response) => {
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const error = (status: number, code: number) => json(status, { error_code: code, message: 'said the registry' });
const html = (status: number) => json(status, '<html>not here</html>', { 'content-type': 'text/html' });
const OWN_SCHEMA = { schema: JSON.stringify(selfContained('corridor.FxRate')) };
const NEWER = JSON.stringify({
  ...selfContained('corridor.FxRate'),
  fields: [...selfContained('corridor.FxRate').fields!, { name: 'desk', type: 'string', default: '' }],
});

/** Whatever is asked for, nobody can tell from these that it is not there. */
const OUTAGES: Readonly<Record<string, Respond>> = {
  '400': error(400, 400),
  '404 in no words of a registry': json(404, {}),
  '404 as a page': html(404),
  '404 with a code of another kind': error(404, 50_001),
  '405': html(405),
  '406': error(406, 406),
  '408': html(408),
  '415': error(415, 415),
  '425': html(425),
  '429': json(429, { error_code: 42_901 }, { ...TYPE, 'retry-after': '1' }),
  '500 with 50001 (its store fails)': error(500, 50_001),
  '500 with 50002 (it took too long)': error(500, 50_002),
  '500 with 50003 (its leader is away)': error(500, 50_003),
  '500 as a page': html(500),
  '502': html(502),
  '503 while it starts': json(503, ''),
  '504': html(504),
  '200 without a body': json(200, ''),
  '200 as a page': html(200),
  '200 with a list': json(200, []),
  '200 with null': json(200, 'null'),
  '200 with an object that says nothing': json(200, { ok: true }),
  '200 of the wrong types': json(200, { id: '7', schema: 7 }),
  '200 with half a body': json(200, JSON.stringify(OWN_SCHEMA).slice(0, 60)),
  '204': (response) => response.writeHead(204).end(),
  'an answer that is cut': (response) => {
    response.writeHead(200, { ...TYPE, 'content-length': '5000' });
    response.write('{"schema":');
    setTimeout(() => response.destroy(), 10);
  },
  'an answer without end': (response) => {
    response.writeHead(200, TYPE);
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  },
  'an answer byte by byte': (response) => {
    response.writeHead(200, TYPE);
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drip));
  },
  'no answer': () => undefined,
  'a closed connection': (response) => response.destroy(),
  'something that is no HTTP': (response) => response.socket!.end('SSH-2.0-OpenSSH_9.2\r\n'),
  'redirects without end': (response, { url }) => response.writeHead(307, { location: url! }).end(),
  'a redirect to nowhere': (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
};
const LOCKED: Readonly<Record<string, Respond>> = { '401': html(401), '403': error(403, 40_301) };

let url: string;
/** What becomes of a request: the first answer that is given. */
let ways: Record<string, Respond>;
const end: (() => void)[] = [];
const rightWays = (): Record<string, Respond> => ({
  'POST /subjects/fx.rates-value': json(200, { id: OWN }),
  'GET /subjects/fx.rates-value/versions/1': json(200, { id: OWN }),
  [`GET /schemas/ids/${OWN}`]: json(200, OWN_SCHEMA),
  [`GET /schemas/ids/${STRANGE}`]: json(200, { schema: NEWER }),
});

beforeEach(async () => {
  ways = rightWays();
  const server = createServer((request, response) => {
    request.resume();
    const way = ways[`${request.method} ${request.url}`] ?? error(404, 40_403);
    request.on('end', () => way(response, request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  end.push(() => {
    server.close();
    server.closeAllConnections();
  });
});
afterEach(() => {
  for (const each of end.splice(0)) each();
});

const codecAt = (at: string) => registryCodec({ url: at, timeoutMs: WAIT_MS, sleep: async () => undefined });
const away = { code: 'REGISTRY_UNAVAILABLE', faultClass: 'transient-dependency', dependency: 'registry' };
const locked = { code: 'REGISTRY_UNAUTHORISED', faultClass: 'fatal', dependency: 'registry' };
const record = Buffer.from([0, 0, 0, 0, STRANGE, 0]);

/** Until it is answered, or refused for another reason than an answer that is late. */
async function untilItWorks<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (thrown) {
      if ((thrown as { faultClass?: string }).faultClass !== 'transient-dependency') throw thrown;
    }
  }
}

/** A codec that knows its own schema, as one does before the registry gets into trouble. */
async function loaded(now?: () => number) {
  const codec = registryCodec({ url, timeoutMs: WAIT_MS, sleep: async () => undefined, ...(now && { now }) });
  await untilItWorks(() => codec.load(['fx.rates']));
  return codec;
}

describe('a record of a schema id that is asked for', () => {
  it.each(Object.entries(OUTAGES))('%s: waits, and is read when the registry is well again', async (_, respond) => {
    const codec = await loaded();
    ways[`GET /schemas/ids/${STRANGE}`] = respond;
    await expect(codec.decode('fx.rates', [record])).rejects.toMatchObject(away);
    ways = rightWays();
    const [read] = await untilItWorks(() => codec.decode('fx.rates', [record]));
    expect(read).toMatchObject({ kind: 'newer-schema', code: 'NEWER_SCHEMA' });
  });

  it.each(Object.entries(LOCKED))('%s: stops, with a word', async (_, respond) => {
    const codec = await loaded();
    ways[`GET /schemas/ids/${STRANGE}`] = respond;
    await expect(untilItWorks(() => codec.decode('fx.rates', [record]))).rejects.toMatchObject(locked);
  });

  it.each<[string, Respond, string]>([
    ['404 with 40403: there is none', error(404, 40_403), 'UNKNOWN_SCHEMA_ID'],
    ['Protobuf', json(200, { schemaType: 'PROTOBUF', schema: 'message A {}' }), 'FOREIGN_SCHEMA'],
    ['JSON Schema', json(200, { schemaType: 'JSON', schema: '{"type":"object"}' }), 'FOREIGN_SCHEMA'],
    ['what calls itself Avro and is none', json(200, { schema: '{"type":"nonsense"}' }), 'FOREIGN_SCHEMA'],
    ['another record', json(200, { schema: '{"type":"record","name":"Other","fields":[]}' }), 'FOREIGN_SCHEMA'],
  ])('%s: the record alone', async (_, respond, code) => {
    let now = 0;
    const codec = await loaded(() => {
      now += 4_000;
      return now;
    });
    ways[`GET /schemas/ids/${STRANGE}`] = respond;
    const [read] = await untilItWorks(() => codec.decode('fx.rates', [record]));
    expect(read).toMatchObject({ ok: false, kind: 'poison', code });
  });

  it.each(Object.entries(OUTAGES))(
    'says that there is none, and %s for our own: nobody is condemned',
    async (_, respond) => {
      const codec = await loaded();
      ways[`GET /schemas/ids/${STRANGE}`] = error(404, 40_403);
      ways[`GET /schemas/ids/${OWN}`] = respond;
      await expect(codec.decode('fx.rates', [record])).rejects.toMatchObject({ faultClass: 'transient-dependency' });
    },
  );

  it('is read through a redirect, and whatever the content calls itself', async () => {
    const codec = await loaded();
    ways[`GET /schemas/ids/${STRANGE}`] = (response) => response.writeHead(307, { location: '/elsewhere' }).end();
    ways['GET /elsewhere'] = json(200, { schema: NEWER }, { 'content-type': 'text/plain' });
    expect(await untilItWorks(() => codec.decode('fx.rates', [record]))).toMatchObject([{ code: 'NEWER_SCHEMA' }]);
  });
});

describe('a start', () => {
  it.each(Object.entries(OUTAGES))('%s: waits', async (_, respond) => {
    ways['POST /subjects/fx.rates-value'] = respond;
    const codec = codecAt(url);
    await expect(codec.load(['fx.rates'])).rejects.toMatchObject(away);
    ways = rightWays();
    ways['GET /subjects/fx.rates-value/versions/1'] = respond;
    await expect(codec.load(['fx.rates'])).rejects.toMatchObject(away);
    ways = rightWays();
    await untilItWorks(() => codec.load(['fx.rates']));
  });

  it('ends where a registry names versions without end, and none is ours', async () => {
    let id = 1_000;
    for (let version = 1; version <= 1_001; version++) {
      ways[`GET /subjects/fx.rates-value/versions/${version}`] = (response, request) =>
        json(200, { id: ++id })(response, request);
    }
    const endless = { code: 'REGISTRY_ENDLESS', faultClass: 'fatal' };
    await expect(untilItWorks(() => codecAt(url).load(['fx.rates']))).rejects.toMatchObject(endless);
  });

  it.each(Object.entries(LOCKED))('%s: stops, with a word', async (_, respond) => {
    ways['POST /subjects/fx.rates-value'] = respond;
    await expect(untilItWorks(() => codecAt(url).load(['fx.rates']))).rejects.toMatchObject(locked);
  });

  it.each<[string, Respond, string]>([
    ['the subject is not there', error(404, 40_401), 'SCHEMA_NOT_REGISTERED'],
    ['our schema is not there', error(404, 40_403), 'SCHEMA_NOT_REGISTERED'],
    ['our schema is none to it', error(422, 42_201), 'SCHEMA_REFUSED'],
  ])('%s: stops, with a word', async (_, respond, code) => {
    ways['POST /subjects/fx.rates-value'] = respond;
    await expect(untilItWorks(() => codecAt(url).load(['fx.rates']))).rejects.toMatchObject({
      code,
      faultClass: 'fatal',
    });
  });

  it.each([
    ['nobody listens', () => 'http://127.0.0.1:1'],
    ['the name is none', () => 'http://registry.invalid:8081'],
    ['TLS is asked of who has none', () => url.replace('http:', 'https:')],
  ])('%s: waits', async (_, at) => {
    await expect(codecAt(at()).load(['fx.rates'])).rejects.toMatchObject(away);
  });

  it('says where to look when no registry answers', async () => {
    ways['POST /subjects/fx.rates-value'] = html(404);
    await expect(codecAt(url).load(['fx.rates'])).rejects.toThrow('CORRIDOR_REGISTRY_URL');
  });
});

describe('a push', () => {
  const first = subjectOf(Object.values(contracts)[0]!.name);

  it.each(Object.entries(OUTAGES))('%s: says so, and takes nothing for registered', async (_, respond) => {
    ways['PUT /config'] = json(200, { compatibility: 'FULL_TRANSITIVE' });
    // What the registry itself has against a request is told as it is.
    const unfinished = {
      dependency: 'registry',
      code: expect.stringMatching(/REGISTRY_UNAVAILABLE|SCHEMA_INCOMPATIBLE/),
    };
    ways[`POST /subjects/${first}`] = respond;
    await expect(pushSchemas({ url, timeoutMs: WAIT_MS })).rejects.toMatchObject(unfinished);
    ways[`POST /subjects/${first}`] = error(404, 40_401);
    ways[`PUT /config/${first}`] = json(200, { compatibility: 'FULL_TRANSITIVE' });
    ways[`POST /subjects/${first}/versions`] = respond;
    await expect(pushSchemas({ url, timeoutMs: WAIT_MS })).rejects.toMatchObject(unfinished);
    ways['PUT /config'] = respond;
    await expect(pushSchemas({ url, timeoutMs: WAIT_MS })).rejects.toMatchObject(away);
  });

  it('names what the registry holds against a schema', async () => {
    ways['PUT /config'] = ways[`PUT /config/${first}`] = json(200, { compatibility: 'FULL_TRANSITIVE' });
    ways[`POST /subjects/${first}/versions`] = json(409, {
      error_code: 409,
      message: 'READER_FIELD_MISSING\u001b[31m',
    });
    const push = pushSchemas({ url, timeoutMs: WAIT_MS });
    await expect(push).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', faultClass: 'fatal' });
    await expect(push).rejects.toThrow(`${first} was refused by the registry: READER_FIELD_MISSING\ufffd`);
  });
});
