import { describe, expect, it } from 'vitest';
import { openCase } from '../../../payouts/changes.ts';
import { beginAttempt, giveUp, nextStep, openPayout, supersede } from '../../../payouts/decide.ts';
import { brokenInvariant } from '../../../payouts/invariants.ts';
import type { Payout, PayoutCase, PayoutPhase, ProviderStatement } from '../../../payouts/payout.ts';
import { DEFAULT_PAYOUT_POLICY as POLICY } from '../../../payouts/policy.ts';
import { isTrulyClosed } from '../../../payouts/seal.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { MemoryStore } from '../../../test/kit/payouts/memory.ts';
import { closePayoutCase } from './cases.ts';
import { type CaseClosing, closeCase } from './decide.ts';

const T0 = 1_000_000;
const PHASES: readonly PayoutPhase[] = [
  'NEW',
  'SUBMITTING',
  'ACCEPTED',
  'OUTCOME_UNKNOWN',
  'PAID',
  'FAILED',
  'EXPIRED',
  'RETURNED',
];
const REQUEST = {
  payoutId: 't-1',
  provider: 'p',
  homePartition: 3,
  pricingAttempt: 1,
  priceExpiresAt: T0 + 600_000,
  requested: new TextEncoder().encode('Amara Okafor'),
};
const closing = { number: 1, by: 'amara', reason: 'ticket 4711' };

/** A payout in a phase, at rest, with a case. */
function payoutWith(code: PayoutCase['code'], phase: PayoutPhase, payoutId = 't-1', at = T0): Payout {
  const payout: Payout = { ...openPayout({ ...REQUEST, payoutId }, T0), phase, nextPollAt: null };
  return openCase(payout, code, 'detail', at, `${payoutId}:1`);
}

describe('closing a case', () => {
  it('keeps who closed it and why, as the next revision, and changes nothing else', () => {
    for (const phase of PHASES) {
      const open = payoutWith('SUPERSEDE_REFUSED', phase);
      const { cases, revision, changedAt, ...rest } = closeCase(open, closing, T0 + 5);
      expect(rest).toEqual((({ cases: _c, revision: _r, changedAt: _a, ...same }) => same)(open));
      expect({ revision, changedAt }).toEqual({ revision: open.revision + 1, changedAt: T0 + 5 });
      expect(cases).toEqual([{ ...open.cases[0], closedAt: T0 + 5, closing: { by: 'amara', reason: 'ticket 4711' } }]);
    }
  });

  const HOLDING_BACK = ['CONTRADICTION', 'ANSWER_DIFFERS', 'ROLLED_BACK'] as const;

  it.each(HOLDING_BACK)('of %s never lets another attempt begin, whatever is asked for afterwards', (code) => {
    const later = T0 + 1_000_000_000;
    for (const phase of PHASES) {
      const open = payoutWith(code, phase);
      if (['SUBMITTING', 'ACCEPTED', 'OUTCOME_UNKNOWN'].includes(phase)) {
        expect(() => closeCase(open, closing, T0)).toThrow(expect.objectContaining({ code: 'CASE_GUARDS_PAYOUT' }));
        continue;
      }
      const closed = closeCase(open, closing, T0);
      expect(nextStep(closed, T0 + 1, POLICY)).toBe(phase === 'NEW' ? 'give-up' : 'rest');
      // Not even when a new price is asked for: one that has failed by then stays so, and one that waits for it fails.
      const asked = supersede(closed, { ...REQUEST, pricingAttempt: 2, priceExpiresAt: later * 2 }, T0 + 2);
      expect(nextStep(asked, T0 + 2, POLICY)).toBe(['NEW', 'EXPIRED'].includes(phase) ? 'give-up' : 'rest');
      if (asked.phase === 'NEW') {
        expect(() => beginAttempt(asked, T0 + 2, POLICY)).toThrow('a person');
        const ended = giveUp(asked, T0 + 3);
        expect([brokenInvariant(ended), ended.updates.at(-1)?.status, ended.updates.at(-1)?.pricingAttempt]).toEqual([
          undefined,
          'FAILED',
          2,
        ]);
      }
    }
  });

  it('ends a payout with the last case that holds it back: before that it rests, and nobody looks at it', () => {
    const two = openCase(payoutWith('CONTRADICTION', 'NEW'), 'ANSWER_DIFFERS', 'detail', T0, 't-1:1');
    const one = closeCase(two, closing, T0 + 1);
    expect([one.nextPollAt, nextStep(one, T0 + 2, POLICY)]).toEqual([null, 'rest']);
    const none = closeCase(one, { ...closing, number: 2 }, T0 + 3);
    expect([none.nextPollAt, nextStep(none, T0 + 4, POLICY)]).toEqual([T0 + 3, 'give-up']);
  });

  it('is not for what closes by itself, is closed, or is not there', () => {
    const open = payoutWith('NO_PROOF', 'OUTCOME_UNKNOWN');
    expect(() => closeCase(open, closing, T0)).toThrow(expect.objectContaining({ code: 'CASE_CLOSES_ITSELF' }));
    const closed = closeCase(payoutWith('CONTRADICTION', 'PAID'), closing, T0);
    expect(() => closeCase(closed, closing, T0)).toThrow(expect.objectContaining({ code: 'CASE_NOT_OPEN' }));
    const second = { ...closing, number: 2 };
    expect(() => closeCase(closed, second, T0)).toThrow(expect.objectContaining({ code: 'CASE_UNKNOWN' }));
  });
});

