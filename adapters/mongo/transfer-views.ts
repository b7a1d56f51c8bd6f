// The transfer view in MongoDB, as queries read it.
import type { Db, Document, Filter } from 'mongodb';
import type { TransferFilter, TransferPosition, TransferViews } from '../../operations/queries/ports.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { guarded } from './fault.ts';
import { unstamped } from './schema-version.ts';

/** Transfers in this collection. The indexes of sinks/transfer-view serve the list. */
export function transferViews(db: Db, collection: string): TransferViews {
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
