// Replays of dead letters in MongoDB: the replays, their items, and the letters as they are taken and given back.
import type { Collection, Db, Document } from 'mongodb';
import { formatOrigin, parseOrigin } from '../../domain/transfers/origin-position.ts';
import { movesNoMoney } from '../../operations/dead-letters/owners.ts';
import { MAX_REPLAYS } from '../../operations/dead-letters/replays/check-letters.ts';
import type { ReplayableLetters, Replays } from '../../operations/dead-letters/replays/ports.ts';
import type { ReplayDocument } from '../../operations/dead-letters/replays/replay.ts';
import type { GroupCounts } from '../../sinks/dead-letters/counts.ts';
import { type DeadLetterDocument, OPEN_STATES } from '../../sinks/dead-letters/letter.ts';
import type { IndexSpec } from '../../sinks/idempotent-writes.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { DEAD_LETTERS, letterQuery } from './dead-letters.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { itemIndexes, REPLAY_ITEMS, replayItems } from './replay-items.ts';

export const REPLAYS = 'replays';
const IDS_AT_ONCE = 1_000;
/** Amounts come back as bigints; counts and offsets as they are typed. */
const READ = { promoteLongs: true } as const;
/** Letters that may share the offsets that are asked for: those of all partitions, and copies. */
const MAX_SUCCESSORS = 50_000;

const replayIndexes: readonly IndexSpec[] = [
  { name: 'createdAt', keys: { createdAt: -1 }, servedQuery: 'replays, latest first (corridor dlq replays)' },
  {
    name: 'open_createdAt',
    keys: { endedAt: 1, createdAt: 1 },
    partialFilterExpression: { endedAt: null },
    servedQuery: 'replays that a runner has something to do for',
  },
  {
    name: 'askedBy_createdAt',
    keys: { askedBy: 1, createdAt: 1 },
    servedQuery: 'selections of one person within some hours (before one more is made)',
  },
  {
    name: 'isWatched',
    keys: { isWatched: 1, _id: 1 },
    partialFilterExpression: { isWatched: true },
    servedQuery: 'replays that have ended, and of which some outcomes are looked for',
  },
];
/** Replays of this database. */
export function replays(db: Db): Replays & { ensureIndexes(): Promise<void> } {
  const all = db.collection<ReplayDocument>(REPLAYS, MAJORITY);
  return {
    ...replayItems(db),
    ...changes(all),
    async ensureIndexes() {
      await ensureIndexes(db, REPLAYS, replayIndexes);
      await ensureIndexes(db, REPLAY_ITEMS, itemIndexes);
    },
    find: async (id) => replayFromStore(await guarded(() => all.findOne({ _id: id }, READ))),
    async list(states, limit) {
      const query = { state: { $in: [...states] } };
      const found = await guarded(() => all.find(query, READ).sort({ createdAt: -1 }).limit(limit).toArray());
      return found.map((replay) => replayFromStore(replay)!);
    },
    async neverAsked(askedBy, since, limit) {
      const query = { askedBy, createdAt: { $gt: since }, approvalId: null };
      const projection = { createdAt: 1, endedAt: 1, 'halted.at': 1 };
      const found = await guarded(() => all.find(query, { projection }).limit(limit).toArray());
      return found.map(({ createdAt, endedAt, halted }) => ({ createdAt, until: endedAt ?? halted?.at ?? null }));
    },
    async open(limit) {
      // What is halted waits for a person, however much of it there is: it must not hide what is to be sent.
      const moving = { endedAt: null, state: { $nin: ['STOPPED', 'PAUSED'] } };
      const halted = { endedAt: null, state: { $in: ['STOPPED', 'PAUSED'] } };
      const oldest = (query: Document) =>
        guarded(() =>
          all
            .find(query as never, READ)
            .sort({ createdAt: 1 })
            .limit(limit)
            .toArray(),
        );
      const found = [...(await oldest(moving)), ...(await oldest(halted))];
      return found.map((replay) => replayFromStore(replay)!);
    },
    async watched(limit, after) {
      const query = { isWatched: true, _id: { $gt: after } };
      const found = await guarded(() => all.find(query, READ).sort({ _id: 1 }).limit(limit).toArray());
      return found.map((replay) => replayFromStore(replay)!);
    },
  };
}

const changes = (all: Collection<ReplayDocument>): Pick<Replays, 'insert' | 'change' | 'lease'> => ({
  insert: async (replay) => (await insertFree(all as never, [replay as never])).size === 0,
  async change({ _id, version }, to) {
    const asSeen = { _id, version };
    const update = { $set: { ...to, version: version + 1 } };
    return (await guarded(() => all.updateOne(asSeen, update as never))).matchedCount === 1;
  },
  async lease(_id, runner, now, until) {
    const lease = { $set: { lease: { runner, until } } };
    const ours = { _id, 'lease.runner': runner, 'lease.until': { $gt: now } };
    if ((await guarded(() => all.updateOne(ours, lease))).matchedCount === 1) return 'renewed';
    const free = { _id, $or: [{ lease: null }, { 'lease.until': { $lte: now } }] };
    return (await guarded(() => all.updateOne(free, lease))).matchedCount === 1 ? 'taken' : undefined;
  },
});

