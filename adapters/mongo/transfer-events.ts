// The event log in MongoDB, as queries read it.
import type { Db } from 'mongodb';
import type { TransferEvents } from '../../operations/queries/ports.ts';
import type { EventDocument } from '../../sinks/events/to-write.ts';
import { guarded } from './fault.ts';
import { unstamped } from './schema-version.ts';

/** Events of transfers in this collection. */
export function transferEvents(db: Db, collection: string): TransferEvents {
  const events = db.collection<EventDocument>(collection);
  return {
    of: (transferId) =>
      guarded(() =>
        events
          .find({ transferId } as never, { useBigInt64: true })
          .sort({ transferId: 1, sequence: 1, ingestedAt: 1 })
          .map(unstamped)
          .toArray(),
      ) as Promise<readonly EventDocument[]>,
  };
}
