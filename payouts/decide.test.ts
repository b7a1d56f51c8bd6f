import { describe, expect, it } from 'vitest';
import { closeCase } from '../operations/cases/payouts/decide.ts';
import {
  afterCancel,
  afterQuery,
  afterSubmit,
  beginAttempt,
  expire,
  giveUp,
  giveUpLease,
  MAX_EXPIRED_PRICES,
  nextStep,
  openPayout,
  supersede,
} from './decide.ts';
import type { Payout } from './payout.ts';
import { DEFAULT_PAYOUT_POLICY as POLICY } from './policy.ts';
import { dueNow } from './polling.ts';
import { accepted, paid, REQUEST, saw, silent, statuses, submitting, T0, unknown } from './testing/states.ts';

describe('an attempt', () => {
  it('has its key, its lease and its expiry before anything is sent', () => {
    expect(submitting()).toMatchObject({
      phase: 'SUBMITTING',
      nextPollAt: T0 + POLICY.leaseMs,
      attempts: [{ key: 't-1:1', expiresAt: T0 + 600_000, leaseUntil: T0 + POLICY.leaseMs, end: null }],
    });
  });

  it('does not begin when the price is over', () => {
    const late = REQUEST.priceExpiresAt - POLICY.priceMarginMs;
    expect(beginAttempt(openPayout(REQUEST, T0), late - 1, POLICY).phase).toBe('SUBMITTING');
    const expired = beginAttempt(openPayout(REQUEST, T0), late, POLICY);
    expect(expired).toMatchObject({ phase: 'EXPIRED', attempts: [], nextPollAt: null });
    expect(expired.updates).toMatchObject([
      { version: 1, status: 'EXPIRED', attemptKey: 't-1:0', reason: { code: 'XPRD' } },
    ]);
  });

  it('never outlives its own longest life', () => {
    const cheap = openPayout({ ...REQUEST, priceExpiresAt: T0 + 10 * POLICY.attemptTtlMs }, T0);
    expect(beginAttempt(cheap, T0, POLICY).attempts[0]?.expiresAt).toBe(T0 + POLICY.attemptTtlMs);
  });

  it('cannot begin while another may be alive', () => {
    expect(() => beginAttempt(unknown(), T0, POLICY)).toThrow('OUTCOME_UNKNOWN');
  });

  it('is left alone until its lease is over', () => {
    expect(giveUpLease(submitting(), T0 + POLICY.leaseMs - 1).phase).toBe('SUBMITTING');
    expect(giveUpLease(submitting(), T0 + POLICY.leaseMs).phase).toBe('OUTCOME_UNKNOWN');
  });
});

