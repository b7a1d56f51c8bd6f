// The command that a decided case sends back to the stage that holds the transfer.
import type { ReviewDecided } from '../../../schemas/types.generated.ts';
import type { CaseDocument } from '../../../sinks/cases/case.ts';

/**
 * `review.decided` for a decided case. `commandId` is derived from the hold by the caller: one hold, one command,
 * however often it is published. Throws on a case without a decision.
 */
export function toCommand(decided: CaseDocument, commandId: string): ReviewDecided {
  const { decision, held } = decided;
  if (!decision) throw new Error(`case ${decided._id} has no decision`);
  return {
    command: {
      commandId,
      transferId: decided.transferId,
      attempt: held.envelope.attempt,
      issuedAt: decision.decidedAt.getTime(),
      issuedBy: decision.decidedBy,
      homePartition: held.envelope.homePartition,
    },
    holdId: decided._id,
    decision: decision.decision,
    justification: decision.justification,
    evidenceHash: decided.evidenceHash,
    held,
    seal: decision.seal,
    agreedBy: decision.agreedBy ?? null,
    glass: decision.glass ?? null,
    approvalId: decision.approvalId ?? null,
    approvalHash: decision.approvalHash ?? null,
  };
}
