// The index of dead letters in MongoDB, as operations read it.
import type { Db, Document, Filter } from 'mongodb';
import {
  type CountedGroup,
  type DeadLetters,
  type GroupNote,
  type GroupPart,
  type LetterFilter,
  MAX_GROUP_MINUTES,
} from '../../operations/dead-letters/ports.ts';
import type { GroupCounts } from '../../sinks/dead-letters/counts.ts';
import { type DeadLetterDocument, OPEN_STATES } from '../../sinks/dead-letters/letter.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { STAMP, unstamped } from './schema-version.ts';

export const DEAD_LETTERS = 'dead_letters';
export const GROUPS = 'dead_letter_groups';

/** Groups whose counts are shown at once. */
const MAX_GROUPS = 2_000;
const MAX_IDS = 1_000;

/** A group as stored: its counts beside what people wrote on it. */
interface StoredGroup extends Document {
  readonly _id: string;
  /** Rises with every touch. */
  readonly changes?: number;
  readonly touched?: boolean;
  /** `changes` as it was when it was counted. */
  readonly counted?: Omit<CountedGroup, 'group' | 'isCurrent' | 'note'> & { readonly changes: number };
  readonly note?: Omit<GroupNote, 'group'>;
}

/** Dead letters of this database. */
export function deadLetters(db: Db): DeadLetters {
  const letters = db.collection<DeadLetterDocument>(DEAD_LETTERS, MAJORITY);
  const groups = db.collection<StoredGroup>(GROUPS, MAJORITY);
  // Minor units come back as bigints, as they went in.
  const read = { useBigInt64: true } as const;

  return {
    async groups() {
      // Of a group whose letters are all dealt with only the note is left: it takes no place.
      const shown = { $or: [{ 'counted.parts.0': { $exists: true } }, { touched: true }] };
      const found = await guarded(() =>
        groups
          .find(shown, read)
          .limit(MAX_GROUPS + 1)
          .toArray(),
      );
      const all = found.slice(0, MAX_GROUPS);
      const counted = all.flatMap((group) => countedFrom(group as StoredGroup) ?? []);
      const uncounted = all.filter((group) => !group['counted'] && group['touched']).length;
      return { counted, uncounted, isCut: found.length > MAX_GROUPS };
    },
    async list(filter, limit, after) {
      const wanted: Filter<DeadLetterDocument>[] = [letterQuery(filter)];
      if (after) {
        const { failedAt, id } = after;
        wanted.push({ $or: [{ failedAt: { $lt: failedAt } }, { failedAt, _id: { $gt: id } }] });
      }
      const found = await guarded(() =>
        letters.find({ $and: wanted }, read).sort({ failedAt: -1, _id: 1 }).limit(limit).toArray(),
      );
      return found.map(unstamped) as DeadLetterDocument[];
    },
    async find(id) {
      const found = await guarded(() => letters.findOne({ _id: id }, read));
      return found ? (unstamped(found) as DeadLetterDocument) : undefined;
    },
    async noteOf(group) {
      const found = await guarded(() => groups.findOne({ _id: group }, { projection: { note: 1 } }));
      return found?.note && { group, ...found.note };
    },
    async annotate({ group, ...note }) {
      const $set = { note };
      if (note.version > 1) {
        const before = { _id: group, 'note.version': note.version - 1 };
        return (await guarded(() => groups.updateOne(before, { $set }))).matchedCount === 1;
      }
      const first = { _id: group, note: { $exists: false } };
      if ((await guarded(() => groups.updateOne(first, { $set }))).matchedCount === 1) return true;
      return (await insertFree(groups as never, [{ _id: group, ...$set, ...STAMP }])).size === 0;
    },
  };
}

