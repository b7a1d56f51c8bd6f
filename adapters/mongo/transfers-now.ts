// Where transfers stand and what intake made of intents, as replays ask for it: many at once.
import type { Db } from 'mongodb';
import type { PayoutNow, TransfersNow } from '../../operations/dead-letters/replays/ports.ts';
import { isContested } from '../../payouts/contradictions.ts';
import { hasRing, type Rings } from '../../ports/seals.ts';
import type { EventDocument } from '../../sinks/events/to-write.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { isGenuine, type PayoutDocument, type PayoutKeys, payoutOf } from './payout-document.ts';
import { PAYOUTS } from './payouts.ts';

/**
 * From these collections: the transfer view and the event log; and payouts, which are proven under these keys.
 */
export function transfersNow(db: Db, transferView: string, eventLog: string, keys: PayoutKeys): TransfersNow {
  const payouts = db.collection<PayoutDocument>(PAYOUTS, MAJORITY);
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
    async payouts(transferIds) {
      if (transferIds.length === 0) return new Map();
      const ids = [...new Set(transferIds)];
      const found = await guarded(() => payouts.find({ _id: { $in: ids } }).toArray());
      return new Map(found.map((document) => [document._id, payoutNow(document, keys)]));
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

/** What payouts are held against: whatever of it is here. A runner of discards has all of it. */
export const payoutKeys = (rings: Rings): PayoutKeys => ({
  ring: hasRing(rings, 'executor') ? rings.executor : undefined,
  stages: hasRing(rings, 'stages') ? rings.stages : undefined,
  operators: hasRing(rings, 'operators') ? rings.operators : undefined,
});

/** What is not as an executor wrote it may say anything. */
function payoutNow(document: PayoutDocument, keys: PayoutKeys): PayoutNow {
  if (!isGenuine(document, keys)) return { phase: document.phase, isContested: true, isProven: false };
  return { phase: document.phase, isContested: isContested(payoutOf(document)), isProven: true };
}
