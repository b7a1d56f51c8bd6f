// Payouts are inserted while the set changes its primary, loses members and finds them again: each is there once at the end,
// and whoever inserts it again is told that it is taken. A payout's first write decides who may send it.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectMongo, MAJORITY, type MongoConnection } from '../../adapters/mongo/client.ts';
import { ensureIndexes } from '../../adapters/mongo/idempotent-store.ts';
import { type MongoPayoutStore, mongoPayoutStore, PAYOUTS } from '../../adapters/mongo/payouts.ts';
import { openPayout } from '../../payouts/decide.ts';
import { isCoded } from '../../ports/fault.ts';
import { isolate, kill, MEMBERS, type Member, rejoin, start, stop } from './members.ts';
import { ReplicaSet } from './replica-set.ts';

const T0 = 1_800_000_000_000;
const OUTAGE = { code: 'MONGO_UNAVAILABLE', faultClass: 'transient-dependency' };
const BATCH = 10;

let set: ReplicaSet;
let mongo: MongoConnection;
let store: MongoPayoutStore;

beforeAll(async () => {
  set = await ReplicaSet.connect();
});
beforeEach(async () => {
  mongo = await connectMongo({
    uri: set.uri,
    database: `elections_${randomUUID().slice(0, 8)}`,
    socketTimeoutMs: 5_000,
  });
  store = mongoPayoutStore(mongo.db);
  await store.ensureIndexes();
});
afterEach(async () => {
  // Also after a test that failed halfway.
  await set.failNothing().catch(() => undefined);
  await Promise.all(MEMBERS.map(start));
  await Promise.all(MEMBERS.map((member) => rejoin(member).catch(() => undefined)));
  await set.settled();
  await mongo.db.dropDatabase();
  await mongo.close();
});
afterAll(() => set?.close());

const payout = (payoutId: string) =>
  openPayout(
    {
      payoutId,
      provider: 'p',
      homePartition: 0,
      pricingAttempt: 1,
      priceExpiresAt: T0 + 600_000,
      requested: new Uint8Array([1, 2, 3]),
    },
    T0,
  );

/** Inserts batch after batch until `done`; a batch whose outcome is open is offered again, as the executor does. */
async function insertUntil(done: () => boolean): Promise<readonly string[]> {
  const inserted: string[] = [];
  for (let batch = 0; !done(); batch++) {
    const ids = Array.from({ length: BATCH }, (_, index) => `t-${batch}-${index}`);
    await insertForSure(ids);
    inserted.push(...ids);
  }
  return inserted;
}

async function insertForSure(ids: readonly string[]): Promise<readonly boolean[]> {
  for (;;) {
    try {
      return await store.insert(ids.map(payout));
    } catch (error) {
      if (!isCoded(error)) throw error;
      expect(error).toMatchObject(OUTAGE);
    }
  }
}

/** Does something to the set while payouts are inserted, then counts. */
async function during(trouble: () => Promise<unknown>): Promise<void> {
  let over = false;
  const ends = trouble().finally(() => {
    over = true;
  });
  const [inserted] = await Promise.all([insertUntil(() => over), ends]);
  expect(inserted.length).toBeGreaterThan(BATCH);
  const stored = await mongo.db.collection<{ _id: string }>(PAYOUTS, MAJORITY).find({}).toArray();
  expect(stored.map(({ _id }) => _id).toSorted()).toEqual(inserted.toSorted());
  // Somebody who asks once more is told that it was taken, whoever was told that it was his.
  const again = await store.insert(inserted.map(payout));
  expect(again).not.toContain(true);
}

/** The others have elected one of themselves. */
async function anotherPrimary(before: Member): Promise<void> {
  for (;;) {
    const now = await set.primary().catch(() => before);
    if (now !== before) return;
    await sleep(100);
  }
}

describe('payouts that are inserted meanwhile are each there once', () => {
  it('while the primary steps down', () =>
    during(async () => {
      const before = await set.primary();
      await set.stepDown();
      await anotherPrimary(before);
    }));

  it('while the primary is killed and comes back', () =>
    during(async () => {
      const before = await set.primary();
      await kill(before);
      await anotherPrimary(before);
      await start(before);
      await set.settled();
    }));

  it('while one secondary is away', () =>
    during(async () => {
      const [one] = await set.secondaries();
      await stop(one!);
      await set.settled([one!]);
      await start(one!);
      await set.settled();
    }));

  it('while the primary is cut off from the others, and what it alone had is rolled back', () =>
    during(async () => {
      const before = await set.primary();
      const probe = set.direct(before).db(mongo.db.databaseName).collection<{ _id: string }>('alone');
      await isolate(before);
      // Acknowledged by this member alone: what no guard of the product may go by.
      await probe.insertOne({ _id: 'alone' }, { writeConcern: { w: 1 } });
      await anotherPrimary(before);
      await rejoin(before);
      await set.settled();
      expect(await mongo.db.collection('alone', MAJORITY).countDocuments()).toBe(0);
    }));
});

it('takes no write for done while both secondaries are away, and goes on by itself when they are back', async () => {
  const away = await set.secondaries();
  await Promise.all(away.map(stop));
  await expect(store.insert([payout('a')])).rejects.toMatchObject(OUTAGE);
  await Promise.all(away.map(start));
  await set.settled();
  await insertForSure(['a']);
  expect((await store.load(['a'])).map(({ payoutId }) => payoutId)).toEqual(['a']);
});

it('builds its indexes once a member that is down is back', async () => {
  await mongo.db.collection('filled', MAJORITY).insertMany(Array.from({ length: 500 }, (_, n) => ({ n })));
  const [one] = await set.secondaries();
  await stop(one!);
  const indexes = [{ name: 'by-n', keys: { n: 1 }, servedQuery: 'none: a test' }] as const;
  // The set waits for all its voting members before an index counts; we wait for no longer than a socket may be silent.
  const first = await ensureIndexes(mongo.db, 'filled', indexes).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (first !== undefined) expect(first).toMatchObject(OUTAGE);
  await start(one!);
  await set.settled();
  await ensureIndexes(mongo.db, 'filled', indexes);
  expect(await mongo.db.collection('filled').indexExists('by-n')).toBe(true);
});

it('reads from the primary alone, whatever the connection string says', async () => {
  const uri = `${set.uri}&readPreference=secondaryPreferred&readConcernLevel=local&w=1`;
  const other = await connectMongo({ uri, database: mongo.db.databaseName });
  await store.insert([payout('a')]);
  await set.fail({ commands: ['find'], code: 13_436 }, await set.secondaries());
  const { payoutId } = (await mongoPayoutStore(other.db).load(['a']))[0]!;
  expect(payoutId).toBe('a');
  await set.failNothing();
  await other.close();
});

it('has the members that this file speaks of', async () => {
  const primary = await set.primary();
  expect([primary, ...(await set.secondaries())]).toHaveLength(MEMBERS.length);
});