describe('closing a stored case', () => {
  it('looks anew at what somebody wrote meanwhile', async () => {
    const store = new MemoryStore();
    const open = payoutWith('CONTRADICTION', 'PAID');
    await store.insert([open]);
    let raced = false;
    const racing = {
      load: (ids: readonly string[]) => store.load(ids),
      apply: async (changes: Parameters<MemoryStore['apply']>[0]) => {
        const returned: Payout = { ...open, revision: open.revision + 1, phase: 'RETURNED' };
        if (!raced) await store.apply([{ from: open.revision, next: returned }]);
        raced = true;
        return store.apply(changes);
      },
    };
    await closePayoutCase(racing, 't-1', closing, T0);
    expect(store.payouts.get('t-1')).toMatchObject({ phase: 'RETURNED', cases: [{ closedAt: T0 }] });
  });

  it('is done when its own write won and nobody told', async () => {
    const store = new MemoryStore();
    await store.insert([payoutWith('CONTRADICTION', 'PAID')]);
    const deaf = {
      load: (ids: readonly string[]) => store.load(ids),
      apply: async (changes: Parameters<MemoryStore['apply']>[0]) => {
        await store.apply(changes);
        return [false];
      },
    };
    expect((await closePayoutCase(deaf, 't-1', closing, T0)).cases).toMatchObject([{ closedAt: T0 }]);
    await expect(closePayoutCase(store, 'none', closing, T0)).rejects.toMatchObject({ code: 'PAYOUT_UNKNOWN' });
  });
});

