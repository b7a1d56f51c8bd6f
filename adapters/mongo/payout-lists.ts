// Payouts in MongoDB as lists read them: by phase, the longest unchanged first.
import type { Db, Document } from 'mongodb';
import type { ListedPayout, PayoutLists } from '../../operations/queries/ports.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { isGenuine, type PayoutDocument, type PayoutKeys, payoutOf } from './payout-document.ts';
import { PAYOUTS } from './payouts.ts';

/** A list that takes longer than this is given up, ms. */
const MAX_TIME_MS = 10_000;

/** Served by the index `phase_changedAt_id`. What does not bear these keys is listed without anything of it being believed. */
export function payoutLists(db: Db, keys: PayoutKeys): PayoutLists {
  const payouts = db.collection<PayoutDocument>(PAYOUTS, MAJORITY);
  return {
    async inPhase(phase, after, limit) {
      const wanted: Document[] = [{ phase: { $eq: phase } }];
      if (after) {
        // A bound beside the alternatives, so that the index is entered where the page begins.
        wanted.push({ changedAt: { $gte: after.at } });
        wanted.push({ $or: [{ changedAt: { $gt: after.at } }, { changedAt: after.at, _id: { $gt: after.id } }] });
      }
      const found = await guarded(() =>
        payouts.find({ $and: wanted }).sort({ changedAt: 1, _id: 1 }).limit(limit).maxTimeMS(MAX_TIME_MS).toArray(),
      );
      return found.map((document) => listed(document, keys));
    },
  };
}

/** Never throws, whatever the document is. */
function listed(document: PayoutDocument, keys: PayoutKeys): ListedPayout {
  const { changedAt } = document as Partial<PayoutDocument>;
  const at = changedAt instanceof Date && !Number.isNaN(changedAt.getTime()) ? changedAt : new Date(0);
  const payout = isGenuine(document, keys) ? payoutOf(document) : undefined;
  return { payoutId: String(document._id), changedAt: at, payout };
}
