// Approvals in MongoDB. What may be written is decided in operations/approvals.
import type { Db } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { type Approval, isContentApproved } from '../../operations/approvals/approval.ts';
import type { Approvals } from '../../operations/approvals/ports.ts';
import type { ApprovalsBySubject } from '../../operations/skips/ports.ts';
import type { IndexSpec } from '../../sinks/idempotent-writes.ts';
import type { VerifySources } from '../../verify/ports.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { primaryClock } from './primary-clock.ts';
import { STAMP } from './schema-version.ts';

export const APPROVALS = 'approvals';

const indexes: readonly IndexSpec[] = [
  {
    name: 'state_askedAt',
    keys: { state: 1, askedAt: -1 },
    servedQuery: 'approvals in one state, latest first (corridor approvals list)',
  },
  {
    name: 'waiting_expiresAt',
    keys: { expiresAt: 1 },
    partialFilterExpression: { state: 'WAITING' },
    servedQuery: 'approvals that wait and have expired (the sweep)',
  },
  {
    name: 'approved_expiresAt',
    keys: { expiresAt: 1 },
    partialFilterExpression: { state: 'APPROVED' },
    servedQuery: 'approvals that were not begun in time (the sweep)',
  },
  {
    name: 'glass_askedAt',
    keys: { 'decided.glass': 1, askedAt: -1 },
    partialFilterExpression: { 'decided.glass': { $exists: true } },
    servedQuery: 'what was let through under a broken glass (its review)',
  },
  {
    name: 'act_subject_askedAt',
    keys: { act: 1, subject: 1, askedAt: -1 },
    servedQuery: 'approvals of one act on one thing, latest first (a consumer before a record that it cannot get past)',
  },
  {
    name: 'act_state_askedAt',
    keys: { act: 1, state: 1, askedAt: -1 },
    servedQuery:
      'approvals of one act in one state, latest first (lists), or first asked for first (those that are to be done)',
  },
];

/**
 * An approval is asked for, decided, begun and ended by the clock of the primary, whatever that of the process says.
 * @param now of the primary, unless a test has its own
 */
export function approvals(
  db: Db,
  now: () => Promise<Date> = primaryClock(db),
): Approvals & ApprovalsBySubject & { ensureIndexes(): Promise<void> } {
  const all = db.collection<Approval>(APPROVALS, MAJORITY);
  const later = (one: Date, other: Date) => (one > other ? one : other);
  const earlier = (one: Date, other: Date) => (one < other ? one : other);
  return {
    ensureIndexes: () => ensureIndexes(db, APPROVALS, indexes),
    clock: () => now(),
    insert: async (approval) => (await insertFree(all as never, [{ ...approval, ...STAMP } as never])).size === 0,
    find: async (id) => (await guarded(() => all.findOne({ _id: id }))) ?? undefined,
    list: (states, limit) =>
      guarded(() =>
        all
          .find({ state: { $in: [...states] } })
          .sort({ askedAt: -1 })
          .limit(limit)
          .toArray(),
      ),
    underGlass: (glass, limit) =>
      guarded(() => all.find({ 'decided.glass': glass }).sort({ askedAt: -1 }).limit(limit).toArray()),
    ofSubject: (act, subject, limit) =>
      guarded(() => all.find({ act, subject }).sort({ askedAt: -1 }).limit(limit).toArray()),
    ofAct: (act, state, limit) => guarded(() => all.find({ act, state }).sort({ askedAt: -1 }).limit(limit).toArray()),
    toDo: (act, limit, except) =>
      guarded(() =>
        all
          .find({ act, state: 'APPROVED', ...(except.length > 0 && { _id: { $nin: [...except] } }) })
          .sort({ askedAt: 1 })
          .limit(limit)
          .toArray(),
      ),
    async decide({ _id, hash, askedBy }, state, decided) {
      const at = later(decided.at, await now());
      const asSeen = { _id, state: 'WAITING' as const, hash, askedBy, expiresAt: { $gt: at } };
      return (await guarded(() => all.updateOne(asSeen, { $set: { state, decided } }))).matchedCount === 1;
    },
    async begin(_id, begunAt) {
      const at = later(begunAt, await now());
      const asSeen = { _id, state: 'APPROVED' as const, begunAt: null, expiresAt: { $gt: at } };
      if ((await guarded(() => all.updateOne(asSeen, { $set: { begunAt } }))).matchedCount === 1) return true;
      const begun = { _id, state: 'APPROVED' as const, begunAt: { $ne: null } };
      return (await guarded(() => all.findOne(begun, { projection: { _id: 1 } }))) !== null;
    },
    async end(_id, from, to, ended) {
      const asSeen = { _id, state: { $in: [...from] }, ...(to === 'WITHDRAWN' && { begunAt: null }) };
      return (await guarded(() => all.updateOne(asSeen, { $set: { state: to, ended } }))).matchedCount === 1;
    },
    async expire(asked) {
      // The sweep looks often and finds little: the clock is asked for when there is something.
      const due = { state: { $in: ['WAITING', 'APPROVED'] as const }, expiresAt: { $lte: asked }, begunAt: null };
      if ((await guarded(() => all.findOne(due as never, { projection: { _id: 1 } }))) === null) return 0;
      const at = earlier(asked, await now());
      const over = async (from: 'WAITING' | 'APPROVED', detail: string) => {
        const expired = { state: from, expiresAt: { $lte: at }, begunAt: null };
        const to = { state: 'EXPIRED' as const, ended: { at, detail } };
        return (await guarded(() => all.updateMany(expired, { $set: to }))).modifiedCount;
      };
      const sweeps = [over('WAITING', 'nobody decided in time'), over('APPROVED', 'it was not begun in time')];
      return (await Promise.all(sweeps)).reduce((sum, count) => sum + count, 0);
    },
  };
}

/** Of these approvals, those by which two persons let a record be skipped, by their seals, with the record. */
export function approvedSkips(db: Db, operators: KeyRing): NonNullable<VerifySources['approvedSkips']> {
  const all = db.collection<Approval>(APPROVALS, MAJORITY);
  return async (ids) => {
    const found = await guarded(() => all.find({ _id: { $in: [...ids] } }).toArray());
    const given = found.filter((each) => each.act === 'records.skip' && isContentApproved(operators, each));
    return new Map(given.map(({ _id, subject }) => [_id, subject]));
  };
}

/** Of these approvals, those by which a decision on a case was let through, by their seals. */
export function approvedDecisions(db: Db, operators: KeyRing): NonNullable<VerifySources['approvedDecisions']> {
  const all = db.collection<Approval>(APPROVALS, MAJORITY);
  return async (ids) => {
    const found = await guarded(() => all.find({ _id: { $in: [...ids] } }).toArray());
    const given = found.filter((each) => each.act === 'cases.decide' && isContentApproved(operators, each));
    return new Map(
      given.map(({ _id, subject, hash, askedBy, decided }) => {
        const { by: approvedBy, glass } = decided!;
        return [_id, { subject, hash, askedBy, approvedBy, glass }];
      }),
    );
  };
}
