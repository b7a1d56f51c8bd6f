// The relay of payouts: from the outbox in their documents to payout.updated.

import { type PayoutOutbox, type UpdateTerms, updateRecords } from '../../payouts/outbox.ts';
import type { Payout } from '../../payouts/payout.ts';
import { type RecordMakerOptions, recordMaker } from '../../ports/records.ts';
import { consumers } from '../../processors/topology.ts';
import { createOutboxRelay, type OutboxRelay, type OutboxRelayOptions } from './outbox-relay.ts';

export interface PayoutRelayOptions
  extends Omit<OutboxRelayOptions<Payout>, 'source' | 'idOf' | 'toRecords'>,
    Pick<UpdateTerms, 'requests'>,
    Pick<RecordMakerOptions<never>, 'codec' | 'rings'> {
  readonly source: PayoutOutbox;
}

/** The relay of payout updates; give it to the executor as its outbox. */
export function payoutRelay({ source, codec, requests, rings, ...relay }: PayoutRelayOptions): OutboxRelay<Payout> {
  const owner = 'payout-executor';
  const make = recordMaker({ owner, writes: consumers[owner].writes, codec, rings });
  return createOutboxRelay({
    ...relay,
    source,
    idOf: ({ payoutId }) => payoutId,
    toRecords: (payouts) => updateRecords(payouts, { source, make, requests }),
  });
}
