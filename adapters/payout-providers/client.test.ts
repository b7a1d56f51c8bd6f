// The client against servers that misbehave, on local sockets.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { beneficiaryDigest, differences, payerDigest } from '../../payouts/answer-match.ts';
import type { PayoutInstruction } from '../../payouts/payout.ts';
import { STATED } from '../../test/kit/payouts/stated.ts';
import { httpProviderClient, type ProviderCircuit, type ProviderClientOptions } from './client.ts';

const INSTRUCTION: PayoutInstruction = {
  key: 't-1:1',
  transferId: 't-1',
  endToEndId: 'E2E-1',
  amount: { minor: 9_007_199_254_740_993n, currency: 'INR' },
  rail: 'IMPS',
  corridor: 'GBP-INR',
  beneficiary: { name: 'N', account: '1', bankCode: null, country: 'IN', address: null },
  ...STATED,
  remittanceInformation: null,
  expiresAt: 1_800_000_000_000,
};
const always = () => true;
/** What is answered is waited for, however busy the machine is. */
const WAITED_MS = 100_000;
/** What never comes. */
const SHORT = { submitTimeoutMs: 3_000, queryTimeoutMs: 3_000 };
const AS_OF = '2026-11-23T10:14:31.006Z';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(() => {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Respond = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function provider(respond: Respond, options: Partial<ProviderClientOptions> = {}) {
  const requests: { method: string; path: string; key: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const key = request.headers['idempotency-key'];
      requests.push({ method: request.method!, path: request.url!, key: key as string | undefined, body });
      respond(request, response, body);
    });
  });
  return { requests, client: clientOf(await listen(server), options) };
}

function clientOf(url: string, options: Partial<ProviderClientOptions> = {}) {
  const client = httpProviderClient({
    name: 'test',
    url,
    submitTimeoutMs: WAITED_MS,
    queryTimeoutMs: WAITED_MS,
    ...options,
  });
  cleanup.push(() => client.close());
  return client;
}

const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): Respond =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const SAID = {
  transferId: 't-1',
  endToEndId: 'E2E-1',
  amount: { minor: '9007199254740993', currency: 'INR' },
  beneficiaryDigest: beneficiaryDigest(INSTRUCTION),
  payerDigest: payerDigest(INSTRUCTION),
};
const view = (state: string, more: object = {}) => ({
  idempotencyKey: 't-1:1',
  state,
  ...SAID,
  updatedAt: AS_OF,
  asOf: AS_OF,
  ...more,
});
const refusal = (code: string, definitive: boolean, more: object = {}) => ({
  code,
  message: '',
  definitive,
  asOf: AS_OF,
  ...more,
});

