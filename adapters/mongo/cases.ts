// Cases of held transfers in MongoDB: queries, and writes that win or lose by compare-and-set. What may be written is decided
// in operations/cases/holds.
import { Binary, type Db, type Document, type Filter } from 'mongodb';
import type { HoldCases, HoldOutbox, RestorableHoldCases } from '../../operations/cases/holds/ports.ts';
import { type CaseDocument, indexes } from '../../sinks/cases/case.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { HOLD_CLAIMS } from './hold-claims.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { primaryClock } from './primary-clock.ts';
import { stamped, unstamped } from './schema-version.ts';

export const CASES = 'cases';

/** Cases in the database. Every method throws a coded error when MongoDB cannot be asked. */
export interface CaseStore extends HoldCases, RestorableHoldCases, HoldOutbox {
  ensureIndexes(): Promise<void>;
}

/** Who had cases written again: only ever added to. */
const RESTORATIONS = 'case_restorations';

/** @param now of the primary, unless a test has its own: a hold lapses by that, whatever the clock of the process says */
export function caseStore(db: Db, now: () => Promise<Date> = primaryClock(db)): CaseStore {
  const cases = db.collection<Document & { _id: string }>(CASES, MAJORITY);
  // Minor units come back as bigints, as they went in; other numbers are ints and doubles already.
  const read = { useBigInt64: true } as const;

  async function find(holdId: string): Promise<CaseDocument | undefined> {
    const found = await guarded(() => cases.findOne({ _id: holdId }, read));
    return found ? fromStore(found) : undefined;
  }

  async function many(filter: Filter<Document & { _id: string }>, sort: Document, limit: number) {
    const found = await guarded(() => cases.find(filter, read).sort(sort).limit(limit).toArray());
    return found.map(fromStore);
  }

  return {
    ensureIndexes: () => ensureIndexes(db, CASES, indexes),
    list: ({ state, limit }) => many(state ? { state } : {}, { openedAt: 1 }, limit),
    find,
    async decide(holdId, evidenceHash, decision) {
      const decided = await guarded(() =>
        cases.findOneAndUpdate(
          { _id: holdId, state: 'OPEN', evidenceHash, expiresAt: { $gt: decision.decidedAt } },
          { $set: { state: 'DECIDED', decision, commandPending: true } },
          { returnDocument: 'after', ...read },
        ),
      );
      return decided ? fromStore(decided) : undefined;
    },
    clock: () => now(),
    async expire(lapse) {
      const until = lapse.decidedAt;
      const result = await guarded(() =>
        cases.updateMany(
          { state: 'OPEN', expiresAt: { $lt: until } },
          { $set: { state: 'EXPIRED', decision: lapse, commandPending: true } },
        ),
      );
      return result.modifiedCount;
    },
    isResumed: async (holdId) =>
      (await guarded(() => db.collection<{ _id: string }>(HOLD_CLAIMS, MAJORITY).countDocuments({ _id: holdId }))) > 0,
    async restore(document, act, found) {
      const { _id: holdId, transferId } = document;
      const before = await guarded(() => cases.findOne({ _id: holdId }));
      // First who does it and what stood there: nothing is overwritten that nobody knows of.
      await guarded(() =>
        db.collection(RESTORATIONS, MAJORITY).insertOne(stamped({ holdId, transferId, ...act, before })),
      );
      const same = { _id: holdId, state: { $eq: found?.state ?? null }, decision: { $eq: found?.decision ?? null } };
      if (!found) return (await insertFree(cases as never, [stamped(document)])).size === 0;
      return (await guarded(() => cases.replaceOne(same as never, stamped(document)))).matchedCount === 1;
    },
    pending(limit, _before, after) {
      const behind = after && [
        { openedAt: { $gt: after.openedAt } },
        { openedAt: after.openedAt, _id: { $gt: after._id } },
      ];
      return many({ commandPending: true, ...(behind && { $or: behind }) }, { openedAt: 1, _id: 1 }, limit);
    },
    async markPublished(published) {
      if (published.length === 0) return;
      const holdIds = published.map(({ _id }) => _id);
      await guarded(() => cases.updateMany({ _id: { $in: holdIds } }, { $set: { commandPending: false } }));
    },
  };
}

/** BSON binaries as buffers, at any depth: sealed parties are bytes. */
export function fromStore(document: Document): CaseDocument {
  return withBuffers(unstamped(document)) as CaseDocument;
}

function withBuffers(value: unknown): unknown {
  if (value instanceof Binary) return Buffer.from(value.buffer);
  if (Array.isArray(value)) return value.map(withBuffers);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withBuffers(inner)]));
}
