import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AT } from '../../../test/kit/builders.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

const KEY = 'transfer-0001';
const PARTY = { customerId: 'c-1', name: 'Gwen Hartley', country: 'GB', birthDate: '1985-04-12' };
const body = (over: object = {}) => ({
  endToEndId: 'E2E-1',
  instructedAmount: { minor: '100000', currency: 'GBP' },
  sourceCurrency: 'GBP',
  targetCurrency: 'INR',
  purposeCode: 'FAMI',
  debtor: { ...PARTY, account: { scheme: 'IBAN', value: 'GB33BUKB20201555555555' } },
  creditor: {
    ...{ customerId: 'c-2', name: 'Ravi Kulkarni', country: 'IN' },
    account: { scheme: 'BBAN', value: '026291800001191', agent: 'HDFC0000077' },
  },
  ...over,
});

async function submit(payload: object, key: string | null = KEY, producer = 'acme') {
  const headers = { ...(await bearer(producer, 'producer')), ...(key === null ? {} : { 'idempotency-key': key }) };
  return app.inject({ method: 'POST', url: '/v1/transfers', headers, payload });
}

describe('POST /v1/transfers', () => {
  it('answers where the transfer will be, once it is in the log', async () => {
    const response = await submit(body());
    expect(response.statusCode).toBe(202);
    expect(response.headers['location']).toBe(`/v1/transfers/${KEY}`);
    expect(response.headers['idempotent-replayed']).toBeUndefined();
    const at = new Date(AT).toISOString();
    expect(response.json()).toEqual({ transferId: KEY, requestedAt: at, submittedAt: at });
    expect(memory.published).toMatchObject([
      { transferId: KEY, instructedAmount: { minor: 100_000n }, requestedAt: AT },
    ]);
    const headers = await bearer('acme', 'producer');
    const found = await app.inject({ url: response.headers['location']!, headers });
    expect(found.json()).toMatchObject({ transferId: KEY, state: 'SUBMITTED', stage: 'INTAKE' });
    const stranger = await app.inject({
      url: response.headers['location']!,
      headers: await bearer('zenith', 'producer'),
    });
    expect(stranger.statusCode).toBe(404);
  });

  it('says so when the key is known, and refuses another content or another producer', async () => {
    await submit(body());
    const again = await submit(body({ transferId: KEY }), `"${KEY}"`);
    expect([again.statusCode, again.headers['idempotent-replayed']]).toEqual([202, 'true']);
    const other = await submit(body({ endToEndId: 'E2E-2' }));
    expect(other.statusCode).toBe(409);
    expect(other.json()).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', transferId: KEY });
    expect((await submit(body(), KEY, 'zenith')).json()).toMatchObject({ status: 409, code: 'TRANSFER_ID_TAKEN' });
    expect(memory.published).toHaveLength(1);
  });

  it.each([null, '', 'short', 'a, b', `"${KEY}`, `${KEY}:1`, 'a'.repeat(65)])('refuses the key %j', async (key) => {
    expect((await submit(body(), key)).json()).toMatchObject({ status: 400, code: 'IDEMPOTENCY_KEY_INVALID' });
  });

  it('refuses a body of a wrong shape, and points at what is wrong', async () => {
    const wrong = body({ transferId: 'transfer-0002' });
    expect((await submit(wrong)).json()).toMatchObject({
      status: 400,
      errors: [{ in: 'body', pointer: '/transferId' }],
    });
    const typed = body({
      debtor: { ...PARTY, account: { scheme: 7 } },
      instructedAmount: { minor: 1.5, currency: 'GBP' },
    });
    const { errors } = (await submit(typed)).json() as { errors: { pointer: string }[] };
    expect(errors.map(({ pointer }) => pointer).toSorted()).toEqual([
      '/debtor/account/scheme',
      '/debtor/account/value',
      '/instructedAmount/minor',
    ]);
    expect(memory.published).toEqual([]);
  });

  it('tells every reason for which intake would refuse it', async () => {
    const response = await submit(body({ purposeCode: 'NONE', instructedAmount: { minor: '0', currency: 'GBP' } }));
    expect(response.statusCode).toBe(422);
    expect(response.json()).toMatchObject({ code: 'INTENT_INVALID' });
    expect(
      response
        .json()
        .reasons.map(({ code }: { code: string }) => code)
        .toSorted(),
    ).toEqual(['AM01', 'FF07']);
    expect(response.body).not.toMatch(/Gwen|GB33BUKB/);
  });
});
