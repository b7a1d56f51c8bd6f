// List versions, exceptions and customers' cases against a real database.
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { decideCustomerCase } from '../../operations/cases/customers/cases.ts';
import { flawOfException } from '../../operations/exceptions/exception.ts';
import { approveException, proposeException, revokeException } from '../../operations/exceptions/exceptions.ts';
import { activateVersion, importVersion } from '../../operations/lists/import-and-activate.ts';
import type { ScreeningExceptionRevoked, ScreeningListActivated } from '../../schemas/types.generated.ts';
import { entitiesHashOf, type ListVersion } from '../../screening/lists/index.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import type { CustomerCase } from '../../screening/rescreening/customer-case.ts';
import { unpackEntities } from '../../screening/versions/packed.ts';
import type { ListStore } from '../../screening/versions/store.ts';
import { versionIdOf } from '../../screening/versions/version.ts';
import { findings } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { listedPerson, nextVersion } from '../../test/kit/memory-screening.ts';
import { customerCaseStore, rescreenProgress } from './customer-cases.ts';
import { listStore } from './list-versions.ts';
import { exceptionStore } from './screening-exceptions.ts';

const TERMS = { by: 'amara', now: Date.UTC(2026, 10, 23) };
let client: MongoClient;
let sample: ListVersion;
beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
  sample = await loadSampleList();
});
afterAll(async () => {
  await client.close();
});

let databases = 0;
const fresh = (): Db => client.db(`lists_${process.pid}_${Date.now().toString(36)}_${++databases}`);
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

    const told: ScreeningListActivated[] = [];
    const publish = async (activation: ScreeningListActivated) => void told.push(activation);
    const again = await activateVersion(store, publish, versionId, { ...TERMS, now: TERMS.now + 5 });
    expect(again).toMatchObject({ changed: false });
    expect(told).toMatchObject([{ list: { versionId }, activatedAt: TERMS.now, activatedBy: 'amara', entities: 12 }]);
    expect((await store.active())[0]).toMatchObject({ published: true });
    await activateVersion(store, publish, versionId, TERMS);
    // Told again, in case an older one was told after it.
    expect(told.map(({ list }) => list.versionId)).toEqual([versionId, versionId]);
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
    const told: string[] = [];
    const publish = async ({ list }: ScreeningListActivated) => void told.push(list.versionId);
    // While the first is being told, a second is made and told.
    const slow = async (activation: ScreeningListActivated) => {
      if (told.length === 0) await activateVersion(store, publish, next.versionId, TERMS);
      await publish(activation);
    };
    await activateVersion(store, slow, versionId, TERMS);
    expect(told.at(-1)).toBe(next.versionId);
    expect(await store.current()).toMatchObject([{ versionId: next.versionId }]);
  });
});