describe('a statement of the provider', () => {
  it.each([
    ['ACCEPTED', 'ACCEPTED', []],
    ['PAID', 'PAID', ['PAID']],
    ['RETURNED', 'RETURNED', ['PAID', 'RETURNED']],
    ['FAILED', 'FAILED', ['FAILED']],
    ['REFUSED', 'FAILED', ['FAILED']],
    ['EXPIRED', 'NEW', []],
    ['CANCELLED', 'NEW', []],
  ] as const)('%s makes the payout %s and tells %j', (state, phase, reported) => {
    for (const payout of [submitting(), unknown()]) {
      const after = afterQuery(payout, { key: 't-1:1', result: saw(state), at: T0 + 1 }, POLICY);
      expect(after.phase).toBe(phase);
      expect(statuses(after)).toEqual(reported);
    }
  });

  it('about a dead attempt after the price is over has the transfer priced again', () => {
    const after = afterQuery(unknown(), { key: 't-1:1', result: saw('CANCELLED'), at: REQUEST.priceExpiresAt }, POLICY);
    expect(after.phase).toBe('EXPIRED');
    expect(statuses(after)).toEqual(['EXPIRED']);
  });

  it('keeps the reason of the provider', () => {
    const after = afterSubmit(submitting(), { key: 't-1:1', result: saw('REFUSED', 'AC04'), at: T0 }, POLICY);
    expect(after.updates[0]?.reason?.code).toBe('AC04');
  });

  it('that came late and tells of before changes nothing', () => {
    expect(afterSubmit(paid(), { key: 't-1:1', result: saw('ACCEPTED'), at: T0 + 5 }, POLICY)).toEqual(paid());
    const dead = afterCancel(unknown(), { key: 't-1:1', result: saw('CANCELLED'), at: T0 + 5 }, POLICY);
    expect(afterSubmit(dead, { key: 't-1:1', result: saw('ACCEPTED'), at: T0 + 6 }, POLICY)).toBe(dead);
  });

  it('that money moved under a dead key stops everything and asks a person', () => {
    const dead = afterCancel(unknown(), { key: 't-1:1', result: saw('CANCELLED'), at: T0 + 5 }, POLICY);
    const after = afterSubmit(dead, { key: 't-1:1', result: saw('PAID'), at: T0 + 6 }, POLICY);
    expect(after).toMatchObject({ phase: 'OUTCOME_UNKNOWN', cases: [{ code: 'CONTRADICTION', closedAt: null }] });
    expect(nextStep(after, T0 + 6, POLICY)).toBe('query');
    const settled = afterQuery(after, { key: 't-1:1', result: saw('PAID'), at: T0 + 7 }, POLICY);
    expect(settled).toMatchObject({ phase: 'PAID', cases: [{ code: 'CONTRADICTION', closedAt: null }] });
  });

  it('that money moved under a dead key keeps a new price from being paid as well', () => {
    const over = REQUEST.priceExpiresAt;
    const expired = afterQuery(unknown(), { key: 't-1:1', result: saw('CANCELLED'), at: over }, POLICY);
    const contested = afterSubmit(expired, { key: 't-1:1', result: saw('PAID'), at: over + 1 }, POLICY);
    const next = { ...REQUEST, pricingAttempt: 2, priceExpiresAt: over + 600_000 };
    const refused = supersede(contested, next, over + 2);
    expect(refused).toMatchObject({ phase: 'EXPIRED', pricingAttempt: 1, nextPollAt: null });
    expect(refused.cases.map(({ code }) => code)).toEqual(['CONTRADICTION', 'SUPERSEDE_REFUSED']);
    expect(supersede(refused, next, over + 3), 'the same event again').toBe(refused);
  });

  it('that money moved under the key before the last leads to no further attempt', () => {
    const second = beginAttempt(
      { ...afterCancel(unknown(), { key: 't-1:1', result: saw('CANCELLED'), at: T0 + 5 }, POLICY), nextPollAt: T0 },
      T0 + 6,
      POLICY,
    );
    const contested = afterSubmit(second, { key: 't-1:1', result: saw('PAID'), at: T0 + 7 }, POLICY);
    expect(contested).toMatchObject({ phase: 'SUBMITTING', cases: [{ code: 'CONTRADICTION' }] });
    const dead = afterSubmit(contested, { key: 't-1:2', result: { ...silent, kind: 'not-sent' }, at: T0 + 8 }, POLICY);
    expect(dead).toMatchObject({ phase: 'NEW', nextPollAt: null });
    expect(nextStep({ ...dead, nextPollAt: T0 }, REQUEST.priceExpiresAt, POLICY)).toBe('rest');

    const waiting = afterSubmit(second, { key: 't-1:2', result: { ...silent, kind: 'not-sent' }, at: T0 + 8 }, POLICY);
    expect(afterSubmit(waiting, { key: 't-1:1', result: saw('PAID'), at: T0 + 9 }, POLICY)).toMatchObject({
      phase: 'NEW',
      nextPollAt: null,
    });
  });

  it('that a paid key was cancelled asks a person', () => {
    const after = afterQuery(paid(), { key: 't-1:1', result: saw('CANCELLED'), at: T0 + 6 }, POLICY);
    expect(after).toMatchObject({ phase: 'PAID', cases: [{ code: 'CONTRADICTION' }] });
  });

  it('however often it says so, in one case', () => {
    let payout = paid();
    for (let look = 1; look <= 1_000; look++) {
      payout = afterQuery(dueNow(payout, T0 + look), { key: 't-1:1', result: saw('CANCELLED'), at: T0 + look }, POLICY);
    }
    expect(payout.cases).toHaveLength(1);
  });
});

