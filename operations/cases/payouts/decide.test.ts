import { describe, expect, it } from 'vitest';
import { openCase } from '../../../payouts/changes.ts';
import { beginAttempt, giveUp, nextStep, openPayout, supersede } from '../../../payouts/decide.ts';
import { brokenInvariant } from '../../../payouts/invariants.ts';
import type { Payout, PayoutCase, PayoutPhase } from '../../../payouts/payout.ts';
import { DEFAULT_PAYOUT_POLICY as POLICY } from '../../../payouts/policy.ts';
import { MemoryStore } from '../../../test/kit/payouts/memory.ts';
import { closePayoutCase } from './cases.ts';
import { closeCase } from './decide.ts';

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
