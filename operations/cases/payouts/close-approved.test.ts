// Closings that two persons let through, done by the executor: once, recorded, whatever dies in between.
import { describe, expect, it } from 'vitest';
import { openCase } from '../../../payouts/changes.ts';
import { beginAttempt, openPayout } from '../../../payouts/decide.ts';
import { DEFAULT_PAYOUT_POLICY } from '../../../payouts/policy.ts';
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

const EXPIRES = AT + 900_000;
/** A payout with a contradiction; what each of its writes meets. */
const contradicted = (payoutId: string) => {
  const request = { payoutId, provider: 'p', homePartition: 3, pricingAttempt: 1, priceExpiresAt: EXPIRES };
  return openCase(openPayout({ ...request, requested: new Uint8Array([1]) }, AT), 'CONTRADICTION', 'twice', AT);
};
/** One attempt of it was sent, and the answer was about another payment. */
const unknown = (payoutId: string) => {
  const { cases: _, ...payout } = contradicted(payoutId);
  const sent = {
    ...beginAttempt({ ...payout, cases: [] }, AT, DEFAULT_PAYOUT_POLICY),
    phase: 'OUTCOME_UNKNOWN' as const,
  };
  return openCase(sent, 'ANSWER_DIFFERS', 'another amount', AT);
};

async function world(of = contradicted('paid-000')) {
  const payouts = new MemoryStore();
  payouts.payouts.set('paid-000', of);
  let clock = AT + 2;
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
  const handler = decisionHandler(stores, operators);
  /** Asked for and let through by programs whose clocks say `at`. */
  async function letThrough(verdict: 'CLOSE' | 'PAID' | 'UNPAID', at: number, id = 'ask') {
    const { seen } = await findCase({ ...stores, operators }, CASE);
    const date = new Date(at).toISOString().slice(0, 10);
    const given = {
      code: 'PROVIDER_STATED',
      statement: { reference: 'L-88', date, documentSha256: 'a'.repeat(64) },
    };
    const said = verdict === 'CLOSE' ? { code: 'RECOVERED' } : given;
    const asked = { caseId: CASE, seen, verdict, reason: 'ticket 4711', at, ...said };
    const { hash } = await askToDecide(stores, { ...asked, id, by: amara }, operators);
    const deciding = { id, hash, verdict: 'APPROVED', by: bela, reason: 'looked', at: new Date(at + 1) } as const;
    return () => decideApproval(stores.approvals, deciding, operators);
  }
  const audit = fakeAudit();
  const faults: string[] = [];
  const run = () =>
    closeApproved({
      store: stores.approvals,
      handlers: { 'payouts.resolve': handler, 'payouts.state': handler },
      ...{ operators, audit, now: () => new Date(clock) },
      onFault: (_, { code }) => void faults.push(code),
    });
  return {
    ...{ run, audit, faults, approvals: stores.approvals, payout: () => payouts.payouts.get('paid-000')! },
    letThrough,
    put: (payout: ReturnType<typeof contradicted>) => void payouts.payouts.set('paid-000', payout),
    tell: (now: number) => {
      clock = now;
    },
    approve: async () => (await letThrough('CLOSE', AT))(),
    meet: (what: typeof meets) => {
      meets = what;
    },
  };
}

describe('closings that two persons let through', () => {
  it('are not done before the second has, and then once', async () => {
    const at = await world();
    const approve = await at.letThrough('CLOSE', AT);
    expect([await at.run(), at.payout().cases[0]!.closedAt]).toEqual([false, null]);
    await approve();
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

describe('statements of the provider that two persons let through', () => {
  const HOUR_MS = 3_600_000;

  it('are not taken before the attempt has expired by the clock of the executor too, whatever that of the API says', async () => {
    const at = await world(unknown('paid-000'));
    const early = await at.letThrough('UNPAID', AT + HOUR_MS);
    await early();
    await at.run();
    expect([at.payout().phase, at.faults]).toEqual(['OUTCOME_UNKNOWN', ['STATEMENT_UNFIT']]);
    const late = await at.letThrough('UNPAID', AT + HOUR_MS, 'again');
    await late();
    at.tell(EXPIRES + 60_000);
    await at.run();
    expect(at.payout()).toMatchObject({
      phase: 'FAILED',
      nextPollAt: EXPIRES + 60_000,
      cases: [{ closedAt: AT + HOUR_MS + 1 }],
    });
  });

  it('are about the attempts that both persons were shown: a database that hid one from them settles nothing', async () => {
    const genuine = unknown('paid-000');
    const [attempt] = genuine.attempts;
    const at = await world({ ...genuine, attempts: [{ ...attempt!, number: 7, key: 'paid-000:7' }] });
    const approve = await at.letThrough('UNPAID', AT + HOUR_MS);
    await approve();
    at.put(genuine);
    at.tell(AT + HOUR_MS);
    await at.run();
    expect([at.payout(), at.faults]).toEqual([genuine, ['EVIDENCE_CHANGED']]);
  });

  it('that say the contrary, from the same persons at the same instant, are two: one is done, and the other is not noted as done', async () => {
    const at = await world(unknown('paid-000'));
    const acts = [
      await at.letThrough('PAID', AT + HOUR_MS, 'paid'),
      await at.letThrough('UNPAID', AT + HOUR_MS, 'unpaid'),
    ];
    for (const approve of acts) await approve();
    at.tell(AT + HOUR_MS);
    await at.run();
    const states = ['paid', 'unpaid'].map((id) => at.approvals.all.get(id)!.state);
    expect([at.payout().phase, states]).toEqual(['PAID', ['EXECUTED', 'FAILED']]);
  });

  it('are done behind an approval of any shape that somebody wrote into the database', async () => {
    const at = await world();
    await at.approve();
    const approved = at.approvals.all.get('ask')!;
    at.approvals.all.delete('ask');
    const { expiresAt: _, ...cut } = approved;
    at.approvals.all.set('cut', { ...cut, _id: 'cut' } as never);
    at.approvals.all.set('ask', approved);
    await at.run();
    expect(at.faults).toEqual(['APPROVAL_NOT_SEALED']);
    expect(['cut', 'ask'].map((id) => at.approvals.all.get(id)!.state)).toEqual(['FAILED', 'EXECUTED']);
  });
});
