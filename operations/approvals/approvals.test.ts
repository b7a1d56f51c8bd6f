// Asking for a risky act and letting it through: who may, and what is worth nothing.
import { describe, expect, it } from 'vitest';
import { keyRing } from '../../domain/seals/seal.ts';
import { CodedError } from '../../ports/fault.ts';
import { testRings } from '../../test/kit/rings.ts';
import { personWithKeys, principalOf } from '../access/principal.ts';
import { ROLES } from '../access/table.ts';
import { canonicalJson, hashOfAct } from './acts.ts';
import { type Approval, isApproved } from './approval.ts';
import { askForApproval, type Deciding, decideApproval, listApprovals, withdrawApproval } from './approvals.ts';
import { describeApproval, describeContent, executeApproval } from './execute.ts';
import { memoryApprovals } from './testing/memory-approvals.ts';

const operators = testRings.operators!;
const AT = new Date('2026-11-30T03:00:00Z');
const later = (ms: number) => new Date(AT.getTime() + ms);
const VALID_MS = 3_600_000;
const CONTENT = canonicalJson({ version: 7, target: 'CORRIDOR/GB-IN' });
const SUBJECT = 'CORRIDOR/GB-IN';
const HASH = hashOfAct('control.resume', SUBJECT, CONTENT);
const WANTED = { act: 'control.resume', subject: SUBJECT, hash: HASH } as const;

const person = (name: string, ...roles: readonly string[]) => principalOf(name, roles, { credential: 'token' });
const asking = {
  ...{ ...WANTED, id: 'ask-1', summary: 'resume GB-IN', content: CONTENT },
  ...{ by: 'Asha', reason: 'mended', at: AT },
};
const deciding: Deciding = {
  ...{ id: 'ask-1', hash: HASH, verdict: 'APPROVED', by: personWithKeys('Ben'), reason: 'looked', at: later(10) },
};

async function asked() {
  const store = memoryApprovals();
  await askForApproval(store, asking, operators);
  return store;
}

async function approved() {
  const store = await asked();
  await decideApproval(store, deciding, operators);
  return store;
}

