// Deliveries of webhooks in MongoDB: made by the sink, claimed and settled by senders, sent again by their producers.
import type { AnyBulkWriteOperation, Collection, Db, Document } from 'mongodb';
import type {
  Postponement,
  ResendSelection,
  SenderDeliveries,
  Settled,
  WebhookDeliveries,
} from '../../operations/webhooks/ports.ts';
import type { IdempotentStore } from '../../sinks/idempotent-writes.ts';
import { type DeliveryDocument, deliveryIndexes } from '../../sinks/webhooks/delivery.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes, insertOnlyStore } from './idempotent-store.ts';
import { unstamped } from './schema-version.ts';

export const DELIVERIES = 'webhook_deliveries';
/** Deletes of one sweep, and waiting ones that are counted at most. */
const SWEPT_AT_ONCE = 1_000;
const MAX_COUNTED = 100_000;

type Write = AnyBulkWriteOperation<DeliveryDocument>;

interface DeliveryStore extends WebhookDeliveries, SenderDeliveries, IdempotentStore<DeliveryDocument> {
  ensureIndexes(): Promise<void>;
}

type All = Collection<DeliveryDocument>;
const READ = { promoteLongs: true } as const;

/** The deliveries of this database. */
export function webhookDeliveries(db: Db): DeliveryStore {
  const all = db.collection<DeliveryDocument>(DELIVERIES, MAJORITY);
  return {
    ensureIndexes: () => ensureIndexes(db, DELIVERIES, deliveryIndexes),
    // A delivery changes after its insert: what is sent must be the same.
    ...insertOnlyStore<DeliveryDocument>(db, DELIVERIES, ({ body }) => body),
    ...forProducers(all),
    ...forSenders(all),
    ...kept(all),
  };
}

const found = (documents: readonly DeliveryDocument[]) =>
  documents.map((document) => unstamped(document) as DeliveryDocument);

async function write(all: All, writes: readonly Write[], ordered = false): Promise<void> {
  if (writes.length > 0) await guarded(() => all.bulkWrite([...writes], { ordered }));
}

/** What producers ask: lists, and to have some sent again. */
function forProducers(all: All): WebhookDeliveries {
  return {
    async find(endpointId, _id) {
      const document = await guarded(() => all.findOne({ _id, endpointId }, READ));
      return document === null ? undefined : (unstamped(document) as DeliveryDocument);
    },
    async list(endpointId, state, after, limit) {
      const before = after && [{ occurredAt: { $lt: after.at } }, { occurredAt: after.at, _id: { $lt: after.id } }];
      const query: Document = { endpointId, ...(state && { state }), ...(before && { $or: before }) };
      const sorted = all.find(query as never, READ).sort({ occurredAt: -1, _id: -1 });
      return found(await guarded(() => sorted.limit(limit).toArray()));
    },
    async resend(endpointId, selection, at) {
      const fresh = { state: 'WAITING' as const, dueAt: at, since: at, tries: 0, claim: null, settledAt: null };
      const update = { $set: fresh, $inc: { resends: 1 } };
      const query = { endpointId, ...queryOf(selection) };
      return (await guarded(() => all.updateMany(query as never, update))).matchedCount;
    },
  };
}

