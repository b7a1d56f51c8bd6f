// Codes of a server on the wire, by command, through the product's stores and the driver's own retries.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MongoProxy, type Treatment } from '../../test/kit/mongo-proxy.ts';
import { caseStore } from './cases.ts';
import { connectMongo, type MongoConnection } from './client.ts';
import { insertOnlyStore } from './idempotent-store.ts';
import { intentClaims } from './intent-claims.ts';
import { mongoPayoutStore } from './payouts.ts';
import { settlementClaims } from './settlement-claims.ts';
import { sampleClaim, samplePayout } from './testing/asks.ts';

let proxy: MongoProxy;
let mongo: MongoConnection;
beforeAll(async () => {
  proxy = await MongoProxy.start();
  mongo = await connectMongo({ uri: proxy.uri(), database: 'd' });
});
afterAll(async () => {
  await mongo.close();
  await proxy.close();
});
beforeEach(() => {
  proxy.treat = () => undefined;
  proxy.seen.length = 0;
});

const settled = { transferId: 't', steps: [] };

/** One of each command that the stores send. */
const ASKS: Readonly<Record<string, () => Promise<unknown>>> = {
  insert: () => intentClaims(mongo.db).claim([sampleClaim, { ...sampleClaim, transferId: 't-2' }]),
  'insert of payouts': () => mongoPayoutStore(mongo.db).insert([samplePayout]),
  'insert of events': () => insertOnlyStore(mongo.db, 'events').insertOnly([{ _id: 'e-1' }]),
  update: () => mongoPayoutStore(mongo.db).apply([{ from: 0, next: samplePayout }]),
  'update of claims': () => settlementClaims(mongo.db).replace([{ claim: settled, expectedSteps: 0 }]),
  find: () => intentClaims(mongo.db).find(['t-1']),
  'find of payouts': () => mongoPayoutStore(mongo.db).load(['t-1']),
  findAndModify: () =>
    caseStore(mongo.db).decide('h', 'x', {
      decision: 'REJECT',
      decidedBy: 'a',
      justification: 'b',
      decidedAt: new Date(0),
      seal: null,
    }),
};

const always = (treatment: Treatment) => {
  proxy.treat = () => treatment;
};
const outcome = (ask: () => Promise<unknown>) =>
  ask().then(
    () => 'done',
    (error: { readonly faultClass?: string }) => error.faultClass,
  );

describe.each(Object.entries(ASKS))('%s', (_, ask) => {
  it.each([
    2, 26, 43, 50, 64, 79, 89, 91, 112, 134, 175, 189, 237, 262, 365, 462, 463, 473, 4_711, 8000, 10_058, 10_107,
    11_600, 11_601, 13_435,
  ])('refused with %i waits', async (code) => {
    always({ kind: 'refuse', code });
    expect(await outcome(ask)).toBe('transient-dependency');
    proxy.treat = () => undefined;
    expect(await outcome(ask)).toMatch(/done|poison/);
  });

  it('refused with labels waits, whatever the code', async () => {
    always({ kind: 'refuse', code: 121, labels: ['SystemOverloadedError', 'RetryableError', 'NoWritesPerformed'] });
    expect(await outcome(ask)).toBe('transient-dependency');
  });

  it('cut off for longer than the driver tries waits', async () => {
    always({ kind: 'cut', when: 'before' });
    expect(await outcome(ask)).toBe('transient-dependency');
  });

  it('not let in stops', async () => {
    always({ kind: 'refuse', code: 13 });
    expect(await outcome(ask)).toBe('fatal');
  });
});

describe('a bulk on the wire', () => {
  it.each([
    { codes: [121], becomes: 'poison' },
    { codes: [121, 11_000], becomes: 'poison' },
    { codes: [11_000, 112], becomes: 'transient-dependency' },
    { codes: [112, 11_000], becomes: 'transient-dependency' },
    { codes: [121, 4_711], becomes: 'transient-dependency' },
    { codes: [121], concern: 64, becomes: 'transient-dependency' },
  ])('$codes (write concern $concern): $becomes', async ({ becomes, ...errors }) => {
    always({ kind: 'write-errors', ...errors });
    expect(await outcome(ASKS['insert']!)).toBe(becomes);
  });
});

describe("the driver's own retries", () => {
  it('a write refused once in passing is sent again, and succeeds', async () => {
    let refusals = 0;
    proxy.treat = () => (refusals++ === 0 ? { kind: 'refuse', code: 91, labels: ['RetryableWriteError'] } : undefined);
    expect(await outcome(ASKS['insert']!)).toBe('done');
    expect(proxy.seen.map(({ name, retryable }) => [name, retryable])).toEqual([
      ['insert', true],
      ['insert', true],
    ]);
  });

  it('a write whose answer was lost is sent again, and not carried out twice', async () => {
    let cuts = 0;
    const repeats = proxy.repeats;
    proxy.treat = () => (cuts++ === 0 ? { kind: 'cut', when: 'after' } : undefined);
    expect(await outcome(ASKS['insert']!)).toBe('done');
    expect(proxy.repeats).toBe(repeats + 1);
  });

  it('waits while there is no primary, and goes on with the next one', async () => {
    proxy.primary = false;
    expect(await outcome(ASKS['insert']!)).toBe('transient-dependency');
    proxy.primary = true;
    expect(await outcome(ASKS['insert']!)).toBe('done');
  });
});
