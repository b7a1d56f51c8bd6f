import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Binary, type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { sealRecord } from '../../domain/seals/record-seal.ts';
import { keyRing } from '../../domain/seals/seal.ts';
import { closePayoutCase } from '../../operations/cases/payouts/cases.ts';
import { openCase } from '../../payouts/changes.ts';
import { afterQuery, afterSubmit, beginAttempt, expire, openPayout, supersede } from '../../payouts/decide.ts';
import type { Observation, Payout } from '../../payouts/payout.ts';
import { commandIdOf } from '../../payouts/payout-updated.ts';
import { DEFAULT_PAYOUT_POLICY as POLICY } from '../../payouts/policy.ts';
import { payoutRelay } from '../../runtime/outbox/payout-relay.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { behind, primaryAddress } from '../../test/kit/mongo-uri.ts';
import { payoutRequestedFor } from '../../test/kit/payouts/requested.ts';
import { testRings } from '../../test/kit/rings.ts';
import { payoutOutbox } from './payout-outbox.ts';
import { type MongoPayoutStore, mongoPayoutStore, PAYOUTS } from './payouts.ts';

const T0 = 1_800_000_000_000;
let client: MongoClient;
let db: Db;
let store: MongoPayoutStore;

beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
});
beforeEach(async () => {
  db = client.db(`payouts_${randomUUID().slice(0, 8)}`);
  store = mongoPayoutStore(db);
  await store.ensureIndexes();
  await store.ensureIndexes();
  return () => db.dropDatabase();
});
afterAll(() => client.close());

const request = (payoutId: string, pricingAttempt = 1) => ({
  payoutId,
  provider: 'p',
  homePartition: 3,
  pricingAttempt,
  priceExpiresAt: T0 + 600_000,
  requested: new Uint8Array([1, 2, 250, pricingAttempt]),
});
const saw = (state: Observation['state']): Observation => ({
  kind: 'observed',
  state,
  reference: 'r',
  reasonCode: 'AC04',
});
const submitting = (id: string) => beginAttempt(openPayout(request(id), T0), T0, POLICY);
const key = (id: string) => `${id}:1`;
const ids = (count: number) => Array.from({ length: count }, (_, index) => `t-${index}`);
const change = (from: Payout, next: Payout) => ({ from: from.revision, next });