describe('a submit', () => {
  it('carries the key, exact minor units and the expiry', async () => {
    const { client, requests } = await provider(answer(202, view('ACCEPTED')));
    expect(await client.submit(INSTRUCTION, always)).toMatchObject({ kind: 'observed', state: 'ACCEPTED' });
    expect(requests).toMatchObject([{ method: 'POST', path: '/v1/payouts', key: 't-1:1' }]);
    expect(JSON.parse(requests[0]!.body)).toMatchObject({
      amount: { minor: '9007199254740993', currency: 'INR' },
      expiresAt: '2027-01-15T08:00:00.000Z',
    });
  });

  it('is proven not sent when nothing listens', async () => {
    const server = createTcpServer();
    const url = await listen(server);
    server.close();
    await once(server, 'close');
    expect(await clientOf(url).submit(INSTRUCTION, always)).toMatchObject({ kind: 'not-sent', code: 'ECONNREFUSED' });
  });

  it('is not sent when the worker may not start any more, and the next one still is', async () => {
    const { client, requests } = await provider(answer(202, view('ACCEPTED')));
    await client.query('t-1:1');
    expect(await client.submit(INSTRUCTION, () => false)).toMatchObject({ kind: 'not-sent', code: 'TOO_LATE_TO_SEND' });
    expect(await client.submit(INSTRUCTION, always)).toMatchObject({ kind: 'observed' });
    expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(client.circuit()).toBe('closed');
  });

  it('is asked whether it may start only when it has a connection', async () => {
    const { client } = await provider(answer(202, view('ACCEPTED')), { connections: 1 });
    const order: string[] = [];
    const first = client.submit(INSTRUCTION, () => order.push('first') > 0).then(() => order.push('first done'));
    const second = client.submit(INSTRUCTION, () => order.push('second') > 0);
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'first done', 'second']);
  });

  it.each<[string, Respond]>([
    ['cut before an answer', (request) => request.socket.destroy()],
    [
      'cut in the middle of an answer',
      (_request, response) => {
        response.writeHead(202, { 'content-length': '500' });
        response.write('{"idempotencyKey":');
        setTimeout(() => response.destroy(), 20);
      },
    ],
    ['never answered', () => {}],
    ['answered with half a body', answer(200, '{"idempotencyKey":"t-1:1","sta')],
    ['answered for another key', answer(200, view('PAID', { idempotencyKey: 't-9:1' }))],
    ['answered with an unknown state', answer(200, view('MAYBE'))],
    ['answered 500', answer(500, refusal('INTERNAL', false))],
    ['answered 429', answer(429, refusal('RATE_LIMITED', false), { 'retry-after': '0' })],
    ['answered by something in between', answer(422, '<html>')],
    ['refused without a promise', answer(400, refusal('INVALID_REQUEST', false))],
    ['in conflict with another body', answer(409, refusal('IDEMPOTENCY_MISMATCH', false))],
    [
      'accepted without a word of what was asked',
      answer(202, { idempotencyKey: 't-1:1', state: 'ACCEPTED', asOf: AS_OF }),
    ],
    [
      'paid, with an amount that is no amount',
      answer(200, view('PAID', { amount: { minor: '1e3', currency: 'INR' } })),
    ],
    ['answered as text', answer(202, view('ACCEPTED'), { 'content-type': 'text/plain' })],
    ['answered in a coding', answer(202, view('ACCEPTED'), { 'content-encoding': 'gzip' })],
    [
      'answered with bytes that are no UTF-8',
      (_request, response) => {
        response.writeHead(202, { 'content-type': 'application/json' });
        response.end(
          Buffer.concat([
            Buffer.from(JSON.stringify(view('ACCEPTED')).slice(0, -1)),
            Buffer.from(',"x":"\xff"}', 'latin1'),
          ]),
        );
      },
    ],
    [
      'answered too deep',
      answer(202, `{"x":${'['.repeat(20)}${']'.repeat(20)},${JSON.stringify(view('ACCEPTED')).slice(1)}`),
    ],
    ['answered at length', answer(202, view('ACCEPTED', { x: 'x'.repeat(70_000) }))],
    ['answered with headers without end', answer(202, view('ACCEPTED'), { 'x-long': 'x'.repeat(20_000) })],
    [
      'answered byte by byte',
      (_request, response) => {
        response.writeHead(202, { 'content-type': 'application/json' });
        const drip = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(drip));
      },
    ],
    ['redirected', answer(302, '', { location: 'http://127.0.0.1:1/' })],
  ])('is unknown, and sent once, when it is %s', async (what, respond) => {
    const isEndless = what === 'never answered' || what === 'answered byte by byte';
    const { client, requests } = await provider(respond, isEndless ? SHORT : {});
    expect(await client.submit(INSTRUCTION, always)).toMatchObject({ kind: 'unknown' });
    expect(requests).toHaveLength(1);
  });

  it('tells the provider who pays, why, and under which reference', async () => {
    const { client, requests } = await provider(answer(202, view('ACCEPTED', {})));
    const address = {
      ...{ street: 'High Street', building: '1', postCode: 'LS1', town: 'Leeds', subdivision: null, country: 'GB' },
      lines: [],
    };
    const payer = {
      ...STATED.payer,
      ...{ address, birthDate: '1985-04-12', birthPlace: { town: 'Leeds', country: 'GB' } },
      identifiers: [{ scheme: 'PASSPORT', value: 'X1234567', country: 'GB' }],
    };
    await client.submit({ ...INSTRUCTION, payer }, always);
    expect(JSON.parse(requests[0]!.body)).toMatchObject({ ...STATED, payer });
  });

  it('says what it was asked to do, which is compared with what was asked', async () => {
    const other = {
      ...SAID,
      amount: { minor: '1', currency: 'EUR' },
      transferId: 't-2',
      endToEndId: 'E',
      beneficiaryDigest: '0'.repeat(64),
      payerDigest: '0'.repeat(64),
    };
    const { client } = await provider((request, response, body) =>
      answer(202, view('PAID', request.method === 'POST' ? other : {}))(request, response, body),
    );
    const wrong = await client.submit(INSTRUCTION, always);
    const right = await client.query('t-1:1');
    if (wrong.kind !== 'observed' || right.kind !== 'observed') throw new Error('both are statements');
    expect(differences(wrong.echoed!, INSTRUCTION)).toEqual([
      'transferId',
      'endToEndId',
      'amount',
      'currency',
      'beneficiary',
      'payer',
    ]);
    expect(differences(right.echoed!, INSTRUCTION)).toEqual([]);
  });

  it('may be answered with less where the settings say so', async () => {
    const { client } = await provider(answer(202, { idempotencyKey: 't-1:1', state: 'ACCEPTED', asOf: AS_OF }), {
      answers: 'minimal',
    });
    expect(await client.submit(INSTRUCTION, always)).toMatchObject({ kind: 'observed', state: 'ACCEPTED', echoed: {} });
  });

  it('brings no text of the provider further than it may go', async () => {
    const hidden = '\u001b]0;x\u0007';
    const { client } = await provider((request, response, body) =>
      (request.method === 'POST'
        ? answer(422, refusal(`${hidden}${'C'.repeat(5_000)}`, false))
        : answer(200, view('FAILED', { reasonCode: hidden, reference: `${hidden}${'r'.repeat(5_000)}` })))(
        request,
        response,
        body,
      ),
    );
    expect(await client.submit(INSTRUCTION, always)).toMatchObject({ kind: 'unknown', code: 'PROVIDER_OTHER' });
    const observed = await client.query('t-1:1');
    expect(observed).toMatchObject({ state: 'FAILED', reasonCode: 'NARR' });
    expect(
      JSON.stringify(observed, (_key, value) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain('\\u001b');
    expect((observed as { reference: string }).reference.length).toBeLessThanOrEqual(64);
  });

  it.each([
    ['DECLINED', 'REFUSED'],
    ['EXPIRED', 'EXPIRED'],
    ['CANCELLED', 'CANCELLED'],
    ['INVALID_REQUEST', 'REFUSED'],
  ])('that is refused for good with %s is %s', async (code, state) => {
    const { client } = await provider(answer(422, refusal(code, true, { reasonCode: 'AC04' })));
    expect(await client.submit(INSTRUCTION, always)).toMatchObject({ kind: 'observed', state, reasonCode: 'AC04' });
  });

  it('is never sent a second time on a connection that the server has closed while idle', async () => {
    let accepted = 0;
    const server = createTcpServer((socket: Socket) => {
      accepted++;
      socket.on('error', () => {});
      socket.on('data', () => socket.destroy());
    });
    const client = clientOf(await listen(server));
    for (let i = 0; i < 5; i++) {
      expect(await client.submit({ ...INSTRUCTION, key: `t-${i}:1` }, always)).toMatchObject({ kind: 'unknown' });
    }
    expect(accepted).toBe(5);
  });
});

