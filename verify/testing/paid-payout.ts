// The document of a payout as the executor would have left it.
import { sealRecord } from '../../domain/seals/record-seal.ts';
import type { Attempt, Payout, PayoutPhase, PayoutUpdate } from '../../payouts/payout.ts';
import type { PayoutRequested, PayoutUpdated } from '../../schemas/types.generated.ts';
import { AT } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';

interface PayoutFacts {
  readonly phase: PayoutPhase;
  readonly updates: readonly PayoutUpdated[];
  /** The request, encoded. */
  readonly bytes: Buffer;
  readonly publishedVersion: number;
}

/** With an attempt for each pricing attempt, of which all but the last have expired. */
export function payoutOf(requested: PayoutRequested, { phase, updates, bytes, publishedVersion }: PayoutFacts): Payout {
  const { transferId, attempt, homePartition } = requested.envelope;
  const cause = 'AAAAAAAAAAAA:0:0';
  const asked = { topic: 'payout.requested', key: transferId, cause, value: bytes };
  return {
    payoutId: transferId,
    revision: 3,
    phase,
    provider: 'simulator',
    homePartition,
    pricingAttempt: attempt,
    priceExpiresAt: requested.price.expiresAt,
    requested: bytes,
    proof: { cause, seal: sealRecord(KEYS.stages, asked) },
    attempts: Array.from({ length: attempt }, (_, index) => attemptOf(transferId, index + 1, attempt, phase)),
    lastAttempt: attempt,
    deadAtProvider: 0,
    deadAttempts: 0,
    clockDoubts: 0,
    polls: 0,
    nextPollAt: null,
    updates: updates.map(storedUpdate),
    publishedVersion,
    cases: [],
    createdAt: AT,
    changedAt: AT,
  };
}

function attemptOf(transferId: string, number: number, last: number, phase: PayoutPhase): Attempt {
  const isLast = number === last;
  const ending = isLast ? (phase === 'FAILED' ? 'failed' : 'paid') : 'expired';
  return {
    number,
    key: `${transferId}:${number}`,
    pricingAttempt: number,
    startedAt: AT,
    leaseUntil: AT,
    expiresAt: AT,
    unknownSince: null,
    acceptedAt: AT,
    notFound: false,
    end: isLast && phase === 'ACCEPTED' ? null : { how: ending, at: AT, code: null },
  };
}

const storedUpdate = ({ payout, command }: PayoutUpdated) =>
  ({
    version: payout.version,
    status: payout.status,
    pricingAttempt: command.attempt,
    attemptKey: payout.attemptKey,
    providerReference: payout.providerReference,
    reason: payout.reason,
    changedAt: payout.changedAt,
  }) as PayoutUpdate;
