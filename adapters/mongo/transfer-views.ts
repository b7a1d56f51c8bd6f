// The transfer view in MongoDB, as queries read it.
import type { Db, Document, Filter } from 'mongodb';
import type {
  CurrencyTotal,
  TransferFilter,
  TransferPosition,
  TransferTotals,
  TransferViews,
} from '../../operations/queries/ports.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { guarded } from './fault.ts';
import { unstamped } from './schema-version.ts';

/** Sums that take longer than this are given up, ms. */
const MAX_TIME_MS = 10_000;

/** Transfers in this collection. The indexes of sinks/transfer-view serve the list and the sums. */
export function transferViews(db: Db, collection: string): TransferViews & TransferTotals {
  const transfers = db.collection<Document & { _id: string }>(collection);
  const read = { useBigInt64: true } as const;
  return {
    find: async (transferId) => {
      const found = await guarded(() => transfers.findOne({ _id: transferId }, read));
      return found ? (unstamped(found) as unknown as TransferDocument) : undefined;
    },
    list: (filter, after, limit) =>
      guarded(() =>
        transfers
          .find(toQuery(filter, after), read)
          .sort({ updatedAt: -1, _id: -1 })
          .limit(limit)
          .map(unstamped)
          .toArray(),
      ) as unknown as Promise<readonly TransferDocument[]>,
    async totals(filter, limit) {
      // One pass: a transfer that is priced meanwhile is in it once, as it was or as it is.
      const pipeline: Document[] = [
        { $match: toQuery(filter, undefined) },
        { $sort: { updatedAt: -1, _id: -1 } },
        { $limit: limit + 1 },
        { $group: SUMS },
      ];
      const sums = await guarded(() => transfers.aggregate(pipeline, { ...read, maxTimeMS: MAX_TIME_MS }).toArray());
      const byCurrency = sums.map(totalIn);
      return { byCurrency, isCut: byCurrency.reduce((counted, each) => counted + each.transfers, 0) > limit };
    },
  };
}

/** What is priced by its debit, the rest by what was instructed; null is less than any number. */
const IS_PRICED: Document = { $gt: ['$debitMinor', null] };
const SUMS: Document = {
  // Rows of before the view had what was instructed have no currency of it.
  _id: { $ifNull: [{ $cond: [IS_PRICED, '$sourceCurrency', '$instructedCurrency'] }, ''] },
  transfers: { $sum: 1 },
  minor: { $sum: { $cond: [IS_PRICED, '$debitMinor', '$instructedMinor'] } },
};

function totalIn({ _id, transfers: count, minor }: Document): CurrencyTotal {
  const transfers = Number(count);
  const currency = String(_id);
  const isKnown = currency !== '';
  return {
    ...{ currency, transfers },
    minor: isKnown ? BigInt(minor as bigint | number) : 0n,
    withoutAmount: isKnown ? 0 : transfers,
  };
}

function toQuery(
  { state, currencies, olderThan, producer }: TransferFilter,
  after: TransferPosition | undefined,
): Filter<Document & { _id: string }> {
  const place = after
    ? {
        $or: [{ updatedAt: { $lt: after.updatedAt } }, { updatedAt: after.updatedAt, _id: { $lt: after.transferId } }],
      }
    : {};
  const latest = [olderThan, after?.updatedAt]
    .filter((at) => at !== undefined)
    .sort((a, b) => Number(a) - Number(b))[0];
  return {
    ...(state === undefined ? {} : { state }),
    ...(producer === undefined ? {} : { producerId: producer }),
    // A bound beside the alternatives, so that the index is entered where the page begins.
    ...(latest === undefined ? {} : { updatedAt: { $lte: latest } }),
    ...(currencies ? { sourceCurrency: currencies.source, targetCurrency: currencies.target } : {}),
    ...place,
  };
}
