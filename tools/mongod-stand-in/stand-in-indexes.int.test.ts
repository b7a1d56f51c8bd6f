// The stand-in's indexes: they keep what they promise, they are used, and they never change an answer.
import fc from 'fast-check';
import { type Collection, Decimal128, type Document, Long, type MongoServerError } from 'mongodb';
import { beforeAll, describe, expect, test } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { askServer, numbers } from './testing/asked.ts';

const asked = askServer();

const code = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: MongoServerError) => error.code,
  );

async function planOf(collection: Collection<Document>, filter: Document, sort: Document = {}): Promise<Document> {
  const explained = await collection.find(filter).sort(sort).explain('queryPlanner');
  return explained['queryPlanner'].winningPlan;
}

describe('unique indexes', () => {
  test('refuse a second document with the key, and say which index and which values', async () => {
    const collection = asked.fresh<Document>();
    await collection.createIndex({ transferId: 1, attempt: -1 }, { unique: true });
    await collection.insertOne({ _id: 1 as never, transferId: 't', attempt: 1 });
    const error = await collection.insertOne({ transferId: 't', attempt: 1 }).catch((e: MongoServerError) => e);
    expect(error).toMatchObject({
      code: 11000,
      keyPattern: { transferId: 1, attempt: -1 },
      keyValue: { transferId: 't', attempt: 1 },
    });
    await collection.insertOne({ _id: 2 as never, transferId: 't', attempt: 2 });
    expect(await code(collection.updateOne({ _id: 2 as never }, { $set: { attempt: 1 } }))).toBe(11000);
    expect(await collection.findOne({ _id: 2 as never })).toMatchObject({ attempt: 2 });
    expect(await code(collection.findOneAndUpdate({ attempt: 2 }, { $set: { attempt: 1 } }))).toBe(11000);
  });

  test('a refused array leaves no trace', async () => {
    const collection = asked.fresh<Document>();
    await collection.createIndex({ tags: 1 }, { unique: true });
    await collection.insertMany([
      { _id: 1 as never, tags: ['a'] },
      { _id: 2 as never, tags: ['b'] },
    ]);
    expect(
      await code(collection.updateOne({ _id: 1 as never }, { $push: { tags: { $each: ['c', 'b'] } } } as Document)),
    ).toBe(11000);
    expect(await code(collection.insertOne({ tags: ['d', 'a'] }))).toBe(11000);
    await collection.insertOne({ tags: ['c', 'd'] });
    expect(await code(collection.insertOne({ tags: ['a'] }))).toBe(11000);
  });

  test('equal numbers are one key whatever their type, neighbours beyond 2^53 are two', async () => {
    const collection = asked.fresh<Document>();
    await collection.createIndex({ n: 1 }, { unique: true });
    await collection.insertOne({ n: 1 });
    for (const same of [Long.fromNumber(1), Decimal128.fromString('1.0')]) {
      expect(await code(collection.insertOne({ n: same }))).toBe(11000);
    }
    for (const offset of [-1n, 0n, 1n, 2n]) await collection.insertOne({ n: Long.fromBigInt(2n ** 60n + offset) });
    expect(await code(collection.insertOne({ n: Long.fromBigInt(2n ** 60n + 1n) }))).toBe(11000);
    expect(await collection.countDocuments({ n: Long.fromBigInt(2n ** 60n + 1n) })).toBe(1);
  });

  test('a partial one counts only what its filter takes in, also when an update moves a document in or out', async () => {
    const collection = asked.fresh<Document>();
    await collection.createIndex({ account: 1 }, { unique: true, partialFilterExpression: { open: true } });
    await collection.insertMany([
      { _id: 1 as never, account: 'a', open: true },
      { _id: 2 as never, account: 'a', open: false },
      { _id: 3 as never, account: 'a' },
    ]);
    expect(await code(collection.updateOne({ _id: 2 as never }, { $set: { open: true } }))).toBe(11000);
    await collection.updateOne({ _id: 1 as never }, { $set: { open: false } });
    expect(await code(collection.updateOne({ _id: 2 as never }, { $set: { open: true } }))).toBe('no error');
    expect(await code(collection.insertOne({ account: 'a', open: true }))).toBe(11000);
    expect(await collection.countDocuments({ account: 'a' })).toBe(3);
    expect(await planOf(collection, { account: 'a' })).toEqual({ stage: 'COLLSCAN' });
    expect(await planOf(collection, { account: 'a', open: true })).toMatchObject({
      inputStage: { indexName: 'account_1' },
    });
  });

  test('cannot be made over duplicates, and leave no half index behind', async () => {
    const collection = asked.fresh<Document>();
    await collection.insertMany([{ a: 1 }, { a: 1 }, { a: 2 }]);
    expect(await code(collection.createIndex({ a: 1 }, { unique: true }))).toBe(11000);
    expect((await collection.indexes()).map(({ name }) => name)).toEqual(['_id_']);
    await collection.deleteOne({ a: 1 });
    expect(await code(collection.createIndex({ a: 1 }, { unique: true }))).toBe('no error');
  });
});

