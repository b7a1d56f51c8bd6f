// Exceptions and their revocations against a real database.
import { describe, expect, inject, it } from 'vitest';
import { sealOf } from '../../domain/seals/seal.ts';
import { flawOfException } from '../../operations/exceptions/exception.ts';
import { approveException, proposeException, revokeException } from '../../operations/exceptions/exceptions.ts';
import type { ScreeningExceptionRevoked } from '../../schemas/types.generated.ts';
import { approvedContent } from '../../screening/exceptions.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { exceptionStore } from './screening-exceptions.ts';
import { freshDatabases } from './testing/databases.ts';

const TERMS = { by: 'amara', now: Date.UTC(2026, 10, 23) };
const fresh = freshDatabases('exceptions', inject('stack').mongoUri);
/** Of the database, as a test sets it. */
let now = TERMS.now;
const clock = async () => new Date(now);

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
    const store = exceptionStore(fresh(), { ...KEYS, clock });
    await store.ensureIndexes();
    await proposeException(store, exception('a'), TERMS.now, KEYS.operators);
    await proposeException(store, exception('b', { token: 'token-2' }), TERMS.now, KEYS.operators);
    await proposeException(store, exception('c', { expiresAt: TERMS.now + 1 }), TERMS.now, KEYS.operators);
    for (const id of ['a', 'c']) await approveException(store, id, { by: 'bela', at: TERMS.now }, KEYS.operators);
    await expect(proposeException(store, exception('a'), TERMS.now, KEYS.operators)).rejects.toMatchObject({
      code: 'EXCEPTION_TAKEN',
    });
    expect(await store.find(['token-1'])).toHaveLength(2);
    // `c` is over.
    now = TERMS.now + 1;
    expect(await store.find(['token-1'])).toMatchObject([exception('a')]);
    expect(await store.find(['token-3'])).toEqual([]);
    now = TERMS.now;
    await revokeException({ store }, 'a', { by: 'bela', reason: 'was wrong', at: TERMS.now }, KEYS.operators);
    await expect(
      revokeException({ store }, 'a', { by: 'bela', reason: 'twice', at: TERMS.now }, KEYS.operators),
    ).rejects.toMatchObject({ code: 'EXCEPTION_UNKNOWN' });
    expect(await store.find(['token-1'])).toMatchObject([{ exceptionId: 'c' }]);
    expect(await store.list({ token: 'token-1', limit: 10 })).toHaveLength(2);
  });

  it('excuses nobody until another person approved it, once', async () => {
    const store = exceptionStore(fresh(), { ...KEYS, clock });
    const proposed = exception('a', { token: 't' });
    await proposeException(store, proposed, TERMS.now, KEYS.operators);
    expect(await store.find(['t'])).toEqual([]);
    await expect(approveException(store, 'a', { by: 'AMARA ', at: TERMS.now }, KEYS.operators)).rejects.toMatchObject({
      code: 'SECOND_PERSON_NEEDED',
    });
    await expect(approveException(store, 'b', { by: 'bela', at: TERMS.now }, KEYS.operators)).rejects.toMatchObject({
      code: 'EXCEPTION_UNKNOWN',
    });
    const late = approveException(store, 'a', { by: 'bela', at: proposed.expiresAt }, KEYS.operators);
    await expect(late).rejects.toMatchObject({ code: 'EXCEPTION_UNKNOWN' });
    expect(await store.find(['t'])).toEqual([]);
    const both = await Promise.allSettled([
      approveException(store, 'a', { by: 'bela', at: TERMS.now }, KEYS.operators),
      approveException(store, 'a', { by: 'cem', at: TERMS.now }, KEYS.operators),
    ]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await store.find(['t'])).toMatchObject([proposed]);
    await revokeException({ store }, 'a', { by: 'amara', reason: 'was wrong', at: TERMS.now }, KEYS.operators);
    await expect(approveException(store, 'a', { by: 'bela', at: TERMS.now }, KEYS.operators)).rejects.toMatchObject({
      code: 'EXCEPTION_UNKNOWN',
    });
  });

  it('that was written into the database, or changed there, excuses nobody and is told', async () => {
    const db = fresh();
    const ignored: string[] = [];
    const store = exceptionStore(db, { ...KEYS, clock, onIgnored: (id) => ignored.push(id) });
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
    const found = await store.find(['token-1', 'token-2']);
    expect(found.map(({ exceptionId }) => exceptionId)).toEqual(['right']);
    expect(ignored.toSorted()).toEqual([...Object.keys(changes), 'inserted', 'never-approved'].toSorted());

    // Negative control: who checks no seal excuses them all.
    const believing = exceptionStore(db, { clock, operators: { ...KEYS.operators, believesAll: true } });
    expect(await believing.find(['token-1', 'token-2'])).toHaveLength(found.length + ignored.length);

    // What one person asked for and approved excuses nobody, however well it is sealed.
    const own = exception('own');
    await proposeException(store, own, TERMS.now, KEYS.operators);
    for (const by of ['amara', 'Amára', 'system']) {
      const seal = sealOf(KEYS.operators, 'exception', approvedContent(own, by, TERMS.now));
      await stored.updateOne({ _id: 'own' }, { $set: { approved: { at: TERMS.now, by, seal } } });
      ignored.length = 0;
      expect((await store.find(['token-1', 'token-2'])).map(({ exceptionId }) => exceptionId)).toEqual(['right']);
      expect(ignored).toContain('own');
    }

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
    const ignored: string[] = [];
    const revocations = {
      among: async (ids: readonly string[]) => new Set(ids.filter((id) => log.some((one) => one.exceptionId === id))),
      publish: async (revoked: ScreeningExceptionRevoked) => void log.push(revoked),
    };
    const onIgnored = (id: string, code: string) => ignored.push(`${id} ${code}`);
    const store = exceptionStore(db, { ...KEYS, clock, revocations, onIgnored });
    const stored = db.collection<{ _id: string }>('screening_exceptions');
    await proposeException(store, exception, TERMS.now, KEYS.operators);
    await approveException(store, 'a', { by: 'bela', at: TERMS.now }, KEYS.operators);
    const approved = (await stored.findOne({ _id: 'a' }))!;
    expect(await store.find(['t'])).toHaveLength(1);
    await revokeException(
      { store, publish: revocations.publish },
      'a',
      { by: 'bela', reason: 'was wrong', at: TERMS.now },
      KEYS.operators,
    );
    expect(log).toEqual([{ exceptionId: 'a', revokedAt: TERMS.now, revokedBy: 'bela' }]);
    expect(flawOfException(KEYS.operators, (await store.list({ limit: 1 }))[0]!)).toBeUndefined();
    await stored.replaceOne({ _id: 'a' }, approved);
    expect(await store.find(['t'])).toEqual([]);
    expect(ignored).toEqual(['a EXCEPTION_UNREVOKED']);
    await stored.updateOne({ _id: 'a' }, { $set: { revoked: { at: 1, by: 'x', reason: 'y' } } });
    expect(flawOfException(KEYS.operators, (await store.list({ limit: 1 }))[0]!)).toBe('REVOCATION_NOT_SEALED');
    expect(await store.find(['t'])).toEqual([]);
  });
});
