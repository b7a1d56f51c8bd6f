// Version 1: the history of list activations, which grew in one document, keeps its last entries; those before them go to a
// collection of their own. What is sealed stays as it is.
import type { Db, Document } from 'mongodb';
import type { Migration } from '../../../operations/migrations/ports.ts';
import { MAJORITY } from '../client.ts';
import { guarded } from '../fault.ts';
import { ACTIVE_LISTS } from '../list-activations.ts';
import { keepHistory, MAX_HISTORY } from '../list-history.ts';
import { STAMP } from '../schema-version.ts';

type Stored = Document & { readonly _id: string };

export function listHistory(db: Db): Migration {
  const collection = db.collection<Stored>(ACTIVE_LISTS, MAJORITY);
  const isLong = { [`history.${MAX_HISTORY}`]: { $exists: true } };
  return {
    version: 1,
    name: 'list-history',
    does: 'moves all but the last 100 activations of a list from its document to screening_list_history; one document a list',
    oldestReader: 0,
    isRequired: false,
    pending: () => guarded(() => collection.countDocuments(isLong)),
    async page(after) {
      const filter = after === undefined ? isLong : { ...isLong, _id: { $gt: after } };
      const [found] = await guarded(() => collection.find(filter).sort({ _id: 1 }).limit(1).toArray());
      if (!found) return { changed: 0, after: undefined };
      const { _id, revision, seal, history } = found;
      const entries = history as readonly unknown[];
      await keepHistory(db, _id, entries.slice(0, -MAX_HISTORY));
      // An activation meanwhile has written another seal, and shortened the history itself.
      const asRead = { _id, revision: { $eq: revision ?? null }, seal: { $eq: seal ?? null }, ...isLong };
      const change = { $set: { history: entries.slice(-MAX_HISTORY), ...STAMP } };
      const { matchedCount } = await guarded(() => collection.updateOne(asRead, change));
      return { changed: matchedCount, after: _id };
    },
  };
}
