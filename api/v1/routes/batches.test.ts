import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AT } from '../../../test/kit/builders.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';

let app: FastifyInstance;
let memory: Memory;
let logged: unknown[];
beforeEach(async () => {
  ({ app, memory, logged } = await testApi());
});
afterEach(() => app.close());

const id = (n: number) => `transfer-${String(n).padStart(4, '0')}`;
const line = (transferId: string, over: object = {}) =>
  JSON.stringify({
    transferId,
    ...{ endToEndId: 'E2E-1', requestedAt: new Date(AT).toISOString(), purposeCode: 'DEPD' },
    ...{ instructedAmount: { minor: '100000', currency: 'GBP' }, sourceCurrency: 'GBP', targetCurrency: 'INR' },
    debtor: {
      ...{ customerId: 'c-1', name: 'Gwen Hartley', country: 'GB', birthDate: '1985-04-12' },
      account: { scheme: 'IBAN', value: 'GB33BUKB20201555555555' },
    },
    creditor: {
      ...{ customerId: 'c-2', name: 'Ravi Kulkarni', country: 'IN' },
      account: { scheme: 'BBAN', value: '026291800001191', agent: 'HDFC0000077' },
    },
    ...over,
  });

interface Result {
  readonly line: number;
  readonly status: number;
  readonly transferId?: string;
  readonly isReplay?: boolean;
  readonly problem?: {
    readonly code: string;
    readonly errors?: unknown;
    readonly reasons?: { readonly code: string }[];
  };
}

async function send(payload: string, producer = 'acme', server = app) {
  const headers = { ...(await bearer(producer, 'producer')), 'content-type': 'application/x-ndjson' };
  return server.inject({ method: 'POST', url: '/v1/transfers/batch', headers, payload });
}
async function resultsOf(payload: string, producer?: string): Promise<readonly Result[]> {
  const response = await send(payload, producer);
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('application/x-ndjson');
  return response.body
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Result);
}

describe('POST /v1/transfers/batch', () => {
  it('submits each line, and answers each in order', async () => {
    const results = await resultsOf(Array.from({ length: 500 }, (_, n) => `${line(id(n))}\n`).join(''));
    expect(results.map((result) => [result.line, result.status, result.transferId, result.isReplay])).toEqual(
      Array.from({ length: 500 }, (_, n) => [n + 1, 202, id(n), false]),
    );
    expect(new Set(memory.published.map(({ transferId }) => transferId)).size).toBe(500);
  });

  it('tells each line what is wrong with it, and keeps none of the others back', async () => {
    await resultsOf(line(id(1)));
    await resultsOf(line(id(2)), 'zenith');
    const lines = [
      ...[line(id(1)), line(id(1), { endToEndId: 'other' }), line(id(2)), '', '{"transferId":', `  ${line(id(3))}\r`],
      ...[line(id(4), { surprise: 1 }), line('short'), line(id(5), { purposeCode: 'NONE' }), '{"a":1,"a":2}'],
      ...[line(id(6), { remittanceInformation: 'a'.repeat(65_536) }), line(id(7))],
    ];
    const results = await resultsOf(lines.join('\n'));
    expect(results.map((result) => [result.line, result.status, result.problem?.code ?? result.isReplay])).toEqual([
      [1, 202, true],
      [2, 409, 'IDEMPOTENCY_KEY_REUSED'],
      [3, 409, 'TRANSFER_ID_TAKEN'],
      [5, 400, 'REQUEST_MALFORMED'],
      [6, 202, false],
      [7, 400, 'REQUEST_INVALID'],
      [8, 400, 'REQUEST_INVALID'],
      [9, 422, 'INTENT_INVALID'],
      [10, 400, 'REQUEST_MALFORMED'],
      [11, 413, 'BODY_TOO_LARGE'],
      [12, 202, false],
    ]);
    expect(results[5]!.problem!.errors).toEqual([{ in: 'body', pointer: '/surprise', detail: 'is not known' }]);
    expect(results[7]!.problem!.reasons).toMatchObject([{ code: 'FF07' }]);
    expect(JSON.stringify(results)).not.toMatch(/Gwen|GB33BUKB/);
    expect(memory.published.map(({ transferId }) => transferId)).toEqual([id(1), id(2), id(3), id(7)]);
  });

  it('takes the same line twice for one transfer, and sent again for the same', async () => {
    const twice = `${line(id(1))}\n${line(id(1))}`;
    expect((await resultsOf(twice)).map(({ status, isReplay }) => [status, isReplay])).toEqual([
      [202, false],
      [202, true],
    ]);
    expect((await resultsOf(twice)).every(({ isReplay }) => isReplay)).toBe(true);
    expect(memory.published).toHaveLength(1);
  });

  it.each(['\n\n', Array.from({ length: 501 }, (_, n) => line(id(n))).join('\n')])(
    'refuses as a whole what has no line, or too many',
    async (payload) => {
      expect((await send(payload)).json()).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
      expect(memory.published).toEqual([]);
    },
  );

  it('tells each line that a store is away, and the log why', async () => {
    memory.outage = new Error('MARKER of the database');
    const results = await resultsOf([line(id(1)), line(id(2))].join('\n'));
    expect(results.map(({ status }) => status)).toEqual([500, 500]);
    expect(JSON.stringify(results)).not.toContain('MARKER');
    expect(logged).toHaveLength(2);
  });

  it('refuses a body of line feeds, and more lines than it takes', async () => {
    const filled = Array.from({ length: 501 }, (_, n) => line(id(n))).join('\n');
    for (const body of ['\n'.repeat(4_000_000), `${line(id(1))}\n${'\n'.repeat(1_000)}`, '\n \n', filled]) {
      const refused = await send(body);
      expect([refused.statusCode, refused.json().code]).toEqual([400, 'REQUEST_INVALID']);
    }
    expect(memory.published ?? []).toEqual([]);
  });

  it('counts each line as a request', async () => {
    const { app: small, memory: own } = await testApi({ requestsPerMinute: 5 });
    const [three, two] = [3, 2].map((n) => Array.from({ length: n }, (_, i) => line(id(n * 10 + i))).join('\n'));
    expect((await send(three!, 'acme', small)).statusCode).toBe(200);
    expect((await send(two!, 'acme', small)).statusCode).toBe(200);
    const refused = await send(two!, 'acme', small);
    expect(refused.json()).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    expect(own.published).toHaveLength(5);
    await small.close();
  });
});
