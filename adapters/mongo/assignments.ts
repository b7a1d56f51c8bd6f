// Who works on which case, in MongoDB: case_assignments { _id: case, by, person, at, until }.
import type { Collection, Db } from 'mongodb';
import type { Assignment } from '../../operations/cases/assignments/decide.ts';
import type { Assignments } from '../../operations/cases/assignments/ports.ts';
import { CodedError } from '../../ports/fault.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { STAMP, unstamped } from './schema-version.ts';

export const ASSIGNMENTS = 'case_assignments';
const MAX_TRIES = 5;

interface Stored extends Omit<Assignment, 'caseId' | 'at' | 'until'> {
  readonly _id: string;
  readonly at: Date;
  readonly until: Date;
}

export function assignmentStore(db: Db): Assignments & { ensureIndexes(): Promise<void> } {
  const collection = db.collection<Stored>(ASSIGNMENTS, MAJORITY);
  return {
    ensureIndexes: () =>
      ensureIndexes(db, ASSIGNMENTS, [
        { name: 'until', keys: { until: 1 }, servedQuery: 'the assignments that are not over (the inbox)' },
      ]),
    async current(now, limit) {
      const found = collection.find({ until: { $gt: new Date(now) } }).sort({ until: 1 });
      return (await guarded(() => found.limit(limit).toArray())).map(assignmentOf);
    },
    async find(caseId, now) {
      const found = await guarded(() => collection.findOne({ _id: caseId, until: { $gt: new Date(now) } }));
      return found ? assignmentOf(found) : undefined;
    },
    async assign(wanted) {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const stands = await assignOnce(collection, wanted);
        // Undefined: released between two looks.
        if (stands) return stands;
      }
      throw new CodedError('CASE_MOVED', `case ${wanted.caseId} is assigned and released all the time: try again`);
    },
    async release(caseId, person) {
      return (await guarded(() => collection.deleteOne({ _id: caseId, person }))).deletedCount === 1;
    },
  };
}

async function assignOnce(collection: Collection<Stored>, wanted: Assignment): Promise<Assignment | undefined> {
  const document = storedOf(wanted);
  const { _id, ...change } = document;
  if ((await insertFree(collection as never, [document as never])).size === 0) return wanted;
  // Over at this moment, or this person's already: then it is theirs from now on.
  const free = { _id, $or: [{ until: { $lte: document.at } }, { person: wanted.person }] };
  if ((await guarded(() => collection.updateOne(free, { $set: change }))).matchedCount === 1) return wanted;
  const stands = await guarded(() => collection.findOne({ _id }));
  return stands ? assignmentOf(stands) : undefined;
}

const storedOf = ({ caseId, at, until, ...rest }: Assignment): Stored => ({
  _id: caseId,
  ...rest,
  at: new Date(at),
  until: new Date(until),
  ...STAMP,
});

/** Never throws: what is of another shape is over. */
const assignmentOf = ({ _id, at, until, ...rest }: Stored): Assignment => ({
  ...unstamped(rest),
  caseId: _id,
  at: at instanceof Date ? at.getTime() : 0,
  until: until instanceof Date ? until.getTime() : 0,
});
