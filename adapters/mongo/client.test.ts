// Whatever a connection string says: what is sent reads from the primary what a majority has, and writes are acknowledged
// by a majority's disks, in bounded time.
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MongoProxy } from '../../test/kit/mongo-proxy.ts';
import { connectMongo, databaseName, withoutWeakening } from './client.ts';
import { intentClaims } from './intent-claims.ts';
import { readFromPrimaryOnly } from './primary-only.ts';
import { MONGO_ASKS } from './testing/asks.ts';

let proxy: MongoProxy;
beforeAll(async () => {
  proxy = await MongoProxy.start();
});
afterAll(() => proxy.close());

/** Every collection that a guard, a decision or verification reads or writes. */
const COLLECTIONS = new Set([
  'intent_claims',
  'settlement_claims',
  'transfer_submissions',
  'transfers',
  'hold_claims',
  'replay_claims',
  'cases',
  'case_assignments',
  'customer_cases',
  'screening_progress',
  'screening_lists',
  'screening_list_chunks',
  'screening_active',
  'screening_exceptions',
  'payouts',
  'events',
  'fx_position_counts',
  'fx_quotes',
  'quote_claims',
  'view',
]);

/** Where one update changes many documents. */
const OF_MANY = new Set(['cases', 'payouts', 'transfer_submissions']);

const WEAK = [
  '',
  'readPreference=secondary',
  'readPreference=secondaryPreferred&readPreferenceTags=dc:far&maxStalenessSeconds=120',
  'READPREFERENCE=nearest',
  'readConcernLevel=local',
  'readConcernLevel=available&w=1&journal=false',
  'w=0',
  'w=1&wtimeoutMS=0&retryWrites=false',
  'w=other-tag&wtimeout=1',
  'retryReads=false&timeoutMS=60000',
  'readPreference=primary&readPreference=secondary',
  // The driver decodes names and values.
  'read%50reference=secondary&%77=0&read%43oncernLevel=local',
  ' readPreference =secondary',
  'readConcernLevel=linearizable',
  'readConcernLevel=snapshot&w=3&journal=true',
  'directConnection=true&readPreference=secondary',
  'maxPoolSize=1&minPoolSize=0&maxIdleTimeMS=1000&waitQueueTimeoutMS=30000',
  'compressors=zlib,zstd&zlibCompressionLevel=9',
  'appName=%1b%5d0%3bx%07%e2%80%ae&heartbeatFrequencyMS=500',
  'serverSelectionTimeoutMS=20000&socketTimeoutMS=20000&connectTimeoutMS=20000',
];

describe.each(WEAK)('a connection string with "%s"', (options) => {
  it('weakens nothing that is sent, of any collection', async () => {
    proxy.seen.length = 0;
    const { db, close } = await connectMongo({ uri: proxy.uri(options), database: 'd' });
    // Some refuse what they find, which is nothing.
    for (const ask of Object.values(MONGO_ASKS)) await ask(db).catch(() => undefined);
    await close();

    const asked = proxy.seen.filter(({ collection }) => collection.length > 1);
    expect(new Set(asked.map(({ collection }) => collection))).toEqual(COLLECTIONS);
    for (const { name, collection, body, retryable } of asked) {
      const what = `${name} ${collection}`;
      expect(body['$readPreference'] ?? { mode: 'primary' }, what).toEqual({ mode: 'primary' });
      if (name === 'find' || name === 'aggregate') {
        expect(body['readConcern'], what).toMatchObject({ level: 'majority' });
        continue;
      }
      const { w, j, wtimeout } = body['writeConcern'];
      expect([w, j, Number(wtimeout)], what).toEqual(['majority', true, 10_000]);
      // An update of many is never sent again by the driver, and neither are indexes.
      const many = name === 'createIndexes' || (name === 'update' && OF_MANY.has(collection));
      if (!many) expect(retryable, what).toBe(true);
    }
  });
});

describe('a direct connection to a server that is a secondary by now', () => {
  const find = async () => {
    const { db, close } = await connectMongo({ uri: proxy.uri('directConnection=true'), database: 'd' });
    proxy.primary = false;
    try {
      return await intentClaims(db).find(['t']);
    } finally {
      proxy.primary = true;
      await close();
    }
  };

  it('is told no, and waits: what it reads may be old', async () => {
    await expect(find()).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE', faultClass: 'transient-dependency' });
  });

  it('needs the mend: the shipped driver reads from it', async () => {
    const { db, close } = await connectMongo({ uri: proxy.uri('directConnection=true'), database: 'd' });
    readFromPrimaryOnly(false);
    proxy.primary = false;
    expect(await intentClaims(db).find(['t'])).toEqual([]);
    proxy.primary = true;
    readFromPrimaryOnly();
    await close();
  });
});

it('takes nothing else out of a connection string', () => {
  const uri = 'mongodb://u:p@h1,h2/d?authSource=admin&w=1&replicaSet=rs0&tls=true';
  expect(withoutWeakening(uri)).toBe('mongodb://u:p@h1,h2/d?authSource=admin&replicaSet=rs0&tls=true');
  expect(withoutWeakening('mongodb://h/?w=0')).toBe('mongodb://h/');
  expect(() => new MongoClient(withoutWeakening(uri))).not.toThrow();
});

it.each([
  ['mongodb://h/', undefined, 'corridor'],
  ['mongodb://h', undefined, 'corridor'],
  ['mongodb://u:p%2F@h1,h2/transfers?replicaSet=rs0', undefined, 'transfers'],
  ['mongodb://h/transfers', 'set', 'set'],
  // Named for its users.
  ['mongodb://u:p@h/admin', undefined, 'corridor'],
])('%s with database %s leads to %s', (uri, database, expected) => {
  expect(databaseName({ uri, database })).toBe(expected);
});
