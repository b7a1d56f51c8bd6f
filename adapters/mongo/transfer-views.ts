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
      const latest: Document[] = [
        { $match: toQuery(filter, undefined) },
        { $sort: { updatedAt: -1, _id: -1 } },
        { $limit: limit + 1 },
      ];
      const sums = (stages: readonly Document[]) =>
        guarded(() => transfers.aggregate([...stages, BY_CURRENCY], { ...read, maxTimeMS: MAX_TIME_MS }).toArray());
      const [all, unpriced] = await Promise.all([sums(latest), sums([...latest, { $match: { debitMinor: null } }])]);
      const without = new Map(unpriced.map(({ _id, transfers: count }) => [_id, Number(count)]));
      const byCurrency = all.map(
        ({ _id, transfers: count, debitMinor }): CurrencyTotal => ({
          currency: String(_id),
          transfers: Number(count),
          debitMinor: BigInt(debitMinor as bigint | number),
          unpriced: without.get(_id) ?? 0,
        }),
      );
      return { byCurrency, isCut: byCurrency.reduce((counted, each) => counted + each.transfers, 0) > limit };
    },
  };
}

/** Sums leave out what is no number: a transfer without a debit was never priced. */
const BY_CURRENCY: Document = {
  $group: { _id: '$sourceCurrency', transfers: { $sum: 1 }, debitMinor: { $sum: '$debitMinor' } },
};

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
