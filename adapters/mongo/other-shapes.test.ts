// Documents of another shape than any that was ever written: told as what they are, and the rest goes on.
import { describe, expect, it } from 'vitest';
import { revokeException } from '../../operations/exceptions/exceptions.ts';
import { openPayout } from '../../payouts/decide.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { customerCaseStore } from './customer-cases.ts';
import { flawOfActivation } from './list-activations.ts';
import { listStore } from './list-versions.ts';
import { payoutDocument } from './payout-document.ts';
import { mongoPayoutStore } from './payouts.ts';
import { exceptionStore } from './screening-exceptions.ts';
import { verifyStores } from './verify-stores.ts';

type Stored = Record<string, unknown>;

/** A database whose collections all hold these documents, whatever is asked for. */
function dbOf(documents: Stored[]) {
  const updates: Stored[] = [];
  const cursor = {
    sort: () => cursor,
    limit: () => cursor,
    project: () => cursor,
    toArray: async () => documents,
  };
  const collection = {
    find: () => cursor,
    findOne: async () => documents[0] ?? null,
    countDocuments: async () => 0,
    async updateOne(_: unknown, { $set }: { $set: Stored }) {
      updates.push($set);
      Object.assign(documents[0] ?? {}, $set);
      return { matchedCount: documents.length === 0 ? 0 : 1 };
    },
  };
  return { db: { collection: () => collection } as never, updates };
}

describe('a customer case of another shape', () => {
  it('blocks as one that nobody can settle, and ends no list', async () => {
    const reported: string[] = [];
    const { db } = dbOf([
      { _id: '1', token: 'ann', openedAt: 'foo' },
      { _id: '2', token: 'bob', state: 'CLEARED', decision: null },
    ]);
    const store = customerCaseStore(db, { ...KEYS, onUncleared: (id, code) => reported.push(`${id} ${code}`) });
    const nobody = [{ source: '', entityId: '', entityHash: '' }];
    expect([...(await store.blocked(['ann', 'bob']))]).toEqual([
      ['ann', nobody],
      ['bob', nobody],
    ]);
    expect(reported).toEqual(['1 CUSTOMER_CASE_NOT_SEALED', '2 CUSTOMER_CASE_NOT_SEALED']);
    expect((await store.list({ limit: 9 })).map(({ caseId }) => caseId)).toEqual(['1', '2']);
  });
});

describe('what is in force in another shape', () => {
  const head = {
    versionId: 'OFAC-2026-11-22-e',
    source: 'OFAC',
    publicationDate: '2026-11-22',
    contentHash: 'c',
    entitiesHash: 'e',
    counts: { entities: 1, names: 1 },
    report: {},
    importedAt: 1,
    importedBy: 'amara',
  } as never;

  it.each<[string, Stored]>([
    ['nothing', {}],
    ['a list that is none', { list: null, activatedAt: 'foo', revision: 'many', history: 'none' }],
    ['numbers as text', { revision: '1', list: { activation: '1' }, activatedAt: new Date(1) }],
  ])('is not sealed, and a version is put in force over it: %s', async (_, found) => {
    const document = { _id: 'OFAC', ...found };
    const { db } = dbOf([document]);
    const store = listStore(db, KEYS);
    expect(await store.active()).toMatchObject([{ source: 'OFAC', isSealed: false }]);
    await expect(store.current()).rejects.toMatchObject({ code: 'LIST_ACTIVATION_NOT_SEALED' });
    expect(await store.activate(head, found['revision'] as never, 'bela', 2, 1)).toMatchObject({ revision: 1 });
    expect(await store.current()).toMatchObject([{ versionId: 'OFAC-2026-11-22-e' }]);
    expect(flawOfActivation(KEYS.operators, document as never)).toBeUndefined();
  });

  it('leaves entries of the history that nobody sealed out of what counts, and keeps them', async () => {
    const document: Stored = { _id: 'OFAC', revision: 0, history: [] };
    const store = listStore(dbOf([document]).db, KEYS);
    await store.activate(head, 5, 'bela', 1, 1);
    const [first] = document['history'] as Stored[];
    const forged = [{ ...first, activatedBy: 'somebody' }, null, { ...first, revision: 9 }, 'text'];
    document['history'] = [first, ...forged];
    expect(flawOfActivation(KEYS.operators, document as never)).toBe('LIST_ACTIVATION_NOT_SEALED');
    await store.activate(head, 1, 'bela', 2);
    expect(flawOfActivation(KEYS.operators, document as never)).toBeUndefined();
    expect(document).toMatchObject({ history: [first, { revision: 2 }], unsealedHistory: forged });
  });
});

it('a version whose parts are being written again is waited for', async () => {
  const { db } = dbOf([{ _id: 'OFAC-1', chunks: 2, importedAt: new Date(1), data: { value: () => new Uint8Array() } }]);
  await expect(listStore(db, KEYS).load('OFAC-1')).rejects.toMatchObject({
    code: 'LIST_VERSION_DAMAGED',
    faultClass: 'transient-dependency',
  });
});

it('a revocation is in the log, whatever the database says of the exception', async () => {
  const log: string[] = [];
  const revocations = {
    among: async () => new Set<string>(),
    publish: async ({ exceptionId }: { exceptionId: string }) => void log.push(exceptionId),
  };
  const store = exceptionStore(dbOf([]).db, { ...KEYS, revocations });
  await expect(
    revokeException(
      { store, publish: revocations.publish },
      'a',
      { by: 'bela', reason: 'was wrong', at: 1 },
      KEYS.operators,
    ),
  ).rejects.toThrow(/is revoked in the log/);
  expect(log).toEqual(['a']);
});

describe('a payout of another shape', () => {
  const request = {
    provider: 'p',
    homePartition: 3,
    pricingAttempt: 1,
    priceExpiresAt: 1,
    requested: new Uint8Array([1]),
  };
  const whole = payoutDocument(openPayout({ ...request, payoutId: 'whole' }, 1), 'stamp', KEYS.executor);
  const shapeless = [{ _id: 'a' }, { ...whole, _id: 'b', attempts: [null] }, { ...whole, _id: 'c', createdAt: 'foo' }];

  it('is told as forged, and ends no list of cases', async () => {
    const reported: string[] = [];
    const { db } = dbOf([...shapeless, whole] as never);
    const store = mongoPayoutStore(db, { onForged: (id) => reported.push(id) });
    const { payouts, isCut } = await store.openCases(9);
    expect([payouts.map(({ payoutId }) => payoutId), isCut]).toEqual([['whole'], false]);
    expect(reported).toEqual(['a', 'b', 'c']);
    // What is left out hides no end.
    expect(await store.openCases(3)).toEqual({ payouts: [], isCut: true });
  });

  it('is one without a seal for verification, beside the others', async () => {
    const { db } = dbOf([...shapeless, whole] as never);
    const found = await verifyStores({ db, events: 'events', transfers: 'transfers' }).payouts.find(['any']);
    expect(found.map(({ payoutId, seal }) => [payoutId, seal])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['c', undefined],
      ['whole', whole.seal],
    ]);
  });
});