/** Amounts as bigints, whatever number the database made of them. */
export function replayFromStore(found: ReplayDocument | null): ReplayDocument | undefined {
  if (!found) return undefined;
  // One that somebody wrote into the database may have none of its fields: it must not stop the others.
  const { money = [], groups = [], discard = null, isWatched = false } = found as Partial<ReplayDocument>;
  return { ...found, groups, discard, isWatched, money: money.map((sum) => ({ ...sum, minor: BigInt(sum.minor) })) };
}

/** The letters of this database, as replays take and give them back. */
export function replayableLetters(db: Db, counts: Pick<GroupCounts, 'touch'>): ReplayableLetters {
  const letters = db.collection<DeadLetterDocument>(DEAD_LETTERS, MAJORITY);
  const read = { useBigInt64: true } as const;

  /** Their groups are counted again. */
  async function touch(filter: Document): Promise<void> {
    const groups = await guarded(() => letters.distinct('group', filter as never));
    await counts.touch(groups);
  }

  return {
    async take(filter, replayId, limit, stateAt, isForDiscard) {
      const mayBeSent = {
        ...(movesNoMoney(filter.owner ?? '') ? {} : { proven: true }),
        replayCount: { $lt: MAX_REPLAYS },
      };
      const parked = { ...letterQuery(filter), state: 'PARKED' as const, ...(isForDiscard ? {} : mayBeSent) };
      const found = await guarded(() =>
        letters
          .find(parked as never, { projection: { _id: 1 } })
          .sort({ failedAt: -1, _id: 1 })
          .limit(limit)
          .toArray(),
      );
      const ids = found.map(({ _id }) => _id);
      for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
        // Another replay may take some meanwhile: only what is still parked becomes ours.
        const some = { _id: { $in: ids.slice(from, from + IDS_AT_ONCE) }, state: 'PARKED' as const };
        await guarded(() => letters.updateMany(some, { $set: { state: 'SELECTED', takenBy: replayId, stateAt } }));
      }
      return (await guarded(() => letters.find({ takenBy: replayId, state: 'SELECTED' }, read).toArray())) as never;
    },
    async taken(replayId, ids) {
      const states = ['SELECTED', 'DISCARDED'] as const;
      const ours = { _id: { $in: [...ids] }, takenBy: replayId, state: { $in: [...states] } };
      const found = await guarded(() => letters.find(ours, { projection: { _id: 1 } }).toArray());
      return new Set(found.map(({ _id }) => _id));
    },
    async move(replayId, ids, to, stateAt) {
      if (ids.length === 0) return;
      const ours = { _id: { $in: [...ids] }, takenBy: replayId };
      await guarded(() => letters.updateMany(ours, { $set: { state: to, stateAt } }));
      if (!OPEN_STATES.includes(to)) await touch(ours);
    },
    async giveBack(replayId, stateAt) {
      const ours = { takenBy: replayId, state: 'SELECTED' as const };
      await guarded(() => letters.updateMany(ours, { $set: { state: 'PARKED', takenBy: null, stateAt } }));
    },
    newFailures: (replayId, owner, groups, since, limit) =>
      guarded(() =>
        letters.countDocuments(
          {
            ...(movesNoMoney(owner) ? {} : { proven: true }),
            // What it has taken was put aside before, whatever a clock says; what came of it, after.
            takenBy: { $ne: replayId },
            $or: [{ group: { $in: [...groups] }, failedAt: { $gte: since } }, { replayId }],
          },
          { limit },
        ),
      ),
    successors: (owner, replayId, sources) => successors(letters, owner, replayId, sources),
  };
}

/** Letters of this database that the transfers of a replay became, by the positions they came from. */
async function successors(
  letters: Collection<DeadLetterDocument>,
  ...[owner, replayId, sources]: Parameters<ReplayableLetters['successors']>
): Promise<ReadonlyMap<string, string>> {
  const offsets = [...new Set(sources.flatMap((source) => parseOrigin(source)?.offset ?? []))];
  if (offsets.length === 0) return new Map();
  const isProven = movesNoMoney(owner) ? {} : { proven: true };
  const ours = { replayId, 'source.offset': { $in: offsets }, owner, ...isProven };
  const found = await guarded(() =>
    letters
      .find(ours as never, { projection: { source: 1 } })
      .limit(MAX_SUCCESSORS)
      .toArray(),
  );
  const wanted = new Set(sources);
  return new Map(
    found.flatMap(({ _id, source }) => {
      const position = source ? formatOrigin(source) : '';
      return wanted.has(position) ? [[position, _id] as const] : [];
    }),
  );
}
