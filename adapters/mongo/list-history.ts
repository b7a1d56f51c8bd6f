// Activations of list versions that have left the history in `screening_active`, which is one document:
//   screening_list_history  { _id: source/revision/seal, source, revision, list, … }: inserted once, never changed
// Under their ids they may be put there any number of times, by the activation that follows or by a migration.
import type { Db, Document } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import type { Activation } from '../../screening/versions/store.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { stamped, unstamped } from './schema-version.ts';
import { isSealedAsActive } from './sealed-activation.ts';

export const LIST_HISTORY = 'screening_list_history';
/** Entries in the history of a document: some 60 kB. Lists change daily, so those of the last months. */
export const MAX_HISTORY = 100;
/** Entries in one insert. */
const PAGE = 500;

/** An activation as histories keep it. */
export type HistoryEntry = Pick<Activation, 'revision' | 'list' | 'entities' | 'names' | 'activatedBy'> & {
  versionId: string;
  activatedAt: Date;
  seal?: string;
};

/**
 * Keeps what goes out of the history of a source. Nothing is made better by it: an entry keeps the seal that it has.
 * Something that is no entry at all is left out.
 * @throws CodedError
 */
export async function keepHistory(db: Db, source: string, entries: readonly unknown[]): Promise<void> {
  const collection = db.collection<Document & { _id: string }>(LIST_HISTORY, MAJORITY);
  const documents = entries.filter(isEntry).map((entry) => {
    const _id = `${source}/${String(entry.revision)}/${String(entry.seal).slice(0, 200)}`;
    return stamped({ ...entry, _id, source });
  });
  for (let from = 0; from < documents.length; from += PAGE) {
    await insertFree(collection, documents.slice(from, from + PAGE));
  }
}

export const isEntry = (entry: unknown): entry is HistoryEntry =>
  typeof entry === 'object' && entry !== null && !Array.isArray(entry);

/** Whether an entry was put in force as it stands. Never throws. */
export function isSealedEntry(operators: KeyRing, source: string, entry: HistoryEntry): boolean {
  try {
    const { seal, versionId, activatedAt, ...facts } = entry;
    const activated = { ...facts, source, activatedAt: activatedAt.getTime(), published: true };
    return versionId === facts.list.versionId && isSealedAsActive(operators, activated, seal);
  } catch {
    // Of another shape than any that was ever written.
    return false;
  }
}

/** What is wrong with the seal of an entry that was kept; undefined: nothing. */
export function flawOfKept(operators: KeyRing, kept: Document): 'LIST_ACTIVATION_NOT_SEALED' | undefined {
  const { _id: _, source, ...entry } = unstamped(kept);
  return isSealedEntry(operators, String(source), entry as HistoryEntry) ? undefined : 'LIST_ACTIVATION_NOT_SEALED';
}
