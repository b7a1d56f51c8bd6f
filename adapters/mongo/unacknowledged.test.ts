// A bulk that met duplicates and was not acknowledged by a majority: the driver reports the duplicates alone.
import { type BulkWriteResult, type Db, MongoBulkWriteError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { guardedStore, insertOnlyStore } from './idempotent-store.ts';
import { intentClaims } from './intent-claims.ts';
import { mongoPayoutStore } from './payouts.ts';
import { sampleClaim, samplePayout } from './testing/asks.ts';

const duplicate = { code: 11_000, index: 0, errmsg: 'E11000 duplicate key error collection: c index: _id_' };

/** A database whose bulk writes all fail so, and whose reads find nothing. */
function database(writeConcernError: { readonly code: number } | undefined): Db {
  const result = { getWriteConcernError: () => writeConcernError } as unknown as BulkWriteResult;
  const fail = () => {
    const reported = { message: duplicate.errmsg, code: duplicate.code, writeErrors: [duplicate] };
    return Promise.reject(new MongoBulkWriteError(reported as never, result));
  };
  const found = { toArray: async () => [] };
  return { collection: () => ({ insertMany: fail, bulkWrite: fail, find: () => found }) } as unknown as Db;
}

const writes: Record<string, (db: Db) => Promise<unknown>> = {
  'a payout': (db) => mongoPayoutStore(db).insert([samplePayout]),
  'a claim': (db) => intentClaims(db).claim([sampleClaim]),
  'an event': (db) => insertOnlyStore(db, 'c').insertOnly([{ _id: 'e-1' }]),
  'a projection': (db) => guardedStore(db, 'c').replaceGuarded([{ _id: 't-1', version: 1 }]),
};

describe.each(Object.entries(writes))('%s', (_name, write) => {
  it('is not taken for written: the store counts as down, and the batch runs again', async () => {
    const expected = { code: 'MONGO_UNAVAILABLE', faultClass: 'transient-dependency' };
    await expect(write(database({ code: 64 }))).rejects.toMatchObject(expected);
    await expect(write(database({ code: 100 }))).rejects.toMatchObject(expected);
  });
});

it('duplicates alone are no outage', async () => {
  expect(await mongoPayoutStore(database(undefined)).insert([samplePayout])).toEqual([false]);
});