describe('an exception', () => {
  const exception = (exceptionId: string, over = {}) => ({
    exceptionId,
    token: 'token-1',
    source: 'OFAC',
    entityId: '1',
    entityHash: 'h',
    expiresAt: TERMS.now + 1_000,
    grantedBy: 'amara',
    reason: 'another date of birth',
    ...over,
  });

  it('is found for its counterparty until it expires or is revoked, and kept after', async () => {
    const store = exceptionStore(fresh(), KEYS);
    await store.ensureIndexes();
    await proposeException(store, exception('a'), TERMS.now, KEYS.operators);
    await proposeException(store, exception('b', { token: 'token-2' }), TERMS.now, KEYS.operators);
    await proposeException(store, exception('c', { expiresAt: TERMS.now + 1 }), TERMS.now, KEYS.operators);
    for (const id of ['a', 'c']) await approveException(store, id, { by: 'bela', at: TERMS.now }, KEYS.operators);
    await expect(proposeException(store, exception('a'), TERMS.now, KEYS.operators)).rejects.toMatchObject({
      code: 'EXCEPTION_TAKEN',
    });
    expect(await store.find(['token-1'], TERMS.now + 1)).toMatchObject([exception('a')]);
    expect(await store.find(['token-3'], TERMS.now)).toEqual([]);
    await revokeException({ store }, 'a', { by: 'bela', reason: 'was wrong', at: TERMS.now }, KEYS.operators);
    await expect(
      revokeException({ store }, 'a', { by: 'bela', reason: 'twice', at: TERMS.now }, KEYS.operators),
    ).rejects.toMatchObject({ code: 'EXCEPTION_UNKNOWN' });
    expect(await store.find(['token-1'], TERMS.now + 1)).toEqual([]);
    expect(await store.list({ token: 'token-1', limit: 10 })).toHaveLength(2);
  });

  it('excuses nobody until another person approved it, once', async () => {
    const store = exceptionStore(fresh(), KEYS);
    const proposed = exception('a', { token: 't' });
    await proposeException(store, proposed, TERMS.now, KEYS.operators);
    expect(await store.find(['t'], TERMS.now)).toEqual([]);
    await expect(approveException(store, 'a', { by: 'AMARA ', at: TERMS.now }, KEYS.operators)).rejects.toMatchObject({
      code: 'SECOND_PERSON_NEEDED',
    });
    await expect(approveException(store, 'b', { by: 'bela', at: TERMS.now }, KEYS.operators)).rejects.toMatchObject({
      code: 'EXCEPTION_UNKNOWN',
    });
    const late = approveException(store, 'a', { by: 'bela', at: proposed.expiresAt }, KEYS.operators);
    await expect(late).rejects.toMatchObject({ code: 'EXCEPTION_UNKNOWN' });
    expect(await store.find(['t'], TERMS.now)).toEqual([]);
    const both = await Promise.allSettled([
      approveException(store, 'a', { by: 'bela', at: TERMS.now }, KEYS.operators),
      approveException(store, 'a', { by: 'cem', at: TERMS.now }, KEYS.operators),
    ]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await store.find(['t'], TERMS.now)).toMatchObject([proposed]);
    await revokeException({ store }, 'a', { by: 'amara', reason: 'was wrong', at: TERMS.now }, KEYS.operators);
    await expect(approveException(store, 'a', { by: 'bela', at: TERMS.now }, KEYS.operators)).rejects.toMatchObject({
      code: 'EXCEPTION_UNKNOWN',
    });
  });

  it('that was written into the database, or changed there, excuses nobody and is told', async () => {
    const db = fresh();
    const ignored: string[] = [];
    const store = exceptionStore(db, { ...KEYS, onIgnored: (id) => ignored.push(id) });
    const stored = db.collection<{ _id: string }>('screening_exceptions');
    const granted = async (id: string) => {
      await proposeException(store, exception(id), TERMS.now, KEYS.operators);
      await approveException(store, id, { by: 'bela', at: TERMS.now }, KEYS.operators);
    };
    await granted('right');
    const changes = {
      token: 'token-2',
      entityId: 'other',
      entityHash: 'other',
      expiresAt: new Date(TERMS.now + 9_000),
    };
    for (const [field, value] of Object.entries(changes)) {
      await granted(field);
      await stored.updateOne({ _id: field }, { $set: { [field]: value } });
    }
    await proposeException(store, exception('never-approved'), TERMS.now, KEYS.operators);
    await stored.updateOne({ _id: 'never-approved' }, { $set: { approved: { at: TERMS.now, by: 'bela' } } });
    const { exceptionId: _, expiresAt, ...rest } = exception('inserted');
    const approved = { at: TERMS.now, by: 'bela', seal: 'test.x' };
    const made = { ...rest, expiresAt: new Date(expiresAt), grantedAt: new Date(), approved, revoked: null };
    await stored.insertOne({ _id: 'inserted', ...made } as never);
    const found = await store.find(['token-1', 'token-2'], TERMS.now);
    expect(found.map(({ exceptionId }) => exceptionId)).toEqual(['right']);
    expect(ignored.toSorted()).toEqual([...Object.keys(changes), 'inserted', 'never-approved'].toSorted());

    // Negative control: who checks no seal excuses them all.
    const believing = exceptionStore(db, { operators: { ...KEYS.operators, believesAll: true } });
    expect(await believing.find(['token-1', 'token-2'], TERMS.now)).toHaveLength(found.length + ignored.length);

    // Whoever asked for it cannot be made somebody else, so that one person could approve what he asked for.
    await proposeException(store, exception('mine'), TERMS.now, KEYS.operators);
    await stored.updateOne({ _id: 'mine' }, { $set: { grantedBy: 'cem' } });
    await expect(approveException(store, 'mine', { by: 'amara', at: TERMS.now }, KEYS.operators)).rejects.toMatchObject(
      { code: 'EXCEPTION_NOT_SEALED' },
    );
  });
});

