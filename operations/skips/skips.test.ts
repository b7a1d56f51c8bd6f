// Asking that a record be skipped, what lets a consumer do it, and what came of it.
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../ports/log.ts';
import { recordDigest, type SkippableRecord, skipSubject } from '../../ports/record-skips.ts';
import { testRings } from '../../test/kit/rings.ts';
import { personWithKeys } from '../access/principal.ts';
import type { Approval } from '../approvals/approval.ts';
import { decideApproval } from '../approvals/approvals.ts';
import { memoryApprovals } from '../approvals/testing/memory-approvals.ts';
import { fakeAudit } from '../audit/testing/fake-audit.ts';
import type { SkipApprovals, SkipLog, StandingPoint } from './ports.ts';
import { type SkipContent, skipLines } from './skip.ts';
import { askForSkip, recordSkips, settleSkips } from './skips.ts';

const operators = testRings.operators!;
const AT = new Date('2026-11-30T03:00:00Z');
const later = (ms: number) => new Date(AT.getTime() + ms);
const TARGET = { owner: 'limits', topic: 'transfer.priced', partition: 3, offset: 41 };

const record = (over: Partial<LogRecord> = {}): LogRecord => ({
  ...{ topic: TARGET.topic, partition: 3, offset: 41, key: Buffer.from('transfer-1'), value: Buffer.from('v') },
  ...{ headers: { 'event-type': Buffer.from('TransferPriced') }, timestamp: AT.getTime() - 5_000 },
  ...over,
});
const point = (over: Partial<StandingPoint> = {}): StandingPoint => ({
  ...{ topicId: 'id-1', head: record(), position: 40, end: 99 },
  ...over,
});
const placeOf = (found: LogRecord): SkippableRecord => ({ ...TARGET, topicId: 'id-1', digest: recordDigest(found) });

function world(standing: StandingPoint = point()) {
  const approvals = memoryApprovals();
  const all = () => [...approvals.all.values()];
  const store: SkipApprovals = {
    ...approvals,
    ofSubject: async (act, subject) => all().filter((each) => each.act === act && each.subject === subject),
    ofAct: async (act, state) => all().filter((each) => each.act === act && each.state === state),
  };
  const state = { position: 41 as number | undefined, letters: new Set<string>(), looks: 0, reads: 0 };
  const log: SkipLog = {
    standingPoint: async () => standing,
    positions: async (places) => {
      state.looks += 1;
      return places.map(() => state.position);
    },
    skipped: async (open) => {
      state.reads += 1;
      return new Set(open.map(({ approvalId }) => approvalId).filter((id) => state.letters.has(id)));
    },
  };
  const amountOf = async () => ({ minor: 12_345n, currency: 'GBP' });
  const parts = { approvals, log, operators, amountOf, proves: true };
  const ask = (over: object = {}) =>
    askForSkip(parts, { ...TARGET, id: 'ask-1', by: 'Asha', reason: 'INC-1', at: AT, ...over });
  const approve = (approval: Approval) =>
    decideApproval(
      approvals,
      {
        id: approval._id,
        hash: approval.hash,
        verdict: 'APPROVED',
        by: personWithKeys('Ben'),
        reason: 'x',
        at: later(1),
      },
      operators,
    );
  return { approvals, store, log, state, ask, approve, audit: fakeAudit() };
}

describe('asking for a skip', () => {
  it('is about the record at which the consumer stands, and says what it is', async () => {
    const { summary, content, subject } = await world().ask();
    expect(summary).toContain('limits skips offset 41 of transfer.priced/3');
    expect(summary).toContain('123.45 GBP');
    expect(subject).toBe(skipSubject({ ...TARGET, topicId: 'id-1' }));
    expect(skipLines(JSON.parse(content!) as SkipContent)[0]).toBe(summary);
  });

  it.each<[string, object, StandingPoint]>([
    ['SKIP_NOT_AT_HEAD', { offset: 42 }, point()],
    ['SKIP_NOT_AT_HEAD', { offset: 40 }, point()],
    ['SKIP_NOT_AT_HEAD', {}, point({ head: undefined })],
    ['SKIP_NOT_AT_HEAD', {}, point({ position: undefined })],
    ['SKIP_TARGET_UNKNOWN', { owner: 'nobody' }, point()],
    ['SKIP_TARGET_UNKNOWN', { topic: 'transfer.accepted' }, point()],
    ['REASON_MISSING', { reason: ' ' }, point()],
  ])('is refused with %s: %j', async (code, over, standing) => {
    const at = world(standing);
    await expect(at.ask(over)).rejects.toMatchObject({ code });
    expect(at.approvals.all.size).toBe(0);
  });
});

