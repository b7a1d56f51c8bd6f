// Each corruption of what the provider did, and of limits, is planted in a history in agreement, and found.
import { describe, expect, it } from 'vitest';
import { type Ending, History } from './testing/history.ts';
import { AT_ONCE, type Corruption, change, execution, expectFound, paid, verified } from './testing/plant.ts';
import { verify } from './verify.ts';

const MONEY: readonly Corruption[] = [
  ['a payment that was made twice', 'completed', (history) => paid(history), ['PAID_TWICE']],
  [
    'a payment that was made twice under another key',
    'completed',
    (history) => paid(history, { key: 'transfer-000000:2' }),
    ['PAID_TWICE'],
  ],
  [
    'a payment that was never made',
    'completed',
    (history) => {
      history.provider.length = 0;
    },
    ['PAID_NOT_EXECUTED', 'DEBITS_NOT_CREDITS'],
  ],
  [
    'a payment of another amount',
    'completed',
    (history) => {
      const at = history.provider.findIndex(({ kind }) => kind === 'execution');
      history.provider[at] = { ...history.provider[at]!, amount: { minor: 1n, currency: 'INR' } };
    },
    ['AMOUNT_DIFFERS', 'DEBITS_NOT_CREDITS'],
  ],
  [
    'a payment in another currency',
    'completed',
    (history) => {
      const at = history.provider.findIndex(({ kind }) => kind === 'execution');
      const { minor } = history.provider[at]!.amount!;
      history.provider[at] = { ...history.provider[at]!, amount: { minor, currency: 'EUR' } };
    },
    ['AMOUNT_DIFFERS', 'DEBITS_NOT_CREDITS'],
  ],
  ['a payment of what was rejected', 'failed', execution, ['PAID_THOUGH_REJECTED']],
  ['a payment that was never asked for', 'held', execution, ['PAID_WITHOUT_REQUEST']],
  [
    'a payment of a transfer that nobody knows',
    'completed',
    (history) => paid(history, { key: 'unknown-transfer:1', transferId: 'unknown-transfer' }),
    ['EXECUTION_OF_STRANGER'],
  ],
  [
    'a key that was sent twice',
    'completed',
    (history) => {
      history.provider.push({ ...history.provider[0]!, seq: 9 });
    },
    ['KEY_SENT_TWICE'],
  ],
  [
    'a return that the provider does not know',
    'returned',
    (history) => {
      history.provider.pop();
    },
    ['RETURN_DIFFERS', 'DEBITS_NOT_CREDITS'],
  ],
];

describe('a corruption of money is found', () => {
  it.each(MONEY)('%s (%s)', (...corruption) => expectFound(corruption));

  it('names the first of each code and counts all', async () => {
    const endings = Array.from({ length: 30 }, (): Ending => 'completed');
    const report = await verified(endings, ({ provider }) => provider.splice(0), undefined, {
      ...AT_ONCE,
      findingsPerCode: 3,
    });
    expect(report.codes).toMatchObject({ PAID_NOT_EXECUTED: 30 });
    expect(report.findings.filter(({ code }) => code === 'PAID_NOT_EXECUTED')).toHaveLength(3);
  });

  it('a limit that was exceeded, over transfers that are each in order', async () => {
    const history = new History();
    // 11 times 1,000.00 GBP of one customer; each reservation says that nothing was used before it.
    for (let i = 0; i < 11; i++) history.tell('completed', { debtor: { customerId: 'customer-x' } });
    const report = await verify(history.fillStores().sources(), AT_ONCE);
    expect(report.codes).toMatchObject({ LIMIT_EXCEEDED: 2 });
  });

  it('a reservation above a limit that nobody decided about', async () => {
    const plant = change('transfer.reserved', (value) => {
      value.reservation.uses[0].usedMinor = value.reservation.uses[0].limitMinor + 1n;
    });
    const report = await verified(['completed'], plant);
    expect(Object.keys(report.codes)).toContain('RESERVED_ABOVE_LIMIT');
  });
});
