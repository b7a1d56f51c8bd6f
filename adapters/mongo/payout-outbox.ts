// The outbox that is embedded in payout documents.
import type { Db } from 'mongodb';
import type { PayoutOutbox } from '../../payouts/outbox.ts';
import type { Payout } from '../../payouts/payout.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { isGenuine, type PayoutDocument, type PayoutKeys, payoutOf } from './payout-document.ts';
import { PAYOUTS } from './payouts.ts';

/** Since when payouts that were read from the store have updates that wait. */
const since = new WeakMap<Payout, Date>();
/** Read from the store, and not as an executor has written them. */
const forged = new WeakSet<Payout>();

/** Updates of payouts that wait for the log; what does not bear these keys is forged. */
export function payoutOutbox(db: Db, keys: PayoutKeys = {}): PayoutOutbox {
  const collection = db.collection<PayoutDocument>(PAYOUTS, MAJORITY);
  return {
    isForged: (payout) => forged.has(payout),
    pending: async (limit, before, after) => {
      const last = after && since.get(after);
      const waits = { unpublishedSince: { $lte: new Date(before), ...(last && { $gte: last }) } };
      const behind = last && [{ unpublishedSince: { $gt: last } }, { _id: { $gt: after.payoutId } }];
      const documents = await guarded(() =>
        collection
          .find({ ...waits, ...(behind && { $or: behind }) })
          .sort({ unpublishedSince: 1, _id: 1 })
          .limit(limit)
          .toArray(),
      );
      return documents.map((document) => {
        const payout = readAs(document, keys);
        since.set(payout, document.unpublishedSince ?? new Date(before));
        return payout;
      });
    },
    markPublished: async (payouts) => {
      const byVersion = Map.groupBy(payouts, ({ updates }) => updates.at(-1)?.version ?? 0);
      const operations = [...byVersion].map(([version, group]) => ({
        updateMany: {
          // A payout that has changed again since stays pending: its next message is not in the log yet.
          filter: { _id: { $in: group.map(({ payoutId }) => payoutId) }, version },
          update: { $set: { publishedVersion: version }, $unset: { unpublishedSince: '' as const } },
        },
      }));
      if (operations.length > 0) await guarded(() => collection.bulkWrite(operations, { ordered: false }));
    },
  };
}

/** A document of a shape that no executor ever wrote must not hide the payouts behind it: it is refused like a forged one. */
function readAs(document: PayoutDocument, keys: PayoutKeys): Payout {
  try {
    const payout = payoutOf(document);
    if (!isGenuine(document, keys)) forged.add(payout);
    return payout;
  } catch {
    const nothing = { payoutId: String(document._id) } as Payout;
    forged.add(nothing);
    return nothing;
  }
}
