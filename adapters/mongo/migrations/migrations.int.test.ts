import { type Document, Long } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { migrate, migrationStatus } from '../../../operations/migrations/migrate.ts';
import type { Migration } from '../../../operations/migrations/ports.ts';
import { loadSampleList } from '../../../screening/lists/sample/load.ts';
import { referenceTo } from '../../../screening/versions/version.ts';
import { indexes as viewIndexes } from '../../../sinks/transfer-view/to-write.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { connectMongo, type MongoConnection } from '../client.ts';
import { ensureIndexes } from '../idempotent-store.ts';
import { ACTIVE_LISTS } from '../list-activations.ts';
import { LIST_HISTORY, MAX_HISTORY } from '../list-history.ts';
import { listStore } from '../list-versions.ts';
import { mongoPayoutStore } from '../payouts.ts';
import { SCHEMA_VERSION } from '../schema-version.ts';
import { sealedDocuments } from '../sealed-documents.ts';
import { migrationsOf, openStores } from './index.ts';
import { schemaStore } from './schema-store.ts';

let mongo: MongoConnection;
const db = () => mongo.db;

beforeAll(async () => {
  mongo = await connectMongo({ uri: inject('stack').mongoUri, database: `migrations_${process.pid}` });
});
beforeEach(async () => {
  await db().dropDatabase();
});
afterAll(async () => {
  await mongo?.db.dropDatabase();
  await mongo?.close();
});

const store = (known: readonly Migration[] = migrationsOf(db())) => schemaStore(db(), known);
const as = (owner: string) => ({ owner, by: 'amara' });
const stated = () => db().collection<{ _id: string }>('stores_schema').findOne({ _id: 'stores' });
const refused = (code: string) => expect.objectContaining({ code, faultClass: 'fatal' });

/** Stamps documents, two a page. */
const stamping = (version: number, more: Partial<Migration> = {}): Migration => {
  const documents = db().collection<{ _id: number; of?: number }>('documents');
  const isOld = { $or: [{ of: { $exists: false } }, { of: { $lt: version } }] };
  return {
    version,
    name: `to-${version}`,
    does: '',
    oldestReader: version,
    isRequired: true,
    pending: () => documents.countDocuments(isOld),
    page: async (after) => {
      const filter = after === undefined ? isOld : { ...isOld, _id: { $gt: Number(after) } };
      const found = await documents.find(filter).sort({ _id: 1 }).limit(2).toArray();
      const ids = found.map(({ _id }) => _id);
      await documents.updateMany({ _id: { $in: ids }, ...isOld }, { $set: { of: version } });
      return { changed: ids.length, after: ids.length === 0 ? undefined : String(ids.at(-1)) };
    },
    ...more,
  };
};
const fill = (count: number) =>
  db()
    .collection<{ _id: number }>('documents')
    .insertMany(Array.from({ length: count }, (_, _id) => ({ _id })));

describe('the schema of the stores', () => {
  it('is that of the code that starts on empty ones, and of release 0.1.0 where documents say nothing', async () => {
    expect(await openStores(db())).toEqual([]);
    expect(await stated()).toMatchObject({ version: SCHEMA_VERSION, run: null });
    expect(SCHEMA_VERSION).toBe(migrationsOf(db()).at(-1)?.version);
    await db().dropDatabase();
    await fill(1);
    expect(await openStores(db())).toEqual(['list-history', 'old-indexes']);
    expect(await stated()).toBeNull();
  });

  it('stops code that is older or that needs a migration first, and lets code work that need not wait', async () => {
    await fill(1);
    const [one, two] = [stamping(1), stamping(2)];
    await expect(openStores(db(), [one])).rejects.toEqual(refused('STORES_TOO_OLD'));
    expect(await openStores(db(), [stamping(1, { isRequired: false })])).toEqual(['to-1']);
    await migrate(store([one, two]), [one, two], as('a'));
    await expect(openStores(db(), [one])).rejects.toEqual(refused('STORES_NEWER'));
    expect(await openStores(db(), [one, two])).toEqual([]);
    await db()
      .collection<{ _id: string }>('stores_schema')
      .updateOne({ _id: 'stores' }, { $set: { oldestReader: 1 } });
    expect(await openStores(db(), [one])).toEqual([]);
  });

  it.each([{ version: 'all' }, { version: -1 }, { applied: null }, { run: { owner: 1 } }, { version: Long.MAX_VALUE }])(
    'stops code when somebody wrote %j into it',
    async (change) => {
      await openStores(db());
      await db().collection<{ _id: string }>('stores_schema').updateOne({ _id: 'stores' }, { $set: change });
      await expect(openStores(db())).rejects.toEqual(refused('STORES_SCHEMA_UNREADABLE'));
    },
  );

  it('is stated once by many that start at once', async () => {
    const started = await Promise.all(Array.from({ length: 8 }, () => openStores(db())));
    expect(new Set(started.map(String))).toEqual(new Set(['']));
  });
});