describe('an approval', () => {
  it('lets through exactly what two persons saw', async () => {
    const store = await asked();
    const one = await decideApproval(store, deciding, operators);
    expect(one).toMatchObject({ state: 'APPROVED', decided: { by: 'Ben' } });
    expect(isApproved(operators, one, WANTED)).toBe(true);
    for (const other of [{ subject: 'x' }, { hash: 'b'.repeat(64) }, { act: 'dead-letters.discard' as const }]) {
      expect(isApproved(operators, one, { ...WANTED, ...other })).toBe(false);
    }
  });

  it.each(['Asha', 'asha', ' ASHA ', 'Аsha', 'hold-expiry'])(
    'is not given by %j, who asked for it or is nobody',
    async (by) => {
      const store = await asked();
      const giving = async () => decideApproval(store, { ...deciding, by: personWithKeys(by) }, operators);
      await expect(giving()).rejects.toThrow();
      expect(store.all.get('ask-1')!.state).toBe('WAITING');
    },
  );

  it('is not given by who asked, under any role, admins not exempt', async () => {
    const store = await asked();
    for (const roles of [ROLES, ['admin'], ['approver', 'operator'], ['admin', 'approver']]) {
      for (const verdict of ['APPROVED', 'REFUSED'] as const) {
        const own = decideApproval(store, { ...deciding, verdict, by: person('ASHA', ...roles) }, operators);
        await expect(own).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
      }
    }
  });

  it.each([
    ['operator', 'lacks the right to approve'],
    ['compliance', 'may approve, and lacks the right for the act itself'],
    ['viewer', 'lacks both'],
  ])('is not given by one who is %s alone, and %s', async (role) => {
    const store = await asked();
    const given = decideApproval(store, { ...deciding, by: person('Ben', role) }, operators);
    await expect(given).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
    expect(store.all.get('ask-1')!.state).toBe('WAITING');
  });

  it.each<[string, Partial<Deciding>]>([
    ['EVIDENCE_CHANGED', { hash: 'b'.repeat(64) }],
    ['APPROVAL_EXPIRED', { at: later(VALID_MS) }],
    ['APPROVAL_UNKNOWN', { id: 'ask-2' }],
    ['REASON_MISSING', { reason: '  ' }],
  ])('is refused with %s', async (code, other) => {
    const store = await asked();
    await expect(decideApproval(store, { ...deciding, ...other }, operators)).rejects.toMatchObject({ code });
    expect(store.all.get('ask-1')!.state).toBe('WAITING');
  });

  it('is given once: of two at the same time the second is told', async () => {
    const store = await asked();
    const both = await Promise.allSettled([
      decideApproval(store, deciding, operators),
      decideApproval(store, { ...deciding, by: personWithKeys('Carla'), verdict: 'REFUSED' }, operators),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(refused.reason).toMatchObject({ code: 'APPROVAL_MOVED' });
  });

  it('is worth nothing when anything of it was changed in the database', async () => {
    const store = await asked();
    const one = await decideApproval(store, deciding, operators);
    const changes: readonly Partial<Approval>[] = [
      { _id: 'ask-2' },
      { askedBy: 'Carla' },
      { askedAt: later(1) },
      { expiresAt: later(9_999) },
      { askedSeal: one.decided!.seal },
      { summary: 'something harmless' },
      { reason: 'as the regulator asks' },
      { decided: { ...one.decided!, by: 'Carla' } },
      { decided: { ...one.decided!, reason: 'never looked' } },
      { decided: { ...one.decided!, at: later(11) } },
      { decided: { ...one.decided!, glass: 'glass-1' } },
      { decided: { ...one.decided!, by: 'Asha', glass: 'glass-1' } },
      { decided: { ...one.decided!, seal: one.askedSeal } },
      { decided: null },
    ];
    for (const change of changes) expect(isApproved(operators, { ...one, ...change }, WANTED)).toBe(false);
    const others = keyRing(`k9:${'x'.repeat(40)}`);
    expect(isApproved(others, one, WANTED)).toBe(false);
    // A refusal is no approval, however it is stored.
    const other = await asked();
    const refused = await decideApproval(other, { ...deciding, verdict: 'REFUSED' }, operators);
    expect(isApproved(operators, { ...refused, state: 'APPROVED' }, WANTED)).toBe(false);
  });

  it('is not given for what was written into the database', async () => {
    const store = await asked();
    store.all.set('ask-1', { ...store.all.get('ask-1')!, askedBy: 'Carla' });
    await expect(decideApproval(store, deciding, operators)).rejects.toMatchObject({ code: 'APPROVAL_NOT_SEALED' });
  });

  it('is asked for once, and taken back by who asked alone', async () => {
    const store = await asked();
    expect(await askForApproval(store, asking, operators)).toMatchObject({ _id: 'ask-1', askedBy: 'Asha' });
    const other = { ...asking, hash: 'b'.repeat(64) };
    await expect(askForApproval(store, other, operators)).rejects.toMatchObject({ code: 'APPROVAL_MOVED' });
    await expect(withdrawApproval(store, 'ask-1', 'Ben', AT)).rejects.toMatchObject({ code: 'MAKER_ONLY' });
    await withdrawApproval(store, 'ask-1', 'asha', AT);
    await expect(decideApproval(store, deciding, operators)).rejects.toMatchObject({ code: 'APPROVAL_MOVED' });
  });
});

describe('what was let through', () => {
  const done: string[] = [];
  const terms = {
    handlers: {
      'control.resume': {
        describe: describeContent(({ version }: { version: number }) => [`version ${version}`]),
        execute: async ({ subject }: { subject: string }) => `resumed ${done.push(subject)}`,
      },
    },
    operators,
    at: later(20),
  };

  it('is done, and no second time', async () => {
    const store = await approved();
    done.length = 0;
    const executed = await executeApproval(store, 'ask-1', terms);
    expect(executed).toMatchObject({ state: 'EXECUTED', begunAt: later(20), ended: { detail: 'resumed 1' } });
    await expect(executeApproval(store, 'ask-1', terms)).rejects.toMatchObject({ code: 'APPROVAL_MOVED' });
    expect(done).toEqual([SUBJECT]);
  });

  it('is not done before, nor after it expired, nor when nothing here can do it', async () => {
    await expect(executeApproval(await asked(), 'ask-1', terms)).rejects.toMatchObject({ code: 'APPROVAL_MOVED' });
    const store = await approved();
    const late = executeApproval(store, 'ask-1', { ...terms, at: later(VALID_MS) });
    await expect(late).rejects.toMatchObject({ code: 'APPROVAL_MOVED' });
    expect(store.all.get('ask-1')!.state).toBe('EXPIRED');
    const other = executeApproval(await approved(), 'ask-1', { ...terms, handlers: {} });
    await expect(other).rejects.toMatchObject({ code: 'ACT_NOT_HERE' });
  });

  it('is done to its end once it was begun, whatever fails on the way and whoever withdraws', async () => {
    const store = await approved();
    const away = new CodedError('KAFKA_UNAVAILABLE', 'away', { faultClass: 'transient-dependency' });
    const failing = {
      ...terms,
      handlers: { 'control.resume': { describe: async () => [], execute: () => Promise.reject(away) } },
    };
    await expect(executeApproval(store, 'ask-1', failing)).rejects.toBe(away);
    expect(store.all.get('ask-1')!.state).toBe('APPROVED');
    await expect(withdrawApproval(store, 'ask-1', 'Asha', later(30))).rejects.toThrow('was begun');
    expect(await listApprovals(store, ['APPROVED'], 10, later(2 * VALID_MS))).toHaveLength(1);
    expect(await executeApproval(store, 'ask-1', { ...terms, at: later(2 * VALID_MS) })).toMatchObject({
      state: 'EXECUTED',
    });
  });

  it('and was begun is not done a day after it expired: nobody consented to that', async () => {
    const store = await approved();
    // As a process leaves it that dies, and as somebody may write it into the database.
    store.all.set('ask-1', { ...store.all.get('ask-1')!, begunAt: later(20) });
    done.length = 0;
    const late = executeApproval(store, 'ask-1', { ...terms, at: later(VALID_MS + 24 * 3_600_000) });
    await expect(late).rejects.toMatchObject({ code: 'APPROVAL_EXPIRED' });
    expect(store.all.get('ask-1')).toMatchObject({ state: 'FAILED', ended: { code: 'APPROVAL_EXPIRED' } });
    expect(done).toEqual([]);
  });

  it('has failed when it cannot be done', async () => {
    const store = await approved();
    const refused = new CodedError('OPTION_INVALID', 'it was paused again');
    const failing = {
      ...terms,
      handlers: { 'control.resume': { describe: async () => [], execute: () => Promise.reject(refused) } },
    };
    await expect(executeApproval(store, 'ask-1', failing)).rejects.toBe(refused);
    expect(store.all.get('ask-1')).toMatchObject({ state: 'FAILED', ended: { code: 'OPTION_INVALID' } });
  });

  it.each([
    ['content', canonicalJson({ version: 8, target: SUBJECT })],
    ['content', null],
    ['subject', 'CORRIDOR/GB-NG'],
    ['state', undefined],
  ])('is not done when its %s was changed in the database', async (field, value) => {
    const store = field === 'state' ? await asked() : await approved();
    store.all.set('ask-1', {
      ...store.all.get('ask-1')!,
      ...(field === 'state' ? { state: 'APPROVED' } : { [field]: value }),
    });
    done.length = 0;
    await expect(executeApproval(store, 'ask-1', terms)).rejects.toMatchObject({ code: 'APPROVAL_NOT_SEALED' });
    expect(store.all.get('ask-1')!.state).toBe('FAILED');
    expect(done).toEqual([]);
  });
});

describe('what is shown to who approves', () => {
  const handlers = {
    'control.resume': { describe: describeContent(({ version }: { version: number }) => [`version ${version}`]) },
  };

  it('is made of what the hash is over, whatever else stands in the database', async () => {
    const asIs = (await asked()).all.get('ask-1')!;
    expect(await describeApproval(asIs, handlers, operators)).toEqual(['version 7']);
    const altered = { ...asIs, summary: 'something harmless' };
    await expect(describeApproval(altered, handlers, operators)).rejects.toMatchObject({ code: 'APPROVAL_NOT_SEALED' });
    const changed = { ...asIs, content: canonicalJson({ version: 8, target: SUBJECT }) };
    await expect(describeApproval(changed, handlers, operators)).rejects.toMatchObject({ code: 'EVIDENCE_CHANGED' });
    const forged = { ...asIs, askedBy: 'Carla' };
    await expect(describeApproval(forged, handlers, operators)).rejects.toMatchObject({ code: 'APPROVAL_NOT_SEALED' });
    await expect(describeApproval(asIs, {}, operators)).rejects.toMatchObject({ code: 'ACT_NOT_HERE' });
  });
});

describe('a process whose clock is days ahead or behind', () => {
  const DAY_MS = 86_400_000;
  const handlers = { 'control.resume': { describe: async () => [], execute: async () => 'resumed' } };

  it.each([
    [-3, 2, 5],
    [4, -2, -9],
    [0, 30, 0],
  ])(
    'asks %d days off, lets through %d days off and does it %d days off: by the clock of the store all is in time',
    async (asks, decides, does) => {
      const store = memoryApprovals(() => AT);
      const off = (days: number) => later(days * DAY_MS);
      const waiting = await askForApproval(store, { ...asking, at: off(asks) }, operators);
      expect([waiting.askedAt, waiting.expiresAt.getTime()]).toEqual([AT, AT.getTime() + VALID_MS]);
      expect(await listApprovals(store, ['WAITING'], 10, off(does))).toHaveLength(1);
      const { decided } = await decideApproval(store, { ...deciding, at: off(decides) }, operators);
      expect(decided!.at).toEqual(AT);
      const terms = { handlers, operators, at: off(does) };
      expect(await executeApproval(store, 'ask-1', terms)).toMatchObject({ state: 'EXECUTED', begunAt: AT });
    },
  );

  it('holds nothing open that is over', async () => {
    let now = AT;
    const store = memoryApprovals(() => now);
    await askForApproval(store, asking, operators);
    now = later(VALID_MS);
    const late = decideApproval(store, { ...deciding, at: AT }, operators);
    await expect(late).rejects.toMatchObject({ code: 'APPROVAL_EXPIRED' });
    expect(await listApprovals(store, ['WAITING'], 10, later(-DAY_MS))).toEqual([]);
    expect(store.all.get('ask-1')!.state).toBe('EXPIRED');
  });
});
