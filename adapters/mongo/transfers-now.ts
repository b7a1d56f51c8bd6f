// Where transfers stand and what intake made of intents, as replays ask for it: many at once.
import type { Db } from 'mongodb';
import type { TransfersNow } from '../../operations/dead-letters/replays/ports.ts';
import type { EventDocument } from '../../sinks/events/to-write.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { guarded } from './fault.ts';

/** From these collections: the transfer view and the event log. */
export function transfersNow(db: Db, transferView: string, eventLog: string): TransfersNow {
  const transfers = db.collection<TransferDocument>(transferView);
  const events = db.collection<EventDocument & { originPosition?: string }>(eventLog);
  return {
    async standing(transferIds) {
      if (transferIds.length === 0) return new Map();
      const ids = [...new Set(transferIds)];
      const found = await guarded(() => transfers.find({ _id: { $in: ids } }, { useBigInt64: true }).toArray());
      // Sequences are ints, which come as numbers.
      return new Map(found.map((transfer) => [transfer._id, transfer as unknown as TransferDocument]));
    },
    async intents(transferIds, originPositions) {
      if (originPositions.length === 0) return new Map();
      const wanted = {
        transferId: { $in: [...new Set(transferIds)] },
        topic: { $in: ['intent.rejected', 'intent.duplicated'] },
        originPosition: { $in: [...originPositions] },
      };
      const found = await guarded(() =>
        events.find(wanted as never, { projection: { topic: 1, originPosition: 1 } }).toArray(),
      );
      return new Map(
        found.map(({ topic, originPosition }) => [
          originPosition ?? '',
          topic === 'intent.rejected' ? 'REJECTED' : 'DUPLICATE',
        ]),
      );
    },
  };
}
