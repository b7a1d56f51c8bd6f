// Writes as Corridor relies on them in MongoDB, asked of the stand-in through the real driver.
import { type Document, Long, type MongoBulkWriteError } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { askServer, failure, numbers } from './testing/asked.ts';

interface Keyed extends Document {
  _id: string;
}

const asked = askServer({ maxPoolSize: 64 });

describe('inserts', () => {
  test('unordered insertMany stores the new and names each duplicate', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertMany(['b', 'd'].map((_id) => ({ _id, first: true })));
    const error = await failure<MongoBulkWriteError>(
      collection.insertMany(
        ['a', 'b', 'c', 'd', 'e', 'a'].map((_id) => ({ _id })),
        { ordered: false },
      ),
    );
    expect(error.code).toBe(11000);
    expect(error.result.insertedCount).toBe(3);
    const errors = [error.writeErrors].flat();
    expect(errors.map(({ index, code }) => [index, code])).toEqual([
      [1, 11000],
      [3, 11000],
      [5, 11000],
    ]);
    expect(errors[0]?.errmsg).toMatch(
      /^E11000 duplicate key error collection: conformance_[0-9a-f]{8}\.c\d+ index: _id_ dup key: \{ _id: "b" \}/,
    );
    expect(await collection.countDocuments({ first: true })).toBe(2);
    expect(await collection.distinct('_id')).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('ordered insertMany stops at the first duplicate', async () => {
    const collection = asked.fresh<Keyed>();
    const error = await failure<MongoBulkWriteError>(collection.insertMany(['a', 'a', 'b'].map((_id) => ({ _id }))));
    expect([error.code, error.result.insertedCount]).toEqual([11000, 1]);
    expect(await collection.distinct('_id')).toEqual(['a']);
  });

  test('each write error says which index was met, and with which values', async () => {
    const { collectionName } = asked.fresh<Keyed>();
    const documents = ['a', 'b', 'a'].map((_id) => ({ _id }));
    const inserted = await asked.client
      .db(asked.database)
      .command({ insert: collectionName, documents, ordered: false });
    expect(inserted).toMatchObject({
      n: 2,
      writeErrors: [{ index: 2, code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 'a' } }],
    });
    const updates = [{ q: { _id: 'b', sequence: { $lt: 1 } }, u: { $set: { sequence: 1 } }, upsert: true }];
    const updated = await asked.client.db(asked.database).command({ update: collectionName, updates });
    expect(updated).toMatchObject({
      n: 0,
      nModified: 0,
      writeErrors: [{ index: 0, code: 11000, keyValue: { _id: 'b' } }],
    });
  });

  test('a document without an id gets one, in front', async () => {
    const collection = asked.fresh<Document>();
    await asked.client.db(asked.database).command({ insert: collection.collectionName, documents: [{ a: 1 }] });
    expect(Object.keys((await collection.findOne()) ?? {})).toEqual(['_id', 'a']);
  });
});

