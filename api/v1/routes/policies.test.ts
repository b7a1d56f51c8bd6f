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

const ask = async (name: string, role: Role, url: string, payload?: object, headers: Record<string, string> = {}) => {
  const response = await app.inject({
    ...{ method: payload ? 'POST' : 'GET', url: `/v1/${url}`, ...(payload && { payload }) },
    headers: { ...(await bearer(name, role)), ...headers },
  });
  return { status: response.statusCode, body: response.json(), etag: response.headers.etag as string };
};
const RULE = {
  ...{ ruleId: 'house-day', subject: 'sender', where: {}, metric: { kind: 'count' }, limitMinor: '3' },
  ...{ window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' }, action: 'reject', declaredUse: false },
  ...{ freedByReturn: true, authority: 'House rule', link: null, validFrom: '1970-01-01', validTo: null },
  status: 'CONFIRMED',
};
const SET = { name: 'house', version: '1', note: '', rules: [RULE] };
const PROPOSAL = { content: SET, fromVersion: 0, validFrom: null, reason: 'three a day, as decided' };
const key = (n: number) => ({ 'idempotency-key': `policies-0000${n}` });

it('is proposed by one person and let through by another, and shows what it says', async () => {
  const asked = await ask('asha', 'compliance', 'policies/limits/versions', PROPOSAL, key(1));
  expect(asked).toMatchObject({ status: 201, body: { act: 'policy.activate', subject: 'limits/1' } });
  expect((await ask('asha', 'compliance', 'policies/limits/versions', PROPOSAL, key(1))).body).toEqual(asked.body);
  expect(memory.audit.entries.at(-1)).toMatchObject({ outcome: 'DONE', objectId: 'limits/1' });
  const approve = (name: string) => {
    const url = `approvals/${asked.body.approvalId}/approve`;
    return ask(name, 'approver', url, { reason: 'so it is' }, { 'if-match': asked.etag });
  };
  // All of it is told to whoever may let it through; a list tells what it is about.
  const shown = await ask('ben', 'approver', `approvals/${asked.body.approvalId}`);
  expect(shown.body.lines).toContain('as soon as it is let through');
  expect(shown.body.lines.find((line: string) => line.startsWith('+ house-day: '))).toContain('"limitMinor":"3"');
  expect((await ask('ben', 'approver', 'approvals')).body.items[0].lines).toBeNull();
  expect((await approve('Asha')).body).toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
  expect((await approve('ben')).body).toMatchObject({ state: 'EXECUTED' });
  const { body } = await ask('vera', 'viewer', 'policies');
  expect(body.items).toMatchObject([
    { kind: 'limits', inForce: 1, name: 'house@1', last: 1, versions: [{ version: 1, state: 'IN_FORCE', flaw: null }] },
  ]);
  const whole = await ask('vera', 'viewer', 'policies/limits/versions/1');
  expect(whole.body).toMatchObject({ content: SET, askedBy: 'asha', approvedBy: 'ben' });
  const { ruleId, link: _, ...said } = RULE;
  const added = whole.body.changes.find((line: string) => line.startsWith(`+ ${ruleId}: `));
  expect(JSON.parse(added.slice(`+ ${ruleId}: `.length))).toMatchObject(said);
  expect((await ask('vera', 'viewer', 'policies/limits/versions/2')).body.code).toBe('POLICY_UNKNOWN');
});

it('is refused of those who may not, where it makes no sense, and where something came before', async () => {
  const propose = (role: Role, over: object, n: number) =>
    ask('asha', role, 'policies/limits/versions', { ...PROPOSAL, ...over }, key(n));
  expect((await propose('operator', {}, 2)).body.code).toBe('ACTION_FORBIDDEN');
  expect((await propose('compliance', { content: { ...SET, rules: [] } }, 3)).body.code).toBe('POLICY_INVALID');
  expect((await propose('compliance', { fromVersion: 4 }, 4)).body.code).toBe('POLICY_MOVED');
  expect((await propose('compliance', { fromVersion: -1 }, 5)).status).toBe(400);
  expect((await ask('asha', 'compliance', 'policies/fees/versions', PROPOSAL, key(6))).body.code).toBe(
    'POLICY_UNKNOWN',
  );
  expect(memory.policies.records).toEqual([]);
});
