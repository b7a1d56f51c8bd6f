import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../../operations/access/table.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

type Who = readonly [name: string, ...roles: Role[]];
const ASHA: Who = ['asha', 'operator'];
const CAROL: Who = ['carol', 'compliance'];

interface Sent {
  readonly body?: object;
  readonly etag?: string | undefined;
}

async function ask(method: string, [name, ...roles]: Who, url: string, { body, etag }: Sent = {}) {
  const response = await app.inject({
    method: method as never,
    url: `/v1/cases${url}`,
    headers: { ...(await bearer(name, ...roles)), ...(etag === undefined ? {} : { 'if-match': etag }) },
    ...(body ? { payload: body } : {}),
  });
  const text = response.body;
  return { status: response.statusCode, text, body: text === '' ? {} : response.json(), etag: response.headers.etag };
}

const holdOf = (stage: string) => [...memory.cases.holds.values()].find((each) => each.stage === stage)!._id;
const seen = async (who: Who, id: string) => (await ask('GET', who, `/${encodeURIComponent(id)}`)).etag as string;
const decide = async (who: Who, id: string, body: object, etag?: string) =>
  ask('POST', who, `/${encodeURIComponent(id)}/decide`, { body, etag: etag ?? (await seen(who, id)) });
const refused = (code: string, status: number) => ({ status, body: { code } });
const NAMES = /Gwen|Hartley|Ravi|Kulkarni/;

