import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AttemptClaim, AttemptLedger, isBehind, isToBeStopped, STOPPED } from './attempt-ledger.ts';
import { openCase } from './changes.ts';
import { openPayout } from './decide.ts';
import type { PayoutCase } from './payout.ts';

const DAY_MS = 86_400_000;
const T0 = 1_800_000_000_000;
const claim = (payoutId: string, attempt = 1): AttemptClaim => ({
  payoutId,
  attempt,
  claimId: `${payoutId}/${attempt}`,
  startedAt: T0 + attempt,
  earlier: Array.from({ length: attempt - 1 }, (_, i) => ({ number: i + 1, startedAt: T0 + i + 1 })),
});

describe('how long a claim is remembered', () => {
  it('is not shortened by a broker whose clock is a year ahead, once or for good', () => {
    const ledger = new AttemptLedger(7 * DAY_MS);
    ledger.take(claim('t-1'), { at: T0, now: T0 });
    ledger.take(claim('t-2'), { at: T0 + 365 * DAY_MS, now: T0 + 1_000 });
    ledger.take(claim('t-3'), { at: T0 + 2_000, now: T0 + 2_000 });
    expect(ledger.size).toBe(3);
    expect(ledger.take(claim('t-1'), { at: T0 + 3_000, now: T0 + 3_000 })).toBe(false);
  });

  it('is not shortened by a broker whose clock fell behind: the claim before it was earlier', () => {
    const ledger = new AttemptLedger(7 * DAY_MS);
    ledger.take(claim('t-1'), { at: T0, now: T0 });
    ledger.take(claim('t-2'), { at: 0, now: T0 + 1 });
    ledger.take(claim('t-3'), { at: T0 + 2, now: T0 + 2 });
    expect(ledger.highest('t-2')).toMatchObject({ at: T0 });
  });

  it('ends, by both clocks', () => {
    const ledger = new AttemptLedger(7 * DAY_MS);
    ledger.take(claim('t-1'), { at: T0, now: T0 });
    ledger.take(claim('t-2'), { at: T0 + 8 * DAY_MS, now: T0 + 8 * DAY_MS });
    expect([ledger.size, ledger.highest('t-1')]).toEqual([1, undefined]);
  });

  it('is never shorter than either clock allows, whatever both say', () => {
    const times = fc.record({
      at: fc.integer({ min: 0, max: 2 * T0 }),
      now: fc.integer({ min: T0, max: T0 + DAY_MS }),
    });
    fc.assert(
      fc.property(fc.array(times, { minLength: 1, maxLength: 50 }), (all) => {
        const ledger = new AttemptLedger(7 * DAY_MS);
        for (const [index, one] of all.entries()) ledger.take(claim(`t-${index}`), one);
        // Our clock moved by a day at most, so only what the broker itself dates more than six days back may be gone.
        for (const [index, { at }] of all.entries()) {
          if (at >= T0) expect(ledger.highest(`t-${index}`)).toBeDefined();
        }
      }),
    );
  });
});

describe('a payout that is stopped', () => {
  const payout = openPayout(
    {
      payoutId: 't-1',
      provider: 'memory',
      homePartition: 0,
      pricingAttempt: 1,
      priceExpiresAt: T0 + 600_000,
      requested: new Uint8Array(),
    },
    T0,
  );
  const withCase = (code: PayoutCase['code']) => openCase(payout, code, 'detail', T0);

  it('lets no claim stand any more, not even of the document that has all attempts', () => {
    const ledger = new AttemptLedger(7 * DAY_MS);
    ledger.take(claim('t-1', 1), { at: T0, now: T0 });
    expect(ledger.take({ ...claim('t-1'), attempt: STOPPED, earlier: [] }, { at: T0, now: T0 })).toBe(true);
    expect(ledger.take(claim('t-1', 2), { at: T0, now: T0 })).toBe(false);
    expect(ledger.take({ ...claim('t-1'), attempt: STOPPED }, { at: T0, now: T0 })).toBe(false);
  });

  it.each(['CONTRADICTION', 'ANSWER_DIFFERS', 'ROLLED_BACK'] as const)('has a case of %s, open or closed', (code) => {
    const stop = { attempt: STOPPED, startedAt: T0, at: T0 };
    const open = withCase(code);
    const closed = { ...open, cases: open.cases.map((one) => ({ ...one, closedAt: T0 })) };
    expect([isBehind(payout, stop), isBehind(open, stop), isBehind(closed, stop)]).toEqual([true, false, false]);
    expect([isToBeStopped(payout, undefined), isToBeStopped(open, undefined)]).toEqual([false, true]);
    expect([isToBeStopped(closed, { ...stop, attempt: 3 }), isToBeStopped(open, stop)]).toEqual([true, false]);
  });

  it.each(['NO_PROOF', 'SUPERSEDE_REFUSED', 'PROVIDER_CLOCK', 'ATTEMPTS_DIED'] as const)(
    'is none with a case of %s',
    (code) => {
      expect(isToBeStopped(withCase(code), undefined)).toBe(false);
      expect(isBehind(withCase(code), { attempt: STOPPED, startedAt: T0, at: T0 })).toBe(true);
    },
  );
});
