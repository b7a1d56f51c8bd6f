// Whatever anybody else changes in what persons decided is found, field by field.
import { type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { decideCustomerCase } from '../../operations/cases/customers/cases.ts';
import { approveException, proposeException, revokeException } from '../../operations/exceptions/exceptions.ts';
import { activateVersion, importVersion } from '../../operations/lists/import-and-activate.ts';
import type { ListReference } from '../../schemas/types.generated.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import { findings } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { customerCaseStore } from './customer-cases.ts';
import { listStore } from './list-versions.ts';
import { exceptionStore } from './screening-exceptions.ts';
import { sealedDocuments } from './sealed-documents.ts';

const NOW = Date.UTC(2026, 10, 23);
/** Not part of what was decided: the id stands for itself; how it is kept, and whether it was told, concerns nobody. */
const FREE = /^(_id|chunks|published|schemaVersion)$/;
let client: MongoClient;
beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
});
afterAll(() => client.close());

it('any field of a list version, an activation, an exception or a customer case that is changed is found', async () => {
  const db = client.db(`sealed_${process.pid}_${Date.now().toString(36)}`);
  const lists = listStore(db, KEYS);
  const { versionId } = await importVersion(lists, await loadSampleList(), { by: 'amara', now: NOW });
  await activateVersion(lists, async () => undefined, versionId, { by: 'amara', now: NOW, forTrials: true });
  const exceptions = exceptionStore(db, KEYS);
  const asked = { token: 't', source: 'OFAC', entityId: '1', entityHash: 'h', expiresAt: NOW + 9, grantedBy: 'amara' };
  for (const exceptionId of ['approved', 'revoked']) {
    await proposeException(exceptions, { exceptionId, ...asked, reason: 'r' }, NOW, KEYS.operators);
    await approveException(exceptions, exceptionId, { by: 'bela', at: NOW }, KEYS.operators);
  }
  await revokeException({ store: exceptions }, 'revoked', { by: 'bela', reason: 'was wrong', at: NOW }, KEYS.operators);
  const cases = customerCaseStore(db, KEYS);
  const [candidate] = findings('POTENTIAL_MATCH').parties[0]!.candidates;
  const about = { token: 't', source: 'CORRIDOR', entityId: '9', entityHash: 'h', versionId: 'v', transferId: 'x' };
  for (const caseId of ['open', 'cleared']) {
    const rest = { candidate: candidate!, openedAt: NOW, state: 'OPEN', decision: null } as const;
    await cases.open([{ caseId, ...about, ...rest }]);
  }
  const cleared = { state: 'CLEARED', by: 'amara', reason: 'checked', at: NOW } as const;
  await decideCustomerCase(cases, 'cleared', cleared, KEYS.operators);

  const flaws = async (activations = new Map<string, ListReference>(), revoked = new Set<string>()) => {
    const found: string[] = [];
    const documents = sealedDocuments({ db, operators: KEYS.operators, inLog: { activations, revoked } });
    for await (const page of documents.all()) for (const { flaw } of page) if (flaw) found.push(flaw);
    return found;
  };
  expect(await flaws()).toEqual([]);
  const missed: string[] = [];
  let tried = 0;
  for (const name of ['screening_lists', 'screening_active', 'screening_exceptions', 'customer_cases']) {
    const collection = db.collection<{ _id: string }>(name);
    for (const original of await collection.find({}).toArray()) {
      for (const path of leavesOf(original)) {
        if (FREE.test(path) || path.startsWith('report.')) continue;
        // When an exception was asked for decides nothing.
        if (name === 'screening_exceptions' && path === 'grantedAt') continue;
        tried += 1;
        await collection.updateOne({ _id: original._id }, { $set: { [path]: 'something else' } });
        if ((await flaws()).length !== 1) missed.push(`${name} ${original._id} ${path}`);
        await collection.replaceOne({ _id: original._id }, original);
      }
    }
  }
  expect(tried).toBeGreaterThan(60);
  expect(missed).toEqual([]);

  // What the log knows better.
  const [list] = await lists.current();
  const later = { ...list!, activation: 2 };
  expect(await flaws(new Map([[later.source, later]]))).toEqual(['LIST_ACTIVATION_ROLLED_BACK']);
  expect(await flaws(new Map([['OFAC', later]]))).toEqual(['LIST_ACTIVATION_ROLLED_BACK']);
  expect(await flaws(undefined, new Set(['approved', 'revoked']))).toEqual(['EXCEPTION_UNREVOKED']);
  await db.dropDatabase();
}, 180_000);

function leavesOf(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null || value instanceof Date) return [path];
  return Object.entries(value as Document).flatMap(([name, inner]) => leavesOf(inner, path ? `${path}.${name}` : name));
}