describe('payouts in MongoDB', () => {
  it('come back as they were stored, in every phase', async () => {
    const base = submitting('a');
    const unknown = afterSubmit(
      base,
      { key: key('a'), result: { kind: 'unknown', code: 'TIMEOUT', detail: '' }, at: T0 + 1 },
      POLICY,
    );
    const payouts = [
      openPayout(request('new'), T0),
      { ...base, payoutId: 'submitting' },
      { ...unknown, payoutId: 'unknown' },
      { ...afterQuery(unknown, { key: key('a'), result: saw('RETURNED'), at: T0 + 2 }, POLICY), payoutId: 'returned' },
      { ...afterQuery(unknown, { key: key('a'), result: saw('FAILED'), at: T0 + 2 }, POLICY), payoutId: 'failed' },
      { ...openCase(unknown, 'NO_PROOF', 'd', T0 + 3), payoutId: 'case' },
      { ...expire(openPayout(request('x'), T0), T0 + 9), payoutId: 'expired' },
    ];
    expect(await store.insert(payouts)).toEqual(payouts.map(() => true));
    const loaded = new Map(
      (await store.load(payouts.map(({ payoutId }) => payoutId))).map((one) => [one.payoutId, one]),
    );
    for (const payout of payouts) {
      const found = loaded.get(payout.payoutId)!;
      expect({ ...found, requested: [...found.requested] }).toEqual({ ...payout, requested: [...payout.requested] });
    }
    // The same again through a change instead of an insert.
    const [first] = await store.load(['submitting']);
    const next = afterQuery(
      { ...first!, payoutId: 'submitting' },
      { key: key('a'), result: saw('RETURNED'), at: T0 + 2 },
      POLICY,
    );
    expect(await store.apply([change(first!, next)])).toEqual([true]);
    expect((await store.load(['submitting']))[0]).toEqual({ ...next, requested: expect.anything() });
  });

  it('are inserted by exactly one of many who try at once', async () => {
    const all = ids(200).map(submitting);
    const results = await Promise.all(Array.from({ length: 6 }, () => store.insert(all)));
    for (const index of all.keys()) expect(results.filter((won) => won[index]).length).toBe(1);
  });

  it('are changed by exactly one of many who try at once', async () => {
    const opened = ids(200).map((id) => openPayout(request(id), T0));
    await store.insert(opened);
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, worker) => {
        // Each brings others along, so that wins and losses are mixed in one bulk.
        const mine = opened.filter((_payout, index) => (index + worker) % 3 !== 0);
        return store
          .apply(mine.map((payout) => change(payout, beginAttempt(payout, T0 + worker, POLICY))))
          .then((won) => new Map(mine.map(({ payoutId }, index) => [payoutId, won[index]])));
      }),
    );
    for (const { payoutId } of opened) expect(results.filter((won) => won.get(payoutId)).length).toBe(1);
    const stored = await store.load(opened.map(({ payoutId }) => payoutId));
    for (const payout of stored) {
      const winner = results.findIndex((won) => won.get(payout.payoutId));
      expect(payout.attempts[0]?.startedAt).toBe(T0 + winner);
    }
  });

  it('take a change only from the revision that it was decided on', async () => {
    const opened = openPayout(request('a'), T0);
    await store.insert([opened]);
    const first = beginAttempt(opened, T0, POLICY);
    expect(await store.apply([change(opened, first)])).toEqual([true]);
    expect(await store.apply([change(opened, beginAttempt(opened, T0 + 5, POLICY))])).toEqual([false]);
    expect(await store.apply([change(openPayout(request('absent'), T0), { ...first, payoutId: 'absent' })])).toEqual([
      false,
    ]);
    expect((await store.load(['a']))[0]?.attempts[0]?.startedAt).toBe(T0);
  });

  it('are found when overdue, the longest first, those to be sent last or not at all', async () => {
    const at = (id: string, nextPollAt: number | null) => ({ ...submitting(id), nextPollAt });
    const opened = { ...openPayout(request('new'), T0), nextPollAt: T0 - 5 };
    await store.insert([at('late', T0 - 10), at('later', T0 - 1), at('not-due', T0 + 1), at('never', null), opened]);
    const provider = 'p';
    expect(await store.overdue(T0, 10, { provider, withNew: true })).toEqual(['late', 'later', 'new']);
    expect(await store.overdue(T0, 10, { provider, withNew: false })).toEqual(['late', 'later']);
    expect(await store.overdue(T0, 1, { provider, withNew: true })).toEqual(['late']);
  });

  it('of another provider are left alone: never found as overdue, and counted while they are due', async () => {
    const of = (provider: string, payout: Payout): Payout => ({ ...payout, provider });
    const unknown = { ...submitting('unknown'), nextPollAt: T0 - 9 };
    const others = [
      of('old', unknown),
      of('old', { ...openPayout(request('new'), T0), nextPollAt: T0 - 8 }),
      of('old', { ...submitting('not-due'), nextPollAt: T0 + 1 }),
      of('old', { ...submitting('ended'), nextPollAt: null }),
    ];
    await store.insert([...others, { ...submitting('ours'), nextPollAt: T0 - 1 }]);
    expect(await store.overdue(T0, 10, { provider: 'p', withNew: true })).toEqual(['ours']);
    expect(await store.overdue(T0, 10, { provider: 'old', withNew: true })).toEqual(['unknown', 'new']);
    expect(await store.countOfOthers(T0, 10, 'p')).toBe(2);
    expect(await store.countOfOthers(T0, 1, 'p')).toBe(1);
    expect(await store.countOfOthers(T0, 10, 'old')).toBe(1);
    const keys = (await db.collection(PAYOUTS).indexes()).map(({ key: fields }) => Object.keys(fields));
    expect(keys).toEqual(
      expect.arrayContaining([
        ['provider', 'nextPollAt'],
        ['provider', 'nextSubmitAt'],
      ]),
    );
    // What is under the seal says who it was opened with: nobody relabels it.
    const ring = keyRing('executor:a-key-for-tests-only-0000000000000000000');
    const sealedStore = mongoPayoutStore(db, { ring });
    await sealedStore.insert([of('old', submitting('sealed'))]);
    await db.collection(PAYOUTS).updateOne({ _id: 'sealed' as never }, { $set: { provider: 'p' } });
    expect(await sealedStore.load(['sealed'])).toEqual([]);
  });

  it('are listed while they have an open case', async () => {
    const payout = openCase(submitting('a'), 'NO_PROOF', 'd', T0);
    await store.insert([payout, submitting('b')]);
    const { payouts, isCut } = await store.openCases(10);
    expect([payouts.map(({ payoutId }) => payoutId), isCut]).toEqual([['a'], false]);
    const settled = afterQuery(
      { ...payout, phase: 'OUTCOME_UNKNOWN' },
      { key: key('a'), result: saw('PAID'), at: T0 + 2 },
      POLICY,
    );
    expect(await store.apply([change(payout, settled)])).toEqual([true]);
    expect(await store.openCases(10)).toEqual({ payouts: [], isCut: false });
  });

  it('are not listed any more when their case is closed by hand, and keep who closed it', async () => {
    const paid = afterSubmit(submitting('a'), { key: key('a'), result: saw('PAID'), at: T0 }, POLICY);
    await store.insert([openCase(paid, 'CONTRADICTION', 'd', T0 + 1)]);
    await closePayoutCase(store, 'a', { number: 1, by: 'amara', reason: 'ticket 4711' }, T0 + 2);
    expect(await store.openCases(10)).toEqual({ payouts: [], isCut: false });
    const [stored] = await store.load(['a']);
    expect(stored?.cases).toMatchObject([{ closedAt: T0 + 2, closing: { by: 'amara', reason: 'ticket 4711' } }]);
  });

  it('stay in the outbox until exactly what was read is published', async () => {
    const outbox = payoutOutbox(db);
    const base = submitting('a');
    const paid = afterSubmit(base, { key: key('a'), result: saw('PAID'), at: T0 }, POLICY);
    await store.insert([base]);
    await store.apply([change(base, paid)]);
    expect(await outbox.pending(10, T0 - 1)).toEqual([]);
    const [read] = await outbox.pending(10, T0);
    expect(read?.updates).toMatchObject([{ version: 1, status: 'PAID' }]);

    // It changes again before the mark.
    const returned = afterQuery(paid, { key: key('a'), result: saw('RETURNED'), at: T0 + 10 }, POLICY);
    await store.apply([change(paid, returned)]);
    await outbox.markPublished([read!]);
    const [again] = await outbox.pending(10, T0 + 10);
    expect(again?.updates.map(({ version }) => version)).toEqual([1, 2]);
    await outbox.markPublished([again!]);
    expect(await outbox.pending(10, T0 + 10)).toEqual([]);
    expect((await store.load(['a']))[0]?.publishedVersion).toBe(2);
  });

  it('are given out page by page, also where many changed at one instant', async () => {
    const outbox = payoutOutbox(db);
    for (const [index, id] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      const base = submitting(id);
      const at = index === 0 ? T0 - 5 : T0;
      await store.insert([base]);
      await store.apply([change(base, afterSubmit(base, { key: key(id), result: saw('PAID'), at }, POLICY))]);
    }
    const seen: string[] = [];
    for (let page = await outbox.pending(2, T0); page.length > 0; page = await outbox.pending(2, T0, page.at(-1)!))
      seen.push(...page.map(({ payoutId }) => payoutId));
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('with a new price leave the outbox, and hold the new request', async () => {
    const outbox = payoutOutbox(db);
    const expired = expire(openPayout(request('a'), T0), T0);
    await store.insert([expired]);
    const priced = supersede(expired, request('a', 2), T0 + 1);
    expect(await store.apply([change(expired, priced)])).toEqual([true]);
    expect(await outbox.pending(10, T0 + 10)).toEqual([]);
    const [loaded] = await store.load(['a']);
    expect([...loaded!.requested]).toEqual([1, 2, 250, 2]);
    expect(loaded).toMatchObject({ phase: 'NEW', pricingAttempt: 2, publishedVersion: 1 });
    const begun = beginAttempt(loaded!, T0 + 2, POLICY);
    await store.apply([change(loaded!, begun)]);
    expect((await db.collection(PAYOUTS).findOne({ phase: 'SUBMITTING' }))?.['requested']).toBeDefined();
  });

  describe('under the seal of the executor', () => {
    const ring = keyRing('test:test-only-executor-key-000000000000');
    const reported: string[] = [];
    const sealing = () => mongoPayoutStore(db, { ring, onForged: (id) => reported.push(id) });
    const paidWithCase = () => {
      const paid = afterSubmit(submitting('a'), { key: key('a'), result: saw('PAID'), at: T0 }, POLICY);
      return openCase(paid, 'CONTRADICTION', 'd', T0 + 1);
    };

    it('come back, through inserts and changes, and a key of before is known', async () => {
      const base = submitting('a');
      expect(await sealing().insert([base])).toEqual([true]);
      const paid = afterSubmit(base, { key: key('a'), result: saw('PAID'), at: T0 }, POLICY);
      expect(await sealing().apply([change(base, paid)])).toEqual([true]);
      const rotated = keyRing('new:test-only-executor-key-111111111111,test:test-only-executor-key-000000000000');
      const [loaded] = await mongoPayoutStore(db, { ring: rotated }).load(['a']);
      expect(loaded).toEqual({ ...paid, requested: expect.anything() });
    });

    it('are not there any more when anybody else changed anything in them, and the others are', async () => {
      const collection = db.collection<{ _id: string }>(PAYOUTS);
      const payout = paidWithCase();
      await sealing().insert([payout, submitting('b')]);
      const original = (await collection.findOne({ _id: 'a' }))!;
      // Moved by the relay; written for indexes alone; naming the write, or the code that wrote, which nobody reads.
      const free = ['_id', 'publishedVersion', 'stamp', 'unpublishedSince', 'caseSince', 'version', 'schemaVersion'];
      const paths = leavesOf(original).filter((path) => !free.includes(path.split('.')[0]!));
      expect(paths.length).toBeGreaterThan(35);
      for (const path of paths) {
        reported.length = 0;
        await collection.replaceOne({ _id: 'a' }, original);
        await collection.updateOne({ _id: 'a' }, { $set: { [path]: otherThan(valueAt(original, path)) } });
        expect(
          (await sealing().load(['a', 'b'])).map(({ payoutId }) => payoutId),
          path,
        ).toEqual(['b']);
        expect(reported, path).toEqual(['a']);
      }
      for (const schemaVersion of [0, 99, 'something else', null]) {
        await collection.replaceOne({ _id: 'a' }, { ...original, schemaVersion });
        expect((await sealing().load(['a']))[0]).toEqual({ ...payout, requested: expect.anything() });
      }
      // A whole payout of another id, seal included.
      await collection.replaceOne({ _id: 'b' }, { ...original, _id: 'b' });
      expect(await sealing().load(['b'])).toEqual([]);
    });

    it('are not there when payout dispatch has not asked for them, though the keys of the executor are known', async () => {
      const { stages } = testRings;
      const executor = () => mongoPayoutStore(db, { ring, stages, onForged: (id) => reported.push(id) });
      const proofOf = (payoutId: string, value: Uint8Array, keys = stages) => {
        const cause = 'AAAAAAAAAAAA:0:7';
        return { cause, seal: sealRecord(keys, { topic: 'payout.requested', key: payoutId, cause, value }) };
      };
      const dispatched = (payoutId: string, attempt = 1) => {
        const asked = request(payoutId, attempt);
        return { ...asked, proof: proofOf(payoutId, asked.requested) };
      };
      const madeUp = [
        { ...request('unsealed') },
        { ...request('stranger'), proof: proofOf('stranger', request('stranger').requested, ring) },
        { ...dispatched('changed'), requested: new Uint8Array([9]) },
        { ...request('copied'), proof: dispatched('other').proof },
      ];
      const opened = [dispatched('true'), ...madeUp].map((asked) => openPayout(asked, T0));
      // Sealed as the executor does, whoever did it.
      await mongoPayoutStore(db, { ring }).insert(opened);
      reported.length = 0;
      const found = await executor().load(opened.map(({ payoutId }) => payoutId));
      expect(found.map(({ payoutId }) => payoutId)).toEqual(['true']);
      expect(reported.sort()).toEqual(madeUp.map(({ payoutId }) => payoutId).sort());
      // A new price brings its own.
      const [first] = found;
      const priced = supersede(first!, dispatched('true', 2), T0 + 1);
      expect(await executor().apply([change(first!, priced)])).toEqual([true]);
      expect(await executor().load(['true'])).toMatchObject([
        { pricingAttempt: 2, proof: dispatched('true', 2).proof },
      ]);
    });

    it('tell nothing of what was put into the outbox by somebody else; what comes after goes out', async () => {
      const sent: string[] = [];
      const codec = memoryCodec();
      const requests = {
        encode: () => new Uint8Array(),
        keep: (bytes: Uint8Array) => bytes,
        decode: async (all: readonly Uint8Array[]) => all.map(() => asked),
      };
      const asked = payoutRequestedFor({ transferId: 'a', now: T0, expiresAt: T0 + 1 });
      const paid = { ...afterSubmit(submitting('b'), { key: key('b'), result: saw('PAID'), at: T0 }, POLICY) };
      await sealing().insert([submitting('a'), paid]);
      const forgery = { version: 1, status: 'PAID', pricingAttempt: 1, attemptKey: 'a:1', reason: null };
      await db.collection<{ _id: string }>(PAYOUTS).updateOne(
        { _id: 'a' },
        {
          $set: {
            phase: 'PAID',
            version: 1,
            unpublishedSince: new Date(T0 - 1),
            outbox: [{ ...forgery, providerReference: null, changedAt: new Date(T0) }],
          },
        },
      );
      const refused: string[] = [];
      const relay = payoutRelay({
        source: payoutOutbox(db, { ring }),
        codec,
        rings: testRings,
        requests,
        writer: {
          send: async (records) => void sent.push(...records.map(({ headers }) => String(headers['event-id']))),
        },
        sweepEveryMs: 10,
        // The payouts of this test are of a time to come.
        graceMs: Date.now() - T0 - 60_000,
        onEvent: (event) => event.kind === 'refused' && refused.push(`${event.id} ${event.code}`),
      });
      relay.start();
      while (sent.length === 0 || refused.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await relay.stop(1_000);
      expect(refused).toEqual(['a PAYOUT_FORGED']);
      expect(sent).toEqual([commandIdOf('b', 1)]);
    });
  });

  it('have the time of the server', async () => {
    expect(Math.abs((await store.now()) - Date.now())).toBeLessThan(60_000);
  });

  it('are unguarded with the switch of the negative control alone', async () => {
    const unsafe = mongoPayoutStore(db, { unsafe: { noCompareAndSet: true } });
    const payout = submitting('a');
    expect(await unsafe.insert([payout])).toEqual([true]);
    expect(await unsafe.insert([payout])).toEqual([true]);
    expect(await unsafe.apply([{ from: 99, next: payout }])).toEqual([true]);
    expect(await store.insert([payout])).toEqual([false]);
    expect(await store.apply([{ from: 99, next: payout }])).toEqual([false]);
  });

  it('say so with a code when the connection is cut in the middle of a bulk', async () => {
    const upstream = await primaryAddress(client);
    let cut = false;
    const proxy = createServer((socket) => {
      const server = connect(upstream.port, upstream.host);
      for (const [one, other] of [
        [socket, server],
        [server, socket],
      ] as const) {
        one.on('error', () => {});
        one.on('close', () => other.destroy());
      }
      server.pipe(socket);
      socket.on('data', (data) => (cut ? socket.destroy() : server.write(data)));
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as AddressInfo;
    const options = { retryWrites: false, serverSelectionTimeoutMS: 200 };
    const cutOff = await MongoClient.connect(behind(inject('stack').mongoUri, `127.0.0.1:${port}`), options);
    const away = mongoPayoutStore(cutOff.db(db.databaseName));
    const opened = openPayout(request('a'), T0);
    expect(await away.insert([opened])).toEqual([true]);
    cut = true;
    const outage = { code: 'MONGO_UNAVAILABLE', faultClass: 'transient-dependency' };
    await expect(away.insert([submitting('b')])).rejects.toMatchObject(outage);
    await expect(away.apply([change(opened, beginAttempt(opened, T0, POLICY))])).rejects.toMatchObject(outage);
    await expect(away.load(['a'])).rejects.toMatchObject(outage);
    await cutOff.close();
    proxy.close();
  });
});

/** Paths of all plain values of a document. */
function leavesOf(value: unknown, path = ''): string[] {
  const isBranch =
    Array.isArray(value) || (value !== null && typeof value === 'object' && value.constructor === Object);
  if (!isBranch) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, path === '' ? name : `${path}.${name}`));
}

const valueAt = (document: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], document);

/** A value of the same type, and another one; where there was none, one. */
function otherThan(value: unknown): unknown {
  if (value instanceof Date) return new Date(value.getTime() + 1);
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value}x`;
  if (typeof value === 'boolean') return !value;
  if (value instanceof Binary) return new Binary(Buffer.concat([value.value(), Buffer.from([0])]));
  return 'something';
}
