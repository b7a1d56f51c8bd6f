import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CodedError } from '../../../ports/fault.ts';
import type { ApiComponents } from '../../../services/api/components.ts';
import { type Memory, testApi } from '../../testing/api.ts';
import { keyed, person } from '../../testing/asking.ts';

let app: FastifyInstance;
let memory: Memory;
let parts: ApiComponents;
beforeEach(async () => {
  ({ app, memory, parts } = await testApi());
});
afterEach(() => app.close());

const asha = person(() => app, 'asha', 'operator');
const ben = person(() => app, 'ben', 'approver');
const ALONE = { reason: 'alone on call', minutes: 10 };

async function pausedAndAsked() {
  await asha.post('controls/pause', { target: 'corridor/GB-IN', reason: 'wrong rate' });
  const resume = { target: 'corridor/GB-IN', reason: 'mended' };
  return (await asha.post('controls/resume', resume, keyed('resume-0001'))).body.approvalId as string;
}

it('lets one person through what they asked for, until another has looked at it', async () => {
  const approvalId = await pausedAndAsked();
  const broken = await asha.post('break-glass', ALONE, keyed('glass-0001'));
  expect(broken).toMatchObject({ status: 201, body: { by: 'asha', review: null, acts: [] } });
  const { glassId } = broken.body;
  expect((await asha.post('break-glass', ALONE, keyed('glass-0001'))).body).toEqual(broken.body);
  const longer = await asha.post('break-glass', { ...ALONE, minutes: 20 }, keyed('glass-0001'));
  expect(longer.body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  const why = { reason: 'the cut-off is near', glassId };
  expect((await asha.post(`approvals/${approvalId}/approve-alone`, why)).status).toBe(428);
  const done = await asha.change(`approvals/${approvalId}`, 'approve-alone', why);
  expect(done.body).toMatchObject({ state: 'EXECUTED', decided: { by: 'asha', brokenGlass: glassId } });
  expect((await asha.get('controls')).body.items).toEqual([]);
  const path = `break-glass/${glassId}`;
  expect((await ben.get('break-glass')).body.items).toMatchObject([{ glassId, acts: [{ approvalId }] }]);
  expect((await ben.post(`${path}/review`, { text: 'seen' })).status).toBe(428);
  expect((await ben.change(path, 'review', { text: 'one resumption' })).body).toMatchObject({ review: { by: 'ben' } });
  expect((await ben.change(path, 'review', { text: 'again' })).body).toMatchObject({ code: 'GLASS_OVER' });
  expect(memory.controls.records.filter(({ kind }) => kind === 'GLASS')).toHaveLength(2);
});

it('lets nobody else through, and is reviewed by nobody who broke it', async () => {
  const approvalId = await pausedAndAsked();
  const { body: glass } = await asha.post('break-glass', ALONE, keyed('glass-0002'));
  const { etag } = await asha.get(`approvals/${approvalId}`);
  const alone = (who: typeof asha, glassId: string) =>
    who.post(`approvals/${approvalId}/approve-alone`, { reason: 'x', glassId }, { 'if-match': etag });
  expect((await alone(ben, glass.glassId)).body).toMatchObject({ code: 'GLASS_OVER' });
  expect((await alone(asha, 'no-such-glass')).body).toMatchObject({ code: 'GLASS_UNKNOWN' });
  const both = person(() => app, 'ASHA ', 'approver');
  const own = await both.change(`break-glass/${glass.glassId}`, 'review', { text: 'fine' });
  expect(own.body).toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
  expect((await asha.get('controls')).body.items).toHaveLength(1);
});

it('is no way around what an act asks of who lets it through', async () => {
  const approvalId = await pausedAndAsked();
  const handlers = parts.operators!.handlers as Record<string, object>;
  const checkApprover = async () => {
    throw new CodedError('ACTION_FORBIDDEN', 'this is decided by who may see it');
  };
  handlers['control.resume'] = { ...handlers['control.resume'], checkApprover };
  // Who has broken a glass may hold the right to approve what others asked for, too.
  const carla = person(() => app, 'carla', 'approver');
  const { body: glass } = await carla.post('break-glass', ALONE, keyed('glass-0003'));
  const why = { reason: 'x', glassId: glass.glassId };
  const refused = await carla.change(`approvals/${approvalId}`, 'approve-alone', why);
  expect(refused).toMatchObject({ status: 403, body: { code: 'ACTION_FORBIDDEN' } });
  expect((await ben.change(`approvals/${approvalId}`, 'approve', { reason: 'x' })).status).toBe(403);
  expect(memory.approvals.all.get(approvalId)!.state).toBe('WAITING');
});
