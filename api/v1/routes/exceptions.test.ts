import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadSampleList } from '../../../screening/lists/sample/load.ts';
import { type Memory, testApi } from '../../testing/api.ts';
import { keyed, person } from '../../testing/asking.ts';

let app: FastifyInstance;
let memory: Memory;
let entity: string;
beforeEach(async () => {
  ({ app, memory } = await testApi());
  entity = (await loadSampleList()).entities[0]!.id;
});
afterEach(() => app.close());

const carol = person(() => app, 'carol', 'compliance');
const ben = person(() => app, 'ben', 'approver');
const asha = person(() => app, 'asha', 'operator');
const asking = (over: object = {}) => ({ token: 'customer-1', entity, days: 10, reason: 'born 1985', ...over });

it('is asked for once under a key, counts when another approves it, and is ended by anybody who works on cases', async () => {
  const asked = await carol.post('exceptions', asking(), keyed('exception-1'));
  expect(asked).toMatchObject({ status: 201, body: { state: 'WAITING', askedBy: 'carol', approvedBy: null } });
  expect((await carol.post('exceptions', asking(), keyed('exception-1'))).body).toEqual(asked.body);
  const other = await carol.post('exceptions', asking({ days: 20 }), keyed('exception-1'));
  expect(other.body).toMatchObject({ code: 'EXCEPTION_TAKEN' });
  expect(memory.desks.exceptions).toHaveLength(1);
  const url = `approvals/${asked.body.approvalId}`;
  expect((await carol.change(url, 'approve', { reason: 'x' })).body).toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
  expect((await ben.change(url, 'approve', { reason: 'seen' })).body).toMatchObject({ state: 'EXECUTED' });
  const inForce = (await asha.get('exceptions?token=customer-1')).body.items;
  expect(inForce).toMatchObject([{ state: 'IN FORCE', approvedBy: 'ben', exceptionId: asked.body.exceptionId }]);
  const path = `exceptions/${asked.body.exceptionId}/revoke`;
  expect((await asha.post(path, { reason: 'another passport' })).status).toBe(204);
  expect(memory.desks.revoked).toMatchObject([{ exceptionId: asked.body.exceptionId, revokedBy: 'asha' }]);
  expect((await asha.get('exceptions')).body.items).toMatchObject([{ state: 'REVOKED', revokedBy: 'asha' }]);
});

it('died between what is kept and what is asked, and is asked for by the same request again', async () => {
  const { body } = await carol.post('exceptions', asking(), keyed('exception-2'));
  memory.approvals.all.clear();
  expect((await carol.post('exceptions', asking(), keyed('exception-2'))).body).toEqual(body);
  expect((await ben.change(`approvals/${body.approvalId}`, 'approve', { reason: 'seen' })).status).toBe(200);
});

it('names one counterparty, of a case or by its token', async () => {
  const { token: _, ...nobody } = asking();
  for (const wrong of [nobody, { ...nobody, caseId: 'a' }, asking({ caseId: 'a', role: 'debtor' })])
    expect((await carol.post('exceptions', wrong, keyed('exception-3'))).body).toMatchObject({
      code: 'REQUEST_INVALID',
    });
  const [holdId] = [...memory.cases.holds.keys()];
  const ofCase = await carol.post('exceptions', { ...nobody, caseId: holdId, role: 'creditor' }, keyed('exception-4'));
  const held = memory.cases.holds.get(holdId!)!.held;
  expect(ofCase.body).toMatchObject({ token: held.instruction.creditorToken });
  expect((await asha.post('exceptions', asking(), keyed('exception-5'))).status).toBe(403);
});