describe('a revocation', () => {
  const exception = {
    exceptionId: 'a',
    token: 't',
    source: 'OFAC',
    entityId: '1',
    entityHash: 'h',
    expiresAt: TERMS.now + 1_000,
    grantedBy: 'amara',
    reason: 'another date of birth',
  };

  it('is not taken back by who has the database: the log has it', async () => {
    const db = fresh();
    const log: ScreeningExceptionRevoked[] = [];
    const told: string[] = [];
    const revocations = {
      among: async (ids: readonly string[]) => new Set(ids.filter((id) => log.some((one) => one.exceptionId === id))),
      publish: async (revoked: ScreeningExceptionRevoked) => void log.push(revoked),
    };
    const onIgnored = (id: string, code: string) => told.push(`${id} ${code}`);
    const store = exceptionStore(db, { ...KEYS, revocations, onIgnored });
    const stored = db.collection<{ _id: string }>('screening_exceptions');
    await proposeException(store, exception, TERMS.now, KEYS.operators);
    await approveException(store, 'a', { by: 'bela', at: TERMS.now }, KEYS.operators);
    const approved = (await stored.findOne({ _id: 'a' }))!;
    expect(await store.find(['t'], TERMS.now)).toHaveLength(1);
    await revokeException(
      { store, publish: revocations.publish },
      'a',
      { by: 'bela', reason: 'was wrong', at: TERMS.now },
      KEYS.operators,
    );
    expect(log).toEqual([{ exceptionId: 'a', revokedAt: TERMS.now, revokedBy: 'bela' }]);
    expect(flawOfException(KEYS.operators, (await store.list({ limit: 1 }))[0]!)).toBeUndefined();
    await stored.replaceOne({ _id: 'a' }, approved);
    expect(await store.find(['t'], TERMS.now)).toEqual([]);
    expect(told).toEqual(['a EXCEPTION_UNREVOKED']);
    await stored.updateOne({ _id: 'a' }, { $set: { revoked: { at: 1, by: 'x', reason: 'y' } } });
    expect(flawOfException(KEYS.operators, (await store.list({ limit: 1 }))[0]!)).toBe('REVOCATION_NOT_SEALED');
    expect(await store.find(['t'], TERMS.now)).toEqual([]);
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
    const lastOf = async () => ({ ...told(2), list: { ...told(2).list, activation: 7 } });
    const again = await activateVersion(store, publish, next.versionId, { ...TERMS, lastOf });
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

    function told(activation: number): ScreeningListActivated {
      const list = { source: 'CORRIDOR', versionId: 'v', publishedOn: '', contentHash: 'h', activation };
      return { list, entities: 1, names: 1, activatedAt: 1, activatedBy: 'a' };
    }
  });
});

