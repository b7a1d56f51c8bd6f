// The event log: each record once, under its eventId. Flat lifecycle records, so no personal data gets in.
import { isDeepStrictEqual } from 'node:util';
import type { Received } from '../../processors/contract.ts';
import type { IntentDuplicated, IntentRejected, TransferLifecycle } from '../../schemas/types.generated.ts';
import type { IndexSpec } from '../idempotent-writes.ts';

export type LoggedRecord =
  | Received<TransferLifecycle, 'transfer.lifecycle'>
  | Received<IntentRejected, 'intent.rejected'>
  | Received<IntentDuplicated, 'intent.duplicated'>;

/** One event as stored: the record itself and when the broker took it. */
export type EventDocument = { readonly _id: string; readonly topic: string; readonly ingestedAt: Date } & Omit<
  TransferLifecycle | IntentRejected | IntentDuplicated,
  'eventId'
>;

export const indexes: readonly IndexSpec[] = [
  {
    name: 'transfer_sequence',
    keys: { transferId: 1, sequence: 1 },
    servedQuery: 'the timeline of one transfer, in order (corridor transfer ID)',
  },
];

/** The documents of a batch, each id once: the same event twice in a batch is the same event. */
export function toWrite(batch: readonly LoggedRecord[]): readonly EventDocument[] {
  const documents = new Map<string, EventDocument>();
  for (const record of batch) {
    const { eventId } = record.value;
    if (!documents.has(eventId)) documents.set(eventId, documentOf(record));
  }
  return [...documents.values()];
}

/** Places of records whose id stands for other content earlier in the batch: `toWrite` leaves them out. */
export function conflictingPlaces(batch: readonly LoggedRecord[]): ReadonlySet<number> {
  const first = new Map<string, LoggedRecord>();
  const places = new Set<number>();
  for (const [place, record] of batch.entries()) {
    const { eventId } = record.value;
    const known = first.get(eventId);
    if (known === undefined) first.set(eventId, record);
    else if (!isDeepStrictEqual(contentOf(documentOf(known)), contentOf(documentOf(record)))) places.add(place);
  }
  return places;
}

function documentOf({ topic, appendedAt, value: { eventId, ...fields } }: LoggedRecord): EventDocument {
  return { _id: eventId, topic, ingestedAt: new Date(appendedAt), ...fields };
}

/** What two documents under one id must agree on: all but when the broker took it. */
export function contentOf({ ingestedAt: _, ...content }: EventDocument): unknown {
  // Documents of before a field lack it, where records that are read again have the default of the schema: nothing.
  return Object.fromEntries(Object.entries(content).filter(([, value]) => !isNothing(value)));
}

const isNothing = (value: unknown): boolean =>
  value === null || value === undefined || (Array.isArray(value) && value.length === 0);