test('making an index again is fine, with other options it is an error, a dropped one is gone', async () => {
  const collection = asked.fresh<Document>();
  const filter = { partialFilterExpression: { $and: [{ a: { $exists: true } }] } };
  for (const _ of [1, 2]) await collection.createIndex({ a: 1 }, { name: 'a', ...filter });
  expect(await collection.indexes()).toHaveLength(2);
  expect(await code(collection.createIndex({ a: 1 }, { name: 'a', unique: true }))).toBe(86);
  expect(await code(collection.createIndex({ a: 1 }, { name: 'b', ...filter }))).toBe(85);
  const other = asked.fresh<Document>();
  await other.createIndex({ a: 1 }, { name: 'a' });
  await collection.dropIndex('a');
  expect([await collection.indexes(), await other.indexes()].map((indexes) => indexes.length)).toEqual([1, 2]);
});

test('a TTL index removes what is over, and nothing else', async () => {
  const collection = asked.fresh<Document>();
  await collection.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
  await collection.insertMany([
    { _id: 1 as never, at: new Date(Date.now() - 61_000) },
    { _id: 2 as never, at: new Date(Date.now() + 3_600_000) },
    { _id: 3 as never, at: 'not a date' },
    { _id: 4 as never },
  ]);
  await expect.poll(() => collection.countDocuments(), { timeout: 60_000, interval: 200 }).toBe(3);
  expect(await collection.distinct('_id')).toEqual([2, 3, 4]);
});

