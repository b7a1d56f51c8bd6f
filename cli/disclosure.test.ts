// A disclosure on a terminal: every amount as it was priced, and what the terms do not say as that.
import { expect, it } from 'vitest';
import type { Disclosure } from '../operations/disclosure/disclosure.ts';
import { linesOf } from './disclosure.ts';

const usd = (minor: bigint) => ({ minor, currency: 'USD' });
const RECORD: Disclosure = {
  ...{ transferId: 't-1', state: 'COMPLETED', attempt: 1, asOf: 0, corridor: 'US-IN' },
  ...{ sourceCountry: 'US', targetCountry: 'IN', chargeBearer: 'SHAR' },
  transferAmount: usd(98_862n),
  fees: [{ code: 'TRANSFER', amount: usd(149n) }],
  feesTotal: usd(149n),
  taxes: [{ kind: 'EXCISE', authority: 'US_IRC_4475', amount: usd(989n) }],
  taxesTotal: usd(989n),
  taxesByProducer: [],
  total: usd(100_000n),
  ...{ midRate: '83.5', customerRate: '82.999', shownRate: '82.9990' },
  difference: usd(593n),
  totalToRecipient: { minor: 8_205_447n, currency: 'INR' },
  deadLettered: false,
  otherFeesMayApply: true,
  ...{ valueDate: '2026-12-01', availableAt: Date.UTC(2026, 11, 1, 9), cancelUntil: null, terms: 'example@2026-11-30' },
  paid: { minor: 8_205_447n, currency: 'INR' },
  returned: null,
};

it('says each amount to the unit, and when it arrives', () => {
  const text = linesOf(RECORD).map((line) => line.trim().replaceAll(/\s+/g, ' '));
  expect(text).toEqual([
    'Transfer t-1, COMPLETED, price 1, terms example@2026-11-30',
    'transfer amount 988.62 USD',
    'fee TRANSFER 1.49 USD',
    'tax EXCISE (US_IRC_4475) 9.89 USD',
    'total 1000.00 USD',
    'exchange rate 82.9990 (exactly 82.999; mid 83.5)',
    'difference to mid 5.93 USD',
    'total to recipient 82054.47 INR, less what their side may charge',
    'value date 2026-12-01',
    'available 2026-12-01T09:00:00.000Z',
    'may be cancelled the terms do not say',
    'paid 82054.47 INR',
  ]);
});

it('says what is not known', () => {
  const { length } = linesOf(RECORD);
  const lines = linesOf({ ...RECORD, difference: null, valueDate: null, availableAt: null, terms: null, paid: null });
  expect(lines).toHaveLength(length - 1);
  expect(lines.join('\n')).toContain('difference to mid    not known');
  expect(lines.filter((line) => line.includes('the terms do not say'))).toHaveLength(3);
});
