// What came of a submission, as the API tells it: for one, and for each line of a batch.
import { z } from 'zod';
import type { Submission } from '../../operations/submissions/ports.ts';
import type { SubmitOutcome } from '../../operations/submissions/submit.ts';
import { Refusal } from '../http/problem.ts';
import { instant, instantOf } from './dto.ts';

export const submissionDto = z
  .object({
    transferId: z.string(),
    requestedAt: instant.describe('The time that the intent bears: part of what it says.'),
    submittedAt: instant.describe('When it was submitted first.'),
  })
  .meta({ id: 'Submission' });

export const submissionOf = ({ transferId, requestedAt, submittedAt }: Submission): z.output<typeof submissionDto> => ({
  transferId,
  requestedAt: instantOf(requestedAt),
  submittedAt: instantOf(submittedAt),
});

/** What was submitted. @throws Refusal, CodedError what the others are told */
export function submittedOrRefused(
  outcome: SubmitOutcome,
  transferId: string,
): Extract<SubmitOutcome, { kind: 'submitted' }> {
  switch (outcome.kind) {
    case 'submitted':
      return outcome;
    case 'failed':
      throw outcome.error;
    case 'other-content':
      throw new Refusal('IDEMPOTENCY_KEY_REUSED', 'the key stands for a transfer with another content', { transferId });
    case 'of-another':
      throw new Refusal('TRANSFER_ID_TAKEN', 'the id was used by somebody else, or with another content over Kafka', {
        transferId,
      });
    case 'invalid': {
      const reasons = outcome.reasons.map(({ code, detail }) => ({ code, detail }));
      throw new Refusal('INTENT_INVALID', 'intake would refuse this intent: nothing was kept', { transferId, reasons });
    }
  }
}
