// The outbox embedded in payout documents, and the relay that publishes it as payout.updated.
import type { Db } from 'mongodb';
import type { KeyRing } from '../../domain/seal.ts';
import type { Payout } from '../../payouts/payout.ts';
import type { RequestCodec } from '../../payouts/ports.ts';
import { payoutUpdated, unpublished } from '../../payouts/update.ts';
import type { Codec } from '../../runtime/ports/codec.ts';
import { CodedError } from '../../runtime/ports/fault.ts';
import type { OutputRecord } from '../../runtime/ports/log.ts';
import { type Rings, recordOf, requireRings } from '../../runtime/seals.ts';
import { payoutUpdated as topic } from '../../topics/edges.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { createOutboxRelay, type OutboxRelay, type OutboxRelayOptions, type OutboxSource } from './outbox-relay.ts';
import { isGenuine, type PayoutDocument, type PayoutKeys, payoutOf } from './payout-document.ts';
import { PAYOUTS } from './payouts.ts';

export interface PayoutRelayOptions extends Omit<OutboxRelayOptions<Payout>, 'source' | 'idOf' | 'toRecords'> {
  readonly db: Db;
  /** Keys of the executor: nothing is told of a payout that does not bear their seal. */
  readonly ring?: KeyRing;
  /** Keys of operators: nor of one with a case that somebody else has closed. */
  readonly operators?: KeyRing;
  /** Keys of the stages: nor of one that payout dispatch has not asked for. */
  readonly stages?: KeyRing;
  /** With payout.updated loaded. */
  readonly codec: Pick<Codec, 'encode'>;
  /** That of the executor: it knows what it has just encoded. */
  readonly requests: RequestCodec;
  /** With the executor's keys. */
  readonly rings: Rings;
}

/** The relay of payout changes; give it to the executor as its outbox. */
export function payoutRelay(options: PayoutRelayOptions): OutboxRelay<Payout> {
  const { db, ring, stages, operators, codec, requests, rings, ...relay } = options;
  requireRings(rings, [topic.name]);
  return createOutboxRelay({
    ...relay,
    source: payoutOutbox(db, { ring, stages, operators }),
    idOf: ({ payoutId }) => payoutId,
    toRecords: (payouts) => recordsOf(payouts, { codec, requests, rings }),
  });
}

/** Read from the store, and not as an executor has written them. */
const forged = new WeakSet<Payout>();

export function payoutOutbox(db: Db, keys: PayoutKeys = {}): OutboxSource<Payout> {
  const collection = db.collection<PayoutDocument>(PAYOUTS, MAJORITY);
  return {
    pending: async (limit, before) => {
      const documents = await guarded(() =>
        collection
          .find({ unpublishedSince: { $lte: new Date(before) } })
          .sort({ unpublishedSince: 1 })
          .limit(limit)
          .toArray(),
      );
      return documents.map((document) => readAs(document, keys));
    },
    markPublished: async (payouts) => {
      const byVersion = Map.groupBy(payouts, ({ updates }) => updates.at(-1)?.version ?? 0);
      const operations = [...byVersion].map(([version, group]) => ({
        updateMany: {
          // A payout that has changed again since stays pending: its next message is not in the log yet.
          filter: { _id: { $in: group.map(({ payoutId }) => payoutId) }, version },
          update: { $set: { publishedVersion: version }, $unset: { unpublishedSince: '' as const } },
        },
      }));
      if (operations.length > 0) await guarded(() => collection.bulkWrite(operations, { ordered: false }));
    },
  };
}

/** A document of a shape that no executor ever wrote must not hide the payouts behind it: it is refused like a forged one. */
function readAs(document: PayoutDocument, keys: PayoutKeys): Payout {
  try {
    const payout = payoutOf(document);
    if (!isGenuine(document, keys)) forged.add(payout);
    return payout;
  } catch {
    const nothing = { payoutId: String(document._id) } as Payout;
    forged.add(nothing);
    return nothing;
  }
}

async function recordsOf(
  payouts: readonly Payout[],
  { codec, requests, rings }: Pick<PayoutRelayOptions, 'codec' | 'requests' | 'rings'>,
): Promise<readonly OutputRecord[]> {
  for (const payout of payouts) {
    // Of a batch that holds one, each is taken by itself, and this one is refused.
    if (forged.has(payout)) throw new CodedError('PAYOUT_FORGED', forgedDetail(payout.payoutId));
  }
  const requested = await requests.decode(payouts.map((payout) => payout.requested));
  return payouts.flatMap((payout, index) =>
    unpublished(payout).map((update) => {
      const value = payoutUpdated(payout, update, requested[index]!);
      return recordOf(topic, value, {
        codec,
        rings,
        partition: payout.homePartition,
        eventId: value.command.commandId,
        originPosition: value.requested.instruction.originPosition,
      });
    }),
  );
}

/** What to say of a payout that no executor has written as it is. */
export const forgedDetail = (payoutId: string): string =>
  `payout ${payoutId} is not as the executor wrote it: somebody else changed the database. Nothing is sent or told of it. Ask the provider about every key first; an older state must not be put back while its price is valid`;