describe('migrations', () => {
  it('go on where a process died, and are applied once by many at once', async () => {
    await fill(7);
    const dying = stamping(1);
    let pages = 0;
    const dies = {
      ...dying,
      page: async (after?: string) => (++pages === 3 ? new Promise<never>(() => {}) : dying.page(after)),
    };
    void migrate(store([dies]), [dies], as('dead'));
    await expect.poll(() => pages).toBe(3);
    const runs = () => Promise.allSettled(['a', 'b', 'c'].map((owner) => migrate(store([dying]), [dying], as(owner))));
    for (const run of await runs()) {
      expect(run).toMatchObject({ status: 'rejected', reason: { code: 'MIGRATION_RUNNING' } });
    }
    await db()
      .collection('stores_schema')
      .updateOne({}, { $set: { 'run.until': new Date(0) } });
    const done = (await runs()).filter((run) => run.status === 'fulfilled' && run.value.length > 0);
    expect(done).toHaveLength(1);
    expect(await stated()).toMatchObject({ version: 1, run: null, applied: [{ version: 1, changed: 7, by: 'amara' }] });
    expect(await db().collection('documents').countDocuments({ of: 1 })).toBe(7);
  });

  it('are not kept waiting by a lock that reaches further than any', async () => {
    await fill(1);
    const one = stamping(1);
    await store([one]).begin(1, 'stranger');
    await db()
      .collection('stores_schema')
      .updateOne({}, { $set: { 'run.until': new Date(8e15) } });
    expect(await migrate(store([one]), [one], as('a'))).toHaveLength(1);
  });
});

describe('the history of list activations', () => {
  const operators = KEYS.operators;
  const flaws = async () => {
    const found: string[] = [];
    const inLog = { activations: new Map(), revoked: new Set<string>() };
    for await (const page of sealedDocuments({ db: db(), operators, inLog }).all())
      for (const { flaw, kind } of page) if (flaw) found.push(`${kind} ${flaw}`);
    return found;
  };
  const activate = async (from: number, to: number) => {
    const lists = listStore(db(), { operators });
    const version = await loadSampleList();
    await lists.save(version, 'amara', 1);
    const [head] = await lists.heads({ limit: 1 });
    for (let revision = from; revision < to; revision++) await lists.activate(head!, revision, 'bela', revision + 1);
    return { lists, head: head! };
  };
  const active = async () => (await db().collection(ACTIVE_LISTS).findOne({}))!;
  const revisionsKept = async () => {
    const kept = await db().collection(LIST_HISTORY).find({}).toArray();
    const inDocument = ((await active())['history'] as { revision: number }[]).map(({ revision }) => revision);
    return [...kept.map((one) => one['revision'] as number), ...inDocument].sort((a, b) => a - b);
  };
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

  it('has a bound in its document; what leaves it is kept, and its seals are looked at', async () => {
    const { lists } = await activate(0, MAX_HISTORY);
    expect(await db().collection(LIST_HISTORY).countDocuments()).toBe(0);
    await activate(MAX_HISTORY, MAX_HISTORY + 3);
    expect((await active())['history']).toHaveLength(MAX_HISTORY);
    expect(await revisionsKept()).toEqual(upTo(MAX_HISTORY + 3));
    expect((await lists.active())[0]).toMatchObject({ revision: MAX_HISTORY + 3, isSealed: true });
    expect(await flaws()).toEqual([]);
    await db()
      .collection(LIST_HISTORY)
      .updateOne({ revision: 2 }, { $set: { activatedBy: 'somebody else' } });
    expect(await flaws()).toEqual(['past activation LIST_ACTIVATION_NOT_SEALED']);
  });

  it('is migrated from any length, also when a process died after each step, with all its seals', async () => {
    const { head } = await activate(0, 1);
    const lists = listStore(db(), { operators });
    const length = 3 * MAX_HISTORY + 7;
    // As release 0.1.0 kept it: all in one document.
    const all: unknown[] = [];
    for (let revision = 1; revision < length; revision++) {
      await lists.activate(head, revision, 'bela', revision + 1);
      all.push(...((await active())['history'] as unknown[]).slice(-1));
    }
    const [first] = await db().collection(LIST_HISTORY).find({ revision: 1 }).toArray();
    const { _id, source: _, schemaVersion: __, ...entry } = first!;
    await db()
      .collection(ACTIVE_LISTS)
      .updateOne({}, { $set: { history: [entry, ...all] } });
    await db().collection(LIST_HISTORY).deleteMany({});
    expect(await flaws()).toEqual([]);

    const known = migrationsOf(db()).slice(0, 1);
    expect((await migrationStatus(store(), known)).migrations).toMatchObject([{ documents: 1, isApplied: false }]);
    expect(await revisionsKept()).toEqual(upTo(length));
    // It died after the entries were copied, and before the document was shortened: they are copied again, and are the same.
    const before = await active();
    await migrate(store(), known, as('a'));
    await db()
      .collection<{ _id: string }>(ACTIVE_LISTS)
      .replaceOne({ _id: before._id as unknown as string }, before);
    expect(await migrate(store(), known, as('b'))).toMatchObject([{ version: 1, changed: 1 }]);
    expect((await active())['history']).toHaveLength(MAX_HISTORY);
    expect(await revisionsKept()).toEqual(upTo(length));
    expect(await flaws()).toEqual([]);
    expect((await migrationStatus(store(), known)).migrations).toMatchObject([{ documents: 0, isApplied: true }]);
    const next = await lists.activate(head, length, 'bela', length + 1);
    expect(next?.list).toEqual(referenceTo(head, length + 1));
  });

  it('is left to an activation that comes in between', async () => {
    const { lists, head } = await activate(0, 2);
    const history = Array.from({ length: MAX_HISTORY + 5 }, () => ({ revision: 0 }));
    await db().collection(ACTIVE_LISTS).updateOne({}, { $set: { history } });
    const [migration] = migrationsOf(db());
    const racing = {
      ...migration!,
      page: async (after?: string) => {
        const done = await migration!.page(after);
        await lists.activate(head, 2, 'bela', 3);
        return done;
      },
    };
    await migrate(store(), [racing], as('a'));
    expect((await active())['revision']).toBe(3);
    expect(await migration!.pending()).toBe(0);
  });
});

