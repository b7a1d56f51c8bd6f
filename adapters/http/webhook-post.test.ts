// Endpoints that answer in every way they can, on real sockets; and names that lead where nothing may go.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { networks } from '../../domain/webhooks/addresses.ts';
import { type WebhookPoster, type WebhookPostOptions, webhookPoster } from './webhook-post.ts';

const LOOPBACK = networks(['127.0.0.0/8', '::1/128']);
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => server.close() });
  return (server.address() as AddressInfo).port;
}

/** An endpoint; `connections` counts those that reached it. */
async function endpoint(answer: RequestListener) {
  const server = createServer(answer);
  const seen = { connections: 0 };
  server.on('connection', (socket) => {
    seen.connections += 1;
    open.push({ close: () => socket.destroy() });
  });
  return { port: await listening(server), seen };
}

function poster(over: Partial<WebhookPostOptions> = {}): WebhookPoster {
  const made = webhookPoster({ takesHttp: true, allowed: LOOPBACK, timeoutMs: 20_000, perEndpoint: 2, ...over });
  open.push(made);
  return made;
}
const message = (url: string) => ({ url, headers: { 'webhook-id': 'm-1' }, body: '{"type":"transfer.completed"}' });
const answering = (status: number, headers: Record<string, string> = {}, body = '') =>
  endpoint((_, response) => void response.writeHead(status, headers).end(body));

describe('a webhook that is sent', () => {
  it('arrives as a POST of JSON with its headers, byte for byte', async () => {
    let arrived: { request: IncomingMessage; body: string } | undefined;
    const { port } = await endpoint(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      arrived = { request, body };
      response.writeHead(204).end();
    });
    const answer = await poster().post(message(`http://127.0.0.1:${port}/hook?a=1`));
    expect(answer).toEqual({ kind: 'answered', status: 204, retryAfterMs: undefined });
    const { request, body } = arrived!;
    expect([request.method, request.url, body]).toEqual(['POST', '/hook?a=1', '{"type":"transfer.completed"}']);
    expect(request.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'm-1' });
  });

  it.each([200, 204, 400, 401, 404, 410, 500, 503])('is answered by status %i', async (status) => {
    const { port } = await answering(status);
    expect(await poster().post(message(`http://127.0.0.1:${port}/`))).toMatchObject({ kind: 'answered', status });
  });

  it('is told how long to wait where that is a number of seconds', async () => {
    for (const [field, ms] of [
      ['120', 120_000],
      ['Wed, 21 Oct 2015 07:28:00 GMT', undefined],
      ['-1', undefined],
    ] as const) {
      const { port } = await answering(503, { 'retry-after': field });
      expect(await poster().post(message(`http://127.0.0.1:${port}/`))).toMatchObject({ retryAfterMs: ms });
    }
  });

  it('follows no redirect', async () => {
    const beside = await answering(200);
    const { port } = await answering(307, { location: `http://127.0.0.1:${beside.port}/` });
    expect(await poster().post(message(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 307 });
    expect(beside.seen.connections).toBe(0);
  });

  it('reads no more of an answer than it needs, however much comes', async () => {
    let written = 0;
    const ended = Promise.withResolvers<void>();
    const pour = (response: ServerResponse) => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536))) written += 65_536;
    };
    const { port } = await endpoint((_, response) => {
      response.writeHead(200);
      response.on('drain', () => pour(response)).on('close', () => ended.resolve());
      pour(response);
    });
    expect(await poster().post(message(`http://127.0.0.1:${port}/`))).toMatchObject({ status: 200 });
    await ended.promise;
    expect(written).toBeLessThan(64 * 1_024 * 1_024);
  });

  it('waits no longer than it may for an endpoint that says nothing, or drips', async () => {
    const silent = await endpoint(() => undefined);
    const short = poster({ timeoutMs: 300 });
    expect(await short.post(message(`http://127.0.0.1:${silent.port}/`))).toMatchObject({ code: 'TIMEOUT' });
    const dripping = createTcpServer((socket) => {
      const drip = setInterval(() => socket.write('H'), 20);
      socket.on('close', () => clearInterval(drip)).on('error', () => undefined);
      open.push({ close: () => socket.destroy() });
    });
    const port = await listening(dripping);
    expect(await short.post(message(`http://127.0.0.1:${port}/`))).toMatchObject({ kind: 'unanswered' });
  });

  it('is not told of an answer that never ends as of none', async () => {
    const { port } = await endpoint((_, response) => void response.writeHead(200).write('a'));
    expect(await poster({ timeoutMs: 5_000 }).post(message(`http://127.0.0.1:${port}/`))).toMatchObject({
      status: 200,
    });
  });

  it('fails by a code where nobody listens, or what listens speaks no HTTP', async () => {
    const { port } = await answering(200);
    await open.shift()!.close();
    expect(await poster().post(message(`http://127.0.0.1:${port}/`))).toMatchObject({ code: 'ECONNREFUSED' });
    const garbage = createTcpServer((socket) => {
      socket.on('error', () => undefined).end('garbage\r\n\r\n');
    });
    expect(await poster().post(message(`http://127.0.0.1:${await listening(garbage)}/`))).toMatchObject({
      kind: 'unanswered',
    });
  });
});