describe('a skip', () => {
  const skips = ({ store }: ReturnType<typeof world>, at = later(10)) => recordSkips(store, operators, () => at);

  it('is let through by another person alone, for exactly that record', async () => {
    const at = world();
    const asked = await at.ask();
    expect(await skips(at).approved(placeOf(record()))).toBeUndefined();
    await at.approve(asked);
    expect(await skips(at).approved(placeOf(record()))).toEqual({
      ...{ approvalId: 'ask-1', askedBy: 'Asha', approvedBy: 'Ben' },
    });
    const others: readonly SkippableRecord[] = [
      { ...placeOf(record()), offset: 42 },
      { ...placeOf(record()), partition: 4 },
      { ...placeOf(record()), topicId: 'made anew' },
      { ...placeOf(record()), owner: 'settlement' },
      placeOf(record({ value: Buffer.from('another') })),
      placeOf(record({ key: null, value: Buffer.from('transfer-1v') })),
    ];
    for (const other of others) expect(await skips(at).approved(other)).toBeUndefined();
  });

  it('is worth nothing when it was changed in the database, or is begun too late', async () => {
    const at = world();
    await at.approve(await at.ask());
    const approved = at.approvals.all.get('ask-1')!;
    const changes: readonly Partial<Approval>[] = [
      { content: approved.content!.replace('transfer-1', 'transfer-2') },
      { subject: skipSubject({ ...TARGET, topicId: 'id-1', offset: 42 }) },
      { askedBy: 'Ben' },
      { state: 'WITHDRAWN' },
      { decided: { ...approved.decided!, by: 'Asha' } },
    ];
    for (const change of changes) {
      at.approvals.all.set('ask-1', { ...approved, ...change });
      expect(await skips(at).approved(placeOf(record()))).toBeUndefined();
    }
    at.approvals.all.set('ask-1', approved);
    const tooLate = approved.expiresAt;
    expect(await skips(at, tooLate).approved(placeOf(record()))).toBeUndefined();
    // Once begun it is done to its end, however long its process was away.
    const skip = (await skips(at).approved(placeOf(record())))!;
    expect(await skips(at).begin(skip)).toBe(true);
    expect(await skips(at, tooLate).approved(placeOf(record()))).toEqual(skip);
    expect(await skips(at, tooLate).begin(skip)).toBe(true);
  });

  it('is settled by what the log says: skipped, or handled by the consumer itself', async () => {
    const at = world();
    await at.approve(await at.ask());
    expect(await settleSkips(at.store, at.log, later(20), at.audit)).toBe(0);
    at.state.position = 42;
    at.state.letters.add('ask-1');
    expect(await settleSkips(at.store, at.log, later(20), at.audit)).toBe(1);
    expect(at.approvals.all.get('ask-1')).toMatchObject({ state: 'EXECUTED' });

    const other = world();
    await other.approve(await other.ask());
    other.state.position = 42;
    await settleSkips(other.store, other.log, later(20), other.audit);
    expect(other.approvals.all.get('ask-1')).toMatchObject({ state: 'FAILED', ended: { code: 'SKIP_NOT_NEEDED' } });
  });

  it('is settled with all others in one look at the log', async () => {
    const at = world();
    for (const id of ['ask-1', 'ask-2', 'ask-3']) await at.approve(await at.ask({ id }));
    expect(await settleSkips(at.store, at.log, later(20), at.audit)).toBe(0);
    // None has been passed: no dead letter is read.
    expect(at.state).toMatchObject({ looks: 1, reads: 0 });
    at.state.position = 42;
    at.state.letters.add('ask-2');
    expect(await settleSkips(at.store, at.log, later(20), at.audit)).toBe(3);
    expect(at.state).toMatchObject({ looks: 2, reads: 1 });
    const states = ['ask-1', 'ask-2', 'ask-3'].map((id) => at.approvals.all.get(id)!.state);
    expect(states).toEqual(['FAILED', 'EXECUTED', 'FAILED']);
    expect(at.audit.entries.map(({ objectId, outcome }) => [objectId, outcome])).toEqual([
      ...[
        ['ask-1', 'FAILED'],
        ['ask-2', 'DONE'],
        ['ask-3', 'FAILED'],
      ],
    ]);
  });

  it('that somebody wrote into the database settles nothing', async () => {
    const at = world();
    await at.approve(await at.ask());
    const approved = at.approvals.all.get('ask-1')!;
    for (const content of [null, 'x', '{}', '{"owner":"nobody","topic":"t","topicId":"i","partition":0,"offset":1}']) {
      at.approvals.all.set('ask-1', { ...approved, content });
      at.state.position = 42;
      expect(await settleSkips(at.store, at.log, later(20), at.audit)).toBe(0);
    }
  });
});
