import { describe, expect, it } from 'vitest';
import { openCase } from '../../../payouts/changes.ts';
import { openPayout } from '../../../payouts/decide.ts';
import type { Payout, PayoutCase, PayoutPhase } from '../../../payouts/payout.ts';
import { openCasesOf, shownPayout } from './cases.ts';
import { closeCase } from './decide.ts';

const T0 = 1_000_000;
const closing = { number: 1, by: 'amara', reason: 'ticket 4711' };

function payoutWith(code: PayoutCase['code'], phase: PayoutPhase, payoutId: string, at = T0): Payout {
  const requested = new TextEncoder().encode('Amara Okafor');
  const request = { payoutId, provider: 'p', homePartition: 3, pricingAttempt: 1, priceExpiresAt: T0, requested };
  return openCase({ ...openPayout(request, T0), phase }, code, 'detail', at);
}

describe('what operators see', () => {
  it('lists open cases, the oldest first, and shows no personal data', () => {
    const closed = closeCase(payoutWith('CONTRADICTION', 'PAID', 'closed'), closing, T0);
    const late = payoutWith('NO_PROOF', 'ACCEPTED', 'late', T0 + 2);
    const both = openCase(payoutWith('CONTRADICTION', 'NEW', 'both'), 'SUPERSEDE_REFUSED', 'detail', T0 + 3);
    const rows = openCasesOf([both, late, closed]);
    expect(rows.map(({ payout, number, one }) => [payout.payoutId, number, one.code])).toEqual([
      ['both', 1, 'CONTRADICTION'],
      ['late', 1, 'NO_PROOF'],
      ['both', 2, 'SUPERSEDE_REFUSED'],
    ]);
    expect(shownPayout(both)).not.toHaveProperty('requested');
    expect(shownPayout(both)).toMatchObject({ cases: [{ case: 1 }, { case: 2 }], attempts: [], updates: [] });
  });
});