/** The counts of groups of this database. */
export function groupCounts(db: Db): GroupCounts {
  const letters = db.collection<DeadLetterDocument>(DEAD_LETTERS, MAJORITY);
  const groups = db.collection<StoredGroup>(GROUPS, MAJORITY);
  const read = { useBigInt64: true } as const;

  async function count({ _id, changes = 0 }: StoredGroup): Promise<void> {
    const open = { group: _id, state: { $in: [...OPEN_STATES] } };
    const [shown, parts, minutes] = await Promise.all([
      guarded(() => letters.findOne({ group: _id }, read)),
      guarded(() => letters.aggregate(partsOf(open), read).toArray()),
      guarded(() => letters.aggregate(minutesOf(open)).toArray()),
    ]);
    if (!shown) return;
    const { owner, code, class: letterClass, cause } = shown;
    const $set = {
      counted: {
        ...{ owner, code, class: letterClass, cause, changes, countedAt: new Date() },
        parts: parts.map(partFrom),
        minutes: minutes.map(({ _id: minute, letters: some }) => ({ at: minute as Date, letters: Number(some) })),
      },
    };
    // Touched meanwhile: what was counted is shown as behind, and it is counted again.
    const asCounted = { _id, changes };
    const whole = await guarded(() => groups.updateOne(asCounted, { $set: { ...$set, touched: false } }));
    if (whole.matchedCount === 0)
      await guarded(() => groups.updateOne({ _id, 'counted.changes': { $not: { $gt: changes } } }, { $set }));
  }

  return {
    async touch(touched) {
      if (touched.length === 0) return;
      const update = { $inc: { changes: 1 }, $set: { touched: true, ...STAMP } };
      const writes = [...new Set(touched)].map((_id) => ({ updateOne: { filter: { _id }, update, upsert: true } }));
      await guarded(() => groups.bulkWrite(writes, { ordered: false }));
    },
    async recount(limit) {
      const behind = await guarded(() => groups.find({ touched: true }).limit(limit).toArray());
      for (const group of behind) await count(group);
      return behind.length;
    },
  };
}

function countedFrom({ _id: group, changes, counted, note }: StoredGroup): CountedGroup | undefined {
  if (!counted) return undefined;
  const { changes: then, ...rest } = counted;
  return { ...rest, group, isCurrent: Number(then) === Number(changes), note: note && { group, ...note } };
}

export function letterQuery({
  ids,
  states,
  group,
  owner,
  code,
  corridor,
  transferId,
  since,
}: LetterFilter): Filter<DeadLetterDocument> {
  return {
    ...(ids && { _id: { $in: ids.slice(0, MAX_IDS) } }),
    ...(states && { state: { $in: [...states] } }),
    ...(group !== undefined && { group }),
    ...(owner !== undefined && { owner }),
    ...(code !== undefined && { code }),
    ...(corridor !== undefined && { corridor }),
    ...(transferId !== undefined && { transferId }),
    ...(since && { failedAt: { $gte: since } }),
  };
}

/** One row for each corridor and currency of a group. */
const partsOf = (open: Document): Document[] => [
  { $match: open },
  {
    $group: {
      _id: { corridor: '$corridor', currency: '$currency', proven: '$proven' },
      letters: { $sum: 1 },
      amountMinor: { $sum: '$amountMinor' },
      firstFailedAt: { $min: '$firstFailedAt' },
      lastFailedAt: { $max: '$failedAt' },
      oldestAt: { $min: '$failedAt' },
    },
  },
];

const MINUTE_MS = 60_000;
/** Letters by the minute in which they were put aside. */
const minutesOf = (open: Document): Document[] => [
  { $match: open },
  {
    $group: {
      _id: { $subtract: ['$failedAt', { $mod: [{ $toLong: '$failedAt' }, MINUTE_MS] }] },
      letters: { $sum: 1 },
    },
  },
  { $sort: { _id: -1 } },
  { $limit: MAX_GROUP_MINUTES },
];

/** What the letters of a part share. Null fields may be left out of it. */
interface PartId {
  readonly proven: boolean;
  readonly corridor?: string | null;
  readonly currency?: string | null;
}

function partFrom({ _id, amountMinor, letters, ...rest }: Document): GroupPart {
  const { proven, corridor, currency } = _id as PartId;
  return {
    ...(rest as Pick<GroupPart, 'firstFailedAt' | 'lastFailedAt' | 'oldestAt'>),
    proven,
    corridor: corridor ?? null,
    currency: currency ?? null,
    letters: Number(letters),
    amountMinor: BigInt(amountMinor as bigint | number),
  };
}