describe('a query', () => {
  it('that finds nothing says by whose clock', async () => {
    const { client, requests } = await provider(answer(404, refusal('NOT_FOUND', false)));
    expect(await client.query('t-1:1')).toEqual({ kind: 'not-found', asOf: Date.parse(AS_OF) });
    expect(requests[0]?.path).toBe('/v1/payouts/t-1%3A1');
  });

  it('is unanswered by a 404 that is not the provider’s', async () => {
    const { client } = await provider(answer(404, '<html>not here</html>'));
    expect(await client.query('t-1:1')).toMatchObject({ kind: 'no-answer', code: 'HTTP_404' });
  });
});

describe('a cancel', () => {
  it.each<[string, Respond, object]>([
    ['confirmed', answer(200, view('CANCELLED')), { kind: 'observed', state: 'CANCELLED' }],
    ['too late', answer(409, refusal('ALREADY_EXECUTED', false, { state: 'PAID' })), { kind: 'too-late' }],
    ['unanswered', answer(500, refusal('INTERNAL', false)), { kind: 'no-answer' }],
  ])('can be %s', async (_, respond, expected) => {
    const { client } = await provider(respond);
    expect(await client.cancel('t-1:1')).toMatchObject(expected);
  });
});

describe('the circuit', () => {
  it('opens after failures in a row, holds calls back without sending, and closes again', async () => {
    const circuits: ProviderCircuit[] = [];
    let fails = true;
    const { client, requests } = await provider(
      (request, response, body) =>
        (fails ? answer(500, refusal('INTERNAL', false)) : answer(202, view('ACCEPTED')))(request, response, body),
      { breakAfter: 3, halfOpenAfterMs: 2_000, onCircuit: (circuit) => circuits.push(circuit) },
    );
    for (let i = 0; i < 3; i++) await client.submit(INSTRUCTION, always);
    expect(client.ready()).toBe(false);
    expect(await client.submit(INSTRUCTION, always)).toMatchObject({ kind: 'not-sent', code: 'CIRCUIT_OPEN' });
    expect(requests).toHaveLength(3);
    fails = false;
    while (!client.ready()) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await client.query('t-1:1')).toMatchObject({ kind: 'observed' });
    expect(client.ready()).toBe(true);
    expect(circuits).toEqual(['open', 'half-open', 'closed']);
  });

  it('stays closed over refusals', async () => {
    const { client } = await provider(answer(422, refusal('DECLINED', true)), { breakAfter: 2 });
    for (let i = 0; i < 5; i++) await client.submit(INSTRUCTION, always);
    expect(client.circuit()).toBe('closed');
  });

  it('waits as long as the provider asks', async () => {
    const { client } = await provider(answer(429, refusal('RATE_LIMITED', false), { 'retry-after': '30' }));
    await client.submit(INSTRUCTION, always);
    expect(client.ready()).toBe(false);
    expect(client.circuit()).toBe('closed');
  });
});
