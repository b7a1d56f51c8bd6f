// Asking for a risky act and letting it through: who may, and what is worth nothing.
import { describe, expect, it } from 'vitest';
import { keyRing } from '../../domain/seals/seal.ts';
import { testRings } from '../../test/kit/rings.ts';
import { type Approval, isApproved } from './approval.ts';
import { askForApproval, type Deciding, decideApproval, withdrawApproval } from './approvals.ts';
import type { Approvals } from './ports.ts';

const operators = testRings.operators!;
const AT = new Date('2026-11-30T03:00:00Z');
const later = (ms: number) => new Date(AT.getTime() + ms);
const HASH = 'a'.repeat(64);
const WANTED = { act: 'dead-letters.replay', subject: 'replay-1', hash: HASH } as const;

/** One approval at a time, with the compare-and-set of the real store. */
function memoryApprovals() {
  const all = new Map<string, Approval>();
  const store: Approvals & { readonly all: Map<string, Approval> } = {
    all,
    async insert(approval) {
      if (all.has(approval._id)) return false;
      all.set(approval._id, approval);
      return true;
    },
    find: async (id) => all.get(id),
    list: async () => [...all.values()],
    async decide({ _id, hash, askedBy }, state, decided) {
      const known = all.get(_id)!;
      const fits = known.state === 'WAITING' && known.hash === hash && known.askedBy === askedBy;
      if (!fits || known.expiresAt <= decided.at) return false;
      all.set(_id, { ...known, state, decided });
      return true;
    },
    async end(id, from, state, ended) {
      const known = all.get(id)!;
      if (!from.includes(known.state)) return false;
      all.set(id, { ...known, state, ended });
      return true;
    },
    expire: async () => 0,
  };
  return store;
}

const asking = {
  ...WANTED,
  id: 'ask-1',
  summary: 'replay 5 letters',
  by: 'Asha',
  reason: 'mended',
  at: AT,
  validMs: 1_000,
};
const deciding: Deciding = { id: 'ask-1', hash: HASH, verdict: 'APPROVED', by: 'Ben', reason: 'looked', at: later(10) };

async function asked() {
  const store = memoryApprovals();
  await askForApproval(store, asking, operators);
  return store;
}

describe('an approval', () => {
  it('lets through exactly what two persons saw', async () => {
    const store = await asked();
    const approved = await decideApproval(store, deciding, operators);
    expect(approved).toMatchObject({ state: 'APPROVED', decided: { by: 'Ben' } });
    expect(isApproved(operators, approved, WANTED)).toBe(true);
    for (const other of [{ subject: 'replay-2' }, { hash: 'b'.repeat(64) }, { act: 'dead-letters.discard' as const }]) {
      expect(isApproved(operators, approved, { ...WANTED, ...other })).toBe(false);
    }
  });

  it.each(['Asha', 'asha', ' ASHA ', 'Аsha', 'hold-expiry'])(
    'is not given by %j, who asked for it or is nobody',
    async (by) => {
      const store = await asked();
      await expect(decideApproval(store, { ...deciding, by }, operators)).rejects.toThrow();
      expect(store.all.get('ask-1')!.state).toBe('WAITING');
    },
  );

  it.each<[string, Partial<Deciding>]>([
    ['EVIDENCE_CHANGED', { hash: 'b'.repeat(64) }],
    ['APPROVAL_EXPIRED', { at: later(1_000) }],
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
      decideApproval(store, { ...deciding, by: 'Carla', verdict: 'REFUSED' }, operators),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(refused.reason).toMatchObject({ code: 'APPROVAL_MOVED' });
  });

  it('is worth nothing when anything of it was changed in the database', async () => {
    const store = await asked();
    const approved = await decideApproval(store, deciding, operators);
    const changes: readonly Partial<Approval>[] = [
      { _id: 'ask-2' },
      { askedBy: 'Carla' },
      { askedAt: later(1) },
      { expiresAt: later(9_999) },
      { askedSeal: approved.decided!.seal },
      { decided: { ...approved.decided!, by: 'Carla' } },
      { decided: { ...approved.decided!, at: later(11) } },
      { decided: { ...approved.decided!, seal: approved.askedSeal } },
      { decided: null },
    ];
    for (const change of changes) expect(isApproved(operators, { ...approved, ...change }, WANTED)).toBe(false);
    const others = keyRing(`k9:${'x'.repeat(40)}`);
    expect(isApproved(others, approved, WANTED)).toBe(false);
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
