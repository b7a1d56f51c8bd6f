// A producer without Kafka: it registers an endpoint over HTTP, submits a transfer over HTTP, and is told what becomes of it, in
// messages that a library of others verifies; however often senders die between claim, post and mark.
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { localIssuer } from '../../adapters/auth/local-issuer.ts';
import { type Child, startChild } from '../../infra/local/children.ts';
import { pause } from '../../ports/pause.ts';
import { WEBHOOK_FAILPOINTS } from '../../ports/webhook-failpoints.ts';
import { TestPipeline } from '../kit/pipeline.ts';

interface Arrived {
  readonly id: string;
  readonly event: {
    readonly type: string;
    readonly data: { readonly transferId: string; readonly sequence: number; readonly state: string };
  };
}

const TYPES = ['accepted', 'screened', 'priced', 'reserved', 'dispatched', 'completed'].map(
  (state) => `transfer.${state}`,
);
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-webhooks-'));
const keyFile = path.join(folder, 'issuer.json');
const KEY = `webhooks-${Date.now().toString(36)}`;

let pipeline: TestPipeline;
let api: Child;
let receiver: Server;
let hook: string;
let senders = 0;
/** What verifies messages; set when the secret is known. */
let secrets: string[] = [];
const arrived: Arrived[] = [];
const unverified: string[] = [];
let answers: readonly number[] = [];

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const headers = request.headers as Record<string, string>;
    try {
      for (const secret of secrets) new Webhook(secret).verify(body, headers);
      arrived.push({ id: headers['webhook-id']!, event: JSON.parse(body) as Arrived['event'] });
    } catch (error) {
      unverified.push(String(error));
    }
    response.writeHead(answers[arrived.length - 1] ?? 204).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const parts = ['--processors', 'all', '--sinks', 'all', '--payouts', '--cases'];
  pipeline = await TestPipeline.create({ urls: inject('stack'), processes: [parts] });
  const env = { ...pipeline.env, CORRIDOR_API_PORT: '0', CORRIDOR_AUTH_LOCAL_KEY_FILE: keyFile };
  [api] = await Promise.all([
    startChild({ name: 'api', entry: 'cli/main.ts', args: ['api'], logFile: path.join(folder, 'api.log'), env }),
    pipeline.start(),
  ]);
}, 300_000);
afterAll(async () => {
  await api?.stop(10_000);
  await pipeline?.close();
  receiver?.closeAllConnections();
  receiver?.close();
});

async function ask(method: string, url: string, over: { body?: object; headers?: Record<string, string> } = {}) {
  const issuer = await localIssuer(keyFile, { CORRIDOR_ENV: 'test' });
  const authorization = `Bearer ${await issuer.token('acme', ['producer'], 600)}`;
  const response = await fetch(`${api.ready['url'] as string}/v1${url}`, {
    method,
    headers: { authorization, ...(over.body && { 'content-type': 'application/json' }), ...over.headers },
    ...(over.body && { body: JSON.stringify(over.body) }),
  });
  const text = await response.text();
  const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: response.status, body, etag: response.headers.get('etag') ?? '' };
}

const startSender = (env: NodeJS.ProcessEnv = {}) =>
  startChild({
    ...{ name: `sender-${++senders}`, entry: 'cli/main.ts', args: ['run', '--webhooks'] },
    logFile: path.join(folder, `sender-${senders}.log`),
    env: { ...pipeline.env, CORRIDOR_WEBHOOK_TIMEOUT_MS: '1000', ...env },
  });

const intent = (key: string) => ({
  ...{ endToEndId: 'E2E-1', sourceCurrency: 'GBP', targetCurrency: 'INR', purposeCode: 'DEPD' },
  instructedAmount: { minor: '100000', currency: 'GBP' },
  debtor: {
    ...{ customerId: `${key}-1`, name: 'Marjorie Quickfall', country: 'GB', birthDate: '1985-04-12' },
    postalAddress: { town: 'Leeds', country: 'GB' },
    account: { scheme: 'IBAN', value: 'GB33BUKB20201555555555' },
  },
  creditor: {
    ...{ customerId: `${key}-2`, name: 'Leela Subbarao', country: 'IN' },
    postalAddress: { town: 'Pune', country: 'IN' },
    account: { scheme: 'BBAN', value: '026291800001191', agent: 'HDFC0000077' },
  },
});