describe('a case about a customer', () => {
  const [candidate] = findings('POTENTIAL_MATCH').parties[0]!.candidates;
  const opened = (caseId: string, token: string): CustomerCase => ({
    caseId,
    token,
    source: 'CORRIDOR',
    entityId: '9001',
    entityHash: 'h',
    versionId: 'v2',
    candidate: candidate!,
    transferId: 'transfer-1',
    openedAt: TERMS.now,
    state: 'OPEN',
    decision: null,
  });
  const decision = { by: 'amara', reason: 'checked', at: TERMS.now };

  it('is opened once, blocks its customer until cleared, and is decided once', async () => {
    const store = customerCaseStore(fresh(), KEYS);
    await store.ensureIndexes();
    expect(await store.open([opened('1', 'ann'), opened('2', 'bob')])).toBe(2);
    expect(await store.open([opened('1', 'ann'), opened('3', 'cem')])).toBe(1);
    const blocked = async (...tokens: string[]) => [...(await store.blocked(tokens)).keys()].toSorted();
    expect(await blocked('ann', 'bob', 'dan')).toEqual(['ann', 'bob']);
    expect((await store.blocked(['ann'])).get('ann')).toMatchObject([
      { source: 'CORRIDOR', entityId: '9001', entityHash: 'h' },
    ]);
    expect(await decideCustomerCase(store, '1', { state: 'CLEARED', ...decision }, KEYS.operators)).toMatchObject({
      state: 'CLEARED',
    });
    expect(await decideCustomerCase(store, '2', { state: 'CONFIRMED', ...decision }, KEYS.operators)).toMatchObject({
      state: 'CONFIRMED',
    });
    expect(await blocked('ann', 'bob')).toEqual(['bob']);
    await expect(
      decideCustomerCase(store, '1', { state: 'CONFIRMED', ...decision }, KEYS.operators),
    ).rejects.toMatchObject({
      code: 'CASE_NOT_OPEN',
    });
    await expect(
      decideCustomerCase(store, '9', { state: 'CLEARED', ...decision }, KEYS.operators),
    ).rejects.toMatchObject({ code: 'CASE_UNKNOWN' });
    expect(await store.open([opened('1', 'ann')])).toBe(0);
    expect((await store.list({ state: 'OPEN', limit: 10 })).map(({ caseId }) => caseId)).toEqual(['3']);
  });

  it('blocks whatever it says, once somebody else changed anything in it; and nobody can decide it', async () => {
    const db = fresh();
    const told: string[] = [];
    const store = customerCaseStore(db, { ...KEYS, onForged: (id, code) => told.push(`${id} ${code}`) });
    const stored = db.collection<{ _id: string }>('customer_cases');
    const blocked = async (over = store) => [...(await over.blocked(['ann'])).entries()].flatMap(([, each]) => each);
    const settleable = { source: 'CORRIDOR', entityId: '9001', entityHash: 'h' };

    // A decision that was written into the database, and one that was turned.
    await store.open([opened('1', 'ann')]);
    const original = (await stored.findOne({ _id: '1' }))!;
    const turned = async (change: object) => {
      await stored.replaceOne({ _id: '1' }, original);
      await stored.updateOne({ _id: '1' }, { $set: change });
      told.length = 0;
      return blocked();
    };
    const cleared = { state: 'CLEARED', ...decision };
    for (const change of [{ state: 'CLEARED' }, { state: 'CLEARED', decision: { ...cleared, seal: 'test.x' } }]) {
      expect(await turned(change)).toEqual([settleable]);
      expect(told).toEqual(['1 CUSTOMER_DECISION_NOT_SEALED']);
    }
    // Negative control: who checks no seal is taken in.
    const believing = customerCaseStore(db, { operators: { ...KEYS.operators, believesAll: true } });
    expect(await blocked(believing)).toEqual([]);

    // What it is about, or what a person would see.
    for (const field of ['source', 'entityId', 'entityHash', 'versionId', 'transferId', 'candidate.matchedName']) {
      expect(await turned({ [field]: 'other' }), field).toEqual([{ source: '', entityId: '', entityHash: '' }]);
      expect(told, field).toEqual(['1 CUSTOMER_CASE_NOT_SEALED']);
      await expect(
        decideCustomerCase(store, '1', { ...decision, state: 'CLEARED' }, KEYS.operators),
        field,
      ).rejects.toMatchObject({
        code: 'CUSTOMER_CASE_NOT_SEALED',
      });
    }

    // A decision of another case; a true one, turned round; a true one.
    await stored.replaceOne({ _id: '1' }, original);
    await store.open([opened('2', 'bob')]);
    await decideCustomerCase(store, '2', { ...decision, state: 'CLEARED' }, KEYS.operators);
    const other = (await stored.findOne({ _id: '2' })) as unknown as CustomerCase;
    expect(await turned({ state: 'CLEARED', decision: other.decision })).toEqual([settleable]);
    await stored.replaceOne({ _id: '1' }, original);
    await decideCustomerCase(store, '1', { ...decision, state: 'CONFIRMED' }, KEYS.operators);
    await stored.updateOne({ _id: '1' }, { $set: { state: 'CLEARED', 'decision.state': 'CLEARED' } });
    expect(await blocked()).toEqual([settleable]);
    await stored.replaceOne({ _id: '1' }, original);
    await decideCustomerCase(store, '1', { ...decision, state: 'CLEARED' }, KEYS.operators);
    expect(await blocked()).toEqual([]);
  });

  it('leaves progress that nobody can make up', async () => {
    const db = fresh();
    const progress = rescreenProgress(db, KEYS.operators);
    const [list] = findings().lists;
    const at = (activation: number) => ({ ...list!, activation, versionId: `v${activation}` });
    await progress.advance([at(1)], TERMS.now);
    await db.collection<{ _id: string }>('screening_progress').updateOne({}, { $set: { list: at(9) } });
    expect(await progress.covered()).toEqual([]);
    await progress.advance([at(2)], TERMS.now);
    expect(await progress.covered()).toEqual([at(2)]);
  });

  it('leaves progress that never goes back', async () => {
    const progress = rescreenProgress(fresh(), KEYS.operators);
    const [list] = findings().lists;
    const at = (activation: number) => [{ ...list!, activation, versionId: `v${activation}` }];
    await progress.advance(at(2), TERMS.now);
    await progress.advance(at(1), TERMS.now);
    expect(await progress.covered()).toEqual(at(2));
    await progress.advance(at(3), TERMS.now);
    expect(await progress.covered()).toEqual(at(3));
  });
});
