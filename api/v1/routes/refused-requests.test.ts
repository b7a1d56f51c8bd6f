// What two persons cannot let through over HTTP: too late, both at once, the same one twice. The clock is that of the API.
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AT } from '../../../test/kit/builders.ts';
import { type Memory, testApi } from '../../testing/api.ts';
import { keyed, person } from '../../testing/asking.ts';

const MINUTE_MS = 60_000;
let now: number;
let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  now = AT;
  ({ app, memory } = await testApi({}, { clock: () => now }));
});
afterEach(() => app.close());

const asha = person(() => app, 'asha', 'operator');
const ben = person(() => app, 'ben', 'approver');
const carla = person(() => app, 'carla', 'approver');

/** A pause, and the question whether it may go on: it may be answered within the hour. */
async function asked(): Promise<string> {
  const target = { target: 'corridor/GB-IN', reason: 'mended' };
  await asha.post('controls/pause', target);
  return `approvals/${(await asha.post('controls/resume', target, keyed('resume-0001'))).body.approvalId}`;
}
const isPaused = async () => (await asha.get('controls')).body.items.length === 1;

it('an approval that has expired lets nothing through, and is told to be over', async () => {
  const url = await asked();
  const { etag } = await ben.get(url);
  now += 61 * MINUTE_MS;
  const late = await ben.post(`${url}/approve`, { reason: 'seen' }, { 'if-match': etag });
  expect(late.body).toMatchObject({ status: 409, code: 'APPROVAL_EXPIRED' });
  expect((await ben.get('approvals?state=EXPIRED')).body.items).toMatchObject([{ state: 'EXPIRED', decided: null }]);
  expect((await ben.change(url, 'approve', { reason: 'seen' })).body).toMatchObject({ code: 'APPROVAL_MOVED' });
  expect(await isPaused()).toBe(true);
});

it('of two who approve at once one does, and it is done once', async () => {
  const url = await asked();
  const { etag } = await ben.get(url);
  const approve = (who: typeof ben) => who.post(`${url}/approve`, { reason: 'seen' }, { 'if-match': etag });
  const answers = await Promise.all([approve(ben), approve(carla), approve(ben), approve(carla)]);
  const won = answers.filter(({ status }) => status === 200);
  expect(won).toHaveLength(1);
  for (const { status, body } of answers.filter((each) => !won.includes(each)))
    expect([409, 412], JSON.stringify(body)).toContain(status);
  expect(await isPaused()).toBe(false);
  expect(memory.controls.records.filter(({ state }) => state === 'RUNNING')).toHaveLength(1);
});

it('who asked lets it through by no other role, session or spelling of the name', async () => {
  const url = await asked();
  for (const [name, role] of [
    ['asha', 'approver'],
    ['ASHA', 'admin'],
    [' Asha ', 'compliance'],
    ['ａｓｈａ', 'approver'],
  ] as const) {
    const own = await person(() => app, name, role).change(url, 'approve', { reason: 'me again' });
    expect(own.body.code, name).toMatch(/^(SECOND_PERSON_NEEDED|ACTION_FORBIDDEN)$/);
  }
  expect(await isPaused()).toBe(true);
});
