// The message of a payout's change, for settlement. The same change always makes the same message, byte for byte.
import { deterministicId } from '../domain/event-id.ts';
import type { PayoutRequested, PayoutUpdated } from '../schemas/types.generated.ts';
import type { Payout, PayoutUpdate } from './payout.ts';

/** commandId of a payout's version: the same change published again is recognised by it. */
export function commandIdOf(payoutId: string, version: number): string {
  return deterministicId(`payout.updated\n${payoutId}\n${version}`);
}

/** @param requested the event that the payout was asked for with, decoded. */
export function payoutUpdated(payout: Payout, update: PayoutUpdate, requested: PayoutRequested): PayoutUpdated {
  return {
    command: {
      commandId: commandIdOf(payout.payoutId, update.version),
      transferId: payout.payoutId,
      attempt: update.pricingAttempt,
      issuedAt: update.changedAt,
      issuedBy: 'payout-executor',
      homePartition: payout.homePartition,
    },
    requested,
    payout: {
      payoutId: payout.payoutId,
      version: update.version,
      status: update.status,
      provider: payout.provider,
      attemptKey: update.attemptKey,
      providerReference: update.providerReference,
      reason: update.reason,
      changedAt: update.changedAt,
    },
  };
}

/** Changes that the log may not have yet, oldest first. */
export function unpublished(payout: Payout): readonly PayoutUpdate[] {
  return payout.updates.filter(({ version }) => version > payout.publishedVersion);
}
