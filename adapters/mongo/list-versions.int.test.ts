// List versions, and what is in force, against a real database.
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { activateVersion, importVersion } from '../../operations/lists/import-and-activate.ts';
import type { ScreeningListActivated } from '../../schemas/types.generated.ts';
import { entitiesHashOf, type ListVersion } from '../../screening/lists/index.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import { unpackEntities } from '../../screening/versions/packed.ts';
import type { ListStore } from '../../screening/versions/store.ts';
import { versionIdOf } from '../../screening/versions/version.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { listedPerson, nextVersion } from '../../test/kit/memory-screening.ts';
import { listStore } from './list-versions.ts';
import { freshDatabases } from './testing/databases.ts';

const TERMS = { by: 'amara', now: Date.UTC(2026, 10, 23), forTrials: true };
const fresh = freshDatabases('lists', inject('stack').mongoUri);
let sample: ListVersion;
beforeAll(async () => {
  sample = await loadSampleList();
});
async function lists(): Promise<ListStore> {
  const store = listStore(fresh(), KEYS);
  await store.ensureIndexes();
  return store;
}
/** The sample with so many persons more. */
const grown = (count: number, published: string): ListVersion =>
  nextVersion(
    sample,
    [
      ...sample.entities,
      ...Array.from({ length: count }, (_, i) => listedPerson(`8${i}`, `Person Number${i} Somename`)),
    ],
    published,
  );

describe('a list version', () => {
  it('comes back as it was imported, whatever its size', async () => {
    const store = await lists();
    const version = grown(3_500, '2026-11-22');
    const { versionId, isNew } = await importVersion(store, version, TERMS);
    expect([versionId, isNew]).toEqual([versionIdOf(version), true]);
    const { head, chunks } = await store.load(versionId);
    expect(chunks).toHaveLength(4);
    expect(head).toMatchObject({ counts: version.counts, importedBy: 'amara', entitiesHash: version.entitiesHash });
    const entities = unpackEntities(chunks, head.entitiesHash);
    expect(entitiesHashOf(entities)).toBe(version.entitiesHash);
  });

  it('is never changed: the second import of it tells that it was there', async () => {
    const store = await lists();
    await importVersion(store, sample, TERMS);
    const again = await importVersion(store, sample, { by: 'somebody else', now: TERMS.now + 1 });
    expect(again.isNew).toBe(false);
    expect(await store.head(again.versionId)).toMatchObject({ importedBy: 'amara', importedAt: TERMS.now });
  });

  it('is refused when it lost more than a share of the one in force, and allowed with a larger share', async () => {
    const store = await lists();
    await importVersion(store, grown(100, '2026-11-21'), TERMS);
    await expect(importVersion(store, sample, TERMS)).rejects.toMatchObject({ code: 'LIST_SHRANK' });
    expect(await store.heads({ limit: 10 })).toHaveLength(1);
    expect((await importVersion(store, sample, { ...TERMS, maxShrink: 0.95 })).isNew).toBe(true);
  });

  it('that nobody imported is unknown', async () => {
    const store = await lists();
    await expect(store.load('OFAC-never')).rejects.toMatchObject({ code: 'LIST_VERSION_UNKNOWN' });
  });
});

describe('an activation', () => {
  it('is durable before it is told, and is told again when the telling was cut off', async () => {
    const store = await lists();
    const { versionId } = await importVersion(store, sample, TERMS);
    const broken = () => Promise.reject(new Error('the log is away'));
    await expect(activateVersion(store, broken, versionId, TERMS)).rejects.toThrow('the log is away');
    expect(await store.active()).toMatchObject([{ revision: 1, published: false, list: { versionId, activation: 1 } }]);
    expect(await store.current()).toMatchObject([{ source: 'CORRIDOR', versionId }]);

    const published: ScreeningListActivated[] = [];
    const publish = async (activation: ScreeningListActivated) => void published.push(activation);
    const again = await activateVersion(store, publish, versionId, { ...TERMS, now: TERMS.now + 5 });
    expect(again).toMatchObject({ changed: false });
    expect(published).toMatchObject([
      { list: { versionId }, activatedAt: TERMS.now, activatedBy: 'amara', entities: 12 },
    ]);
    expect((await store.active())[0]).toMatchObject({ published: true });
    await activateVersion(store, publish, versionId, TERMS);
    // Told again, in case an older one was told after it.
    expect(published.map(({ list }) => list.versionId)).toEqual([versionId, versionId]);
  });

  it('of what takes much off the list, or is older, needs another person than the importer', async () => {
    const store = await lists();
    const publish = async () => undefined;
    const put = (versionId: string, by: string) => activateVersion(store, publish, versionId, { ...TERMS, by });
    const many = await importVersion(store, grown(100, '2026-11-22'), TERMS);
    await put(many.versionId, 'amara');
    const few = await importVersion(store, grown(1, '2026-11-23'), { ...TERMS, maxShrink: 0.95 });
    const old = await importVersion(store, grown(101, '2026-11-21'), TERMS);
    for (const { versionId } of [few, old]) {
      await expect(put(versionId, ' Amara ')).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
    }
    expect(await store.current()).toMatchObject([{ versionId: many.versionId }]);
    expect((await put(few.versionId, 'bela')).changed).toBe(true);
  });

  it('of two at once is one', async () => {
    const store = await lists();
    const [a, b] = [grown(1, '2026-11-21'), grown(2, '2026-11-22')];
    await store.save(a, 'amara', TERMS.now);
    await store.save(b, 'amara', TERMS.now);
    const made = await Promise.all(
      [a, b].map(async (version) => store.activate(await store.head(versionIdOf(version)), 0, 'amara', TERMS.now)),
    );
    expect(made.filter((each) => each !== undefined)).toHaveLength(1);
    const winner = (await store.active())[0]!;
    const next = await Promise.all(
      [a, b].map(async (version) =>
        store.activate(await store.head(versionIdOf(version)), winner.revision, 'amara', TERMS.now),
      ),
    );
    expect(next.filter((each) => each !== undefined)).toHaveLength(1);
    expect((await store.active())[0]).toMatchObject({ revision: 2, list: { activation: 2 } });
  });

  it('that was told late does not stay the last word', async () => {
    const store = await lists();
    const later = grown(1, '2026-11-22');
    const { versionId } = await importVersion(store, sample, TERMS);
    const next = await importVersion(store, later, TERMS);
    const published: string[] = [];
    const publish = async ({ list }: ScreeningListActivated) => void published.push(list.versionId);
    // While the first is being told, a second is made and told.
    const slow = async (activation: ScreeningListActivated) => {
      if (published.length === 0) await activateVersion(store, publish, next.versionId, TERMS);
      await publish(activation);
    };
    await activateVersion(store, slow, versionId, TERMS);
    expect(published.at(-1)).toBe(next.versionId);
    expect(await store.current()).toMatchObject([{ versionId: next.versionId }]);
  });
});