describe('prices that expire', () => {
  it('are asked for anew only so often: then the payout has failed', () => {
    let payout = openPayout(REQUEST, T0);
    for (let price = 1; payout.phase !== 'FAILED'; price++) {
      expect(price).toBeLessThanOrEqual(MAX_EXPIRED_PRICES);
      payout = expire(payout, T0 + price);
      if (payout.phase === 'EXPIRED') payout = supersede(payout, { ...REQUEST, pricingAttempt: price + 1 }, T0 + price);
    }
    expect(statuses(payout)).toHaveLength(MAX_EXPIRED_PRICES);
    expect(statuses(payout).at(-1)).toBe('FAILED');
    expect(payout.nextPollAt).toBeNull();
  });
});

describe('not found', () => {
  const expiry = T0 + 600_000;
  const notFound = (asOf: number) => ({ kind: 'not-found', asOf }) as const;

  it('proves nothing before the expiry and the longest delay of queries are over', () => {
    const before = expiry + POLICY.visibilityMs - 1;
    expect(afterQuery(unknown(), { key: 't-1:1', result: notFound(before), at: before }, POLICY).phase).toBe(
      'OUTCOME_UNKNOWN',
    );
    const over = expiry + POLICY.visibilityMs;
    const after = afterQuery(unknown(), { key: 't-1:1', result: notFound(over), at: over }, POLICY);
    expect(after.phase).toBe('EXPIRED');
    expect(after.attempts[0]?.end?.how).toBe('unseen-at-expiry');
  });

  it("counts by the provider's clock, not by ours", () => {
    const payout = unknown();
    expect(
      afterQuery(payout, { key: 't-1:1', result: notFound(expiry), at: expiry + 3_600_000 }, POLICY).attempts[0]?.end,
    ).toBeNull();
  });

  it('of a key that was seen before proves nothing ever', () => {
    const over = expiry + 3_600_000;
    expect(afterQuery(accepted(), { key: 't-1:1', result: notFound(over), at: over }, POLICY).phase).toBe('ACCEPTED');
  });

  it('leads to a cancel after a while, and an unanswered cancel to another query', () => {
    const soon = afterQuery(
      unknown(),
      { key: 't-1:1', result: notFound(T0), at: T0 + POLICY.cancelAfterMs - 1 },
      POLICY,
    );
    expect(nextStep(soon, soon.nextPollAt!, POLICY)).toBe('query');
    const later = afterQuery(unknown(), { key: 't-1:1', result: notFound(T0), at: T0 + POLICY.cancelAfterMs }, POLICY);
    expect(nextStep(later, T0 + POLICY.cancelAfterMs, POLICY)).toBe('cancel');
    const unanswered = { kind: 'no-answer', code: 'TIMEOUT', detail: '' } as const;
    const asked = afterCancel(later, { key: 't-1:1', result: unanswered, at: T0 + POLICY.cancelAfterMs }, POLICY);
    expect(nextStep(asked, asked.nextPollAt!, POLICY)).toBe('query');
  });
});

