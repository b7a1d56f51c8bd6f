// The relay of payouts: from the outbox in their documents to payout.updated.

import { type PayoutOutbox, type UpdateTerms, updateRecords } from '../payouts/outbox.ts';
import type { Payout } from '../payouts/payout.ts';
import { requireRings } from '../ports/seals.ts';
import { payoutUpdated as topic } from '../topics/edges.ts';
import { createOutboxRelay, type OutboxRelay, type OutboxRelayOptions } from './outbox-relay.ts';

export interface PayoutRelayOptions
  extends Omit<OutboxRelayOptions<Payout>, 'source' | 'idOf' | 'toRecords'>,
    Omit<UpdateTerms, 'source'> {
  readonly source: PayoutOutbox;
}

/** The relay of payout updates; give it to the executor as its outbox. */
export function payoutRelay({ source, codec, requests, rings, ...relay }: PayoutRelayOptions): OutboxRelay<Payout> {
  requireRings(rings, [topic.name]);
  return createOutboxRelay({
    ...relay,
    source,
    idOf: ({ payoutId }) => payoutId,
    toRecords: (payouts) => updateRecords(payouts, { source, codec, requests, rings }),
  });
}
