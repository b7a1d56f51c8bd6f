// Closings that two persons let through, done by the executor: once, recorded, whatever dies in between.
import { describe, expect, it } from 'vitest';
import { openCase } from '../../../payouts/changes.ts';
import { openPayout } from '../../../payouts/decide.ts';
import { CodedError } from '../../../ports/fault.ts';
import { AT, BOOK } from '../../../test/kit/builders.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { MemoryStore } from '../../../test/kit/payouts/memory.ts';
import { personWithKeys } from '../../access/principal.ts';
import { decideApproval } from '../../approvals/approvals.ts';
import { memoryApprovals } from '../../approvals/testing/memory-approvals.ts';
import { fakeAudit } from '../../audit/testing/fake-audit.ts';
import { findCase } from '../inbox/find.ts';
import { DEFAULT_CASE_POLICY } from '../inbox/policy.ts';
import { askToDecide, decisionHandler } from '../inbox/second-person.ts';
import { closeApproved } from './close-approved.ts';

const { operators } = KEYS;
const [amara, bela] = [personWithKeys('amara'), personWithKeys('bela')];
const CASE = 'paid-000/1';
const AWAY = new CodedError('MONGO_UNAVAILABLE', 'away', { faultClass: 'transient-dependency' });

/** A payout with a contradiction; what each of its writes meets. */
async function world() {
  const payouts = new MemoryStore();
  const request = { payoutId: 'paid-000', provider: 'p', homePartition: 3, pricingAttempt: 1, priceExpiresAt: AT };
  const payout = openPayout({ ...request, requested: new Uint8Array([1]) }, AT);
  payouts.payouts.set('paid-000', openCase(payout, 'CONTRADICTION', 'twice', AT));
  let meets: ((when: 'before' | 'after') => void) | undefined;
  const stores = {
    holds: { find: async () => undefined, decide: async () => undefined },
    customers: { find: async () => undefined, decide: async () => undefined },
    payouts: {
      load: (ids: readonly string[]) => payouts.load(ids),
      async apply(changes: Parameters<MemoryStore['apply']>[0]) {
        meets?.('before');
        const won = await payouts.apply(changes);
        meets?.('after');
        return won;
      },
    },
    ...{ closesPayouts: true, policy: DEFAULT_CASE_POLICY, corridors: BOOK, approvals: memoryApprovals() },
  };
  const { seen } = await findCase({ ...stores, operators }, CASE);
  const asked = { caseId: CASE, seen, verdict: 'CLOSE', code: 'RECOVERED', reason: 'ticket 4711', at: AT } as const;
  const { _id: id, hash } = await askToDecide(stores, { ...asked, id: 'ask', by: amara }, operators);
  const deciding = { id, hash, verdict: 'APPROVED', by: bela, reason: 'looked', at: new Date(AT + 1) } as const;
  const audit = fakeAudit();
  const faults: string[] = [];
  const run = () =>
    closeApproved({
      store: stores.approvals,
      handlers: { 'payouts.resolve': decisionHandler(stores, operators) },
      ...{ operators, audit, now: () => new Date(AT + 2) },
      onFault: (_, { code }) => void faults.push(code),
    });
  return {
    ...{ run, audit, faults, approvals: stores.approvals, payout: () => payouts.payouts.get('paid-000')! },
    approve: () => decideApproval(stores.approvals, deciding, operators),
    meet: (what: typeof meets) => {
      meets = what;
    },
  };
}

describe('closings that two persons let through', () => {
  it('are not done before the second has, and then once', async () => {
    const at = await world();
    expect([await at.run(), at.payout().cases[0]!.closedAt]).toEqual([false, null]);
    await at.approve();
    expect(await at.run()).toBe(false);
    expect(at.payout().cases[0]).toMatchObject({ closedAt: AT + 1, closing: { by: 'amara' } });
    expect(at.approvals.all.get('ask')!.state).toBe('EXECUTED');
    const { revision } = at.payout();
    await at.run();
    expect([at.payout().revision, at.faults]).toEqual([revision, []]);
    const entries = at.audit.entries.map(({ subject, action, outcome }) => [subject, action, outcome]);
    expect(entries).toEqual([
      ['payout-executor', 'payouts.resolve', 'ALLOWED'],
      ['payout-executor', 'payouts.resolve', 'DONE'],
    ]);
    expect(at.audit.entries[1]!.objectId).toBe(CASE);
  });

  it.each(['before', 'after'] as const)('are done to their end when the process died %s the write', async (when) => {
    const at = await world();
    await at.approve();
    at.meet((now) => {
      if (now === when) throw AWAY;
    });
    expect(await at.run()).toBe(true);
    expect([at.faults, at.approvals.all.get('ask')!.state]).toEqual([['MONGO_UNAVAILABLE'], 'APPROVED']);
    at.meet(undefined);
    expect(await at.run()).toBe(false);
    expect(at.approvals.all.get('ask')!.state).toBe('EXECUTED');
    expect(at.payout().cases[0]).toMatchObject({ closedAt: AT + 1, closing: { by: 'amara' } });
  });

  it('are not done when the case is not as it was shown, nor when the approval was written into the database', async () => {
    const at = await world();
    const { payoutId, revision } = at.payout();
    await at.approve();
    const approved = at.approvals.all.get('ask')!;
    at.approvals.all.set('forged', { ...approved, _id: 'forged' });
    at.approvals.all.delete('ask');
    expect(await at.run()).toBe(false);
    expect([at.faults, at.approvals.all.get('forged')!.state]).toEqual([['APPROVAL_NOT_SEALED'], 'FAILED']);
    expect([at.payout().payoutId, at.payout().revision]).toEqual([payoutId, revision]);
    expect(at.audit.entries.map(({ outcome, reasonCode }) => [outcome, reasonCode])).toEqual([
      ['ALLOWED', null],
      ['FAILED', 'APPROVAL_NOT_SEALED'],
    ]);
  });
});