describe('not sent', () => {
  const result = { kind: 'not-sent', code: 'HTTP_ERROR', detail: '' } as const;

  it('is proof from the worker that held the attempt, also after its lease', () => {
    expect(afterSubmit(submitting(), { key: 't-1:1', result, at: T0 }, POLICY).attempts[0]?.end?.how).toBe('not-sent');
    const unknown = giveUpLease(submitting(), T0 + POLICY.leaseMs);
    expect(afterSubmit(unknown, { key: 't-1:1', result, at: T0 + POLICY.leaseMs }, POLICY).phase).toBe('NEW');
  });

  it('keeps all attempts, which are as many as may be begun, and the numbers rise', () => {
    let payout = openPayout({ ...REQUEST, priceExpiresAt: T0 + 1e9 }, T0);
    for (let number = 1; number <= POLICY.maxAttempts; number++) {
      payout = afterSubmit(beginAttempt(payout, T0, POLICY), { key: `t-1:${number}`, result, at: T0 }, POLICY);
    }
    expect(payout.lastAttempt).toBe(POLICY.maxAttempts);
    expect(payout.attempts).toHaveLength(POLICY.maxAttempts);
    expect(payout.attempts.at(-1)?.key).toBe(`t-1:${POLICY.maxAttempts}`);
  });
});

describe('an attempt that the provider took and let die', () => {
  it('is tried again so many times, and then has failed', () => {
    let payout = openPayout({ ...REQUEST, priceExpiresAt: T0 + 1e9 }, T0);
    for (let number = 1; number <= POLICY.maxDeadAtProvider; number++) {
      expect(payout.phase).toBe('NEW');
      payout = afterSubmit(
        beginAttempt(payout, T0, POLICY),
        { key: `t-1:${number}`, result: saw('ACCEPTED'), at: T0 },
        POLICY,
      );
      payout = afterQuery(payout, { key: `t-1:${number}`, result: saw('EXPIRED', 'AB03'), at: T0 }, POLICY);
    }
    expect(payout.phase).toBe('FAILED');
  });
});

describe('a new price', () => {
  const next = { ...REQUEST, pricingAttempt: 2, priceExpiresAt: T0 + 1_200_000, requested: new Uint8Array([2]) };

  it('takes the place of one that expired, and takes what was published for arrived', () => {
    const expired = beginAttempt(openPayout(REQUEST, T0), REQUEST.priceExpiresAt, POLICY);
    const after = supersede(expired, next, REQUEST.priceExpiresAt + 1);
    expect(after).toMatchObject({ phase: 'NEW', pricingAttempt: 2, publishedVersion: 1, requested: next.requested });
  });

  it.each([
    ['while an attempt may be alive', unknown()],
    ['of what is paid', paid()],
  ])('is refused %s, and asks a person', (_, payout) => {
    const after = supersede(payout, next, T0 + 10);
    expect(after).toMatchObject({ phase: payout.phase, pricingAttempt: 1, cases: [{ code: 'SUPERSEDE_REFUSED' }] });
  });

  it('that is no newer changes nothing', () => {
    expect(supersede(paid(), REQUEST, T0 + 10)).toEqual(paid());
  });
});

describe('a paid payout', () => {
  it('is looked at for a return as often as planned, and no more', () => {
    let payout = paid();
    for (const wait of POLICY.returnPollsMs) {
      expect(payout.nextPollAt).toBe(payout.changedAt + wait);
      payout = afterQuery(payout, { key: 't-1:1', result: saw('PAID'), at: payout.nextPollAt! }, POLICY);
    }
    expect(payout.nextPollAt).toBeNull();
    expect(statuses(payout)).toEqual(['PAID']);
  });

  it('is returned, with the reason', () => {
    const after = afterQuery(paid(), { key: 't-1:1', result: saw('RETURNED', 'AC06'), at: T0 + 60_000 }, POLICY);
    expect(after.updates.at(-1)).toMatchObject({ version: 2, status: 'RETURNED', reason: { code: 'AC06' } });
    expect(nextStep(after, T0 + 1e9, POLICY)).toBe('rest');
  });
});