/** What senders ask: what is due, whose it is, and what came of it. */
function forSenders(all: All): Omit<SenderDeliveries, 'standing' | 'sweep'> {
  return {
    async due(now, limit) {
      const sorted = all.find({ state: 'WAITING', dueAt: { $lte: now } }, READ).sort({ dueAt: 1 });
      return found(await guarded(() => sorted.limit(limit).toArray()));
    },
    // A walk over the index for each, side by side: one question over several would sort all that waits for them.
    async dueOf(now, limits) {
      const each = [...limits].map(([endpointId, limit]) => {
        const sorted = all.find({ endpointId, state: 'WAITING', dueAt: { $lte: now } }, READ).sort({ dueAt: 1 });
        return guarded(() => sorted.limit(limit).toArray());
      });
      return found((await Promise.all(each)).flat());
    },
    async claim(ids, claim, now, until) {
      if (ids.length === 0) return [];
      const free = { _id: { $in: [...ids] }, state: 'WAITING' as const, dueAt: { $lte: now } };
      await guarded(() => all.updateMany(free, { $set: { claim, dueAt: until, lastTryAt: now } }));
      const mine = { _id: { $in: [...ids] }, claim };
      return found(await guarded(() => all.find(mine, READ).toArray()));
    },
    settle: (settled) => write(all, settled.map(settlementWrite)),
    // In order: what is given up is not put off.
    postpone: (postponements, now) =>
      write(
        all,
        postponements.flatMap((each) => postponeWrites(each, now)),
        true,
      ),
    park: (parked, at) =>
      write(
        all,
        parked.map(({ id, code }) => ({
          updateOne: {
            // One that somebody has claimed meanwhile may be taken yet.
            filter: { _id: id, state: 'WAITING' as const, dueAt: { $lte: at } },
            update: { $set: { state: 'FAILED' as const, lastCode: code, settledAt: at } },
          },
        })),
      ),
    async drop(ids) {
      await guarded(() => all.deleteMany({ _id: { $in: [...ids] } }));
    },
  };
}

/** How much waits, and what is no longer kept. */
function kept(all: All): Pick<SenderDeliveries, 'standing' | 'sweep'> {
  return {
    async standing() {
      const waiting = { state: 'WAITING' as const };
      const oldest = all.find(waiting, { projection: { since: 1 } }).sort({ since: 1 });
      const [count, first] = await Promise.all([
        guarded(() => all.countDocuments(waiting, { limit: MAX_COUNTED })),
        guarded(() => oldest.limit(1).toArray()),
      ]);
      return { waiting: count, oldestSince: first[0]?.since ?? null };
    },
    async sweep(before) {
      const old = all.find({ occurredAt: { $lt: before } }, { projection: { _id: 1 } }).sort({ occurredAt: 1 });
      const ids = (await guarded(() => old.limit(SWEPT_AT_ONCE).toArray())).map(({ _id }) => _id);
      if (ids.length > 0) await guarded(() => all.deleteMany({ _id: { $in: ids } }));
      return ids.length;
    },
  };
}

function postponeWrites({ endpointId, until, giveUpSince }: Postponement, now: Date): readonly Write[] {
  const due = { endpointId, state: 'WAITING' as const, dueAt: { $lte: now } };
  const putOff: Write = { updateMany: { filter: due, update: { $set: { dueAt: until } } } };
  if (giveUpSince === undefined) return [putOff];
  const givenUp = { state: 'FAILED' as const, lastCode: 'WEBHOOK_GIVEN_UP', settledAt: now };
  const old = { ...due, since: { $lte: giveUpSince } };
  return [{ updateMany: { filter: old, update: { $set: givenUp } } }, putOff];
}

const queryOf = (selection: ResendSelection): Document =>
  'ids' in selection
    ? { _id: { $in: [...selection.ids] } }
    : { state: { $in: [...selection.states] }, occurredAt: { $gte: selection.from, $lt: selection.to } };

function settlementWrite({ delivery, settlement, at }: Settled): Write {
  const { _id, claim } = delivery;
  // That it was taken is so whoever says it, also a sender that was frozen in between and has lost its claim.
  if (settlement.kind === 'delivered') {
    const taken = { state: 'DELIVERED' as const, lastStatus: settlement.status, lastCode: null, settledAt: at };
    return { updateOne: { filter: { _id, state: 'WAITING' }, update: { $set: taken } } };
  }
  const answered = { lastStatus: settlement.status, lastCode: settlement.code, claim: null };
  const set =
    settlement.kind === 'again'
      ? { ...answered, dueAt: settlement.dueAt }
      : { ...answered, state: 'FAILED' as const, settledAt: at };
  return {
    updateOne: { filter: { _id, claim, state: 'WAITING' }, update: { $set: set, $inc: { tries: 1 } } },
  };
}