describe('the inbox', () => {
  it('lists every kind, names only as far as the roles see them', async () => {
    const { body, text } = await ask('GET', ASHA, '');
    expect(body.items.map(({ kind }: { kind: string }) => kind).toSorted()).toEqual([
      'CUSTOMER',
      'HOLD',
      'HOLD',
      'PAYOUT',
    ]);
    expect(body).toMatchObject({ complete: true, missing: [], total: { cases: 4 } });
    expect(text).not.toMatch(NAMES);
    expect((await ask('GET', CAROL, '')).text).toMatch(NAMES);
    const payouts = (await ask('GET', ASHA, '?kind=PAYOUT')).body;
    expect(payouts.items).toMatchObject([{ caseId: 'transfer-c/1', reasonCodes: ['CONTRADICTION'] }]);
    const page = (await ask('GET', ASHA, '?limit=1')).body;
    expect((await ask('GET', ASHA, `?limit=1&cursor=${page.nextCursor}`)).body.items).toHaveLength(1);
    expect(await ask('GET', ASHA, `?limit=1&kind=HOLD&cursor=${page.nextCursor}`)).toMatchObject(
      refused('CURSOR_INVALID', 400),
    );
  });

  it('shows a case of any kind: evidence side by side, masked, and unmasked to who may, which is told', async () => {
    const id = holdOf('SCREENING');
    const masked = await ask('GET', ASHA, `/${id}`);
    expect(masked.body).toMatchObject({
      ...{ kind: 'HOLD', isOpen: true, personalData: 'masked', payout: null, customer: null },
      hold: { stage: 'SCREENING', isProven: true, looks: [{ hits: [{ facts: expect.any(Array) }] }] },
    });
    expect(masked.body.verdicts.map(({ verdict }: { verdict: string }) => verdict)).toEqual(['APPROVE', 'REJECT']);
    expect(masked.text).not.toMatch(NAMES);
    const full = await ask('GET', CAROL, `/${id}`);
    expect(full.text).toMatch(NAMES);
    expect(memory.audit.entries.filter(({ action }) => action === 'records.unmask')).toMatchObject([
      { subject: 'carol', outcome: 'VIEWED', reasonCode: 'CASE_WORK', objectKind: 'cases', objectId: id },
    ]);
    expect((await ask('GET', ASHA, '/transfer-c%2F1')).body).toMatchObject({ kind: 'PAYOUT', hold: null });
    expect((await ask('GET', ASHA, '/customer-d')).body).toMatchObject({ customer: { state: 'OPEN', flaw: null } });
    expect(await ask('GET', ASHA, '/nothing')).toMatchObject(refused('CASE_UNKNOWN', 404));
  });

  it('keeps what people write about a case, once, and shows it with the case', async () => {
    const note = async (who: Who, id: string, text: string, key: string) => {
      const headers = { ...(await bearer(...who)), 'idempotency-key': key };
      const url = `/v1/cases/${encodeURIComponent(id)}/notes`;
      const response = await app.inject({ method: 'POST', url, headers, payload: { text } });
      return { status: response.statusCode, body: response.json() };
    };
    const text = 'asked the bank, answer by noon';
    const first = await note(ASHA, 'transfer-c/1', ` ${text} `, 'note-0001');
    expect(first).toMatchObject({ status: 201, body: { by: 'asha', text } });
    expect(await note(ASHA, 'transfer-c/1', text, 'note-0001')).toEqual(first);
    expect(await note(ASHA, 'transfer-c/1', 'another', 'note-0001')).toMatchObject(
      refused('IDEMPOTENCY_KEY_REUSED', 409),
    );
    expect(await note(CAROL, 'transfer-c', 'the bank answers', 'note-0001')).toMatchObject({ status: 201 });
    expect((await ask('GET', ASHA, '/transfer-c%2F1')).body.notes).toMatchObject([
      { by: 'asha', text },
      { by: 'carol', text: 'the bank answers' },
    ]);
    expect((await ask('GET', ASHA, '/customer-d')).body.notes).toEqual([]);
    expect(await note(ASHA, 'nothing', text, 'note-0002')).toMatchObject(refused('CASE_UNKNOWN', 404));
    expect(await note(ASHA, 'transfer-c/1', ' ', 'note-0002')).toMatchObject(refused('REQUEST_INVALID', 400));
    expect(await note(ASHA, 'transfer-c/1', 'a\u0007b', 'note-0002')).toMatchObject(
      refused('JUSTIFICATION_INVALID', 400),
    );
    expect(await note(['ben', 'viewer'], 'transfer-c/1', text, 'note-0003')).toMatchObject(
      refused('ACTION_FORBIDDEN', 403),
    );
    const noted = memory.audit.entries.filter(({ action }) => action === 'cases.note');
    expect(noted).toContainEqual(
      expect.objectContaining({ subject: 'asha', outcome: 'DONE', objectId: 'transfer-c/1' }),
    );
    expect(JSON.stringify(noted)).not.toContain('bank');
  });

  it('says who works on a case, by their token', async () => {
    const path = `/${encodeURIComponent('transfer-c/1')}/assignment`;
    expect((await ask('PUT', ASHA, path)).body).toMatchObject({ by: 'asha' });
    expect((await ask('PUT', ASHA, path)).status).toBe(200);
    expect(await ask('PUT', CAROL, path)).toMatchObject(refused('CASE_ASSIGNED', 409));
    expect(await ask('DELETE', CAROL, path)).toMatchObject(refused('ASSIGNMENT_UNKNOWN', 409));
    expect((await ask('GET', ASHA, '?assignedTo=ASHA')).body.items).toHaveLength(1);
    expect((await ask('DELETE', ASHA, path)).status).toBe(204);
    expect((await ask('GET', ASHA, '?unassigned=true')).body.items).toHaveLength(4);
  });
});

