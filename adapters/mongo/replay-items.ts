// The letters of replays in MongoDB: what is next, what was sent, what became of each.
import type { Collection, Db, Document } from 'mongodb';
import type { Replays } from '../../operations/dead-letters/replays/ports.ts';
import type { ReplayItem } from '../../operations/dead-letters/replays/replay.ts';
import type { IndexSpec } from '../../sinks/idempotent-writes.ts';
import { takenPlaces } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded, mongoFault } from './fault.ts';

export const REPLAY_ITEMS = 'replay_items';
const ITEMS_AT_ONCE = 1_000;

export const itemIndexes: readonly IndexSpec[] = [
  {
    name: 'replay_state_turn',
    keys: { replayId: 1, state: 1, turn: 1 },
    servedQuery: 'the letters of a replay that are next, and how many are left',
  },
  {
    name: 'replay_state_outcome_turn',
    keys: { replayId: 1, state: 1, outcome: 1, turn: 1 },
    servedQuery: 'the letters that were sent and of which nothing is known yet',
  },
];

type ReadsOfItems = Pick<Replays, 'items' | 'item' | 'progress' | 'counts'>;
type WritesOfItems = Pick<
  Replays,
  'edit' | 'insertItems' | 'predict' | 'markSent' | 'mark' | 'skip' | 'settle' | 'release'
>;

/** Items of the replays of this database. */
export function replayItems(db: Db): ReadsOfItems & WritesOfItems {
  const items = db.collection<ReplayItem>(REPLAY_ITEMS, MAJORITY);
  return { ...readsOf(items), ...writesOf(items) };
}

function readsOf(items: Collection<ReplayItem>): ReadsOfItems {
  return {
    items: (replayId, { states, isOutcomeKnown, after }, limit) =>
      guarded(() =>
        items
          .find({
            replayId,
            ...(states && { state: states.length === 1 ? states[0] : { $in: [...states] } }),
            ...(after !== undefined && { turn: { $gt: after } }),
            ...(isOutcomeKnown === undefined ? {} : { outcome: isOutcomeKnown ? { $ne: null } : null }),
          } as never)
          .sort({ turn: 1 })
          .limit(limit)
          .toArray(),
      ),
    item: async (replayId, letterId) =>
      (await guarded(() => items.findOne({ _id: `${replayId}/${letterId}` }))) ?? undefined,
    async progress(replayId) {
      const declined = { outcome: { $in: ['REJECTED', 'RETURNED'] }, 'prediction.kind': 'GOES_ON' };
      const isBad = { replayId, state: 'SENT', $or: [{ outcome: 'DEAD_AGAIN' }, declined] };
      const [left, sent, known, bad, last] = await Promise.all([
        guarded(() => items.countDocuments({ replayId, state: 'SELECTED' })),
        guarded(() => items.countDocuments({ replayId, state: 'SENT' })),
        guarded(() => items.countDocuments({ replayId, state: 'SENT', outcome: { $ne: null } })),
        guarded(() => items.countDocuments(isBad as never)),
        guarded(() => items.find({ replayId, state: 'SENT' }).sort({ state: -1, turn: -1 }).limit(1).toArray()),
      ]);
      return { left, sent, known, bad, lastSentAt: last[0]?.sentAt ?? null };
    },
    async counts(replayId) {
      const group = { _id: { state: '$state', outcome: '$outcome', reason: '$skipped' }, letters: { $sum: 1 } };
      const found = await guarded(() => items.aggregate([{ $match: { replayId } }, { $group: group }]).toArray());
      return found.map(({ _id, letters }) => ({
        state: String(_id.state),
        outcome: _id.outcome ?? null,
        reason: _id.reason ?? null,
        letters: Number(letters),
      }));
    },
  };
}

function writesOf(items: Collection<ReplayItem>): WritesOfItems {
  const write = async (updates: readonly { readonly filter: Document; readonly update: Document }[]): Promise<void> => {
    if (updates.length === 0) return;
    await guarded(() => items.bulkWrite(updates.map((updateOne) => ({ updateOne })) as never, { ordered: false }));
  };
  return {
    edit: (item, edit) => write([{ filter: { _id: item, state: 'SELECTED' }, update: { $set: { edit } } }]),
    async insertItems(some) {
      for (let from = 0; from < some.length; from += ITEMS_AT_ONCE) {
        try {
          await items.insertMany([...some.slice(from, from + ITEMS_AT_ONCE)] as never, { ordered: false });
        } catch (error) {
          if (takenPlaces(error) === undefined) throw mongoFault(error);
        }
      }
    },
    predict: (predictions) =>
      write(predictions.map(({ item, prediction }) => ({ filter: { _id: item }, update: { $set: { prediction } } }))),
    markSent: (sent, sentAt) =>
      write(
        sent.map(({ item, sentBefore }) => ({
          filter: { _id: item, state: 'SELECTED' },
          update: { $set: { state: 'SENT', sentAt, sentBefore } },
        })),
      ),
    mark: (marked) =>
      write(
        marked.map((item) => ({ filter: { _id: item, state: 'SELECTED' }, update: { $set: { state: 'MARKED' } } })),
      ),
    skip: (skipped) =>
      write(
        skipped.map(({ item, reason }) => ({
          filter: { _id: item, state: 'SELECTED' },
          update: { $set: { state: 'SKIPPED', skipped: reason } },
        })),
      ),
    settle: (known, outcomeAt) =>
      write(
        known.map(({ item, outcome, successor }) => ({
          filter: { _id: item, outcome: null },
          update: { $set: { outcome, successor, outcomeAt } },
        })),
      ),
    async release(replayId) {
      const open = { replayId, state: 'SELECTED' as const };
      await guarded(() => items.updateMany(open, { $set: { state: 'RELEASED' as const } }));
    },
  };
}