describe('use', () => {
  const SIZE = 100_000;
  let large: Collection<Document>;

  beforeAll(async () => {
    large = asked.fresh<Document>();
    await large.createIndex({ indexed: 1 });
    await large.createIndex({ state: 1, at: 1 });
    for (let start = 0; start < SIZE; start += 5_000) {
      await large.insertMany(
        numbers(5_000).map((i) => ({
          _id: (start + i) as never,
          indexed: `v${start + i}`,
          plain: `v${start + i}`,
          state: i % 4,
          at: start + i,
          version: 0,
        })),
        { ordered: false },
      );
    }
  });

  /** How long the work takes on average, in ms. */
  async function time(rounds: number, work: (round: number) => Promise<unknown>): Promise<number> {
    const start = performance.now();
    for (const round of numbers(rounds)) await work(round);
    return (performance.now() - start) / rounds;
  }

  test('a query on an indexed field does not look at 100,000 documents', async () => {
    await time(50, (i) => large.findOne({ indexed: `v${i}` }));
    const scanned = await time(3, (i) => large.find({ plain: `v${SIZE / 2 + i}` }).toArray());
    const found = await time(200, (i) => large.find({ indexed: `v${(i * 499) % SIZE}` }).toArray());
    expect(scanned / found).toBeGreaterThan(10);
  });

  test('nor does a guarded update, a delete, or a first $match', async () => {
    const scanned = await time(3, (i) => large.find({ plain: `v${SIZE / 2 + i}` }).toArray());
    const guarded = await time(100, (i) =>
      large.updateOne({ _id: (i * 499) as never, version: { $lt: 5 } }, { $set: { version: 5 } }, { upsert: true }),
    );
    const matched = await time(100, (i) =>
      large.aggregate([{ $match: { indexed: `v${i}` } }, { $count: 'n' }]).toArray(),
    );
    const deleted = await time(50, (i) => large.deleteOne({ indexed: `v${SIZE - 1 - i}` }));
    expect([guarded, matched, deleted].map((spent) => scanned / spent > 10)).toEqual([true, true, true]);
  });

  test('a sort with a limit reads the few from the index, in both directions', async () => {
    const sorted = await time(3, () =>
      large
        .find({ version: { $gte: 0 } })
        .sort({ plain: 1 })
        .limit(10)
        .toArray(),
    );
    for (const direction of [1, -1] as const) {
      const first = await time(100, () => large.find({ state: 2 }).sort({ at: direction }).limit(10).toArray());
      expect(sorted / first).toBeGreaterThan(10);
    }
    expect(await planOf(large, { state: 2, at: { $gt: 5 } }, { at: -1 })).toMatchObject({
      stage: 'FETCH',
      inputStage: { stage: 'IXSCAN', indexName: 'state_1_at_1', direction: 'backward' },
    });
    const due = await large
      .find({ state: 2, at: { $lte: 20 } })
      .sort({ at: 1 })
      .toArray();
    expect(due.map(({ at }) => at)).toEqual([2, 6, 10, 14, 18]);
  });

  test('paging by key goes on in the middle of the index', async () => {
    const page = (after: number) =>
      large
        .find({ $or: [{ state: { $gt: 3 } }, { state: 3, at: { $gt: after } }] })
        .sort({ state: 1, at: 1 })
        .limit(5);
    expect(
      await page(50_000)
        .map(({ at }) => at)
        .toArray(),
    ).toEqual([50_003, 50_007, 50_011, 50_015, 50_019]);
    expect((await page(50_000).explain('queryPlanner'))['queryPlanner'].winningPlan.stage).toBe('FETCH');
  });
});

