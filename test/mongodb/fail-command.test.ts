// Every code of the table of faults, and the labels that go before a code, said by a genuine server.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectMongo, MAJORITY, type MongoConnection } from '../../adapters/mongo/client.ts';
import { guarded } from '../../adapters/mongo/fault.ts';
import { COMMAND_REFUSED, DENIED, DOCUMENT_REFUSED, PASSING } from '../../adapters/mongo/server-codes.ts';
import { ReplicaSet } from './replica-set.ts';

/** Codes that a server does not say without more than a number, so that it cannot be told to. 11000 comes for real below. */
const NOT_BY_NUMBER: ReadonlySet<number> = new Set([63, 121, 150, 11_000, 13_388]);
const OUTAGE = { code: 'MONGO_UNAVAILABLE', faultClass: 'transient-dependency' };
const CASES = [
  { codes: PASSING, fault: OUTAGE },
  { codes: COMMAND_REFUSED, fault: { code: 'MONGO_REFUSED', faultClass: 'transient-dependency' } },
  { codes: DENIED, fault: { code: 'MONGO_UNAUTHORISED', faultClass: 'fatal' } },
  { codes: DOCUMENT_REFUSED, fault: { code: 'MONGO_DOCUMENT_REFUSED', faultClass: 'poison' } },
].flatMap(({ codes, fault }) =>
  [...codes].filter(([code]) => !NOT_BY_NUMBER.has(code)).map(([code, name]) => ({ code, name, fault })),
);

let set: ReplicaSet;
let mongo: MongoConnection;

beforeAll(async () => {
  set = await ReplicaSet.connect();
  mongo = await connectMongo({ uri: set.uri, database: `fail_${randomUUID().slice(0, 8)}`, socketTimeoutMs: 3_000 });
});
afterEach(() => set.failNothing());
afterAll(async () => {
  await mongo?.db.dropDatabase();
  await mongo?.close();
  await set?.close();
});

const things = () => mongo.db.collection<{ _id: string }>('things', MAJORITY);
const insert = (_id: string = randomUUID()) => guarded(() => things().insertOne({ _id }));

describe('a code that a server says', () => {
  it.each(CASES)('$code ($name) of an insert', async ({ code, fault }) => {
    await set.fail({ commands: ['insert'], code, labels: [] });
    await expect(insert()).rejects.toMatchObject(fault);
    await set.failNothing();
    await insert();
  });

  it('a duplicate, which no failpoint says, is of the document', async () => {
    await insert('twice');
    await expect(insert('twice')).rejects.toMatchObject({ code: 'MONGO_DOCUMENT_REFUSED' });
  });

  it('one that nobody knows makes the record wait', async () => {
    await set.fail({ commands: ['insert'], code: 4_711, labels: [] });
    await expect(insert()).rejects.toMatchObject({ code: 'MONGO_REFUSED', faultClass: 'transient-dependency' });
  });
});

describe('a label goes before the code', () => {
  it.each([
    { labels: ['RetryableWriteError'] },
    { labels: ['TransientTransactionError'] },
    { labels: ['SystemOverloadedError', 'RetryableError'] },
    { labels: ['NoWritesPerformed', 'RetryableWriteError'] },
  ])('$labels with a code of the document', async ({ labels }) => {
    await set.fail({ commands: ['insert'], code: 10_334, labels });
    await expect(insert()).rejects.toMatchObject(OUTAGE);
  });
});

describe('a majority that does not acknowledge', () => {
  it.each([64, 91, 100])('is an outage (%i), although the write is done', async (writeConcernCode) => {
    const _id = randomUUID();
    await set.fail({ commands: ['insert'], writeConcernCode });
    await expect(insert(_id)).rejects.toMatchObject(OUTAGE);
    await set.failNothing();
    await expect(insert(_id)).rejects.toMatchObject({ code: 'MONGO_DOCUMENT_REFUSED' });
  });
});

describe('a connection', () => {
  it('that is cut once costs nothing: the driver sends the write again', async () => {
    await set.fail({ commands: ['insert'], closeConnection: true, times: 1 }, [await set.primary()]);
    await insert();
  });

  it('that is cut every time is an outage', async () => {
    await set.fail({ commands: ['insert', 'find'], closeConnection: true });
    await expect(insert()).rejects.toMatchObject(OUTAGE);
    await expect(guarded(() => things().findOne({ _id: 'x' }))).rejects.toMatchObject(OUTAGE);
  });
});

describe('a count that takes longer than a socket may be silent', () => {
  it('is an outage, and no answer', async () => {
    await insert();
    await set.fail({ commands: ['aggregate', 'count'], delayMs: 8_000 });
    await expect(guarded(() => things().countDocuments())).rejects.toMatchObject(OUTAGE);
    await set.failNothing();
    expect(await guarded(() => things().countDocuments())).toBeGreaterThan(0);
  });
});
