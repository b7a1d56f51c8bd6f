// The board of what is stuck, over sources that answer, answer in part, or are away.
import { describe, expect, it } from 'vitest';
import type { Payout } from '../../payouts/payout.ts';
import { CodedError } from '../../ports/fault.ts';
import { payoutRequested } from '../../test/kit/builders.ts';
import type { HoldBrief } from '../cases/inbox/ports.ts';
import type { CountedGroup } from '../dead-letters/ports.ts';
import { type StuckQuery, stuckBoard } from './board.ts';
import type { StuckSources } from './ports.ts';
import type { Unhandled } from './unhandled.ts';

const NOW = 1_000_000;
const gbp = (minor: bigint) => ({ minor, currency: 'GBP' });
const away = async () =>
  Promise.reject(new CodedError('MONGO_UNAVAILABLE', 'away', { faultClass: 'transient-dependency' }));

const waiting = (over: Partial<Unhandled> = {}): Unhandled => ({
  ...{ owner: 'fx-pricing', topic: 'fx-pricing.retry.60s', partition: 0, kind: 'RETRY', code: 'RATE_STALE' },
  ...{ since: NOW - 5_000, amount: gbp(100n) },
  ...over,
});
const hold = (over: Partial<HoldBrief> = {}): HoldBrief => ({
  ...{ holdId: 'h', transferId: 't', stage: 'SCREENING', reasonCodes: ['MATCH'], amount: gbp(7n) },
  ...{ sourceCurrency: 'GBP', targetCurrency: 'INR', openedAt: NOW - 60_000, expiresAt: NOW },
  ...over,
});
const payout = (payoutId: string, cases: Payout['cases'] = []) => ({
  payoutId,
  changedAt: new Date(NOW - 30_000),
  payout: { payoutId, cases, requested: new Uint8Array() } as unknown as Payout,
});
const letters = (over: Partial<CountedGroup> = {}): CountedGroup => ({
  ...{ group: 'g', owner: 'limits', code: 'POISON', class: 'poison', cause: 'c', minutes: [], note: undefined },
  parts: [
    {
      ...{ proven: true, corridor: 'GB-IN', currency: 'GBP', letters: 2, amountMinor: 50n },
      ...{ firstFailedAt: new Date(1), lastFailedAt: new Date(2), oldestAt: new Date(NOW - 90_000) },
    },
  ],
  ...{ countedAt: new Date(NOW), isCurrent: true },
  ...over,
});

function sources(over: Partial<StuckSources> = {}): StuckSources {
  return {
    unhandled: async () => ({
      records: [waiting(), waiting({ since: NOW - 9_000, amount: null })],
      cut: [],
      isProven: true,
    }),
    holds: { briefs: async () => [hold(), hold({ amount: gbp(3n), openedAt: NOW - 70_000 })] },
    payouts: {
      payouts: { inPhase: async () => [payout('p-1'), payout('p-2', [{ closedAt: null } as Payout['cases'][number]])] },
      requests: { decode: async (bytes) => bytes.map(() => payoutRequested()) },
    },
    deadLetters: { groups: async () => ({ counted: [letters()], uncounted: 0, isCut: false }) },
    ...over,
  };
}

const board = (over: Partial<StuckSources> = {}, query: Partial<StuckQuery> = {}) =>
  stuckBoard(sources(over), { now: NOW, ...query });

describe('the board', () => {
  it('says of each place why, since when, how many, and how much money', async () => {
    const { lines, total, complete, unknownWithoutCase } = await board();
    const each = payoutRequested().instruction.instructedAmount;
    expect(lines).toMatchObject([
      { kind: 'PAYOUT_UNKNOWN', owner: 'payout-executor', since: NOW - 30_000, count: 2 },
      { kind: 'DEAD_LETTER', owner: 'limits', code: 'POISON', since: NOW - 90_000, count: 2, money: [gbp(50n)] },
      { kind: 'HOLD', owner: 'screening', code: 'MATCH', since: NOW - 70_000, count: 2, money: [gbp(10n)] },
      { kind: 'RETRY', owner: 'fx-pricing', code: 'RATE_STALE', since: NOW - 9_000, count: 2, money: [gbp(100n)] },
    ]);
    expect(lines[0]!.money).toEqual([{ ...each, minor: each.minor * 2n }]);
    expect(lines[3]!.withoutAmount).toBe(1);
    expect(total).toMatchObject({ count: 8, withoutAmount: 1 });
    expect({ complete, unknownWithoutCase }).toEqual({ complete: true, unknownWithoutCase: 1 });
  });

  it('asks only for the kinds that are wanted, and leaves out what is not stuck for long', async () => {
    const none = { holds: { briefs: away }, deadLetters: { groups: away } };
    const only = await board(none, { kinds: ['RETRY', 'PAYOUT_UNKNOWN'], since: NOW - 20_000 });
    expect(only.lines.map(({ kind }) => kind)).toEqual(['PAYOUT_UNKNOWN']);
    expect(only.complete).toBe(true);
  });

  it('is shown in part where a source is away, and says which', async () => {
    const { lines, complete, missing } = await board({ holds: { briefs: away }, unhandled: away });
    expect(lines.map(({ kind }) => kind)).toEqual(['PAYOUT_UNKNOWN', 'DEAD_LETTER']);
    expect(complete).toBe(false);
    expect(missing.map(({ source, code }) => `${source} ${code}`).toSorted()).toEqual([
      'HOLDS MONGO_UNAVAILABLE',
      'RECORDS MONGO_UNAVAILABLE',
    ]);
  });

  it('says where it has looked at a part only', async () => {
    const cut = [{ owner: 'limits', topic: 'transfer.priced', partition: 3, read: 100, waiting: 900 }];
    const { missing } = await board(
      {
        unhandled: async () => ({ records: [], cut, isProven: true }),
        deadLetters: { groups: async () => ({ counted: [letters({ isCurrent: false })], uncounted: 0, isCut: true }) },
      },
      { maxHolds: 1 },
    );
    expect(missing.map(({ source, code }) => `${source} ${code}`).toSorted()).toEqual([
      'DEAD_LETTERS LIST_CUT',
      'HOLDS LIST_CUT',
      'RECORDS LIST_CUT',
    ]);
    expect(missing.find(({ source }) => source === 'RECORDS')!.detail).toContain('transfer.priced/3');
  });

  it('does not hide a bug as a gap', async () => {
    const bug = async () => Promise.reject(new TypeError('a bug'));
    await expect(board({ holds: { briefs: bug } })).rejects.toThrow('a bug');
  });
});