describe('settling a payout by the statement of its provider', () => {
  const DAY = Date.UTC(2026, 10, 30, 12);
  const SHA = 'a'.repeat(64);
  const stated = (outcome: 'PAID' | 'UNPAID', over: Partial<ProviderStatement> = {}) => ({
    ...{ number: 1, by: 'amara', agreedBy: 'bela', reason: 'ticket 4711', operators: KEYS.operators },
    statement: { outcome, reference: 'L-88', date: '2026-11-30', documentSha256: SHA, ...over },
  });
  /** Begun at DAY, expired a quarter of an hour later; unknown, with a case. */
  function unknown(code: PayoutCase['code'] = 'NO_PROOF', phase: PayoutPhase = 'OUTCOME_UNKNOWN'): Payout {
    const begun = beginAttempt(openPayout({ ...REQUEST, priceExpiresAt: DAY + 900_000 }, DAY), DAY, POLICY);
    return openCase({ ...begun, phase, nextPollAt: DAY }, code, 'detail', DAY, 't-1:1');
  }
  const LATER = DAY + 3_600_000;
  const refuses = (payout: Payout, asked: CaseClosing, at: number, code: string) =>
    expect(() => closeCase(payout, asked, at)).toThrow(expect.objectContaining({ code }));

  it('ends it as PAID or FAILED, under the names of two persons and their seal, and has it looked at at once', () => {
    for (const code of ['NO_PROOF', 'CONTRADICTION', 'ANSWER_DIFFERS'] as const) {
      for (const phase of ['OUTCOME_UNKNOWN', 'ACCEPTED'] as const) {
        const paid = closeCase(unknown(code, phase), stated('PAID'), LATER);
        expect(paid).toMatchObject({
          phase: 'PAID',
          nextPollAt: LATER,
          attempts: [{ end: { how: 'paid', code: 'STATED' } }],
        });
        expect(paid.updates.at(-1)).toMatchObject({ status: 'PAID', providerReference: 'L-88' });
        expect(paid.cases[0]!.closing).toMatchObject({ by: 'amara', agreedBy: 'bela', statement: { outcome: 'PAID' } });
        const unpaid = closeCase(unknown(code, phase), stated('UNPAID'), LATER);
        expect(unpaid).toMatchObject({ phase: 'FAILED', attempts: [{ end: { how: 'stated-unpaid' } }] });
        expect(unpaid.updates.at(-1)).toMatchObject({ status: 'FAILED', providerReference: null });
        for (const each of [paid, unpaid]) {
          expect([brokenInvariant(each), isTrulyClosed(KEYS.operators, each)]).toEqual([undefined, true]);
        }
      }
    }
  });

  it('is believed of two persons alone, and of exactly what they said', () => {
    const paid = closeCase(unknown(), stated('PAID'), LATER);
    const [one] = paid.cases;
    const { closing } = one!;
    const { statement } = closing!;
    const changes: readonly Partial<NonNullable<PayoutCase['closing']>>[] = [
      { by: 'carl' },
      { agreedBy: 'carl' },
      { agreedBy: 'Ämara' },
      { reason: 'other' },
      { statement: { ...statement!, outcome: 'UNPAID' } },
      { statement: { ...statement!, reference: 'L-89' } },
      { statement: { ...statement!, date: '2026-12-01' } },
      { statement: { ...statement!, documentSha256: 'b'.repeat(64) } },
    ];
    for (const change of changes) {
      const forged = { ...paid, cases: [{ ...one!, closing: { ...closing!, ...change } }] };
      expect([change, isTrulyClosed(KEYS.operators, forged)]).toEqual([change, false]);
    }
    const { agreedBy: _, ...alone } = closing!;
    expect(isTrulyClosed(KEYS.operators, { ...paid, cases: [{ ...one!, closing: alone }] })).toBe(false);
    // What counts as unpaid by a statement has one.
    const unpaid = closeCase(unknown(), stated('UNPAID'), LATER);
    const { closing: _closing, ...bare } = unpaid.cases[0]!;
    expect(isTrulyClosed(KEYS.operators, { ...unpaid, cases: [bare] })).toBe(false);
  });

  it('is refused where it does not fit', async () => {
    refuses(unknown(), { ...stated('PAID'), agreedBy: 'AMARA' }, LATER, 'SECOND_PERSON_NEEDED');
    refuses(unknown('ATTEMPTS_DIED'), stated('PAID'), LATER, 'STATEMENT_UNFIT');
    refuses(openCase(unknown(), 'ROLLED_BACK', 'd', DAY), stated('PAID'), LATER, 'STATEMENT_UNFIT');
    for (const phase of PHASES.filter((each) => each !== 'OUTCOME_UNKNOWN' && each !== 'ACCEPTED')) {
      refuses(unknown('NO_PROOF', phase), stated('PAID'), LATER, 'STATEMENT_UNFIT');
    }
    // The provider may still pay what is not paid yet.
    refuses(unknown('ANSWER_DIFFERS'), stated('UNPAID'), DAY + 900_000, 'STATEMENT_UNFIT');
    refuses(unknown(), stated('UNPAID', { date: '2026-11-29' }), LATER, 'STATEMENT_UNFIT');
    refuses(unknown(), stated('PAID', { date: '2026-11-28' }), LATER, 'STATEMENT_UNFIT');
    refuses(unknown(), stated('PAID', { date: '2026-12-02' }), LATER, 'STATEMENT_UNFIT');
    for (const over of [{ reference: '' }, { reference: ' L' }, { reference: 'L'.repeat(65) }, { reference: 'a\nb' }]) {
      refuses(unknown(), stated('PAID', over), LATER, 'STATEMENT_UNFIT');
    }
    for (const date of ['2026-11-31', '30.11.2026', '2026-11-30T00:00:00Z', '']) {
      refuses(unknown(), stated('PAID', { date }), LATER, 'STATEMENT_UNFIT');
    }
    refuses(unknown(), stated('PAID', { documentSha256: SHA.toUpperCase() }), LATER, 'STATEMENT_UNFIT');
    const store = new MemoryStore();
    await store.insert([unknown()]);
    const { agreedBy: _, ...alone } = stated('PAID');
    await expect(closePayoutCase(store, 't-1', alone, LATER)).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
  });
});
