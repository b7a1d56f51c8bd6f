// Version 2: indexes that release 0.1.0 made and that no query asks for any more are dropped; each of them costs every write of
// its collection. Only what is exactly as that release made it: an index of the same name with other fields is somebody else's.
import { type Db, type IndexDescriptionInfo, MongoServerError } from 'mongodb';
import type { Migration } from '../../../operations/migrations/ports.ts';
import { isOf } from '../../../ports/fault.ts';
import { MAJORITY } from '../client.ts';
import { guarded } from '../fault.ts';

const NAMESPACE_NOT_FOUND = 26;
const INDEX_NOT_FOUND = 27;

interface OldIndex {
  readonly collection: string;
  readonly name: string;
  /** As the database describes it, but for its version. */
  readonly as: Pick<IndexDescriptionInfo, 'key' | 'sparse'>;
}

/** In the order in which they are dropped. */
const OLD: readonly OldIndex[] = [
  // What is due was looked for over all providers; today each has its own (poll-by-provider, submit-by-provider).
  { collection: 'payouts', name: 'poll', as: { key: { nextPollAt: 1 }, sparse: true } },
  { collection: 'payouts', name: 'submit', as: { key: { nextSubmitAt: 1 }, sparse: true } },
  // Pages of transfers had no place to go on from; today's have (state_updatedAt_id).
  { collection: 'transfers', name: 'state_updatedAt', as: { key: { state: 1, updatedAt: -1 } } },
];

export function oldIndexes(db: Db): Migration {
  return {
    version: 2,
    name: 'old-indexes',
    does: 'drops indexes of release 0.1.0 that nothing asks for any more: poll and submit of payouts, state_updatedAt of transfers; counts indexes',
    oldestReader: 0,
    isRequired: false,
    pending: async () => (await found(db)).length,
    async page(after) {
      const left = await found(db);
      const place = after === undefined ? -1 : OLD.findIndex((one) => idOf(one) === after);
      const next = left.find((one) => OLD.indexOf(one) > place);
      if (!next) return { changed: 0, after: undefined };
      const isDropped = await drop(db, next);
      return { changed: isDropped ? 1 : 0, after: idOf(next) };
    },
  };
}

const idOf = ({ collection, name }: OldIndex) => `${collection}.${name}`;

/** @returns false: another run was first */
const drop = (db: Db, { collection, name }: OldIndex): Promise<boolean> =>
  guarded(async () => {
    try {
      await db.collection(collection, MAJORITY).dropIndex(name);
      return true;
    } catch (error) {
      if (isOf(error, MongoServerError) && (error.code === INDEX_NOT_FOUND || error.code === NAMESPACE_NOT_FOUND))
        return false;
      throw error;
    }
  });

/** Those that are there. */
async function found(db: Db): Promise<readonly OldIndex[]> {
  const names = [...new Set(OLD.map(({ collection }) => collection))];
  const stored = await guarded(() => db.listCollections({ name: { $in: names } }, { nameOnly: true }).toArray());
  const there = new Map<string, readonly IndexDescriptionInfo[]>();
  for (const { name } of stored) there.set(name, await guarded(() => db.collection(name).listIndexes().toArray()));
  return OLD.filter((one) => there.get(one.collection)?.some((index) => index.name === one.name && isAs(index, one)));
}

/** Whether the index is as that release made it: the same fields in the same order, and no other option. */
function isAs({ v: _, name: __, ...described }: IndexDescriptionInfo, { as }: OldIndex): boolean {
  const { key, ...options } = described as IndexDescriptionInfo & { readonly ns?: string };
  delete options.ns;
  const { key: oldKey, ...oldOptions } = as;
  return JSON.stringify(key) === JSON.stringify(oldKey) && JSON.stringify(options) === JSON.stringify(oldOptions);
}
