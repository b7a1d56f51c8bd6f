import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Role } from '../../../operations/access/table.ts';
import { AT } from '../../../test/kit/builders.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
  await memory.rates.write([
    {
      ...{ corridor: 'GB-IN', base: 'GBP', quote: 'INR', rate: '125.0', version: 3, approvalId: null },
      ...{ source: 'ecb', observedAt: AT, acceptedAt: AT },
    },
  ]);
});
afterEach(() => app.close());

const post = async (name: string, role: Role, url: string, payload: object, headers: Record<string, string>) => {
  const response = await app.inject({
    ...{ method: 'POST', url: `/v1/${url}`, payload },
    headers: { ...(await bearer(name, role)), ...headers },
  });
  return { status: response.statusCode, body: response.json(), etag: response.headers.etag as string };
};
const JUMP = { corridor: 'GB-IN', pair: 'GBP/INR', rate: '140.0', reason: 'seen at two banks' };
const key = (n: number) => ({ 'idempotency-key': `rate-jump-0000${n}` });

it('is asked for by one person and let through by another, as who their tokens say', async () => {
  const asked = await post('asha', 'operator', 'rates/jumps', JUMP, key(1));
  expect(asked).toMatchObject({ status: 201, body: { act: 'rates.accept-jump', subject: 'GB-IN/GBP/INR' } });
  expect((await post('asha', 'operator', 'rates/jumps', JUMP, key(1))).body).toEqual(asked.body);
  expect(memory.audit.entries.at(-1)).toMatchObject({ outcome: 'DONE', objectId: 'GB-IN/GBP/INR' });
  const approve = (name: string) => {
    const url = `approvals/${asked.body.approvalId}/approve`;
    return post(name, 'approver', url, { reason: 'so it is' }, { 'if-match': asked.etag });
  };
  expect((await approve('Asha')).body).toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
  expect(memory.rates.jumpRecords).toEqual([]);
  expect((await approve('ben')).body).toMatchObject({ state: 'EXECUTED' });
  expect(memory.rates.jumpRecords).toMatchObject([
    { rate: '140.0', fromVersion: 3, askedBy: 'asha', approvedBy: 'ben' },
  ]);
});

it('is refused where nothing jumped, and of those who may not', async () => {
  const near = { ...JUMP, rate: '126.0' };
  expect((await post('asha', 'operator', 'rates/jumps', near, key(2))).body.code).toBe('RATE_JUMP_INVALID');
  expect((await post('asha', 'operator', 'rates/jumps', { ...JUMP, pair: 'gbp' }, key(3))).status).toBe(400);
  expect((await post('vera', 'viewer', 'rates/jumps', JUMP, key(4))).body.code).toBe('ACTION_FORBIDDEN');
});

it('is told by the terms of the corridor', async () => {
  const response = await app.inject({ url: '/v1/corridors', headers: await bearer('vera', 'viewer') });
  expect(response.json().items[0]).toMatchObject({
    rates: {
      ...{ sources: null, quorum: 1, maxDistanceBps: 100, maxJumpBps: 500, closedOldestRateMs: null },
      fixings: [{ source: 'ecb', calendar: 'T2', dueAt: '16:00', graceMs: 10_800_000 }],
      pivots: ['EUR', 'USD'],
    },
  });
});
