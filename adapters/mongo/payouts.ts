// Payouts in MongoDB: inserts and compare-and-set in bulk, and each caller learns for certain what it has won.
import { randomUUID } from 'node:crypto';
import { type AnyBulkWriteOperation, Binary, type Collection, type Db } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import type { PayoutPage, PayoutsWithCases } from '../../operations/cases/payouts/ports.ts';
import type { Payout } from '../../payouts/payout.ts';
import type { PayoutChange, PayoutStore } from '../../payouts/ports.ts';
import { refuseOutsideTrials } from '../../ports/environment.ts';
import { takenPlaces } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded, mongoFault } from './fault.ts';
import {
  INDEXED_FIELDS,
  indexedFields,
  isGenuine,
  type PayoutDocument,
  payoutDocument,
  payoutFields,
  payoutOf,
} from './payout-document.ts';

export const PAYOUTS = 'payouts';

export interface MongoPayoutStore extends PayoutStore, PayoutsWithCases {
  /** Creates the indexes; does nothing about those that exist. */
  ensureIndexes(): Promise<void>;
  /** As in the port; without those of another shape, which are reported as forged. */
  openCases(limit: number): Promise<PayoutPage>;
  /** How many payouts are in each phase. Reads the whole collection: for operators and tests. */
  countByPhase(): Promise<Readonly<Record<string, number>>>;
}

export interface MongoPayoutOptions {
  /**
   * Keys of the executor: what is written is sealed, and what bears no seal of it is not there for `load`. Without keys
   * nothing is sealed or checked: for those that only look.
   */
  readonly ring?: KeyRing;
  /** Keys of the stages: what payout dispatch has not asked for is not there for `load` either. */
  readonly stages?: KeyRing;
  /** Keys of operators: nor is a payout with a case that somebody else has closed. */
  readonly operators?: KeyRing;
  /** Called with each payout that `load` or `openCases` leaves out, since no executor has written it as it is. May throw. */
  readonly onForged?: (payoutId: string) => void;
  /** Test only: writes win whoever wrote before. Exists to show that the harness finds what the guard prevents. */
  readonly unsafe?: { readonly noCompareAndSet?: boolean };
}

export function mongoPayoutStore(db: Db, options: MongoPayoutOptions = {}): MongoPayoutStore {
  const collection = db.collection<PayoutDocument>(PAYOUTS, MAJORITY);
  const { ring, onForged } = options;
  const keys = { ring, stages: options.stages, operators: options.operators };
  const unguarded = options.unsafe?.noCompareAndSet === true;
  if (unguarded) refuseOutsideTrials(process.env, 'A payout store without compare-and-set');
  return {
    insert: (payouts) => (unguarded ? overwrite(collection, payouts, ring) : insert(collection, payouts, ring)),
    apply: (changes) => apply(collection, changes, { unguarded, ring }),
    async load(payoutIds) {
      if (payoutIds.length === 0) return [];
      const found = await guarded(() => collection.find({ _id: { $in: [...payoutIds] } }).toArray());
      const genuine = found.filter((document) => isGenuine(document, keys));
      if (genuine.length < found.length) {
        for (const one of found) if (!genuine.includes(one)) onForged?.(one._id);
      }
      return genuine.map(payoutOf);
    },
    now: () =>
      guarded(async () => {
        const { localTime } = await db.admin().command({ hello: 1 });
        return (localTime as Date).getTime();
      }),
    ...duePayouts(collection),
    async openCases(limit) {
      const found = await guarded(() =>
        collection
          .find({ caseSince: { $lte: new Date(8.64e15) } })
          .sort({ caseSince: 1 })
          .limit(limit + 1)
          .toArray(),
      );
      const payouts = found.slice(0, limit).flatMap((document) => {
        if (isGenuine(document, {})) return [payoutOf(document)];
        onForged?.(document._id);
        return [];
      });
      return { payouts, isCut: found.length > limit };
    },
    countByPhase: () =>
      guarded(async () => {
        const groups = await collection
          .aggregate<{ _id: string; count: number }>([{ $group: { _id: '$phase', count: { $sum: 1 } } }])
          .toArray();
        return Object.fromEntries(groups.map(({ _id, count }) => [_id, count]));
      }),
  };
}