describe('version-guarded writes', () => {
  const guarded = (_id: string, sequence: number, fields: Document = {}) => ({
    updateOne: {
      filter: { _id, sequence: { $lt: sequence } },
      update: { $set: { ...fields, sequence } },
      upsert: true,
    },
  });

  test('an upsert inserts, replaces the older, and is refused with 11000 when stale or equal', async () => {
    const collection = asked.fresh<Keyed>();
    expect(await collection.bulkWrite([guarded('k', 3)])).toMatchObject({ upsertedCount: 1, matchedCount: 0 });
    expect(await collection.bulkWrite([guarded('k', 5)])).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
    for (const stale of [5, 4]) {
      const error = await failure<MongoBulkWriteError>(collection.bulkWrite([guarded('k', stale)], { ordered: false }));
      expect(error.code).toBe(11000);
    }
    expect(await collection.findOne()).toEqual({ _id: 'k', sequence: 5 });
  });

  test('an unordered bulk of new, newer and stale ones reports each at its index', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.bulkWrite(
      numbers(300).map((i) => guarded(`k${i}`, 10)),
      { ordered: false },
    );
    // of ten: four newer, three stale, three new
    const operations = numbers(300).map((i) => {
      if (i % 10 < 4) return guarded(`k${i}`, 20);
      return i % 10 < 7 ? guarded(`k${i}`, 5) : guarded(`n${i}`, 1);
    });
    const error = await failure<MongoBulkWriteError>(collection.bulkWrite(operations, { ordered: false }));
    const stale = numbers(300).filter((i) => i % 10 >= 4 && i % 10 < 7);
    expect([error.writeErrors].flat().map(({ index }) => index)).toEqual(stale);
    expect(error.result).toMatchObject({ matchedCount: 120, modifiedCount: 120, upsertedCount: 90 });
    expect(error.result.upsertedIds[7]).toBe('n7');
    const bySequence = await collection
      .aggregate([{ $group: { _id: '$sequence', n: { $sum: 1 } } }, { $sort: { _id: 1 } }])
      .toArray();
    expect(bySequence).toEqual([
      { _id: 1, n: 90 },
      { _id: 10, n: 180 },
      { _id: 20, n: 120 },
    ]);
  });

  test('an ordered bulk stops at the first that is refused', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertOne({ _id: 'k', sequence: 9 });
    const error = await failure<MongoBulkWriteError>(
      collection.bulkWrite([guarded('a', 1), guarded('k', 1), guarded('b', 1)]),
    );
    expect([error.writeErrors].flat().map(({ index }) => index)).toEqual([1]);
    expect(await collection.distinct('_id')).toEqual(['a', 'k']);
  });

  test('the guard compares whole longs, also beyond 2^53', async () => {
    const collection = asked.fresh<Keyed>();
    const write = (sequence: bigint) =>
      collection.updateOne(
        { _id: 'k', sequence: { $lt: Long.fromBigInt(sequence) } },
        { $set: { sequence: Long.fromBigInt(sequence) } },
        { upsert: true },
      );
    await write(2n ** 53n);
    await write(2n ** 53n + 1n);
    expect((await failure(write(2n ** 53n + 1n))).code).toBe(11000);
    expect((await failure(write(2n ** 53n))).code).toBe(11000);
  });

  test('replaceOne replaces under a guard, and all of the document but its id', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertOne({ _id: 'k', sequence: 1, old: true });
    const replaced = await collection.replaceOne(
      { _id: 'k', sequence: { $lt: 2 } },
      { sequence: 2, state: 'PAID' },
      { upsert: true },
    );
    expect(replaced).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
    expect(await collection.findOne()).toEqual({ _id: 'k', sequence: 2, state: 'PAID' });
    const error = await failure(
      collection.replaceOne({ _id: 'k', sequence: { $lt: 2 } }, { sequence: 1 }, { upsert: true }),
    );
    expect(error.code).toBe(11000);
    expect(await collection.replaceOne({ _id: 'k', sequence: { $lt: 2 } }, { sequence: 1 })).toMatchObject({
      matchedCount: 0,
    });
    expect((await failure(collection.replaceOne({ _id: 'k' }, { _id: 'other' } as Keyed))).code).toBe(66);
  });

  test('a pipeline replaces the older and leaves the newer, whatever looks like an expression in the data', async () => {
    const collection = asked.fresh<Keyed>();
    const write = (version: number, note: string) =>
      collection.updateOne(
        { _id: 'k' },
        [
          {
            $replaceWith: {
              $cond: [
                { $gt: [version, { $ifNull: ['$version', -1] }] },
                { $literal: { _id: 'k', version, note } },
                '$$ROOT',
              ],
            },
          },
        ],
        { upsert: true },
      );
    expect(await write(1, '$version')).toMatchObject({ upsertedCount: 1 });
    expect(await collection.findOne()).toEqual({ _id: 'k', version: 1, note: '$version' });
    expect(await write(3, 'newer')).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
    expect(await write(2, 'stale')).toMatchObject({ matchedCount: 1, modifiedCount: 0 });
    expect(await collection.findOne()).toEqual({ _id: 'k', version: 3, note: 'newer' });
  });

  test('of 32 concurrent upserts one inserts, and the greatest that was acknowledged stays', async () => {
    const collection = asked.fresh<Keyed>();
    for (const round of numbers(30)) {
      const sequences = numbers(32).map((i) => ((i * 7 + round) % 32) + 1);
      const outcomes = await Promise.allSettled(
        sequences.map((sequence) => collection.bulkWrite([guarded(`k${round}`, sequence)])),
      );
      const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
      expect(new Set(codes)).toEqual(new Set(codes.length > 0 ? [11000] : []));
      const upserts = outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value.upsertedCount === 1);
      expect(upserts).toHaveLength(1);
      const acknowledged = sequences.filter((_, i) => outcomes[i]?.status === 'fulfilled');
      expect((await collection.findOne({ _id: `k${round}` }))?.['sequence']).toBe(Math.max(...acknowledged));
    }
  });
});

