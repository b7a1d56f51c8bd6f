// What the API asks of MongoDB: the list of transfers by pages, over the indexes that serve it, and submissions.
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { TransferFilter, TransferPosition } from '../../operations/queries/ports.ts';
import { indexes, type TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { ensureIndexes, guardedStore } from './idempotent-store.ts';
import { submissions } from './submissions.ts';
import { transferViews } from './transfer-views.ts';

let client: MongoClient;
let db: Db;
beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
  db = client.db(`api_${process.pid}_${Date.now().toString(36)}`);
});
afterAll(async () => {
  await db.dropDatabase();
  await client.close();
});

const AT = Date.UTC(2026, 10, 23);
const STATES = ['HELD', 'COMPLETED', 'PRICED'];
const transferAt = (i: number) =>
  ({
    ...{ _id: `transfer-${String(i).padStart(4, '0')}`, version: 2, state: STATES[i % 3], debitMinor: 2n ** 60n },
    ...{ sourceCurrency: i % 2 === 0 ? 'GBP' : 'EUR', targetCurrency: 'INR' },
    // Runs of the same instant: the id says which comes first.
    updatedAt: new Date(AT + Math.floor(i / 5) * 1_000),
  }) as unknown as TransferDocument;

describe('the list of transfers', () => {
  const COUNT = 60;
  const all = Array.from({ length: COUNT }, (_, i) => transferAt(i));
  const latestFirst = (transfers: readonly TransferDocument[]) =>
    transfers
      .toSorted((a, b) => Number(b.updatedAt) - Number(a.updatedAt) || (a._id < b._id ? 1 : -1))
      .map(({ _id }) => _id);

  beforeAll(async () => {
    await ensureIndexes(db, 'transfers', indexes);
    await guardedStore<TransferDocument>(db, 'transfers').replaceGuarded(all);
  });

  async function pages(filter: TransferFilter, limit: number): Promise<string[]> {
    const found: string[] = [];
    let after: TransferPosition | undefined;
    for (;;) {
      const page = await transferViews(db, 'transfers').list(filter, after, limit);
      found.push(...page.map(({ _id }) => _id));
      const last = page.at(-1);
      if (page.length < limit || !last) return found;
      after = { updatedAt: last.updatedAt, transferId: last._id };
    }
  }

  it.each([1, 3, 7, COUNT])('has each once, latest first, in pages of %i', async (limit) => {
    expect(await pages({}, limit)).toEqual(latestFirst(all));
  });

  it('has those of a state, of a corridor, and those to which nothing has happened since', async () => {
    const held = all.filter(({ state }) => state === 'HELD');
    expect(await pages({ state: 'HELD' }, 4)).toEqual(latestFirst(held));
    const olderThan = new Date(AT + 4_000);
    const wanted = held.filter(({ updatedAt, sourceCurrency }) => updatedAt <= olderThan && sourceCurrency === 'GBP');
    const filter = { state: 'HELD', olderThan, currencies: { source: 'GBP', target: 'INR' } };
    expect(wanted.length).toBeGreaterThan(2);
    expect(await pages(filter, 2)).toEqual(latestFirst(wanted));
  });

  it('is found by id, with exact amounts', async () => {
    expect(await transferViews(db, 'transfers').find('transfer-0007')).toMatchObject({ debitMinor: 2n ** 60n });
    expect(await transferViews(db, 'transfers').find('transfer-9999')).toBeUndefined();
  });

  it('has an index for each of its questions, whose fields are those that it filters and sorts by', async () => {
    const made = await db.collection('transfers').indexes();
    for (const { name, keys } of indexes) expect(made.find((index) => index.name === name)?.key).toEqual(keys);
    expect(indexes.map(({ keys }) => Object.keys(keys).join())).toEqual([
      'state,updatedAt,_id',
      'updatedAt,_id',
      'producerId,updatedAt,_id',
    ]);
  });
});

describe('submissions', () => {
  const submission = (over: object = {}) => ({
    ...{ transferId: 'transfer-0001', producer: 'acme', hash: 'v1:a', requestedAt: AT, submittedAt: AT + 1 },
    ...{ publishedAt: undefined, ...over },
  });

  it('are claimed once, whoever is first', async () => {
    const stores = Array.from({ length: 8 }, () => submissions(db));
    const all = await Promise.all(stores.map((store, i) => store.claim([submission({ producer: `producer-${i}` })])));
    const answers = all.map(([answer]) => answer!);
    const winners = answers.filter(({ isNew }) => isNew);
    expect(winners).toHaveLength(1);
    for (const { standing } of answers) expect(standing).toEqual(winners[0]!.standing);
    expect(await submissions(db).find(['transfer-0001', 'transfer-0002'])).toEqual([winners[0]!.standing]);
  });

  it('are published when they were first', async () => {
    const store = submissions(db);
    const [id, other] = ['transfer-0003', 'transfer-0004'];
    await store.claim([id, other].map((transferId) => submission({ transferId })));
    await store.markPublished([id], AT + 5);
    await store.markPublished([id, other], AT + 9);
    expect(await store.find([id])).toMatchObject([{ publishedAt: AT + 5, requestedAt: AT }]);
    expect(await store.find([other])).toMatchObject([{ publishedAt: AT + 9 }]);
    await store.markPublished(['transfer-0404'], AT);
    expect(await store.find(['transfer-0404'])).toEqual([]);
  });

  it('are claimed many at once, each told whether it was first', async () => {
    const store = submissions(db);
    const of = (producer: string, ...ids: readonly string[]) =>
      ids.map((transferId) => submission({ transferId, producer }));
    await store.claim(of('acme', 'transfer-0011', 'transfer-0013'));
    const claimed = await store.claim(of('zenith', 'transfer-0011', 'transfer-0012', 'transfer-0013', 'transfer-0014'));
    expect(claimed.map(({ isNew, standing }) => [standing.transferId, standing.producer, isNew])).toEqual([
      ['transfer-0011', 'acme', false],
      ['transfer-0012', 'zenith', true],
      ['transfer-0013', 'acme', false],
      ['transfer-0014', 'zenith', true],
    ]);
  });
});
