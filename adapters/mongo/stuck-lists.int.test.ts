// What lists of transfers and payouts ask of MongoDB: pages, exact sums, unknown outcomes, and the indexes that serve them.
import { type Db, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openCase } from '../../payouts/changes.ts';
import { openPayout } from '../../payouts/decide.ts';
import type { Payout, PayoutPhase } from '../../payouts/payout.ts';
import { indexes, type TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { AT, payoutRequested } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { ensureIndexes, guardedStore } from './idempotent-store.ts';
import { openPayouts } from './inbox.ts';
import { payoutLists } from './payout-lists.ts';
import { mongoPayoutStore, PAYOUTS } from './payouts.ts';
import { transferViews } from './transfer-views.ts';

let client: MongoClient;
let db: Db;
beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
  db = client.db(`stuck_${process.pid}_${Date.now().toString(36)}`);
});
afterAll(async () => {
  await db.dropDatabase();
  await client.close();
});

describe('sums of transfers', () => {
  const transfer = (n: number, currency: string, debitMinor: bigint | null, state = 'HELD', more: object = {}) =>
    ({
      ...more,
      ...{ _id: `t-${n}`, version: 2, state, sourceCurrency: currency, targetCurrency: 'INR', debitMinor },
      updatedAt: new Date(AT + n),
    }) as unknown as TransferDocument;

  beforeAll(async () => {
    await ensureIndexes(db, 'transfers', indexes);
    await guardedStore<TransferDocument>(db, 'transfers').replaceGuarded([
      transfer(1, 'GBP', 2n ** 61n),
      transfer(2, 'GBP', 3n),
      transfer(3, 'GBP', null),
      transfer(4, 'EUR', 5n),
      transfer(5, 'EUR', 7n, 'COMPLETED'),
      // Instructed in the currency of the other side, and not priced yet.
      transfer(6, 'GBP', null, 'HELD', { instructedMinor: 2n ** 61n, instructedCurrency: 'INR' }),
      transfer(7, 'EUR', null, 'HELD', { instructedMinor: 11n, instructedCurrency: 'EUR' }),
    ]);
  });

  it('are exact, by currency, of what is priced and else of what was instructed, and count what has neither', async () => {
    const views = transferViews(db, 'transfers');
    const { byCurrency, isCut } = await views.totals({ state: 'HELD' }, 100);
    expect(isCut).toBe(false);
    expect(byCurrency.toSorted((a, b) => (a.currency < b.currency ? -1 : 1))).toEqual([
      { currency: '', transfers: 1, minor: 0n, withoutAmount: 1 },
      { currency: 'EUR', transfers: 2, minor: 16n, withoutAmount: 0 },
      { currency: 'GBP', transfers: 2, minor: 2n ** 61n + 3n, withoutAmount: 0 },
      { currency: 'INR', transfers: 1, minor: 2n ** 61n, withoutAmount: 0 },
    ]);
    const older = { state: 'HELD', olderThan: new Date(AT + 2), currencies: { source: 'GBP', target: 'INR' } };
    expect((await views.totals(older, 100)).byCurrency).toMatchObject([{ transfers: 2 }]);
    expect((await views.totals({}, 2)).isCut).toBe(true);
    expect(await views.totals({ state: 'RETURNED' }, 2)).toEqual({ byCurrency: [], isCut: false });
  });
});

describe('payouts of a phase', () => {
  const codec = memoryCodec();
  const payoutOf = (n: number, phase: PayoutPhase): Payout => {
    const payoutId = `p-${String(n).padStart(2, '0')}`;
    const requested = codec.encode('payout.requested', payoutRequested({ transferId: payoutId }));
    const terms = { provider: 'p', homePartition: 0, pricingAttempt: 1, priceExpiresAt: AT, requested };
    // Runs of one instant: the id says which comes first.
    return { ...openPayout({ payoutId, ...terms }, AT), phase, changedAt: AT + Math.floor(n / 3) };
  };
  const unknown = Array.from({ length: 10 }, (_, n) => payoutOf(n, 'OUTCOME_UNKNOWN'));
  const lists = () => payoutLists(db, { ring: KEYS.executor });

  beforeAll(async () => {
    const store = mongoPayoutStore(db, { ring: KEYS.executor });
    await store.ensureIndexes();
    const withCase = openCase(payoutOf(10, 'OUTCOME_UNKNOWN'), 'NO_PROOF', 'detail', AT);
    await store.insert([...unknown, { ...withCase, changedAt: AT + 99 }, payoutOf(11, 'PAID')]);
    await db.collection<{ _id: string }>(PAYOUTS).insertOne({ _id: 'zz', phase: 'OUTCOME_UNKNOWN' } as never);
  });

  it('are listed once each, the longest unchanged first, and what nobody has sealed is told as such', async () => {
    const found: string[] = [];
    let after: { at: Date; id: string } | undefined;
    for (;;) {
      const page = await lists().inPhase('OUTCOME_UNKNOWN', after, 4);
      for (const { payoutId, payout } of page) found.push(`${payoutId}${payout ? '' : ' forged'}`);
      const last = page.at(-1);
      if (page.length < 4 || !last) break;
      after = { at: last.changedAt, id: last.payoutId };
    }
    expect(found.filter((each) => !each.startsWith('zz'))).toEqual([
      ...unknown.map(({ payoutId }) => payoutId),
      'p-10',
    ]);
    const [first] = await lists().inPhase('OUTCOME_UNKNOWN', undefined, 1);
    expect(first).toMatchObject({ payoutId: 'zz', payout: undefined });
    await db.collection<{ _id: string }>(PAYOUTS).updateOne({ _id: 'p-00' }, { $set: { provider: 'other' } });
    const listed = await lists().inPhase('OUTCOME_UNKNOWN', undefined, 50);
    expect(listed.find(({ payoutId }) => payoutId === 'p-00')!.payout).toBeUndefined();
  });

  it('of unknown outcome are counted for the inbox unless they are cases, up to a bound', async () => {
    expect(await openPayouts(db).unknownWithoutCase(100)).toBe(11);
    expect(await openPayouts(db).unknownWithoutCase(3)).toBe(3);
  });

  it('are found by an index, and sorted by it', async () => {
    for (const filter of [
      { phase: 'PAID' },
      { $and: [{ phase: { $eq: 'PAID' } }, { changedAt: { $gte: new Date(AT) } }] },
    ]) {
      const cursor = db
        .collection(PAYOUTS)
        .find(filter as Document)
        .sort({ changedAt: 1, _id: 1 });
      const plan = JSON.stringify((await cursor.explain('queryPlanner'))['queryPlanner'].winningPlan);
      expect(plan).toMatch(/IXSCAN/);
      expect(plan).not.toMatch(/COLLSCAN|"SORT"/);
    }
  });
});
