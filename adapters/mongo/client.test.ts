// Whatever a connection string says: what is sent reads from the primary what a majority has, and writes are acknowledged
// by a majority's disks, in bounded time.
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPayout } from '../../payouts/decide.ts';
import { MongoProxy } from '../../test/kit/mongo-proxy.ts';
import { caseStore } from './cases.ts';
import { connectMongo, databaseName, withoutWeakening } from './client.ts';
import { holdClaims } from './hold-claims.ts';
import { guardedStore, insertOnlyStore } from './idempotent-store.ts';
import { intentClaims } from './intent-claims.ts';
import { payoutOutbox } from './payout-outbox.ts';
import { mongoPayoutStore } from './payouts.ts';
import { settlementClaims } from './settlement-claims.ts';

let proxy: MongoProxy;
beforeAll(async () => {
  proxy = await MongoProxy.start();
});
afterAll(() => proxy.close());

const payout = openPayout(
  {
    payoutId: 't-1',
    provider: 'p',
    homePartition: 0,
    pricingAttempt: 1,
    priceExpiresAt: 1,
    requested: new Uint8Array(),
  },
  0,
);

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
];

describe.each(WEAK)('a connection string with "%s"', (options) => {
  it('weakens nothing that is sent', async () => {
    proxy.seen.length = 0;
    const { db, close } = await connectMongo({ uri: proxy.uri(options), database: 'd' });
    const claim = { transferId: 't', hash: 'v1:a', originPosition: 'T:0:1', homePartition: 0, acceptedAt: 0 };
    const payouts = mongoPayoutStore(db);
    const cases = caseStore(db);
    await intentClaims(db).claim([claim]);
    await intentClaims(db).find(['t']);
    await settlementClaims(db).insert([{ transferId: 't', steps: [] }]);
    await settlementClaims(db).find(['t']);
    await settlementClaims(db).replace([{ claim: { transferId: 't', steps: [] }, expectedSteps: 0 }]);
    await holdClaims(db).claim([{ holdId: 'h', commandId: 'c', position: 'p', transferId: 't', claimedAt: 0 }]);
    await payouts.insert([payout]);
    await payouts.apply([{ from: 0, next: payout }]);
    await payouts.load(['t-1']);
    await payouts.overdue(1, 1, { withNew: true });
    await payouts.countByPhase();
    await payoutOutbox(db).pending(1, 1);
    await payoutOutbox(db).markPublished([payout]);
    await cases.find('h');
    await cases.expire(new Date(0));
    await cases.markPublished(['h']);
    await cases
      .decide('h', 'x', { decision: 'REJECT', decidedBy: 'a', justification: 'b', decidedAt: new Date(0), seal: null })
      .catch(() => undefined);
    await insertOnlyStore(db, 'events').insertOnly([{ _id: 'e' }]);
    await guardedStore(db, 'view').replaceGuarded([{ _id: 't', version: 1 }]);
    await close();

    expect(new Set(proxy.seen.map(({ name }) => name))).toEqual(
      new Set(['insert', 'find', 'update', 'aggregate', 'findAndModify']),
    );
    for (const { name, collection, body, retryable } of proxy.seen) {
      const what = `${name} ${collection}`;
      expect(body['$readPreference'] ?? { mode: 'primary' }, what).toEqual({ mode: 'primary' });
      if (name === 'find' || name === 'aggregate') {
        expect(body['readConcern'], what).toMatchObject({ level: 'majority' });
        continue;
      }
      const { w, j, wtimeout } = body['writeConcern'];
      expect([w, j, Number(wtimeout)], what).toEqual(['majority', true, 10_000]);
      // An update of many is never sent again by the driver.
      const many = name === 'update' && ['cases', 'payouts'].includes(collection);
      if (!many) expect(retryable, what).toBe(true);
    }
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
