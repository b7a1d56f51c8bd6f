// Idempotent batch writes to one collection. Unordered, coalesced by the caller to one write per document.
import { type AnyBulkWriteOperation, type Collection, type Db, type Document, MongoBulkWriteError } from 'mongodb';
import { refuseOutsideTrials } from '../../ports/environment.ts';
import { isOf } from '../../ports/fault.ts';
import type { GuardedStore, IdempotentStore, IndexSpec, WriteCounts } from '../../sinks/idempotent-writes.ts';
import { MAJORITY } from './client.ts';
import { guarded, mongoFault } from './fault.ts';
import { stamped, unstamped } from './schema-version.ts';

const DUPLICATE_KEY = 11_000;

/** Creates the indexes of a collection; a no-op for those that exist. */
export async function ensureIndexes(db: Db, collection: string, indexes: readonly IndexSpec[]): Promise<void> {
  if (indexes.length === 0) return;
  const specs = indexes.map(({ keys, name, unique, partialFilterExpression }) => ({
    key: keys,
    name,
    ...(unique ? { unique } : {}),
    ...(partialFilterExpression ? { partialFilterExpression } : {}),
  }));
  await guarded(() => db.collection(collection, MAJORITY).createIndexes(specs));
}

/**
 * Inserts once per `_id`; a repeat with the same content is stale, with other content an alarm. `content` picks what
 * must be the same where a document changes after its insert; by default all of it.
 */
export function insertOnlyStore<D extends { readonly _id: string }>(
  db: Db,
  name: string,
  content: (document: D) => unknown = (document) => document,
): IdempotentStore<D> {
  const collection = db.collection<Document & { _id: string }>(name, MAJORITY);
  return {
    async insertOnly(documents) {
      if (documents.length === 0) return { written: 0, stale: 0, conflicting: [] };
      const rejected = await unordered(() =>
        collection.insertMany(documents.map(stamped) as never, { ordered: false }),
      );
      if (rejected.length === 0) return { written: documents.length, stale: 0, conflicting: [] };
      const repeated = rejected.map((index) => documents[index]!);
      const conflicting = await differing(collection, repeated, content);
      return {
        written: documents.length - repeated.length,
        stale: repeated.length - conflicting.length,
        conflicting,
      };
    },
  };
}

/** Replaces each document only by a higher `version`. A duplicate key means: stale, or another writer was first. */
export function guardedStore<D extends { readonly _id: string; readonly version: number }>(
  db: Db,
  name: string,
  options: { readonly unsafeNoGuard?: boolean } = {},
): GuardedStore<D> {
  if (options.unsafeNoGuard) refuseOutsideTrials(process.env, 'A projection without its sequence guard');
  const collection = db.collection<Document & { _id: string }>(name, MAJORITY);
  const operation = (document: D, upsert: boolean): AnyBulkWriteOperation<Document & { _id: string }> => {
    const { _id, ...fields } = stamped(document);
    return {
      updateOne: {
        filter: options.unsafeNoGuard ? { _id } : { _id, version: { $lt: document.version } as never },
        update: { $set: fields as never },
        upsert,
      },
    };
  };
  return {
    async replaceGuarded(documents): Promise<WriteCounts> {
      if (documents.length === 0) return { written: 0, stale: 0, conflicting: [] };
      const first = documents.map((document) => operation(document, true));
      const refused = await unordered(() => collection.bulkWrite(first, { ordered: false }));
      if (refused.length === 0) return { written: documents.length, stale: 0, conflicting: [] };
      // The insert lost a race or the document is newer: without upsert, what does not match is stale.
      const again = refused.map((index) => operation(documents[index]!, false));
      const second = await guarded(() => collection.bulkWrite(again, { ordered: false }));
      const stale = refused.length - second.matchedCount;
      return { written: documents.length - stale, stale, conflicting: [] };
    },
  };
}

/** Runs an unordered batch; answers with the indexes refused for a duplicate `_id`. Any other error is thrown. */
async function unordered(run: () => Promise<unknown>): Promise<readonly number[]> {
  try {
    await run();
    return [];
  } catch (error) {
    if (!isOf(error, MongoBulkWriteError)) throw mongoFault(error);
    // What a majority did not acknowledge may be rolled back: the driver shows the duplicates in front of that.
    if (error.result.getWriteConcernError() !== undefined) throw mongoFault(error);
    const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
    const onId = errors.every(({ code, errmsg }) => code === DUPLICATE_KEY && isIdIndex(errmsg));
    if (!onId || errors.length === 0) throw mongoFault(error);
    return errors.map(({ index }) => index);
  }
}

/** A duplicate on another index than `_id` is a real error. */
const isIdIndex = (message: string | undefined) => !message || message.includes('_id_') || message.includes('_id:');

async function differing<D extends { readonly _id: string }>(
  collection: Collection<Document & { _id: string }>,
  documents: readonly D[],
  content: (document: D) => unknown,
): Promise<readonly string[]> {
  const ids = documents.map(({ _id }) => _id);
  const stored = await guarded(() => collection.find({ _id: { $in: ids } }, { useBigInt64: true }).toArray());
  const byId = new Map(stored.map((document) => [document._id, canonical(content(unstamped(document) as never))]));
  return documents.filter((document) => byId.get(document._id) !== canonical(content(document))).map(({ _id }) => _id);
}

/** Content as text, without the order of fields and without the difference between a long and a number. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return inner.toString();
    if (typeof inner === 'number') return String(inner);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