describe('answers', () => {
  const scalar = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(0.5, -0.5, 2.5),
    fc.constantFrom('', 'a', 'b', 'ab', 'a\0b', 'é'),
    fc.constantFrom(null, true, false),
    fc.constantFrom(new Date(0), new Date(1_000)),
    fc.constantFrom(Long.fromBigInt(2n ** 53n), Long.fromBigInt(2n ** 53n + 1n), Long.fromBigInt(-(2n ** 60n))),
    fc.constantFrom(Decimal128.fromString('0.5'), Decimal128.fromString('2')),
    fc.constantFrom({ x: 1 }, { x: 1, y: 2 }, {}),
  );
  const value = fc.oneof(
    { weight: 4, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(fc.constantFrom(1, 2, 'a', null), { maxLength: 3 }) },
  );
  const document = fc.record(
    {
      a: value,
      b: scalar,
      n: fc.record({ c: value }, { requiredKeys: [] }),
      list: fc.array(fc.record({ k: fc.integer({ min: 0, max: 3 }) }), { maxLength: 2 }),
    },
    { requiredKeys: [] },
  );
  const operand = scalar.filter((v) => v !== null);
  const condition = fc.oneof(
    scalar,
    scalar.map(($eq) => ({ $eq })),
    fc.array(scalar, { maxLength: 3 }).map(($in) => ({ $in })),
    operand.map(($gt) => ({ $gt })),
    operand.map(($lte) => ({ $lte })),
    fc
      .tuple(fc.integer({ min: -2, max: 0 }), fc.integer({ min: 0, max: 3 }))
      .map(([$gte, $lt]) => ({ $elemMatch: { $gte, $lt } })),
    operand.map(($ne) => ({ $ne })),
    fc.boolean().map(($exists) => ({ $exists })),
  );
  const field = fc.constantFrom('a', 'b', 'n.c', 'list.k');
  const simple = fc.dictionary(field, condition, { maxKeys: 3 });
  const query = fc.oneof(
    { weight: 4, arbitrary: simple },
    { weight: 1, arbitrary: fc.array(simple, { minLength: 1, maxLength: 2 }).map(($and) => ({ $and })) },
    { weight: 1, arbitrary: fc.array(simple, { minLength: 1, maxLength: 3 }).map(($or) => ({ $or })) },
  );
  const change = fc.oneof(
    fc.record({
      $set: fc.record({ a: value, b: scalar }, { requiredKeys: [] }).filter((fields) => Object.keys(fields).length > 0),
    }),
    fc.constantFrom({ $unset: { a: 1 } }, { $set: { 'n.c': 2 } }, { $unset: { 'n.c': 1 } }),
  );
  const indexes: [Document, Document][] = [
    [{ a: 1 }, {}],
    [{ a: -1, b: 1 }, {}],
    [{ 'n.c': 1 }, { sparse: true }],
    [{ 'list.k': 1 }, {}],
    [{ b: 1, 'n.c': -1 }, { partialFilterExpression: { b: { $exists: true } } }],
  ];

  test('are the same with indexes as without, through inserts, updates and deletes', { timeout: 300_000 }, async () => {
    const property = fc.asyncProperty(
      fc.array(document, { minLength: 1, maxLength: 20 }),
      fc.array(fc.tuple(query, change), { maxLength: 4 }),
      fc.array(query, { minLength: 1, maxLength: 8 }),
      async (documents, changes, queries) => {
        const [plain, indexed] = [asked.fresh<Document>(), asked.fresh<Document>()];
        try {
          for (const [keys, options] of indexes) await indexed.createIndex(keys as Record<string, 1>, options);
          for (const collection of [plain, indexed]) {
            await collection.insertMany(documents.map((fields, i) => ({ _id: i as never, ...fields })));
          }
          for (const [filter, update] of changes) {
            const results = await Promise.all(
              [plain, indexed].map((collection) => collection.updateMany(filter, update)),
            );
            expect(results[1]).toEqual(results[0]);
          }
          await Promise.all(
            [plain, indexed].map((collection) => collection.deleteMany({ _id: { $mod: [7, 3] } as never })),
          );
          for (const filter of queries) {
            const [expected, found] = await Promise.all(
              [plain, indexed].map(async (collection) =>
                (await collection.find(filter).toArray()).sort((x, y) => Number(x._id) - Number(y._id)),
              ),
            );
            expect(found).toEqual(expected);
            for (const sort of [{ a: 1 }, { b: -1, 'n.c': 1 }, { a: -1, b: 1 }] as const) {
              const orders = await Promise.all(
                [plain, indexed].map((collection) =>
                  collection.find(filter).sort(sort).project({ a: 1, b: 1, n: 1 }).toArray(),
                ),
              );
              expect(orders[1]?.length).toBe(orders[0]?.length);
              expect(ranks(orders[1], sort)).toEqual(ranks(orders[0], sort));
            }
          }
        } finally {
          await Promise.all([plain.drop(), indexed.drop()]);
        }
      },
    );
    await fc.assert(property, { numRuns: times(60) });
  });

  /** What the sort looked at, so that documents that are equal in it may come in any order. */
  function ranks(documents: Document[] | undefined, sort: Document): string[] {
    return (documents ?? []).map((found) =>
      Object.entries(sort)
        .map(([path, direction]) =>
          JSON.stringify(
            representative(
              path.split('.').reduce((at, name) => at?.[name], found),
              direction,
            ),
          ),
        )
        .join(),
    );
  }

  /** Of an array the least or the greatest element counts; equal numbers of other types are equal. */
  function representative(at: unknown, direction: number): unknown {
    if (Array.isArray(at)) return at.length === 0 ? 'empty' : ['element', direction, ...at.map(String).sort()];
    if (at instanceof Long || at instanceof Decimal128) return Number(at.toString());
    return at ?? null;
  }
});