describe('concurrent clients', () => {
  test('a compare-and-set has exactly one winner in each of 1,000 rounds among 32 clients', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertOne({ _id: 'k', version: 0 });
    const wins = numbers(32).map(() => 0);
    for (const version of numbers(1_000)) {
      const winners = await Promise.all(
        numbers(32).map((worker) =>
          collection.findOneAndUpdate(
            { _id: 'k', version },
            { $set: { worker }, $inc: { version: 1 } },
            { returnDocument: 'after' },
          ),
        ),
      );
      const winner = winners.filter((document) => document !== null);
      expect(winner).toHaveLength(1);
      expect(winner[0]?.['version']).toBe(version + 1);
      wins[winner[0]?.['worker']]!++;
    }
    expect(wins.reduce((sum, n) => sum + n)).toBe(1_000);
  });

  test('no $inc is lost', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.insertOne({ _id: 'k', n: 0 });
    await Promise.all(
      numbers(32).map(async () => {
        for (const _ of numbers(100)) await collection.updateOne({ _id: 'k' }, { $inc: { n: 1 } });
      }),
    );
    expect((await collection.findOne())?.['n']).toBe(3_200);
  });

  test('jobs claimed in an order go to one worker each', async () => {
    const collection = asked.fresh<Keyed>();
    await collection.createIndex({ state: 1, at: 1 });
    await collection.insertMany(numbers(400).map((i) => ({ _id: `j${i}`, state: 'NEW', at: i % 7 })));
    const claimed: string[] = [];
    await Promise.all(
      numbers(8).map(async (worker) => {
        for (;;) {
          const job = await collection.findOneAndUpdate(
            { state: 'NEW' },
            { $set: { state: 'CLAIMED', worker } },
            { sort: { at: 1, _id: 1 } },
          );
          if (!job) return;
          claimed.push(job._id);
        }
      }),
    );
    expect(claimed).toHaveLength(400);
    expect(new Set(claimed).size).toBe(400);
  });

  test('a reader never sees half of a write', async () => {
    const collection = asked.fresh<Keyed>();
    const fields = (n: number) => Object.fromEntries(numbers(40).map((i) => [`f${i}`, n]));
    await collection.insertOne({ _id: 'k', ...fields(0), list: [0, 0] });
    let writing = true;
    let reads = 0;
    const readers = numbers(8).map(async () => {
      while (writing) {
        const { _id, list, ...rest } = (await collection.findOne({ _id: 'k' })) as Document;
        expect(new Set([...Object.values(rest), ...list]).size).toBe(1);
        reads++;
      }
    });
    for (const n of numbers(400))
      await collection.updateOne({ _id: 'k' }, { $set: { ...fields(n + 1), list: [n + 1, n + 1] } });
    writing = false;
    await Promise.all(readers);
    expect(reads).toBeGreaterThan(0);
  });
});