async function submit(key: string): Promise<void> {
  const { status } = await ask('POST', '/transfers', { body: intent(key), headers: { 'idempotency-key': key } });
  expect(status).toBe(202);
}

/** Waits until so many deliveries of the endpoint are in this state. */
async function until(endpoint: string, state: string, count: number): Promise<void> {
  for (;;) {
    const { body } = await ask('GET', `/webhook-endpoints/${endpoint}/deliveries?state=${state}`);
    if ((body['items'] as unknown[]).length === count) return;
    await pause(100);
  }
}
const of = (key: string) => arrived.filter(({ event }) => event.data.transferId === key);

it('tells a producer what becomes of its transfers, at least once, whoever dies meanwhile', async () => {
  const made = await ask('POST', '/webhook-endpoints', {
    body: { url: hook, events: TYPES },
    headers: { 'idempotency-key': `${KEY}-endpoint` },
  });
  expect(made.status).toBe(201);
  const { endpointId } = made.body['endpoint'] as { endpointId: string };
  secrets = [made.body['secret'] as string];
  await submit(KEY);
  await until(endpointId, 'WAITING', TYPES.length);
  expect(arrived).toEqual([]);

  // Each dies at the first delivery that comes so far.
  const reached: number[] = [];
  // Passed where an endpoint answers 410 alone (sender.test.ts).
  const onTheWay = WEBHOOK_FAILPOINTS.filter((name) => name !== 'webhooks.after-disable');
  for (const failpoint of onTheWay) {
    const dying = await startSender({ CORRIDOR_FAILPOINTS: `${failpoint}=kill@1` }).catch(() => undefined);
    await dying?.exited;
    reached.push(arrived.length);
  }
  // Nothing had gone out where it was only claimed.
  expect(reached[0]).toBe(0);
  expect(reached[1]).toBeGreaterThan(0);

  const two = await Promise.all([startSender(), startSender()]);
  await until(endpointId, 'DELIVERED', TYPES.length);
  expect(unverified).toEqual([]);
  expect(new Set(of(KEY).map(({ id }) => id)).size).toBe(TYPES.length);
  const bySequence = new Map(of(KEY).map(({ event }) => [event.data.sequence, event.type]));
  expect([...bySequence].toSorted(([a], [b]) => a - b)).toEqual(TYPES.map((type, i) => [i + 1, type]));
  // What was taken and not written down came again, under the same id.
  expect(of(KEY).length).toBeGreaterThan(TYPES.length);

  // While a secret is replaced, both verify.
  const { etag } = await ask('GET', `/webhook-endpoints/${endpointId}`);
  const rotated = await ask('POST', `/webhook-endpoints/${endpointId}/rotate-secret`, {
    body: { keepOldHours: 1 },
    headers: { 'if-match': etag },
  });
  secrets = [...secrets, rotated.body['secret'] as string];
  // The endpoint fails twice, and is asked again.
  answers = [...arrived.map(() => 204), 500, 302];
  await submit(`${KEY}-2`);
  await until(endpointId, 'DELIVERED', 2 * TYPES.length);
  expect(unverified).toEqual([]);
  expect(new Set(of(`${KEY}-2`).map(({ id }) => id)).size).toBe(TYPES.length);
  expect(of(`${KEY}-2`).length).toBeGreaterThanOrEqual(TYPES.length + 2);

  // All of it once more, by when it happened.
  const before = arrived.length;
  const [from, to] = [Date.now() - 3_600_000, Date.now() + 60_000].map((at) => new Date(at).toISOString());
  const recent = { from, to, states: ['DELIVERED'] };
  const resent = await ask('POST', `/webhook-endpoints/${endpointId}/resend`, { body: recent });
  expect(resent.body).toEqual({ resent: 2 * TYPES.length });
  while (arrived.length < before + 2 * TYPES.length) await pause(50);
  expect(unverified).toEqual([]);
  await Promise.all(two.map((sender) => sender.stop(20_000)));
  // No secret stands in what any process said.
  for (const directory of [folder, pipeline.logFiles]) {
    for (const file of readdirSync(directory).filter((name) => name.endsWith('.log'))) {
      const text = readFileSync(path.join(directory, file), 'utf8');
      for (const secret of secrets) expect(text.includes(secret.slice('whsec_'.length)), file).toBe(false);
    }
  }
});

