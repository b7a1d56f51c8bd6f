// POST /v1/transfers: a transfer from a producer that does not write to Kafka itself.
import { isTransferId, TRANSFER_ID_PATTERN, TRANSFER_ID_RULE } from '../../../domain/transfers/transfer-id.ts';
import { CodedError } from '../../../ports/fault.ts';
import { invalidRequest } from '../../http/problem.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { submissionDto, submissionOf, submittedOrRefused } from '../submission-dto.ts';
import { submittedIntentV1, toTransferRequested } from '../transfer-intent.ts';

/** RFC 8941 text, as the draft of the field has it, or bare. */
function keyIn(header: string | undefined): string {
  const key = /^"([^"]*)"$/.exec(header ?? '')?.[1] ?? header;
  if (key !== undefined && isTransferId(key)) return key;
  throw new CodedError(
    'IDEMPOTENCY_KEY_INVALID',
    `Idempotency-Key must be the id of the transfer: ${TRANSFER_ID_RULE}`,
  );
}

const submit = route({
  name: 'submitTransfer',
  method: 'POST',
  url: '/v1/transfers',
  action: 'transfers.submit',
  tag: 'Transfers',
  summary: 'Submit a transfer',
  description:
    'Answered when the intent is in the log, on every replica; what becomes of it is told at Location. Idempotency-Key is the id of the transfer, and is never forgotten: the same content is the same transfer (Idempotent-Replayed: true), another content is refused. After a 5xx or no answer, send the same again.',
  headers: {
    'idempotency-key': {
      description: 'The id of the transfer.',
      required: true,
      pattern: TRANSFER_ID_PATTERN.source,
    },
  },
  body: submittedIntentV1,
  answers: { 202: submissionDto },
  refusals: [
    ...(['IDEMPOTENCY_KEY_INVALID', 'IDEMPOTENCY_KEY_REUSED', 'TRANSFER_ID_TAKEN', 'INTENT_INVALID'] as const),
    ...(['RECORD_TOO_LARGE', 'WRITE_UNKNOWN', 'KAFKA_UNAVAILABLE', 'MONGO_UNAVAILABLE'] as const),
  ],
  async handle({ parts, principal, body, header, traceId }) {
    const transferId = keyIn(header('idempotency-key'));
    if (body.transferId !== undefined && body.transferId !== transferId)
      throw invalidRequest([{ in: 'body', pointer: '/transferId', detail: 'is not the Idempotency-Key' }]);
    const outcome = await parts.submit({
      producer: principal.subject,
      transferId,
      intentAt: (now) => toTransferRequested({ ...body, transferId }, now),
      traceId,
    });
    const { submission, isReplay } = submittedOrRefused(outcome, transferId);
    return answer(202, submissionOf(submission), {
      location: `/v1/transfers/${transferId}`,
      ...(isReplay ? { 'idempotent-replayed': 'true' } : {}),
    });
  },
});

export const submissionRoutes: readonly Route[] = [submit];
