// Keys of tests, and what bears their seals.

import { sealRecord } from '../../domain/seals/record-seal.ts';
import { keyRing } from '../../domain/seals/seal.ts';
import { sealDecision } from '../../processors/holds.ts';
import type { PayoutRequested, PayoutUpdated, ReviewDecided } from '../../schemas/types.generated.ts';
import { memoryCodec } from './memory-codec.ts';

export const KEYS = {
  stages: keyRing('test:stage-keys-of-tests-000000000000000'),
  operators: keyRing('test:operator-keys-of-tests-000000000000'),
  executor: keyRing('test:executor-keys-of-tests-000000000000'),
  /** One person decides everything. */
  needsTwo: () => [],
};

export const HOLDING = { ttlMs: 14 * 86_400_000, stages: KEYS.stages };

const codec = memoryCodec();

/** A payout.requested as payout dispatch has sealed it. */
export function askedFor(requested: PayoutRequested): NonNullable<PayoutUpdated['asked']> {
  const value = codec.encode('payout.requested', requested);
  const parts = { topic: 'payout.requested', key: requested.envelope.transferId, cause: 'AAAAAAAAAAAA:0:1', value };
  return { value, cause: parts.cause, seal: sealRecord(KEYS.stages, parts) };
}

/** The seal of a program for operators over this decision as it stands. */
export function sealOfReview(decided: ReviewDecided): string {
  const { issuedBy: decidedBy, issuedAt: decidedAt } = decided.command;
  return sealDecision(KEYS.operators, { ...decided, decidedBy, decidedAt });
}