/** An endpoint that fails most deliveries once, in turn: by a status, by taking it and never answering, by hanging up. */
class TroubledReceiver {
  /** What was taken, by the id of its delivery. */
  readonly taken = new Map<string, Arrived['event'][]>();
  readonly unverified: string[] = [];
  secret = '';
  port = 0;
  readonly #seen = new Set<string>();
  #server: Server | undefined;

  async open(): Promise<void> {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((resolve) => this.#server!.listen(this.port, '127.0.0.1', resolve));
    ({ port: this.port } = this.#server.address() as AddressInfo);
  }

  /** Nobody listens any more. */
  async die(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(undefined)));
    this.#server = undefined;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const headers = request.headers as Record<string, string>;
    const id = headers['webhook-id']!;
    try {
      new Webhook(this.secret).verify(body, headers);
    } catch (error) {
      this.unverified.push(String(error));
    }
    const isFirst = !this.#seen.has(id);
    this.#seen.add(id);
    const way = isFirst ? this.#seen.size % 4 : 0;
    if (way === 1) return void response.writeHead(503).end();
    if (way === 2) return void request.socket.destroy();
    this.taken.set(id, [...(this.taken.get(id) ?? []), JSON.parse(body) as Arrived['event']]);
    // It has it, and the sender does not hear of that.
    if (way !== 3) response.writeHead(204).end();
  }
}

it('loses nothing to an endpoint that fails, is slow, hangs up and is away, while a sender dies', async () => {
  const troubled = new TroubledReceiver();
  await troubled.open();
  const made = await ask('POST', '/webhook-endpoints', {
    body: { url: `http://127.0.0.1:${troubled.port}/hook`, events: TYPES },
    headers: { 'idempotency-key': `${KEY}-troubled` },
  });
  expect(made.status).toBe(201);
  const { endpointId } = made.body['endpoint'] as { endpointId: string };
  troubled.secret = made.body['secret'] as string;
  const keys = [3, 4, 5].map((number) => `${KEY}-${number}`) as [string, string, string];

  let sender = await startSender();
  for (const key of keys.slice(0, 2)) await submit(key);
  await until(endpointId, 'DELIVERED', 2 * TYPES.length);

  // It is away: what comes meanwhile waits, and its sender dies over it.
  await troubled.die();
  await submit(keys[2]);
  await until(endpointId, 'WAITING', TYPES.length);
  for (;;) {
    const { body } = await ask('GET', `/webhook-endpoints/${endpointId}/deliveries?state=WAITING`);
    if ((body['items'] as { lastCode: string | null }[]).some(({ lastCode }) => lastCode !== null)) break;
    await pause(100);
  }
  await sender.kill('SIGKILL');
  await troubled.open();
  sender = await startSender();
  await until(endpointId, 'DELIVERED', 3 * TYPES.length);
  await sender.stop(20_000);
  await troubled.die();

  expect(troubled.unverified).toEqual([]);
  expect(troubled.taken.size).toBe(3 * TYPES.length);
  for (const key of keys) {
    const events = [...troubled.taken.values()].map(([first]) => first!).filter(({ data }) => data.transferId === key);
    const bySequence = events.map(({ type, data }) => [data.sequence, type] as const).toSorted(([a], [b]) => a - b);
    expect(bySequence).toEqual(TYPES.map((type, i) => [i + 1, type]));
  }
  // Some came twice, each time the same.
  const twice = [...troubled.taken.values()].filter((events) => events.length > 1);
  expect(twice.length).toBeGreaterThan(0);
  for (const [first, ...others] of twice) for (const other of others) expect(other).toEqual(first);
}, 900_000);