describe('what is in force', () => {
  it('is not what somebody else wrote into the database: nothing is cleared against it', async () => {
    const db = fresh();
    const store = listStore(db, KEYS);
    await store.ensureIndexes();
    const publish = async () => undefined;
    const first = await importVersion(store, sample, TERMS);
    const next = await importVersion(store, grown(1, '2026-11-22'), TERMS);
    for (const { versionId } of [first, next]) await activateVersion(store, publish, versionId, TERMS);
    const active = db.collection<{ _id: string }>('screening_active');
    const heads = db.collection<{ _id: string }>('screening_lists');
    const original = (await active.findOne({}))!;
    const changes = {
      'list.versionId': first.versionId,
      'list.contentHash': 'other',
      'list.publishedOn': '2020-01-01',
      'list.activation': 9,
      revision: 9,
      entities: 1,
      activatedBy: 'somebody',
      activatedAt: new Date(0),
      seal: 'test.x',
    };
    for (const [field, value] of Object.entries(changes)) {
      await active.replaceOne({ _id: original._id }, original);
      await active.updateOne({}, { $set: { [field]: value } });
      await expect(store.current(), field).rejects.toMatchObject({ code: 'LIST_ACTIVATION_NOT_SEALED' });
    }
    // Negative control.
    const believing = listStore(db, { operators: { ...KEYS.operators, believesAll: true } });
    await active.updateOne({}, { $set: { revision: 2 } });
    expect(await believing.current()).toHaveLength(1);
    // Put in force again, it counts from where the log is.
    const lastOf = async () => ({ ...activationOf(2), list: { ...activationOf(2).list, activation: 7 } });
    // What the log has as the last is not here: its importer alone cannot say that nothing is taken off it.
    const alone = activateVersion(store, publish, next.versionId, { ...TERMS, lastOf });
    await expect(alone).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
    const again = await activateVersion(store, publish, next.versionId, { ...TERMS, by: 'bela', lastOf });
    expect(again).toMatchObject({ changed: true, activation: { revision: 8 } });
    expect(await store.current()).toMatchObject([{ versionId: next.versionId, activation: 8 }]);

    // Who imported it cannot be made somebody else.
    await heads.updateOne({ _id: next.versionId }, { $set: { importedBy: 'somebody' } });
    await expect(store.head(next.versionId)).rejects.toMatchObject({ code: 'LIST_VERSION_NOT_SEALED' });
    await expect(activateVersion(store, publish, next.versionId, TERMS)).rejects.toMatchObject({
      code: 'LIST_VERSION_NOT_SEALED',
    });
    expect((await store.heads({ limit: 9 })).filter(({ isSealed }) => isSealed)).toHaveLength(1);
    expect(await store.save(grown(1, '2026-11-22'), 'bela', TERMS.now)).toBe(true);
    expect(await store.head(next.versionId)).toMatchObject({ importedBy: 'bela' });
    // Damaged entities are mended by another import.
    await db.collection<{ _id: string }>('screening_list_chunks').deleteOne({ versionId: next.versionId } as never);
    expect(await store.save(grown(1, '2026-11-22'), 'cem', TERMS.now)).toBe(false);
    expect((await store.load(next.versionId)).chunks).toHaveLength(1);

    function activationOf(activation: number): ScreeningListActivated {
      const list = { source: 'CORRIDOR', versionId: 'v', publishedOn: '', contentHash: 'h', activation };
      return { list, entities: 1, names: 1, activatedAt: 1, activatedBy: 'a' };
    }
  });
});
