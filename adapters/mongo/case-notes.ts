// Notes on cases in MongoDB: case_notes { _id: note, caseId, by, at, text }. The text is what a person typed: it may name
// somebody.
import type { Db } from 'mongodb';
import type { CaseNote, CaseNotes } from '../../operations/cases/notes/notes.ts';
import { claimAll } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { STAMP, unstamped } from './schema-version.ts';

export const CASE_NOTES = 'case_notes';

type Stored = Omit<CaseNote, 'id'> & { readonly _id: string };

export function caseNotes(db: Db): CaseNotes & { ensureIndexes(): Promise<void> } {
  const collection = db.collection<Stored>(CASE_NOTES, MAJORITY);
  return {
    ensureIndexes: () =>
      ensureIndexes(db, CASE_NOTES, [
        { name: 'caseId_at', keys: { caseId: 1, at: 1 }, servedQuery: 'the latest notes of one case' },
      ]),
    async add({ id, ...note }) {
      const [stands] = await claimAll<Stored>(collection as never, [{ _id: id, ...note, ...STAMP }]);
      return noteOf(stands!);
    },
    async of(caseId, limit) {
      const found = await guarded(() => collection.find({ caseId }).sort({ at: -1 }).limit(limit).toArray());
      return found.map(noteOf).toReversed();
    },
  };
}

function noteOf(stored: Stored): CaseNote {
  const { _id: id, caseId, by, at, text } = unstamped(stored);
  return { id, caseId, by, at, text };
}
