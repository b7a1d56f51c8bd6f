import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AT } from '../../../test/kit/builders.ts';
import { bearer, type Memory, testApi, transferDocument } from '../../testing/api.ts';

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
  purposeCode: 'DEPD',
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

describe('ids that belong to a producer', () => {
  const listed = {
    producers: [
      { id: 'acme', idPrefixes: ['acme-'], corridors: ['GB-IN'] },
      { id: 'zenith', idPrefixes: ['zen-'], corridors: ['EU-IN'] },
    ],
    sharedTopicProducer: undefined,
    takesUnproven: false,
  };
  beforeEach(async () => {
    await app.close();
    ({ app, memory } = await testApi({}, {}, listed));
  });

  it('are refused to another, with a reason of their own, before it was used and without a trace', async () => {
    const early = await submit(body(), 'acme-0000001', 'zenith');
    expect(early.json()).toMatchObject({ status: 422, code: 'INTENT_INVALID' });
    expect(early.json().reasons.map(({ code }: { code: string }) => code)).toEqual(['PRID', 'AG03']);
    expect([memory.published.length, memory.submissions.size]).toEqual([0, 0]);
    expect((await submit(body(), 'acme-0000001')).statusCode).toBe(202);
    expect((await submit(body(), 'other-000001')).json().reasons).toMatchObject([{ code: 'PRID' }]);
  });
});

describe('what a producer sees', () => {
  const see = async (url: string, who = 'acme') => app.inject({ url, headers: await bearer(who, 'producer') });
  const event = (over: object) =>
    ({ _id: 'e', topic: 'intent.rejected', transferId: KEY, occurredAt: AT, ...over }) as never;
  const claim = { transferId: KEY, hash: 'v1:a', originPosition: 'T:0:1', homePartition: 0, acceptedAt: AT };

  it('is what it wrote to Kafka itself, where intake could tell', async () => {
    memory.intentClaims.set(KEY, { ...claim, producerId: 'acme' });
    memory.transfers.push(transferDocument({ producerId: 'acme' }));
    expect((await see(`/v1/transfers/${KEY}`)).json()).toMatchObject({ state: 'PRICED', producer: 'acme' });
    expect((await see(`/v1/transfers/${KEY}`, 'zenith')).statusCode).toBe(404);
  });

  it('is nothing of a transfer whose producer nobody knows', async () => {
    memory.intentClaims.set(KEY, { ...claim, producerId: null });
    memory.transfers.push(transferDocument());
    expect((await see(`/v1/transfers/${KEY}`)).statusCode).toBe(404);
    expect((await see(`/v1/transfers/${KEY}/timeline`)).statusCode).toBe(404);
  });

  it('is its own intents that were refused, and not those of others under the same id', async () => {
    const reasons = [{ code: 'AM01', detail: '' }];
    memory.events.push(event({ producerId: 'zenith', reasons: [{ code: 'PRID', detail: '' }] }));
    expect((await see(`/v1/transfers/${KEY}`)).statusCode).toBe(404);
    memory.events.push(event({ producerId: 'acme', reasons }), event({ producerId: null, reasons }));
    expect((await see(`/v1/transfers/${KEY}`)).json()).toMatchObject({
      state: 'INTENT_REJECTED',
      reasonCodes: ['AM01'],
    });
    expect((await see(`/v1/transfers/${KEY}/timeline`)).json().steps).toHaveLength(1);
    memory.intentClaims.set(KEY, { ...claim, producerId: 'acme' });
    memory.events.push(event({ topic: 'transfer.lifecycle', state: 'ACCEPTED', producerId: 'acme' }));
    const states = (await see(`/v1/transfers/${KEY}/timeline`))
      .json()
      .steps.map(({ state }: { state: string }) => state);
    expect(states.toSorted()).toEqual(['ACCEPTED', 'intent.rejected', 'intent.rejected']);
  });

  it('lists its own transfers, whatever it asks for', async () => {
    memory.transfers.push(
      transferDocument({ producerId: 'acme' }),
      transferDocument({ _id: 'transfer-0002', producerId: 'zenith' }),
      transferDocument({ _id: 'transfer-0003', producerId: null }),
    );
    const ids = async (query: string, who?: string) =>
      (await see(`/v1/transfers${query}`, who))
        .json()
        .items.map(({ transferId }: { transferId: string }) => transferId);
    expect(await ids('')).toEqual([KEY]);
    expect(await ids('?producer=acme')).toEqual([KEY]);
    expect(await ids('?producer=zenith')).toEqual([]);
    const headers = await bearer('vera', 'viewer');
    const all = await app.inject({ url: '/v1/transfers?producer=zenith', headers });
    expect(all.json().items).toMatchObject([{ transferId: 'transfer-0002', producer: 'zenith' }]);
  });
});
