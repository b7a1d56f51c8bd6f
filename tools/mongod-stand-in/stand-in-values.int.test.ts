// Arrays, values and cursors as Corridor relies on them in MongoDB, asked of the stand-in through the real driver.
import { Binary, Decimal128, type Document, Long, UUID } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { askServer, failure, numbers } from './testing/asked.ts';

interface Keyed extends Document {
  _id: string;
}

const asked = askServer({ maxPoolSize: 64 });

describe('embedded arrays', () => {
  const payout = { _id: 'p', version: 1, attempts: [{ n: 1, state: 'OPEN' }], outbox: [] as Document[] };

  test('$push appends one or several, $slice keeps the last', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertOne(structuredClone(payout));
    await collection.updateOne({ _id: 'p', version: 1 }, {
      $set: { version: 2 },
      $push: { outbox: { id: 'a' } },
    } as Document);
    await collection.updateOne({ _id: 'p' }, {
      $push: { outbox: { $each: [{ id: 'b' }, { id: 'c' }], $slice: -2 } },
    } as Document);
    expect(await collection.findOne()).toEqual({ ...payout, version: 2, outbox: [{ id: 'b' }, { id: 'c' }] });
  });

  test('one element changes through $, through array filters, and all through $[]', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertOne({ ...structuredClone(payout), attempts: numbers(3).map((n) => ({ n, state: 'OPEN' })) });
    await collection.updateOne({ _id: 'p', 'attempts.n': 1 }, { $set: { 'attempts.$.state': 'DEAD' } } as Document);
    await collection.updateOne({ _id: 'p' }, { $set: { 'attempts.$[a].state': 'PAID' } } as Document, {
      arrayFilters: [{ 'a.n': 2 }],
    });
    await collection.updateOne({ _id: 'p' }, { $inc: { 'attempts.$[].seen': 1 } } as Document);
    expect((await collection.findOne())?.['attempts']).toEqual([
      { n: 0, state: 'OPEN', seen: 1 },
      { n: 1, state: 'DEAD', seen: 1 },
      { n: 2, state: 'PAID', seen: 1 },
    ]);
  });

  test('$elemMatch selects and $pull removes by several fields of one element', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertOne({
      ...structuredClone(payout),
      outbox: [
        { id: 'a', sent: true },
        { id: 'b', sent: false },
      ],
    });
    expect(await collection.countDocuments({ outbox: { $elemMatch: { id: 'a', sent: false } } })).toBe(0);
    expect(await collection.countDocuments({ outbox: { $elemMatch: { id: 'b', sent: false } } })).toBe(1);
    await collection.updateOne({ _id: 'p' }, { $pull: { outbox: { id: 'a', sent: true } } } as Document);
    expect((await collection.findOne())?.['outbox']).toEqual([{ id: 'b', sent: false }]);
  });

  test('500 updates by id with $set and $push are one bulk', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertMany(numbers(500).map((i) => ({ ...structuredClone(payout), _id: `p${i}` })));
    const result = await collection.bulkWrite(
      numbers(500).map((i) => ({
        updateOne: {
          filter: { _id: `p${i}`, version: 1 },
          update: { $set: { version: 2 }, $push: { attempts: { n: 2 } } } as Document,
        },
      })),
      { ordered: false },
    );
    expect([result.matchedCount, result.modifiedCount]).toEqual([500, 500]);
    expect(await collection.countDocuments({ version: 2, 'attempts.n': 2 })).toBe(500);
  });
});

describe('values', () => {
  test('come back as they were stored', async () => {
    const collection = asked.fresh<Keyed>();
    const stored = {
      _id: 'k',
      long: Long.fromBigInt(2n ** 53n + 1n),
      lowest: Long.MIN_VALUE,
      decimal: Decimal128.fromString('12345678901234567890.1234567890'),
      date: new Date('2026-11-23T12:34:56.789Z'),
      before1970: new Date(-1),
      bytes: new Binary(Buffer.from([0, 1, 254, 255])),
      uuid: new UUID('0d4b1d1c-7a9a-5c6e-9a63-3e0f4b1c2d3e'),
      text: 'Žižkov – ₹ 𝄞',
      nested: { list: [null, true, { deep: [] }], empty: {} },
      double: 0.1,
    };
    await collection.insertOne(stored);
    expect(await collection.findOne({}, { promoteValues: false, promoteBuffers: false })).toMatchObject({
      long: stored.long,
      lowest: stored.lowest,
      decimal: stored.decimal,
      bytes: stored.bytes,
      uuid: stored.uuid.toBinary(),
    });
    const read = await collection.findOne({}, { useBigInt64: true });
    expect(read).toMatchObject({
      long: 2n ** 53n + 1n,
      lowest: -(2n ** 63n),
      date: stored.date,
      before1970: stored.before1970,
    });
    expect(read).toMatchObject({ text: stored.text, nested: stored.nested, double: 0.1 });
  });

  test('$inc of longs is exact', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertOne({ _id: 'k', minor: Long.fromBigInt(2n ** 53n) });
    await collection.updateOne({ _id: 'k' }, { $inc: { minor: Long.fromNumber(1) } } as Document);
    expect((await collection.findOne({}, { useBigInt64: true }))?.['minor']).toBe(2n ** 53n + 1n);
  });

  test('sums of longs in an aggregation are exact', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertMany([1n, 2n, 3n].map((n) => ({ _id: `k${n}`, minor: Long.fromBigInt(2n ** 53n + n) })));
    const [sum] = await collection
      .aggregate([{ $group: { _id: null, sum: { $sum: '$minor' } } }], { useBigInt64: true })
      .toArray();
    expect(sum?.['sum']).toBe(3n * 2n ** 53n + 6n);
  });
});

describe('cursors', () => {
  test('yield everything in batches, once, also when documents change meanwhile', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertMany(numbers(3_000).map((i) => ({ _id: `k${i}`, i })));
    const seen: number[] = [];
    for await (const { i } of collection.find().sort({ i: 1 }).batchSize(100)) {
      seen.push(i);
      if (i % 500 === 0) await collection.updateMany({ i: { $gte: i, $lt: i + 50 } }, { $set: { touched: true } });
    }
    expect(seen).toEqual(numbers(3_000));
  });

  test('a cursor of a dropped collection fails, and the server goes on', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertMany(numbers(500).map((i) => ({ _id: `k${i}` })));
    const cursor = collection.find().batchSize(10);
    await cursor.next();
    await collection.drop();
    await failure(cursor.toArray());
    expect(await asked.client.db(asked.database).command({ ping: 1 })).toMatchObject({ ok: 1 });
  });
});

test('what the stand-in does not have is refused, not ignored', async () => {
  const collection = asked.fresh<Keyed>();
  const session = asked.client.startSession();
  session.startTransaction();
  await failure(collection.insertOne({ _id: 'k' }, { session }));
  await session.endSession();
  await failure(collection.createIndex({ a: 1 }, { collation: { locale: 'en', strength: 2 } }));
  await failure(
    asked.client.db(asked.database).createCollection('view', { viewOn: collection.collectionName, pipeline: [] }),
  );
  await failure(collection.watch().next());
  expect(await collection.countDocuments()).toBe(0);
});
