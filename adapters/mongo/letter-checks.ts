// Checks of dead letters against a build, in MongoDB.
import type { Db } from 'mongodb';
import type { LetterCheck, LetterChecks } from '../../operations/dead-letters/checks/checks.ts';
import type { IndexSpec } from '../../sinks/idempotent-writes.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';

export const LETTER_CHECKS = 'letter_checks';

const indexes: readonly IndexSpec[] = [
  {
    name: 'wanted_askedAt',
    keys: { state: 1, askedAt: 1 },
    partialFilterExpression: { state: 'WANTED' },
    servedQuery: 'the check that has waited longest (corridor run --replays)',
  },
];

export function letterChecks(db: Db): LetterChecks & { ensureIndexes(): Promise<void> } {
  const all = db.collection<LetterCheck>(LETTER_CHECKS, MAJORITY);
  return {
    ensureIndexes: () => ensureIndexes(db, LETTER_CHECKS, indexes),
    insert: async (check) => (await insertFree(all as never, [check as never])).size === 0,
    find: async (id) => (await guarded(() => all.findOne({ _id: id }))) ?? undefined,
    async wanted() {
      const [found] = await guarded(() => all.find({ state: 'WANTED' }).sort({ askedAt: 1 }).limit(1).toArray());
      return found;
    },
    async end(id, to) {
      await guarded(() => all.updateOne({ _id: id, state: 'WANTED' }, { $set: to }));
    },
  };
}
