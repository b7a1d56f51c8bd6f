// What MongoDB holds, as verification reads it: by ids, by count, page by page.
import { Binary, type Db, type Document } from 'mongodb';
import { openPayout } from '../../payouts/decide.ts';
import type { ReplayClaim } from '../../ports/replay-claims.ts';
import type { HoldClaim } from '../../processors/holds.ts';
import type { IntentClaim } from '../../processors/intake/ports.ts';
import type { SettlementClaim, SettlementStep } from '../../processors/settlement/ports.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import type { EventDocument } from '../../sinks/events/to-write.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import type { Documents, StoredPayout, Stores } from '../../verify/ports.ts';
import { CASES } from './cases.ts';
import { MAJORITY } from './client.ts';
import { guarded, mongoFault } from './fault.ts';
import { HOLD_CLAIMS } from './hold-claims.ts';
import { INTENT_CLAIMS } from './intent-claims.ts';
import { isGenuine, type PayoutDocument, payoutOf } from './payout-document.ts';
import { PAYOUTS } from './payouts.ts';
import { REPLAY_CLAIMS } from './replay-claims.ts';
import { unstamped } from './schema-version.ts';
import { SETTLEMENT_CLAIMS } from './settlement-claims.ts';

export interface VerifyStoresOptions {
  readonly db: Db;
  /** Collections of the event log and of the transfer view. */
  readonly events: string;
  readonly transfers: string;
}

type Stored = Document & { readonly _id: string };

const PAGE = 5_000;

/** Read-only. Reads acknowledged by a majority, so that nothing is seen that may be rolled back. */
export function verifyStores({ db, events, transfers }: VerifyStoresOptions): Stores {
  const documents = <D>(name: string, read: (document: Stored) => D, longs = true): Documents<D> => {
    const collection = db.collection<Stored>(name, MAJORITY);
    return {
      async find(ids) {
        if (ids.length === 0) return [];
        const filter = { _id: { $in: [...ids] } };
        const found = await guarded(() => collection.find(filter, { useBigInt64: longs }).toArray());
        return found.map((each) => read(unstamped(each) as Stored));
      },
      count: () => guarded(() => collection.countDocuments()),
      async *ids() {
        const cursor = collection.find({}, { projection: { _id: 1 }, batchSize: PAGE });
        let page: string[] = [];
        try {
          for await (const { _id } of cursor) {
            page.push(_id);
            if (page.length < PAGE) continue;
            yield page;
            page = [];
          }
        } catch (error) {
          throw mongoFault(error);
        }
        if (page.length > 0) yield page;
      },
    };
  };
  return {
    events: documents(events, plain<EventDocument>),
    transfers: documents(transfers, plain<TransferDocument>),
    cases: documents(CASES, plain<CaseDocument>),
    payouts: documents(PAYOUTS, (document) => storedPayout(document as unknown as PayoutDocument), false),
    intentClaims: documents(INTENT_CLAIMS, intentClaim, false),
    settlementClaims: documents(SETTLEMENT_CLAIMS, settlementClaim, false),
    holdClaims: documents(HOLD_CLAIMS, holdClaim, false),
    replayClaims: documents(REPLAY_CLAIMS, replayClaim, false),
  };
}

const NOTHING = {
  provider: '',
  homePartition: -1,
  pricingAttempt: 0,
  priceExpiresAt: 0,
  requested: new Uint8Array(),
};

function storedPayout(document: PayoutDocument): StoredPayout {
  // Of another shape than any that was ever written: one that says nothing and bears no seal.
  if (!isGenuine(document, {})) return openPayout({ ...NOTHING, payoutId: document._id }, 0);
  const payout = payoutOf(document);
  return document.seal === undefined ? payout : { ...payout, seal: document.seal };
}

function intentClaim({ _id, acceptedAt, ...rest }: Stored): IntentClaim {
  return { producerId: null, transferId: _id, ...rest, acceptedAt: millis(acceptedAt) } as unknown as IntentClaim;
}

function settlementClaim({ _id, steps }: Stored): SettlementClaim {
  const dated = steps as readonly (Omit<SettlementStep, 'at'> & { at: Date })[];
  return { transferId: _id, steps: dated.map((step) => ({ ...step, at: millis(step.at) })) };
}

function holdClaim({ _id, claimedAt, ...rest }: Stored): HoldClaim {
  return { holdId: _id, ...rest, claimedAt: millis(claimedAt) } as unknown as HoldClaim;
}

function replayClaim({ _id, claimedAt, ...rest }: Stored): ReplayClaim {
  return { deadLetterId: _id, ...rest, claimedAt: millis(claimedAt) } as unknown as ReplayClaim;
}

const millis = (at: unknown) => (at as Date).getTime();

/** The document with bytes as buffers, at any depth. */
const plain = <D>(document: Stored): D => withBuffers(document) as D;

function withBuffers(value: unknown): unknown {
  if (value instanceof Binary) return Buffer.from(value.buffer);
  if (Array.isArray(value)) return value.map(withBuffers);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withBuffers(inner)]));
}