/** What is due, by provider: those of another one may be due for ever, and are not read past. */
function duePayouts(
  collection: Collection<PayoutDocument>,
): Pick<MongoPayoutStore, 'overdue' | 'countOfOthers' | 'ensureIndexes'> {
  type DueField = 'nextPollAt' | 'nextSubmitAt';
  return {
    overdue: (before, limit, { provider, withNew }) =>
      guarded(async () => {
        const dueBy = async (field: DueField) => {
          const filter = { [field]: { $lte: new Date(before) }, provider };
          const found = collection
            .find(filter, { projection: { _id: 1 } })
            .sort({ [field]: 1 })
            .limit(limit);
          return (await found.toArray()).map(({ _id }) => _id);
        };
        const [polls, submits] = await Promise.all([dueBy('nextPollAt'), withNew ? dueBy('nextSubmitAt') : []]);
        return [...polls, ...submits].slice(0, limit);
      }),
    countOfOthers: (before, limit, provider) =>
      guarded(async () => {
        const due = (field: DueField) =>
          collection.countDocuments({ [field]: { $lte: new Date(before) }, provider: { $ne: provider } }, { limit });
        const [polls, submits] = await Promise.all([due('nextPollAt'), due('nextSubmitAt')]);
        return Math.min(limit, polls + submits);
      }),
    ensureIndexes: () =>
      guarded(async () => {
        const due = (field: DueField, name: string) => ({
          key: { provider: 1, [field]: 1 },
          name,
          partialFilterExpression: { [field]: { $exists: true } },
        });
        await collection.createIndexes([
          due('nextPollAt', 'poll-by-provider'),
          due('nextSubmitAt', 'submit-by-provider'),
          {
            key: { unpublishedSince: 1, _id: 1 },
            name: 'unpublished_id',
            partialFilterExpression: { unpublishedSince: { $exists: true } },
          },
          { key: { caseSince: 1 }, name: 'cases', sparse: true },
          // The payouts of one phase, the longest unchanged first (corridor payouts list, corridor stuck).
          { key: { phase: 1, changedAt: 1, _id: 1 }, name: 'phase_changedAt_id' },
        ]);
      }),
  };
}

/** The insert is the compare-and-set of a payout's first write: at most one caller gets past the unique `_id`. */
async function insert(
  collection: Collection<PayoutDocument>,
  payouts: readonly Payout[],
  ring: KeyRing | undefined,
): Promise<readonly boolean[]> {
  if (payouts.length === 0) return [];
  const stamp = randomUUID();
  const documents = payouts.map((payout) => payoutDocument(payout, stamp, ring));
  const taken = new Set<number>();
  try {
    await collection.insertMany(documents, { ordered: false });
  } catch (error) {
    const places = takenPlaces(error);
    if (places === undefined) throw mongoFault(error);
    for (const index of places) taken.add(index);
  }
  if (taken.size === 0) return payouts.map(() => true);
  // The driver may have sent the batch a second time after a cut connection: what bears the stamp is ours after all.
  const ids = [...taken].map((index) => documents[index]!._id);
  const ours = await stamped(collection, ids, stamp);
  return payouts.map(({ payoutId }, index) => !taken.has(index) || ours.has(payoutId));
}

/**
 * One bulk write, guarded by the revision. A bulk reports totals alone: when all matched, all won. Otherwise those that
 * bear this bulk's stamp did; one that somebody has written over since counts as not won, which is the safe side.
 */
async function apply(
  collection: Collection<PayoutDocument>,
  changes: readonly PayoutChange[],
  how: { readonly unguarded: boolean; readonly ring: KeyRing | undefined },
): Promise<readonly boolean[]> {
  if (changes.length === 0) return [];
  const stamp = randomUUID();
  const operations = changes.map((change) => operationOf(change, stamp, how));
  const { matchedCount } = await guarded(() => collection.bulkWrite(operations, { ordered: false }));
  if (matchedCount === changes.length) return changes.map(() => true);
  const ids = changes.map(({ next }) => next.payoutId);
  const ours = await stamped(collection, ids, stamp);
  return ids.map((id) => ours.has(id));
}

function operationOf(
  { from, next }: PayoutChange,
  stamp: string,
  { unguarded, ring }: { readonly unguarded: boolean; readonly ring: KeyRing | undefined },
) {
  const indexed = indexedFields(next);
  const absent = INDEXED_FIELDS.filter((field) => !(field in indexed));
  // `requested` and `publishedVersion` change only with a new price.
  const repriced = next.attempts.at(-1)?.pricingAttempt !== next.pricingAttempt && next.phase === 'NEW';
  const price = repriced && {
    requested: new Binary(next.requested),
    proof: next.proof ?? null,
    publishedVersion: next.publishedVersion,
  };
  return {
    updateOne: {
      filter: unguarded ? { _id: next.payoutId } : { _id: next.payoutId, revision: from },
      update: {
        $set: { ...payoutFields(next, stamp, ring), ...indexed, ...price },
        ...(absent.length > 0 && { $unset: Object.fromEntries(absent.map((field) => [field, ''])) }),
      },
    },
  } satisfies AnyBulkWriteOperation<PayoutDocument>;
}

async function stamped(
  collection: Collection<PayoutDocument>,
  ids: readonly string[],
  stamp: string,
): Promise<ReadonlySet<string>> {
  const mine = { _id: { $in: [...ids] }, stamp };
  const found = await guarded(() => collection.find(mine, { projection: { _id: 1 } }).toArray());
  return new Set(found.map(({ _id }) => _id));
}

async function overwrite(
  collection: Collection<PayoutDocument>,
  payouts: readonly Payout[],
  ring: KeyRing | undefined,
): Promise<readonly boolean[]> {
  const stamp = randomUUID();
  const operations = payouts.map((payout) => {
    const { _id, ...fields } = payoutDocument(payout, stamp, ring);
    return { replaceOne: { filter: { _id }, replacement: fields, upsert: true } };
  });
  await guarded(() => collection.bulkWrite(operations, { ordered: false }));
  return payouts.map(() => true);
}
