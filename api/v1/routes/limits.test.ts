// What is used of limits, over HTTP: to whom it is told, what is told, and that a ledger which cannot tell is no nought.
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Role } from '../../../operations/access/table.ts';
import { CodedError } from '../../../ports/fault.ts';
import { tokeniser } from '../../../processors/intake/token.ts';
import { AT, TOKEN_KEY } from '../../../test/kit/builders.ts';
import { bearer, type Memory, testApi, transferDocument } from '../../testing/api.ts';

const TOKEN = tokeniser(TOKEN_KEY)('customer-1');
const TODAY = new Date(AT).toISOString().slice(0, 10);
let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
  memory.limits.counts.set(`day-gbp:${TOKEN}:${TODAY}`, { used: 900_00n, open: 1, steps: [] });
});
afterEach(() => app.close());

const get = async (url: string, role: Role = 'operator') => {
  const response = await app.inject({ url: `/v1/${url}`, headers: await bearer('asha', role) });
  return { status: response.statusCode, body: response.json() };
};

it('is told rule by rule, with a sentence, under the version that counts', async () => {
  const { status, body } = await get(`limits/${TOKEN}?kind=sender`);
  expect(status).toBe(200);
  const quantity = (minor: string, text: string) => ({ minor, currency: 'GBP', text });
  expect(body).toMatchObject({
    ...{ subject: { kind: 'sender', id: TOKEN }, at: new Date(AT).toISOString(), limitRules: 'house@1' },
    ...{ isSeen: true, complete: true, missing: [] },
    items: [
      {
        ...{ ruleId: 'day-gbp', action: 'reject', metric: 'amount', amountOf: 'debit', isFull: false },
        ...{ limit: quantity('100000', '1000.00 GBP'), used: quantity('90000', '900.00 GBP') },
        ...{ left: quantity('10000', '100.00 GBP'), openReservations: 1 },
        ...{ condition: 'Only transfers from GBP.', where: { sourceCurrencies: ['GBP'], corridors: null } },
        window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
      },
    ],
  });
  expect(body.items[0].frees.left).toEqual(quantity('100000', '1000.00 GBP'));
  expect(body.items[0].text).toContain('the sender has used 900.00 GBP; 100.00 GBP are left');
});

it('is told of everybody in a transfer, in one look', async () => {
  memory.transfers.push(transferDocument({ debtorToken: TOKEN, creditorToken: 'c', producerId: 'acme' }));
  const { body } = await get('transfers/transfer-0001/limits', 'compliance');
  expect(body.transferId).toBe('transfer-0001');
  expect(body.items.map(({ subject }: { subject: object }) => subject)).toEqual([
    { kind: 'sender', id: TOKEN },
    { kind: 'beneficiary', id: 'c' },
    { kind: 'pair', id: `${TOKEN}.c` },
    { kind: 'producer', id: 'acme' },
  ]);
  expect(body.items[0].items[0].used.minor).toBe('90000');
  expect(memory.limits.looks).toHaveLength(1);
  expect((await get('transfers/transfer-0002/limits')).body).toMatchObject({ status: 404, code: 'TRANSFER_UNKNOWN' });
});

it('of an id under which nothing is counted says so; an id of a customer is refused before anything is asked', async () => {
  const { body } = await get(`limits/${TOKEN.toLowerCase()}?kind=sender`);
  expect(body).toMatchObject({ isSeen: false, items: [{ used: { minor: '0' } }] });
  const looks = memory.limits.looks.length;
  expect((await get('limits/customer-1?kind=sender')).body).toMatchObject({
    status: 400,
    code: 'LIMIT_SUBJECT_INVALID',
  });
  expect((await get(`limits/${TOKEN}?kind=person`)).body).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
  expect(memory.limits.looks).toHaveLength(looks);
});

it.each([
  ['REDIS_UNAVAILABLE', 'CORRIDOR_REDIS_LIMITS_URL'],
  ['LIMITS_NOT_HYDRATED', 'rebuilds the ledger'],
] as const)('is refused where the ledger cannot tell (%s), with what to do', async (code, action) => {
  memory.limits.outage = new CodedError(code, 'away', {
    faultClass: 'transient-dependency',
    dependency: 'redis-limits',
  });
  const { body } = await get(`limits/${TOKEN}?kind=sender`);
  expect(body).toMatchObject({ status: 503, code });
  expect(body.action).toContain(action);
});

it('says where less is counted than was used', async () => {
  memory.limits.notes = { short: [{ ruleId: 'day-gbp', until: AT + 1 }], isCaughtUp: false };
  const { body } = await get(`limits/${TOKEN}?kind=sender`);
  expect(body.complete).toBe(false);
  expect(body.missing.map(({ source, code }: { source: string; code: string }) => `${source} ${code}`)).toEqual([
    'day-gbp LIMITS_HISTORY_SHORT',
    'ledger LIMITS_REBUILT',
  ]);
});

it('is for those who work on cases, and each look is in the audit log under a token', async () => {
  for (const role of ['viewer', 'admin', 'producer', 'service'] as const)
    expect((await get(`limits/${TOKEN}?kind=sender`, role)).body, role).toMatchObject({ code: 'ACTION_FORBIDDEN' });
  for (const role of ['operator', 'approver', 'compliance'] as const)
    expect((await get(`limits/${TOKEN}?kind=sender`, role)).status, role).toBe(200);
  expect(memory.audit.entries.at(-1)).toMatchObject({
    ...{ subject: 'asha', action: 'limits.read', objectKind: 'limits', objectId: TOKEN, outcome: 'VIEWED' },
  });
});