describe('indexes of before', () => {
  /** As release 0.1.0 made them. */
  const make = async () => {
    await db()
      .collection('payouts')
      .createIndexes([
        { key: { nextPollAt: 1 }, name: 'poll', sparse: true },
        { key: { nextSubmitAt: 1 }, name: 'submit', sparse: true },
      ]);
    await db().collection('transfers').createIndex({ state: 1, updatedAt: -1 }, { name: 'state_updatedAt' });
  };
  const names = async (collection: string) =>
    (await db().collection(collection).indexes()).map(({ name }) => name!).toSorted();
  /** Stores in which today's code has run too. */
  const makeAll = async () => {
    await make();
    await mongoPayoutStore(db()).ensureIndexes();
    await ensureIndexes(db(), 'transfers', viewIndexes);
  };
  const migration = () => migrationsOf(db())[1]!;

  it('are dropped, and no other is', async () => {
    await mongoPayoutStore(db()).ensureIndexes();
    await ensureIndexes(db(), 'transfers', viewIndexes);
    const todays = [await names('payouts'), await names('transfers')];
    await make();
    await db().collection('payouts').createIndex({ homePartition: 1 }, { name: 'of an operator' });
    expect(await migration().pending()).toBe(3);
    expect(await migrate(store(), migrationsOf(db()), as('a'))).toMatchObject([{ changed: 0 }, { changed: 3 }]);
    expect(await names('payouts')).toEqual([...todays[0]!, 'of an operator'].toSorted());
    expect(await names('transfers')).toEqual(todays[1]);
    expect(await migrate(store(), migrationsOf(db()), as('b'))).toEqual([]);
  });

  it('are dropped again when a process of before has made them again, and are nothing in stores without collections', async () => {
    expect(await migration().pending()).toBe(0);
    await makeAll();
    await migrate(store(), migrationsOf(db()), as('a'));
    await make();
    expect(await migrate(store(), migrationsOf(db()), as('b'))).toMatchObject([{ version: 2, changed: 3 }]);
    expect(await migration().pending()).toBe(0);
  });

  it.each<[string, Document, Document]>([
    ['other fields', { nextPollAt: 1, provider: 1 }, { sparse: true }],
    ['the fields the other way round', { nextPollAt: -1 }, { sparse: true }],
    ['all documents in it', { nextPollAt: 1 }, {}],
    ['unique values', { nextPollAt: 1 }, { sparse: true, unique: true }],
    ['some documents in it', { nextPollAt: 1 }, { partialFilterExpression: { phase: 'NEW' } }],
  ])('are left alone where one of the same name has %s', async (_, key, options) => {
    await db()
      .collection('payouts')
      .createIndex(key, { name: 'poll', ...options });
    expect(await migration().pending()).toBe(0);
    await migrate(store(), migrationsOf(db()), as('a'));
    expect(await names('payouts')).toEqual(['_id_', 'poll']);
  });

  it('are dropped once by two runs at once, also when one died between two of them', async () => {
    await makeAll();
    const first = await migration().page(undefined);
    expect(first).toMatchObject({ changed: 1 });
    expect(await migration().pending()).toBe(2);
    const pages = await Promise.all([migration().page(first.after), migration().page(first.after)]);
    const [, rest] = await migrate(store(), migrationsOf(db()), as('a'));
    // One page may see what the other has dropped, and goes on to the next: each index is counted once all the same.
    const dropped = [first, ...pages, rest!].map(({ changed }) => changed);
    expect(dropped.reduce((sum, changed) => sum + changed, 0)).toBe(3);
    expect(await migration().pending()).toBe(0);
  });
});