describe('a decision', () => {
  const APPROVE = { verdict: 'APPROVE', code: 'OTHER_BIRTH_DATE', reason: 'born 1985, the listed one 1961' };

  it('is sealed for who the token says, once, over what was seen', async () => {
    const id = holdOf('SCREENING');
    const etag = await seen(CAROL, id);
    expect(await decide(CAROL, id, APPROVE)).toMatchObject({
      status: 200,
      body: { items: [{ caseId: id, transferId: 'transfer-a', refused: null }] },
    });
    expect(memory.cases.holds.get(id)!.decision).toMatchObject({ decision: 'APPROVE', decidedBy: 'carol' });
    expect((await ask('GET', CAROL, `/${id}`)).body.hold).toMatchObject({ isProven: true, state: 'DECIDED' });
    expect(await decide(CAROL, id, APPROVE, etag)).toMatchObject(refused('PRECONDITION_FAILED', 412));
    expect(await decide(CAROL, id, APPROVE)).toMatchObject(refused('CASE_NOT_OPEN', 409));
  });

  it('needs what was seen, a verdict that fits, and a code that fits the verdict', async () => {
    const id = holdOf('LIMITS');
    const url = `/${id}/decide`;
    expect(await ask('POST', ASHA, url, { body: APPROVE })).toMatchObject(refused('PRECONDITION_MISSING', 428));
    expect(await decide(ASHA, id, { ...APPROVE, verdict: 'CLEAR' })).toMatchObject(refused('VERDICT_UNFIT', 400));
    const code = { ...APPROVE, code: 'TRUE_MATCH' };
    expect(await decide(ASHA, id, code)).toMatchObject(refused('DECISION_REASON_UNFIT', 400));
    expect(await decide(ASHA, id, { ...APPROVE, verdict: 'MAYBE' })).toMatchObject(refused('REQUEST_INVALID', 400));
    const { reason: _, ...without } = APPROVE;
    expect(await decide(ASHA, id, without)).toMatchObject(refused('REQUEST_INVALID', 400));
    const explained = { ...APPROVE, code: 'LIMIT_EXPLAINED', reason: 'sold a house' };
    expect(await decide(ASHA, id, explained)).toMatchObject({ status: 200 });
  });

  it('on a resemblance is of somebody who may see both sides', async () => {
    const id = holdOf('SCREENING');
    expect(await decide(ASHA, id, APPROVE)).toMatchObject(refused('ACTION_FORBIDDEN', 403));
    const clear = { verdict: 'CLEAR', code: 'OTHER_NAME', reason: 'another person' };
    expect(await decide(ASHA, 'customer-d', clear)).toMatchObject(refused('ACTION_FORBIDDEN', 403));
    expect(await decide(CAROL, 'customer-d', clear)).toMatchObject({ status: 200 });
    expect(memory.cases.customers.get('customer-d')).toMatchObject({ state: 'CLEARED', decision: { by: 'carol' } });
  });

  it('decides all that are alike in one act, bound to all of them', async () => {
    const id = holdOf('SCREENING');
    const { alike } = (await ask('GET', CAROL, `/${id}`)).body.hold;
    expect(alike.caseIds).toEqual([id]);
    const wrong = { ...APPROVE, alikeSeen: 'a'.repeat(64) };
    expect(await decide(CAROL, id, wrong)).toMatchObject(refused('EVIDENCE_CHANGED', 409));
    const { body } = await decide(CAROL, id, { ...APPROVE, alikeSeen: alike.seen });
    expect(body.items).toEqual([{ caseId: id, transferId: 'transfer-a', refused: null }]);
  });

  it('on a payout is asked of a second person, whatever its code: the executor closes what both let through', async () => {
    const close = { verdict: 'CLOSE', code: 'NOTHING_LOST', reason: 'looked at' };
    expect(await decide(CAROL, 'transfer-c/1', close)).toMatchObject(refused('ACTION_FORBIDDEN', 403));
    const { status, body } = await decide(ASHA, 'transfer-c/1', close);
    expect(status).toBe(202);
    expect(memory.approvals.all.get(body.approvalId)).toMatchObject({
      act: 'payouts.resolve',
      subject: 'transfer-c/1',
      state: 'WAITING',
      askedBy: 'asha',
    });
    expect(JSON.parse(memory.approvals.all.get(body.approvalId)!.content!).why).toEqual(['NO_EXECUTOR_KEY']);
    expect(memory.cases.payouts.payouts.get('transfer-c')!.cases[0]!.closedAt).toBeNull();
  });

  it('on a payout is not asked for while closing it would let money move', async () => {
    const payout = memory.cases.payouts.payouts.get('transfer-c')!;
    memory.cases.payouts.payouts.set('transfer-c', { ...payout, phase: 'OUTCOME_UNKNOWN' });
    const close = { verdict: 'CLOSE', code: 'NOTHING_LOST', reason: 'looked at' };
    expect(await decide(ASHA, 'transfer-c/1', close)).toMatchObject(refused('CASE_GUARDS_PAYOUT', 409));
    expect(memory.approvals.all.size).toBe(0);
  });
});
