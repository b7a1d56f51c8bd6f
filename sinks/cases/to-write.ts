// Opens a case for each hold, once. A case that exists is never touched: it may have been decided meanwhile.
import type { Received } from '../../processors/contract.ts';
import type { TransferHeld } from '../../schemas/types.generated.ts';
import type { CaseDocument } from './case.ts';

/** The cases of a batch, each hold once. */
export function toWrite(batch: readonly Received<TransferHeld>[]): readonly CaseDocument[] {
  const cases = new Map<string, CaseDocument>();
  for (const { value } of batch) {
    if (!cases.has(value.hold.holdId)) cases.set(value.hold.holdId, openCase(value));
  }
  return [...cases.values()];
}

/** The case of a held event, as it is before anybody decides. */
export function openCase(held: TransferHeld): CaseDocument {
  const { envelope, instruction, hold } = held;
  return {
    _id: hold.holdId,
    transferId: envelope.transferId,
    stage: hold.stage,
    state: 'OPEN',
    reasons: hold.reasons,
    evidenceHash: hold.evidenceHash,
    openedAt: new Date(envelope.occurredAt),
    expiresAt: new Date(hold.expiresAt),
    sourceCountry: instruction.sourceCountry,
    targetCountry: instruction.targetCountry,
    instructedMinor: instruction.instructedAmount.minor,
    instructedCurrency: instruction.instructedAmount.currency,
    held,
    decision: null,
    commandPending: false,
  };
}
