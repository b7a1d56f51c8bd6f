import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Memory, testApi } from '../../testing/api.ts';
import { keyed, person } from '../../testing/asking.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

const asha = person(() => app, 'asha', 'operator');
const ben = person(() => app, 'ben', 'approver');
const AT_HEAD = { consumer: 'limits', topic: 'transfer.priced', partition: 3, offset: 4_711, reason: 'INC-1' };

it('is asked for as it was shown, let through by another, and taken back by who asked', async () => {
  const shown = await asha.get('skips/target?consumer=limits&topic=transfer.priced&partition=3');
  expect(shown.body).toMatchObject({ offset: 4_711, transferId: 'transfer-0001', isProven: false });
  expect(shown.body.lines[0]).toContain('123.00 GBP by what it says itself');
  const asked = await asha.post('skips', AT_HEAD, keyed('skip-0001'));
  expect(asked).toMatchObject({ status: 201, body: { act: 'records.skip', state: 'WAITING', askedBy: 'asha' } });
  expect(memory.audit.entries.at(-1)).toMatchObject({ outcome: 'DONE', objectKind: 'skips' });
  // The same question has the same answer, also once the record is gone.
  memory.desks.head = undefined;
  const again = await asha.post('skips', AT_HEAD, keyed('skip-0001'));
  expect(again).toMatchObject({ status: 201, body: asked.body, headers: { 'idempotent-replayed': 'true' } });
  const other = await asha.post('skips', { ...AT_HEAD, offset: 4_712 }, keyed('skip-0001'));
  expect(other.body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  expect((await asha.get('skips?state=WAITING')).body.items).toHaveLength(1);
  const url = `approvals/${asked.body.approvalId}`;
  expect((await ben.change(url, 'approve', { reason: 'looked at it' })).body).toMatchObject({ state: 'APPROVED' });
  expect((await ben.change(url, 'withdraw')).body).toMatchObject({ code: 'MAKER_ONLY' });
  const [approval] = [...memory.approvals.all.values()];
  memory.approvals.all.set(approval!._id, { ...approval!, begunAt: null });
  expect((await asha.change(url, 'withdraw')).body).toMatchObject({ state: 'WITHDRAWN' });
});

it('is refused of any other record than the one at which the consumer stands', async () => {
  for (const [code, over] of [
    ['SKIP_NOT_AT_HEAD', { offset: 4_712 }],
    ['SKIP_TARGET_UNKNOWN', { topic: 'fx.rates' }],
    ['SKIP_TARGET_UNKNOWN', { consumer: 'nobody' }],
  ] as const)
    expect((await asha.post('skips', { ...AT_HEAD, ...over }, keyed('skip-0002'))).body.code).toBe(code);
  expect((await asha.get('skips/target?consumer=nobody&topic=a&partition=0')).body.code).toBe('SKIP_TARGET_UNKNOWN');
  expect(memory.approvals.all.size).toBe(0);
});

it('a question that was altered in the database is answered as such, and by no fault of ours', async () => {
  const made = (await asha.post('skips', AT_HEAD, keyed('skip-0009'))).body;
  const kept = memory.approvals.all.get(made.approvalId)!;
  for (const content of ['{', 'null', '[]', null, kept.content!.replace('4711', '4712')]) {
    memory.approvals.all.set(made.approvalId, { ...kept, content });
    const { status, body } = await asha.post('skips', AT_HEAD, keyed('skip-0009'));
    expect([content, status, body.code]).toEqual([content, 409, 'EVIDENCE_CHANGED']);
  }
});
