// Keys of tests, and what bears their seals.
import { keyRing } from '../../domain/seal.ts';
import { sealDecision } from '../../processors/holds.ts';
import type { ReviewDecided } from '../../schemas/types.generated.ts';

export const KEYS = {
  stages: keyRing('test:stage-keys-of-tests-000000000000000'),
  operators: keyRing('test:operator-keys-of-tests-000000000000'),
  executor: keyRing('test:executor-keys-of-tests-000000000000'),
};

export const HOLDING = { ttlMs: 14 * 86_400_000, stages: KEYS.stages };

/** The seal of a program for operators over this decision as it stands. */
export function sealOfReview({ holdId, evidenceHash, decision, command, justification }: ReviewDecided): string {
  const { issuedBy: decidedBy, issuedAt: decidedAt } = command;
  return sealDecision(KEYS.operators, { holdId, evidenceHash, decision, decidedBy, decidedAt, justification });
}
