import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../../operations/access/table.ts';
import { isApproved } from '../../../operations/approvals/approval.ts';
import { endApproval } from '../../../operations/dead-letters/replays/control.ts';
import { approvedHash, type ReplayDocument, selectionHash } from '../../../operations/dead-letters/replays/replay.ts';
import { trialSeal } from '../../../operations/dead-letters/replays/trial-seal.ts';
import { ringOf } from '../../../ports/seals.ts';
import { AT } from '../../../test/kit/builders.ts';
import { testRings } from '../../../test/kit/rings.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';
import { parkedLetter } from '../../testing/letters.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
  memory.letters.push(...[0, 1, 2].map(parkedLetter));
});
afterEach(() => app.close());

type Who = readonly [name: string, ...roles: Role[]];
const ASHA: Who = ['asha', 'operator'];
const BEN: Who = ['ben', 'approver'];

interface Sent {
  readonly body?: object;
  readonly etag?: string | undefined;
  readonly key?: string;
}

async function post([name, ...roles]: Who, url: string, { body, etag, key }: Sent = {}) {
  const response = await app.inject({
    method: 'POST',
    url,
    headers: {
      ...(await bearer(name, ...roles)),
      ...(etag === undefined ? {} : { 'if-match': etag }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body ? { payload: body } : {}),
  });
  return {
    status: response.statusCode,
    body: response.json() as Record<string, unknown>,
    headers: response.headers,
    etag: response.headers.etag as string,
  };
}

const SELECTION = { select: { groupId: 'g' }, reason: 'mended by the deploy of 03:10', ratePerSecond: 200 };
const freeze = (who: Who = ASHA, body: object = SELECTION, key = 'asha-2026-11-30') =>
  post(who, '/v1/replays', { body, key });
const refused = (code: string, status: number) => ({ status, body: { code } });

/** As the runner does it. */
function tried(id: string, build = 'b1'): string {
  const place = memory.replays.findIndex(({ _id }) => _id === id);
  const replay = memory.replays[place]!;
  const basis = { build };
  const histogram = [{ kind: 'GOES_ON', code: null, letters: 3 } as const];
  const found = { at: new Date(AT), by: 'asha', histogram, basis };
  const dryRun = { ...found, seal: trialSeal(ringOf(testRings, 'operators'), replay, found) };
  memory.replays[place] = { ...replay, dryRun, dryRunWanted: null, version: replay.version + 1 } as ReplayDocument;
  return `"${replay.version + 1}"`;
}

async function asked(): Promise<{ id: string; approvalId: string; etag: string }> {
  const id = (await freeze()).body['replayId'] as string;
  const { body, etag } = await post(ASHA, `/v1/replays/${id}/ask`, { etag: tried(id) });
  return { id, approvalId: body['approvalId'] as string, etag };
}
const decide = (who: Who, approvalId: string, etag: string | undefined, verb = 'approve') =>
  post(who, `/v1/approvals/${approvalId}/${verb}`, { body: { reason: 'tried, and looked at five' }, etag });

describe('a selection', () => {
  it('is frozen once under a key, however often it is asked for', async () => {
    const first = await freeze();
    expect(first).toMatchObject({
      status: 201,
      body: { state: 'FROZEN', letters: 3, askedBy: 'asha', isTrying: true },
    });
    expect(first.headers.location).toBe(`/v1/replays/${first.body['replayId'] as string}`);
    const again = await freeze();
    expect(again.body).toEqual(first.body);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(memory.replays).toHaveLength(1);
    const other = await freeze(ASHA, { ...SELECTION, ratePerSecond: 300 });
    expect(other).toMatchObject(refused('IDEMPOTENCY_KEY_REUSED', 409));
    // The same key of somebody else is another one, and nothing is left to be taken.
    for (const time of ['first', 'again']) expect(await freeze(BEN), time).toMatchObject(refused('REPLAY_EMPTY', 422));
  });

  it('needs a key, a selection, a reason and terms within bounds', async () => {
    expect(await post(ASHA, '/v1/replays', { body: SELECTION })).toMatchObject(refused('IDEMPOTENCY_KEY_INVALID', 400));
    const wrong = [{ select: {} }, { reason: ' ' }, { ratePerSecond: 1_001 }, { canary: 0 }, { maxFailureRatio: 0.6 }];
    for (const over of [...wrong, { select: { target: 'x' } }])
      expect(await freeze(ASHA, { ...SELECTION, ...over })).toMatchObject(refused('REQUEST_INVALID', 400));
    expect(memory.replays).toHaveLength(0);
  });
});

describe('what a person has seen', () => {
  it('is what is changed, or nothing is', async () => {
    const { body, etag } = await freeze();
    const url = `/v1/replays/${body['replayId'] as string}`;
    for (const verb of ['dry-run', 'ask', 'pause', 'resume', 'cancel']) {
      expect(await post(ASHA, `${url}/${verb}`)).toMatchObject(refused('PRECONDITION_MISSING', 428));
      expect(await post(ASHA, `${url}/${verb}`, { etag: '*' })).toMatchObject(refused('PRECONDITION_MISSING', 428));
      expect(await post(ASHA, `${url}/${verb}`, { etag: '"99"' })).toMatchObject(refused('PRECONDITION_FAILED', 412));
    }
    expect(await post(ASHA, `${url}/ask`, { etag })).toMatchObject(refused('DRY_RUN_MISSING', 409));
    // What became of letters meanwhile makes it no other replay.
    const whole = await app.inject({ url, headers: await bearer('asha', 'operator') });
    const cancelled = await post(ASHA, `${url}/cancel`, { etag: whole.headers.etag as string });
    expect(cancelled).toMatchObject({ status: 200, body: { state: 'CANCELLED', halted: { by: 'asha' } } });
    expect(await post(ASHA, `${url}/cancel`, { etag: cancelled.etag })).toMatchObject(refused('REPLAY_MOVED', 409));
  });

  it('is tried again when it was, and slowed down only', async () => {
    const id = (await freeze()).body['replayId'] as string;
    const again = await post(BEN, `/v1/replays/${id}/dry-run`, { etag: tried(id) });
    expect(again.body).toMatchObject({ expected: null, isTrying: true });
    memory.replays[0] = { ...memory.replays[0]!, state: 'RUNNING' };
    const slow = (ratePerSecond: number, etag: string) =>
      post(BEN, `/v1/replays/${id}/slow`, { body: { ratePerSecond }, etag });
    expect(await slow(201, again.etag)).toMatchObject(refused('RATE_NOT_LOWER', 409));
    const slower = await slow(10, again.etag);
    expect(slower.body).toMatchObject({ ratePerSecond: 10 });
    expect(await slow(9, again.etag)).toMatchObject(refused('PRECONDITION_FAILED', 412));
    const paused = await post(BEN, `/v1/replays/${id}/pause`, { etag: slower.etag });
    expect(paused.body).toMatchObject({ state: 'PAUSED', halted: { by: 'ben' } });
    expect((await post(ASHA, `/v1/replays/${id}/resume`, { etag: paused.etag })).body).toMatchObject({
      state: 'RUNNING',
    });
  });
});

describe('an approval', () => {
  it('is sealed for the persons whom their tokens name', async () => {
    const { id, approvalId, etag } = await asked();
    const approved = await decide(BEN, approvalId, etag);
    expect(approved).toMatchObject({
      status: 200,
      body: { state: 'APPROVED', askedBy: 'asha', decided: { by: 'ben' } },
    });
    const wanted = { act: 'dead-letters.replay', subject: id, hash: approvedHash(memory.replays[0]!) } as const;
    expect(isApproved(ringOf(testRings, 'operators'), memory.approvals.all.get(approvalId)!, wanted)).toBe(true);
    expect(await decide(['carla', 'approver'], approvalId, etag)).toMatchObject(refused('PRECONDITION_FAILED', 412));
    expect(await decide(['carla', 'approver'], approvalId, approved.etag)).toMatchObject(
      refused('APPROVAL_MOVED', 409),
    );
  });

  it('is never given by who asked: not under two roles, in another session, or by another spelling', async () => {
    const { approvalId, etag } = await asked();
    for (const alias of ['asha', 'ASHA ', ' Asha', 'аsha', 'a-s-h-a'])
      for (const verb of ['approve', 'refuse'])
        expect(await decide([alias, 'operator', 'approver', 'admin'], approvalId, etag, verb), alias).toMatchObject(
          refused('SECOND_PERSON_NEEDED', 403),
        );
    expect(memory.approvals.all.get(approvalId)).toMatchObject({ state: 'WAITING', decided: null });
  });

  it('takes the right for the act, and the right to decide', async () => {
    const { approvalId, etag } = await asked();
    for (const roles of [['operator'], ['admin'], ['viewer'], ['compliance'], ['admin', 'compliance']] as const)
      expect(await decide(['ben', ...roles], approvalId, etag)).toMatchObject(refused('ACTION_FORBIDDEN', 403));
  });

  it('is asked for by what was found when it was tried, and by nothing that was written into the database since', async () => {
    const id = (await freeze()).body['replayId'] as string;
    const etag = tried(id);
    const genuine = memory.replays[0]!;
    const altered: Partial<ReplayDocument>[] = [
      { money: [{ currency: 'GBP', minor: 1n, letters: 3 }] },
      { withoutAmount: genuine.withoutAmount + 1 },
      { letters: genuine.letters + 1 },
      { dryRun: { ...genuine.dryRun!, histogram: [{ kind: 'GOES_ON', code: null, letters: 300 }] } },
      { dryRun: { ...genuine.dryRun!, basis: { build: 'b9' } } },
      { dryRun: { ...genuine.dryRun!, seal: 'x' } },
    ];
    for (const change of altered) {
      memory.replays[0] = { ...genuine, ...change };
      expect(await post(ASHA, `/v1/replays/${id}/ask`, { etag })).toMatchObject(refused('DRY_RUN_MISSING', 409));
    }
    expect(memory.approvals.all.size).toBe(0);
    memory.replays[0] = genuine;
    expect((await post(ASHA, `/v1/replays/${id}/ask`, { etag })).status).toBeLessThan(300);
  });

  it('that nobody asks for is released by another person, and not made again and again by the same one', async () => {
    const { body, etag } = await freeze();
    const cancelled = await post(['dana', 'operator'], `/v1/replays/${body['replayId']}/cancel`, { etag });
    expect(cancelled).toMatchObject({ status: 200, body: { state: 'CANCELLED', halted: { by: 'dana' } } });
    const [one] = memory.replays;
    const kept = { createdAt: new Date(AT - 3 * 3_600_000), halted: { ...one!.halted!, at: new Date(AT) } };
    memory.replays[0] = { ...one!, ...kept };
    for (const letter of memory.letters) Object.assign(letter, { state: 'PARKED', takenBy: null });
    expect(await freeze(ASHA, SELECTION, 'asha-once-more')).toMatchObject(refused('SELECTIONS_HELD', 409));
    expect((await freeze(['dana', 'operator'], SELECTION, 'dana-2026-11-30')).status).toBe(201);
  });

  it('is given by nobody once the replay is cancelled: it is withdrawn, or refused where that was not noted yet', async () => {
    const { id, approvalId, etag } = await asked();
    const approval = memory.approvals.all.get(approvalId)!;
    const at = new Date(AT);
    const halted = { code: 'REPLAY_CANCELLED', detail: 'cancelled', by: 'asha', at } as const;
    memory.replays[0] = { ...memory.replays[0]!, state: 'CANCELLED', halted };
    // Who cancelled it has died before its approval was ended.
    expect(await decide(BEN, approvalId, etag)).toMatchObject(refused('REPLAY_MOVED', 409));
    expect(memory.approvals.all.get(approvalId)).toMatchObject({ state: 'WAITING', decided: null });
    await endApproval(memory.approvals, { approvalId }, at);
    expect(memory.approvals.all.get(approvalId)).toMatchObject({
      state: 'WITHDRAWN',
      ended: { code: 'REPLAY_CANCELLED' },
    });
    expect([id, approval.state]).toEqual([memory.replays[0]!._id, 'WAITING']);
    expect((await decide(BEN, approvalId, etag)).status).toBeGreaterThanOrEqual(409);
  });

  it('is of one of two who decide at once', async () => {
    const { approvalId, etag } = await asked();
    const both = await Promise.all([
      decide(BEN, approvalId, etag),
      decide(['carla', 'approver'], approvalId, etag, 'refuse'),
    ]);
    const [won] = both.filter(({ status }) => status === 200);
    expect(both.filter(({ status }) => [409, 412].includes(status))).toHaveLength(1);
    expect(memory.approvals.all.get(approvalId)).toMatchObject({ state: won!.body['state'] });
  });

  it('stands in a list that says whether it is whole', async () => {
    const { approvalId } = await asked();
    const approval = memory.approvals.all.get(approvalId)!;
    const listed = async () =>
      (await app.inject({ url: '/v1/approvals', headers: await bearer(...BEN) })).json() as {
        items: [];
        complete: boolean;
      };
    expect(await listed()).toMatchObject({ items: [{ approvalId }], complete: true });
    for (let n = 0; n < 100; n++) memory.approvals.all.set(`a-${n}`, { ...approval, _id: `a-${n}` });
    const { items, complete } = await listed();
    expect([items.length, complete]).toEqual([100, false]);
  });

  it('is refused when it has expired, was changed, or was written by somebody else', async () => {
    const { id, approvalId, etag } = await asked();
    const approval = memory.approvals.all.get(approvalId)!;
    const [replay] = memory.replays;
    const whenChanged = async (change: () => void) => {
      change();
      const answer = await decide(BEN, approvalId, etag);
      memory.approvals.all.set(approvalId, approval);
      memory.replays[0] = replay!;
      return answer;
    };
    const expiresAt = new Date(AT);
    expect(await whenChanged(() => memory.approvals.all.set(approvalId, { ...approval, expiresAt }))).toMatchObject(
      refused('APPROVAL_NOT_SEALED', 409),
    );
    expect(
      await whenChanged(() => memory.approvals.all.set(approvalId, { ...approval, askedBy: 'dave' })),
    ).toMatchObject(refused('APPROVAL_NOT_SEALED', 409));
    expect(
      await whenChanged(() => memory.approvals.all.set(approvalId, { ...approval, summary: 'replay 1 dead letter' })),
    ).toMatchObject(refused('APPROVAL_NOT_SEALED', 409));
    const others: Partial<ReplayDocument>[] = [
      { selectionHash: selectionHash('limits', []) },
      { dryRun: { ...replay!.dryRun!, basis: { build: 'b2' } } },
      { terms: { ...replay!.terms, ratePerSecond: 999 } },
      { letters: 2 },
    ];
    for (const over of others)
      expect(await whenChanged(() => (memory.replays[0] = { ...replay!, ...over }))).toMatchObject(
        refused('EVIDENCE_CHANGED', 409),
      );
    expect((await post(ASHA, `/v1/replays/${id}/ask`, { etag: '"1"' })).status).toBe(412);
    expect(await decide(BEN, approvalId, etag)).toMatchObject({ status: 200 });
  });

  it('is taken back by who asked, and by nobody else', async () => {
    const { approvalId, etag } = await asked();
    const withdraw = (who: Who) => post(who, `/v1/approvals/${approvalId}/withdraw`, { etag });
    expect(await withdraw(BEN)).toMatchObject(refused('MAKER_ONLY', 403));
    expect(await withdraw(ASHA)).toMatchObject({ status: 200, body: { state: 'WITHDRAWN' } });
    const list = async (state: string) => {
      const { items } = (
        await app.inject({ url: `/v1/approvals?state=${state}`, headers: await bearer('vera', 'viewer') })
      ).json();
      return (items as unknown[]).length;
    };
    expect([await list('WITHDRAWN'), await list('WAITING')]).toEqual([1, 0]);
  });

  it('is asked for only by who selected the letters', async () => {
    const id = (await freeze()).body['replayId'] as string;
    expect(await post(BEN, `/v1/replays/${id}/ask`, { etag: tried(id) })).toMatchObject(refused('MAKER_ONLY', 403));
  });
});

it('notes on a group are written over what was seen, by who the token says', async () => {
  const url = '/v1/dead-letter-groups/g/note';
  const write = async (etag: string, payload: object) =>
    app.inject({ method: 'PATCH', url, payload, headers: { ...(await bearer('asha', 'operator')), 'if-match': etag } });
  const before = await app.inject({ url, headers: await bearer('vera', 'viewer') });
  const written = await write(before.headers.etag as string, { note: 'rolled back', incident: 'INC-7' });
  expect(written.json()).toMatchObject({ note: 'rolled back', incident: 'INC-7', writtenBy: 'asha' });
  expect((await write(before.headers.etag as string, { note: 'x' })).statusCode).toBe(412);
  const cleared = await write(written.headers.etag as string, { note: '' });
  expect(cleared.json()).toMatchObject({ note: null, incident: 'INC-7' });
});
