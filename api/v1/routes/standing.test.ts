import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { payoutOf } from '../../../operations/cases/inbox/testing/world.ts';
import { AT } from '../../../test/kit/builders.ts';
import { type Memory, testApi, transferDocument } from '../../testing/api.ts';
import { person } from '../../testing/asking.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

const vera = person(() => app, 'vera', 'viewer');
const asha = person(() => app, 'asha', 'operator');
const acme = person(() => app, 'acme', 'producer');

it('tells what stands still, by where and why, with its money, and what it could not read', async () => {
  memory.desks.payouts.push({ payoutId: 'transfer-p', changedAt: new Date(AT), payout: payoutOf('transfer-p') });
  const { body } = await vera.get('stuck');
  expect(body).toMatchObject({ complete: true, missing: [], isProven: false, unknownWithoutCase: 1 });
  expect(body.items.map(({ kind }: { kind: string }) => kind)).toEqual(['PAYOUT_UNKNOWN', 'HOLD', 'HOLD']);
  const [payouts] = body.items;
  expect(payouts).toMatchObject({ owner: 'payout-executor', count: 1, money: [{ currency: 'GBP' }] });
  expect(body.total).toMatchObject({ count: 3 });
  expect((await vera.get('stuck?kinds=HOLD')).body.items).toHaveLength(2);
  expect((await vera.get('stuck?kinds=HOLD,NOTHING')).body).toMatchObject({ code: 'REQUEST_INVALID' });
  const since = new Date(AT - 3_600_000_000).toISOString();
  expect((await vera.get(`stuck?since=${since}`)).body.items).toEqual([]);
});

it('tells how the installation stands, also while something cannot be read', async () => {
  const { body } = await person(() => app, 'root', 'admin').get('status');
  expect(body).toMatchObject({
    processes: [{ url: 'http://chain.test:9464', answers: true, isReady: true, fault: null }],
    ...{ problems: [], complete: true, missing: [], cases: { count: 0 } },
  });
  expect(body.stuck.items).toHaveLength(2);
});

it('lists payouts of a phase with their sums, names masked for everybody', async () => {
  memory.desks.payouts.push({ payoutId: 'transfer-p', changedAt: new Date(AT), payout: payoutOf('transfer-p') });
  const { body } = await person(() => app, 'carol', 'compliance').get('payouts?phase=NEW');
  expect(body).toMatchObject({
    isProven: false,
    complete: true,
    total: { count: 1, withoutAmount: 0 },
    nextCursor: null,
  });
  expect(body.items).toMatchObject([{ payoutId: 'transfer-p', corridor: 'GB-IN', flaw: null }]);
  expect(body.items[0].names.sender).toMatch(/^\p{L}•••/u);
  expect((await vera.get('payouts')).body.items[0].names).toEqual({ sender: '•••', beneficiary: '•••' });
  expect((await asha.get('payouts?cursor=nonsense')).body).toMatchObject({ code: 'CURSOR_INVALID' });
});

it('sums transfers where it is asked to, and to a producer its own alone', async () => {
  memory.transfers.push(transferDocument({ _id: 'transfer-0001', producerId: 'acme', debitMinor: 500n }));
  memory.transfers.push(transferDocument({ _id: 'transfer-0002', producerId: 'other', debitMinor: 300n }));
  memory.transfers.push(transferDocument({ _id: 'transfer-0003', producerId: 'other', debitMinor: null }));
  expect((await vera.get('transfers')).body.total).toBeNull();
  expect((await vera.get('transfers?totals=true')).body.total).toMatchObject({
    ...{ count: 3, withoutAmount: 1, complete: true, money: [{ minor: '800', currency: 'GBP' }] },
  });
  expect((await acme.get('transfers?totals=true')).body.total).toMatchObject({ count: 1, money: [{ minor: '500' }] });
  const none = (await acme.get('transfers?totals=true&producer=other')).body;
  expect(none).toMatchObject({ items: [], total: { count: 0, money: [] } });
});
