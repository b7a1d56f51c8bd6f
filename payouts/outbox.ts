// The updates of a payout as records for the log, under the seal of the executor.

import { CodedError } from '../ports/fault.ts';
import type { OutputRecord } from '../ports/log.ts';
import type { OutboxSource } from '../ports/outbox.ts';
import type { RecordMaker } from '../ports/records.ts';
import { payoutUpdated as topic } from '../topics/boundary.ts';
import type { Payout } from './payout.ts';
import { payoutUpdated, unpublished } from './payout-updated.ts';
import type { RequestCodec } from './ports.ts';

/** Where the updates of payouts wait for the log. */
export interface PayoutOutbox extends OutboxSource<Payout> {
  /** Whether this payout, which came from here, is not as an executor has written it. */
  isForged(payout: Payout): boolean;
}

export interface UpdateTerms {
  readonly source: Pick<PayoutOutbox, 'isForged'>;
  readonly make: RecordMaker<typeof topic.name>;
  /** That of the executor: it knows what it has just encoded. */
  readonly requests: RequestCodec;
}

/** The records of the updates that the log does not have yet. @throws CodedError PAYOUT_FORGED for one that is not genuine */
export async function updateRecords(
  payouts: readonly Payout[],
  { source, make, requests }: UpdateTerms,
): Promise<readonly OutputRecord[]> {
  for (const payout of payouts) {
    // Of a batch that holds one, each is taken by itself, and this one is refused.
    if (source.isForged(payout)) throw new CodedError('PAYOUT_FORGED', forgedDetail(payout.payoutId));
  }
  const requested = await requests.decode(payouts.map((payout) => payout.requested));
  return payouts.flatMap((payout, index) =>
    unpublished(payout).map((update) => {
      const value = payoutUpdated(payout, update, requested[index]!);
      return make(topic.name, value, {
        partition: payout.homePartition,
        eventId: value.command.commandId,
        originPosition: value.requested.instruction.originPosition,
      });
    }),
  );
}

/** What to say of a payout that no executor has written as it is. */
export const forgedDetail = (payoutId: string): string =>
  `payout ${payoutId} is not as the executor wrote it: somebody else changed the database. Nothing is sent or published for it. Ask the provider about every key first; an older state must not be put back while its price is valid`;
