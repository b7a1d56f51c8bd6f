import { describe, expect, it } from 'vitest';
import { closeCase } from '../operations/cases/payouts/decide.ts';
import { afterCancel, afterQuery, afterSubmit, beginAttempt, giveUp, nextStep } from './decide.ts';
import type { Observation, Payout } from './payout.ts';
import { DEFAULT_PAYOUT_POLICY as POLICY } from './policy.ts';
import { accepted, paid, saw, statuses, submitting, T0, unknown } from './testing/states.ts';

describe('an answer that speaks of another payout', () => {
  const differs = (state: Observation['state'], ...fields: string[]) => ({ ...saw(state), differs: fields });
  const cases = ({ cases: all }: Payout) => all.map(({ code, attemptKey }) => [code, attemptKey]);

  it.each(['PAID', 'ACCEPTED', 'FAILED', 'RETURNED', 'CANCELLED', 'EXPIRED', 'REFUSED'] as const)(
    '%s is never taken: the outcome stays open, with a case, and nothing further begins',
    (state) => {
      for (const payout of [submitting(), unknown(), accepted()]) {
        const after = afterQuery(payout, { key: 't-1:1', result: differs(state, 'amount'), at: T0 + 1 }, POLICY);
        expect(['OUTCOME_UNKNOWN', 'ACCEPTED']).toContain(after.phase);
        expect(cases(after)).toEqual([['ANSWER_DIFFERS', 't-1:1']]);
        expect(statuses(after)).toEqual(['OUTCOME_UNKNOWN']);
        expect(after.attempts[0]?.end).toBeNull();
        const again = afterQuery(after, { key: 't-1:1', result: differs(state, 'amount'), at: T0 + 2 }, POLICY);
        expect([cases(again), statuses(again)]).toEqual([cases(after), statuses(after)]);
        // Provably dead after all: still nothing begins before a person has looked.
        const dead = afterCancel(again, { key: 't-1:1', result: saw('CANCELLED'), at: T0 + 3 }, POLICY);
        expect(dead).toMatchObject({ phase: 'NEW', nextPollAt: null });
        expect(() => closeCase(again, { number: 1, by: 'a', reason: 'r' }, T0 + 4)).toThrow('stays open');
        // And when one has, the payout has failed.
        const seen = closeCase(dead, { number: 1, by: 'a', reason: 'r' }, T0 + 4);
        expect(nextStep(seen, T0 + 4, POLICY)).toBe('give-up');
        expect(() => beginAttempt(seen, T0 + 4, POLICY)).toThrow('a person');
        expect(giveUp(seen, T0 + 4)).toMatchObject({ phase: 'FAILED', nextPollAt: null });
      }
    },
  );

  it('is a case of a submit too, and the truth may still come out', () => {
    const after = afterSubmit(submitting(), { key: 't-1:1', result: differs('PAID', 'beneficiary'), at: T0 }, POLICY);
    expect(after).toMatchObject({ phase: 'OUTCOME_UNKNOWN', cases: [{ code: 'ANSWER_DIFFERS' }] });
    const settled = afterQuery(after, { key: 't-1:1', result: { ...saw('PAID'), differs: [] }, at: T0 + 1 }, POLICY);
    expect(settled).toMatchObject({ phase: 'PAID', cases: [{ code: 'ANSWER_DIFFERS', closedAt: null }] });
    expect(closeCase(settled, { number: 1, by: 'a', reason: 'r' }, T0 + 4).cases[0]?.closedAt).toBe(T0 + 4);
  });

  it('returns nothing that was paid', () => {
    const after = afterQuery(paid(), { key: 't-1:1', result: differs('RETURNED', 'amount'), at: T0 + 1 }, POLICY);
    expect(after).toMatchObject({ phase: 'PAID', cases: [{ code: 'ANSWER_DIFFERS' }] });
    expect(statuses(after)).toEqual(['PAID']);
  });
});
