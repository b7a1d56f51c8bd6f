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
import { ApprovedClosings } from './close-approved.ts';

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

async function world(of = contradicted('paid-000'), ...others: (typeof of)[]) {
  const payouts = new MemoryStore();
  for (const one of [of, ...others]) payouts.payouts.set(one.payoutId, one);
  let clock = AT + 2;
  let meets: ((when: 'before' | 'after', payoutId: string) => void) | undefined;
  const stores = {
    holds: { clock: async (own: Date) => own, find: async () => undefined, decide: async () => undefined },
    customers: { find: async () => undefined, decide: async () => undefined },
    payouts: {
      load: (ids: readonly string[]) => payouts.load(ids),
      async apply(changes: Parameters<MemoryStore['apply']>[0]) {
        const { payoutId } = changes[0]!.next;
        meets?.('before', payoutId);
        const won = await payouts.apply(changes);
        meets?.('after', payoutId);
        return won;
      },
    },
    ...{ closesPayouts: true, policy: DEFAULT_CASE_POLICY, corridors: BOOK, approvals: memoryApprovals() },
  };
  const handler = decisionHandler(stores, operators);
  /** Asked for and let through by programs whose clocks say `at`. */
  async function letThrough(verdict: 'CLOSE' | 'PAID' | 'UNPAID', at: number, id = 'ask', caseId = CASE) {
    const { seen } = await findCase({ ...stores, operators }, caseId);
    const date = new Date(at).toISOString().slice(0, 10);
    const given = {
      code: 'PROVIDER_STATED',
      statement: { reference: 'L-88', date, documentSha256: 'a'.repeat(64) },
    };
    const said = verdict === 'CLOSE' ? { code: 'RECOVERED' } : given;
    const asked = { caseId, seen, verdict, reason: 'ticket 4711', at, ...said };
    const { hash } = await askToDecide(stores, { ...asked, id, by: amara }, operators);
    const deciding = { id, hash, verdict: 'APPROVED', by: bela, reason: 'looked', at: new Date(at + 1) } as const;
    return () => decideApproval(stores.approvals, deciding, operators);
  }
  const audit = fakeAudit();
  const faults: string[] = [];
  const starts = () =>
    new ApprovedClosings({
      store: stores.approvals,
      handlers: { 'payouts.resolve': handler, 'payouts.state': handler },
      ...{ operators, audit, now: () => new Date(clock) },
      onFault: (_, { code }) => void faults.push(code),
    });
  /** One look of a process that was just started. */
  const run = () => starts().look();
  return {
    ...{ run, starts, audit, faults, approvals: stores.approvals, payout: () => payouts.payouts.get('paid-000')! },
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

describe('closings that cannot be done yet', () => {
  const MINUTE_MS = 60_000;
  const stateOf = (at: Awaited<ReturnType<typeof world>>, id: string) => at.approvals.all.get(id)!.state;
  const outcomes = (at: Awaited<ReturnType<typeof world>>) => at.audit.entries.map(({ outcome }) => outcome);
  /** Looks every half minute for so long. */
  async function looks(at: Awaited<ReturnType<typeof world>>, closings: ApprovedClosings, from: number, forMs: number) {
    for (let now = from; now < from + forMs; now += MINUTE_MS / 2) {
      at.tell(now);
      await closings.look();
    }
  }

  it('never hide those behind them, however many they are', async () => {
    const ids = Array.from({ length: 120 }, (_, i) => `lot-${String(i).padStart(3, '0')}`);
    const at = await world(...(ids.map(contradicted) as [ReturnType<typeof contradicted>]));
    for (const [index, id] of ids.entries()) await (await at.letThrough('CLOSE', AT + index, id, `${id}/1`))();
    // All but one of the newest and of the oldest cannot be done, look after look.
    const good = ['lot-000', 'lot-060', 'lot-119'];
    at.meet((when, id) => {
      if (when === 'before' && !good.includes(id)) throw AWAY;
    });
    at.tell(AT + 1_000);
    await at.run();
    expect(ids.filter((id) => stateOf(at, id) === 'EXECUTED')).toEqual(good);
    at.meet(undefined);
    await at.run();
    expect(ids.every((id) => stateOf(at, id) === 'EXECUTED')).toBe(true);
  });

  it('begin nothing while the audit log is away, say so more and more seldom, and are done when it is back', async () => {
    const at = await world();
    await at.approve();
    const closings = at.starts();
    at.audit.isDown = true;
    for (let now = AT + 2; now < AT + 10 * MINUTE_MS; now += 500) {
      at.tell(now);
      expect(await closings.look()).toBe(true);
    }
    expect([stateOf(at, 'ask'), at.payout().cases[0]!.closedAt]).toEqual(['APPROVED', null]);
    expect(new Set(at.faults)).toEqual(new Set(['AUDIT_UNAVAILABLE']));
    expect(at.faults.length).toBeGreaterThan(10);
    expect(at.faults.length).toBeLessThan(25);
    at.audit.isDown = false;
    at.tell(AT + 11 * MINUTE_MS);
    expect(await closings.look()).toBe(false);
    expect([stateOf(at, 'ask'), outcomes(at)]).toEqual(['EXECUTED', ['ALLOWED', 'DONE']]);
  });

  it('wait longer each time while a dependency is away, with one entry, and are done whenever it is back', async () => {
    const at = await world();
    await at.approve();
    const closings = at.starts();
    let tries = 0;
    at.meet((when) => {
      if (when === 'before') tries++;
      throw AWAY;
    });
    const day = 24 * 3_600_000;
    for (let now = AT + 2; now < AT + day; now += 5 * MINUTE_MS) {
      at.tell(now);
      await closings.look();
    }
    expect([stateOf(at, 'ask'), outcomes(at)]).toEqual(['APPROVED', ['ALLOWED', 'FAILED']]);
    expect(tries).toBeGreaterThan(100);
    at.meet(undefined);
    at.tell(AT + day + 10 * MINUTE_MS);
    await closings.look();
    expect([stateOf(at, 'ask'), outcomes(at)]).toEqual(['EXECUTED', ['ALLOWED', 'FAILED', 'DONE']]);
  });

  it('are not tried again at once', async () => {
    const at = await world();
    await at.approve();
    const closings = at.starts();
    let tries = 0;
    at.meet((when) => {
      if (when === 'before') tries++;
      throw AWAY;
    });
    for (let look = 0; look < 20; look++) await closings.look();
    expect(tries).toBe(1);
    at.tell(AT + 5_100);
    for (let look = 0; look < 20; look++) await closings.look();
    expect(tries).toBe(2);
  });

  it('end where a person sees it when nobody expected what they meet, after ten tries', async () => {
    const at = await world();
    await at.approve();
    const closings = at.starts();
    let tries = 0;
    at.meet((when) => {
      if (when === 'before') tries++;
      throw new TypeError('undefined is not a function');
    });
    await looks(at, closings, AT + 2, 60 * MINUTE_MS);
    expect([tries, stateOf(at, 'ask')]).toEqual([10, 'FAILED']);
    expect(outcomes(at)).toEqual(['ALLOWED', 'FAILED', 'FAILED']);
    const { ended } = at.approvals.all.get('ask')!;
    expect(ended).toMatchObject({ code: 'UNEXPECTED_ERROR', detail: expect.stringContaining('may have taken effect') });
    // It is asked for anew once it is mended.
    at.meet(undefined);
    await (await at.letThrough('CLOSE', AT + 2 * 3_600_000, 'again'))();
    at.tell(AT + 2 * 3_600_000 + 2);
    await closings.look();
    expect(stateOf(at, 'again')).toBe('EXECUTED');
  });

  it('are not begun unrecorded: without the audit log they wait', async () => {
    const at = await world();
    await at.approve();
    at.audit.isDown = true;
    const closings = at.starts();
    await closings.look();
    expect([stateOf(at, 'ask'), at.payout().cases[0]!.closedAt, at.faults]).toEqual([
      'APPROVED',
      null,
      ['AUDIT_UNAVAILABLE'],
    ]);
    at.audit.isDown = false;
    at.tell(AT + MINUTE_MS);
    await closings.look();
    expect(stateOf(at, 'ask')).toBe('EXECUTED');
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
