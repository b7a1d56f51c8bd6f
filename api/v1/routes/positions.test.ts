import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AT } from '../../../test/kit/builders.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

const get = async (role: 'viewer' | 'producer') =>
  (await app.inject({ url: '/v1/fx/positions', headers: await bearer('vera', role) })).json();

it('is what was counted last, by currency', async () => {
  expect(await get('viewer')).toEqual({ countedAt: null, items: [], records: 0, leftOut: 0, complete: false });
  const open = new Map([
    ['INR', -(2n ** 70n)],
    ['GBP', 49_501n],
  ]);
  const count = { topicId: 't', offsets: new Map([[0, 9]]), open, records: 7, unproven: 1, isWhole: true };
  memory.positions.kept = { ...count, countedAt: AT, version: 3 };
  expect(await get('viewer')).toEqual({
    countedAt: new Date(AT).toISOString(),
    items: [
      { currency: 'GBP', minor: '49501', text: '495.01 GBP' },
      { currency: 'INR', minor: '-1180591620717411303424', text: '-11805916207174113034.24 INR' },
    ],
    ...{ records: 7, leftOut: 1, complete: true },
  });
});

it('is for those who operate, not for producers', async () => {
  expect(await get('producer')).toMatchObject({ code: 'ACTION_FORBIDDEN' });
});
