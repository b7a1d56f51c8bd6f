// Every migration, in order. A new one goes to the end, and its version is SCHEMA_VERSION (adapters/mongo/schema-version.ts);
// docs/upgrading.md tells what it changes, and none is ever taken away or altered.
import type { Db } from 'mongodb';
import type { Migration } from '../../../operations/migrations/ports.ts';
import { checkStores } from '../../../operations/migrations/standing.ts';
import { listHistory } from './list-history.ts';
import { oldIndexes } from './old-indexes.ts';
import { schemaStore } from './schema-store.ts';

export const migrationsOf = (db: Db): readonly Migration[] => [listHistory(db), oldIndexes(db)];

/**
 * Looks whether this code and the documents go together, for a process that begins. Empty stores are said to be of this
 * code's version, where this user may write that; where not, `corridor migrate apply` says so later.
 * @returns names of the migrations that may be applied while the process works
 * @throws CodedError STORES_NEWER, STORES_TOO_OLD, STORES_SCHEMA_UNREADABLE (fatal), and what MongoDB answers
 */
export async function openStores(db: Db, known = migrationsOf(db)): Promise<readonly string[]> {
  const stated = await schemaStore(db, known).open();
  return checkStores(known, stated).map(({ name }) => name);
}
