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

const post = async (name: string, role: Role, url: string, payload: object, headers: Record<string, string> = {}) => {
  const response = await app.inject({
    ...{ method: 'POST', url: `/v1/${url}`, payload },
    headers: { ...(await bearer(name, role)), ...headers },
  });
  return { status: response.statusCode, body: response.json(), etag: response.headers.etag as string };
};
const GB_IN = { target: 'corridor/gb-in', reason: 'the provider pays twice' };
const paused = async () =>
  (await app.inject({ url: '/v1/controls', headers: await bearer('vera', 'viewer') })).json().items;

it('is paused by one person at once, as who the token says, and goes on when another approves', async () => {
  expect(await post('asha', 'operator', 'controls/pause', GB_IN)).toMatchObject({
    status: 200,
    body: { target: 'corridor/gb-in', isPaused: true, changedBy: 'asha', version: 1 },
  });
  expect(memory.audit.entries.at(-1)).toMatchObject({ outcome: 'DONE', objectId: 'corridor/gb-in' });
  const key = { 'idempotency-key': 'resume-00001' };
  const asked = await post('asha', 'operator', 'controls/resume', GB_IN, key);
  expect(asked).toMatchObject({ status: 201, body: { act: 'control.resume', state: 'WAITING', askedBy: 'asha' } });
  expect((await post('asha', 'operator', 'controls/resume', GB_IN, key)).body).toEqual(asked.body);
  const approve = (name: string) =>
    post(
      name,
      'approver',
      `approvals/${asked.body.approvalId}/approve`,
      { reason: 'mended' },
      { 'if-match': asked.etag },
    );
  expect((await approve('Asha')).body).toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
  expect(await paused()).toHaveLength(1);
  expect((await approve('ben')).body).toMatchObject({ state: 'EXECUTED', decided: { by: 'ben' } });
  expect(await paused()).toEqual([]);
  expect(memory.controls.records.at(-1)).toMatchObject({ state: 'RUNNING', changedBy: 'asha', approvedBy: 'ben' });
});

it('is refused where there is no such part, or nothing is paused', async () => {
  const unknown = { ...GB_IN, target: 'corridor/xx-yy' };
  expect((await post('asha', 'operator', 'controls/pause', unknown)).body.code).toBe('CONTROL_TARGET_INVALID');
  const key = { 'idempotency-key': 'resume-00002' };
  expect((await post('asha', 'operator', 'controls/resume', GB_IN, key)).body.code).toBe('CONTROL_NOT_PAUSED');
  expect((await post('carol', 'compliance', 'controls/resume', GB_IN, key)).body.code).toBe('ACTION_FORBIDDEN');
  expect(memory.controls.records).toEqual([]);
});
