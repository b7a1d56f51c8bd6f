import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Role } from '../../../operations/access/table.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

async function ask(role: Role, body: object, key = 'key-2026-11-30') {
  const headers = { ...(await bearer('asha', role)), 'idempotency-key': key };
  const response = await app.inject({ method: 'POST', url: '/v1/dead-letters/checks', headers, payload: body });
  return { status: response.statusCode, body: response.json() as Record<string, unknown>, headers: response.headers };
}

it('a check is asked for once under a key, and read by whoever may replay', async () => {
  const made = await ask('operator', { select: { owner: 'limits' } });
  expect(made).toMatchObject({ status: 201, body: { state: 'WANTED', askedBy: 'asha', rows: [], basis: null } });
  expect((await ask('operator', { select: { owner: 'limits' } })).body).toEqual(made.body);
  expect(await ask('operator', {})).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  expect(await ask('viewer', {}, 'another-key')).toMatchObject({ status: 403 });
  const id = made.body['checkId'] as string;
  const row = {
    owner: 'limits',
    group: 'g',
    was: 'X',
    verdict: 'goes through',
    kind: 'GOES_ON',
    code: null,
    letters: 3,
  } as const;
  memory.checks.set(id, { ...memory.checks.get(id)!, state: 'DONE', basis: { build: 'b' }, rows: [row] });
  const url = made.headers.location as string;
  const read = await app.inject({ url, headers: await bearer('ben', 'approver') });
  expect(read.json()).toMatchObject({ state: 'DONE', rows: [{ groupId: 'g', verdict: 'goes through', letters: 3 }] });
  const unknown = await app.inject({ url: `${url}x`, headers: await bearer('ben', 'approver') });
  expect(unknown.json()).toMatchObject({ status: 404, code: 'CHECK_UNKNOWN' });
});
