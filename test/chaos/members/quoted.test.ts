// That the judge of quotes would see what is wrong: another price, a second use, a price of what was never quoted, another code.
import { expect, it } from 'vitest';
import type { End } from '../../../samples/fed-record.ts';
import { transferPriced } from '../../kit/builders.ts';
import { ChaosBooks } from '../books.ts';
import { misquoted, type Naming } from './quoted.ts';

const { price } = transferPriced();
const priced = (transferId: string, quoteId: string | null, over: Partial<typeof price> = {}) => {
  const value = transferPriced({ transferId });
  return { ...value, instruction: { ...value.instruction, quoteId }, price: { ...price, ...over } };
};
const rejected = (transferId: string, code: string) => ({
  ...transferPriced({ transferId }),
  reasons: [{ code, detail: '' }],
});
const named = new Map<string, Naming>([
  ['transfer-0001', { quoteId: 'q-1', price, code: '' }],
  ['transfer-0002', { quoteId: 'q-1', price, code: 'QUSD' }],
  ['transfer-0003', { quoteId: 'q-2', price: undefined, code: 'QEXP' }],
]);
const found = (asked: Partial<Parameters<typeof misquoted>[1]>) =>
  misquoted(named, { priced: [], rejected: [], ...asked }).map(({ subject, detail }) => `${subject} ${detail}`);

it('what is as quoted is not wrong, whichever of two has the quote', () => {
  const right = [rejected('transfer-0003', 'QEXP'), rejected('transfer-0009', 'AM14')];
  expect(
    found({ priced: [priced('transfer-0001', 'q-1')], rejected: [...right, rejected('transfer-0002', 'QUSD')] }),
  ).toEqual([]);
  expect(
    found({ priced: [priced('transfer-0002', 'q-1')], rejected: [...right, rejected('transfer-0001', 'QUSD')] }),
  ).toEqual([]);
  expect(found({ priced: [priced('transfer-0009', null)] })).toEqual([]);
});

it.each([
  [
    'another price',
    { priced: [priced('transfer-0001', 'q-1', { credit: { ...price.credit, minor: price.credit.minor + 1n } })] },
    /another price/,
  ],
  [
    'a price that lasts longer',
    { priced: [priced('transfer-0001', 'q-1', { expiresAt: price.expiresAt + 1 })] },
    /another price/,
  ],
  ['the market in the place of the quote', { priced: [priced('transfer-0001', null)] }, /as if it named null/],
  ['a price by what nobody quoted', { priced: [priced('transfer-0003', 'q-2')] }, /was to have none/],
  [
    'one quote twice',
    { priced: [priced('transfer-0001', 'q-1'), priced('transfer-0002', 'q-1')] },
    /is the price of transfer-0001 too/,
  ],
  ['a rejection for another reason', { rejected: [rejected('transfer-0003', 'QUNK')] }, /rejected by QUNK/],
] as const)('%s is', (_what, asked, detail) => {
  expect(found(asked)).toEqual([expect.stringMatching(detail)]);
});

it('one that was priced and not paid while its price held is right, and one that was declined before is not', () => {
  const late = (occurredAt: number, over: object = {}) => {
    const value = rejected('transfer-0001', 'QEXP');
    return { ...value, envelope: { ...value.envelope, occurredAt }, ...over };
  };
  expect(found({ rejected: [late(price.expiresAt)] })).toEqual([]);
  expect(found({ rejected: [late(price.lockedAt)] })).toHaveLength(1);
  expect(found({ rejected: [late(price.expiresAt, { price: null })] })).toHaveLength(1);
  const balanced = (occurredAt: number, creditMinor: bigint | null) => {
    const books = new ChaosBooks();
    books.holdsUntil('a', 1_000);
    books.fed({ key: 'a', value: Buffer.alloc(0), account: 'a', expected: 'COMPLETED', kind: 'quoted' });
    const end = { transferId: 'a', state: 'REJECTED', sequence: 9, reasonCodes: ['QEXP'], occurredAt, creditMinor };
    books.lifecycle(end as never);
    return [books.balance().unexpected, books.endOf('a')];
  };
  expect(balanced(1_000, 5n)).toEqual([0, 'REJECTED']);
  expect(balanced(999, 5n)).toEqual([1, 'COMPLETED']);
  expect(balanced(1_000, null)).toEqual([1, 'COMPLETED']);
});

it('of two that name one quote the books take either, and nothing else', () => {
  const ends = (first: string, second: string) => {
    const books = new ChaosBooks();
    books.oneOf('a', 'b');
    const feed = (account: string, expected: End) =>
      books.fed({ key: account, value: Buffer.alloc(0), account, expected, kind: 'quoted' });
    feed('a', 'COMPLETED');
    feed('b', 'REJECTED');
    for (const [transferId, state] of [
      ['a', first],
      ['b', second],
    ] as const)
      books.lifecycle({ transferId, state, sequence: 9, reasonCodes: [] } as never);
    const { unexpected, mismatches } = books.balance();
    return [unexpected, mismatches.length, [...books.paidEnds()].map(([id]) => id).join()];
  };
  expect(ends('COMPLETED', 'REJECTED')).toEqual([0, 0, 'a']);
  expect(ends('REJECTED', 'COMPLETED')).toEqual([0, 0, 'b']);
  expect(ends('COMPLETED', 'COMPLETED')[0]).toBe(1);
  expect(ends('REJECTED', 'REJECTED')[0]).toBe(1);
});