describe('an address that may not be reached', () => {
  const REFUSED = { kind: 'unanswered', code: 'WEBHOOK_ADDRESS_REFUSED' };
  const strict = { allowed: networks([]) };

  it('is refused when it stands in the URL, however it is written', async () => {
    const { port, seen } = await answering(200);
    for (const host of ['127.0.0.1', '0x7f.1', '2130706433', '127.1', '[::ffff:127.0.0.1]', '[::1]', '169.254.169.254'])
      expect(await poster(strict).post(message(`http://${host}:${port}/`)), host).toMatchObject(REFUSED);
    expect(seen.connections).toBe(0);
  });

  it('is refused when a name resolves to it, be it one of several', async () => {
    const { port, seen } = await answering(200);
    for (const addresses of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::ffff:127.0.0.1'], ['169.254.169.254'], []]) {
      const resolve = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const made = poster({ ...strict, resolve });
      expect(await made.post(message(`http://hooks.example.test:${port}/`)), addresses.join()).toMatchObject(REFUSED);
    }
    expect(await poster(strict).post(message(`http://localhost:${port}/`))).toMatchObject(REFUSED);
    expect(seen.connections).toBe(0);
  });

  it('is not reached by a name that changes its mind: what was looked at is what is connected to', async () => {
    const { port, seen } = await answering(200);
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }];
    };
    // One look for the connection: were there a second one, it would lead to 10.0.0.1.
    expect(await poster({ resolve }).post(message(`http://rebind.test:${port}/`))).toMatchObject({ status: 200 });
    expect([asked, seen.connections]).toEqual([1, 1]);
    const again = poster({ resolve });
    expect(await again.post(message(`http://rebind.test:${port}/`))).toMatchObject(REFUSED);
  });

  it('is refused in clear text where only https is taken', async () => {
    const { port, seen } = await answering(200);
    expect(await poster({ takesHttp: false }).post(message(`http://127.0.0.1:${port}/`))).toMatchObject(REFUSED);
    expect(seen.connections).toBe(0);
  });
});

describe('over TLS', () => {
  /** An authority and a certificate of it for hooks.example.test. */
  function certificates() {
    const folder = mkdtempSync(path.join(tmpdir(), 'corridor-webhook-tls-'));
    open.push({ close: () => rmSync(folder, { recursive: true, force: true }) });
    const openssl = (...given: string[]) => execFileSync('openssl', given, { cwd: folder, stdio: 'pipe' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test-ca', '-days', '2');
    writeFileSync(path.join(folder, 'san.txt'), 'subjectAltName=DNS:hooks.example.test\n');
    openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=server');
    const issued = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san.txt'];
    openssl('x509', '-req', '-in', 'server.csr', ...issued, '-out', 'server.pem');
    const pem = (name: string) => readFileSync(path.join(folder, name), 'utf8');
    return { ca: pem('ca.pem'), cert: pem('server.pem'), key: pem('server.key') };
  }

  it('the name of the URL is what the certificate must be for, whatever address was looked at', async () => {
    const { ca, cert, key } = certificates();
    const server = createTlsServer({ cert, key }, (_, response) => void response.writeHead(200).end());
    server.on('connection', (socket) => void open.push({ close: () => socket.destroy() }));
    const port = await listening(server);
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const strict = { takesHttp: false, resolve };
    const url = `https://hooks.example.test:${port}/`;
    expect(await poster({ ...strict, ca }).post(message(url))).toMatchObject({ kind: 'answered', status: 200 });
    expect(await poster(strict).post(message(url))).toMatchObject({ kind: 'unanswered' });
    const other = await poster({ ...strict, ca }).post(message(`https://other.example.test:${port}/`));
    expect(other).toMatchObject({ kind: 'unanswered', code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });
});
