// The transfer view: the latest state of each transfer, one document, replaced only by a later transition.
import { placeOf } from '../../domain/transfers/row-order.ts';
import type { Received } from '../../processors/contract.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import type { IndexSpec } from '../idempotent-writes.ts';

/** One transfer as it stands. `version` orders transitions and the marks between them. */
export type TransferDocument = { readonly _id: string; readonly version: number; readonly updatedAt: Date } & Omit<
  TransferLifecycle,
  'eventId' | 'transferId'
> & { readonly lastEventId: string };

export const indexes: readonly IndexSpec[] = [
  {
    name: 'state_updatedAt_id',
    keys: { state: 1, updatedAt: -1, _id: -1 },
    servedQuery: 'the transfers in one state, latest first, page by page (GET /v1/transfers?state=…)',
  },
  {
    name: 'updatedAt_id',
    keys: { updatedAt: -1, _id: -1 },
    servedQuery: 'all transfers, latest first, page by page (GET /v1/transfers)',
  },
  {
    name: 'producerId_updatedAt_id',
    keys: { producerId: 1, updatedAt: -1, _id: -1 },
    servedQuery:
      'the transfers of one producer, latest first, page by page (GET /v1/transfers of a producer); a state is looked for within them',
  },
];

/**
 * Where a lifecycle record stands in the order of its transfer. A mark such as DEAD_LETTERED repeats the sequence of
 * the last transition and comes after it, and before the next one.
 */
export const versionOf = (record: TransferLifecycle): number => placeOf(record);

/** Folds a batch into one write per transfer: each record is a full statement, so the latest stands for all. */
export function toWrite(batch: readonly Received<TransferLifecycle>[]): readonly TransferDocument[] {
  const latest = new Map<string, TransferLifecycle>();
  for (const { value } of batch) {
    const known = latest.get(value.transferId);
    if (known === undefined || versionOf(value) > versionOf(known)) latest.set(value.transferId, value);
  }
  return [...latest.values()].map(toDocument);
}

function toDocument({ eventId, transferId, ...fields }: TransferLifecycle): TransferDocument {
  const version = versionOf({ eventId, transferId, ...fields });
  return { _id: transferId, version, updatedAt: new Date(fields.occurredAt), lastEventId: eventId, ...fields };
}
