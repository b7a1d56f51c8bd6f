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
      const sums = (some: Document, group: Document) =>
        guarded(() =>
          transfers
            .aggregate([...latest, { $match: some }, { $group: group }], { ...read, maxTimeMS: MAX_TIME_MS })
            .toArray(),
        );
      const [priced, unpriced] = await Promise.all([
        sums({ debitMinor: { $ne: null } }, DEBITS),
        sums({ debitMinor: null }, INSTRUCTED),
      ]);
      const byCurrency = merged([...priced, ...unpriced].map(totalIn));
      return { byCurrency, isCut: byCurrency.reduce((counted, each) => counted + each.transfers, 0) > limit };
    },
  };
}

const DEBITS: Document = { _id: '$sourceCurrency', transfers: { $sum: 1 }, minor: { $sum: '$debitMinor' } };
const INSTRUCTED: Document = {
  _id: '$instructedCurrency',
  transfers: { $sum: 1 },
  minor: { $sum: '$instructedMinor' },
};

function totalIn({ _id, transfers: count, minor }: Document): CurrencyTotal {
  const transfers = Number(count);
  // Rows of before the view had what was instructed have no currency of it.
  const isKnown = typeof _id === 'string';
  return {
    currency: isKnown ? _id : '',
    transfers,
    minor: isKnown ? BigInt(minor as bigint | number) : 0n,
    withoutAmount: isKnown ? 0 : transfers,
  };
}

const merged = (totals: readonly CurrencyTotal[]): readonly CurrencyTotal[] =>
  [...Map.groupBy(totals, ({ currency }) => currency).values()].map((of) =>
    of.reduce((sum, each) => ({
      currency: each.currency,
      transfers: sum.transfers + each.transfers,
      minor: sum.minor + each.minor,
      withoutAmount: sum.withoutAmount + each.withoutAmount,
    })),
  );

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