describe('attempts that keep dying', () => {
  const begun = (payout: Payout) => beginAttempt(payout, T0, POLICY);
  const dying: Readonly<Record<string, (payout: Payout, key: string) => Payout>> = {
    'confirmed cancels': (payout, key) =>
      afterCancel(
        afterSubmit(begun(payout), { key, result: silent, at: T0 }, POLICY),
        { key, result: saw('CANCELLED'), at: T0 },
        POLICY,
      ),
    'refused as too late': (payout, key) =>
      afterSubmit(begun(payout), { key, result: saw('EXPIRED', 'TM01'), at: T0 }, POLICY),
    'cancelled at submit': (payout, key) =>
      afterSubmit(begun(payout), { key, result: saw('CANCELLED'), at: T0 }, POLICY),
    'accepted, then cancelled': (payout, key) =>
      afterQuery(
        afterSubmit(begun(payout), { key, result: saw('ACCEPTED'), at: T0 }, POLICY),
        { key, result: saw('CANCELLED'), at: T0 },
        POLICY,
      ),
  };

  it.each(Object.keys(dying))('open a case and begin no more: %s', (how) => {
    let payout = openPayout({ ...REQUEST, priceExpiresAt: T0 + 1e9 }, T0);
    for (let number = 1; number <= POLICY.maxDeadAttempts; number++) {
      expect(payout.phase).toBe('NEW');
      payout = dying[how]!(payout, `t-1:${number}`);
    }
    expect(payout).toMatchObject({ deadAttempts: 5, nextPollAt: null, cases: [{ code: 'ATTEMPTS_DIED' }] });
    expect(nextStep({ ...payout, nextPollAt: T0 }, T0, POLICY)).toBe('rest');
    expect(nextStep({ ...payout, nextPollAt: T0 }, T0 + 2e9, POLICY)).toBe('rest');
  });

  it('are counted over all prices of the transfer, and a person who closes the case ends the payout', () => {
    let payout = openPayout(REQUEST, T0);
    for (let number = 1; number <= POLICY.maxDeadAttempts; number++) {
      const at = T0 + number * 1_000_000;
      if (number > 1) {
        const price = { ...REQUEST, pricingAttempt: number, priceExpiresAt: at + 600_000 };
        payout = supersede(payout, price, at);
      }
      const sent = afterSubmit(
        beginAttempt(payout, number > 1 ? at : T0, POLICY),
        { key: `t-1:${number}`, result: silent, at },
        POLICY,
      );
      payout = afterCancel(sent, { key: `t-1:${number}`, result: saw('CANCELLED'), at: at + 600_000 }, POLICY);
    }
    expect(payout).toMatchObject({ phase: 'NEW', cases: [{ code: 'ATTEMPTS_DIED' }] });
    const asked = { ...REQUEST, pricingAttempt: 6, priceExpiresAt: T0 + 1e9 };
    expect(supersede(payout, asked, T0 + 9_000_000).cases.map(({ code }) => code)).toEqual([
      'ATTEMPTS_DIED',
      'SUPERSEDE_REFUSED',
    ]);
    const closed = closeCase(payout, { number: 1, by: 'amara', reason: 'ticket 4711' }, T0 + 9_000_000);
    expect(nextStep(closed, T0 + 9_000_000, POLICY)).toBe('give-up');
    expect(() => beginAttempt(closed, T0 + 9_000_000, POLICY)).toThrow('a person');
    expect(giveUp(closed, T0 + 9_000_000)).toMatchObject({ phase: 'FAILED', nextPollAt: null });
  });

  it('are bounded too when none of them was ever sent', () => {
    let payout = openPayout({ ...REQUEST, priceExpiresAt: T0 + 1e9 }, T0);
    for (let number = 1; number <= POLICY.maxAttempts; number++) {
      const result = { kind: 'not-sent', code: 'HTTP_ERROR', detail: '' } as const;
      payout = afterSubmit(begun(payout), { key: `t-1:${number}`, result, at: T0 }, POLICY);
    }
    expect(payout).toMatchObject({ phase: 'NEW', deadAttempts: 0, cases: [{ code: 'ATTEMPTS_DIED' }] });
  });
});
