// The message of a payout's change, for settlement. The same change always makes the same message, byte for byte.
import { deterministicId } from '../domain/transfers/event-id.ts';
import type { PayoutRequested, PayoutState, PayoutUpdated } from '../schemas/types.generated.ts';
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
    payout: payoutStateOf(payout, update),
    asked: askedFor(payout, update),
  };
}

/** A new price is looked for on nothing but what payout dispatch has sealed. */
function askedFor({ requested, proof }: Payout, { status }: PayoutUpdate): PayoutUpdated['asked'] {
  if (status !== 'EXPIRED' || !proof) return null;
  const { buffer, byteOffset, byteLength } = requested;
  return { value: Buffer.from(buffer, byteOffset, byteLength), cause: proof.cause, seal: proof.seal };
}

/** What a change says about its payout. */
export function payoutStateOf(
  { payoutId, provider }: Pick<Payout, 'payoutId' | 'provider'>,
  update: PayoutUpdate,
): PayoutState {
  const { version, status, attemptKey, providerReference, reason, changedAt } = update;
  return { payoutId, version, status, provider, attemptKey, providerReference, reason, changedAt };
}

/** Changes that the log may not have yet, oldest first. */
export function unpublished(payout: Payout): readonly PayoutUpdate[] {
  return payout.updates.filter(({ version }) => version > payout.publishedVersion);
}
