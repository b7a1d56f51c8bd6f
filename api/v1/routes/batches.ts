// POST /v1/transfers/batch: many transfers in one request. Each line is a submission of its own, and has its own answer.
import { z } from 'zod';
import { strictJson } from '../../../domain/text/strict-json.ts';
import { isTransferId, TRANSFER_ID_RULE } from '../../../domain/transfers/transfer-id.ts';
import { CodedError } from '../../../ports/fault.ts';
import { invalidRequest, type Problem } from '../../http/problem.ts';
import { type Asked, answer, type Route, route } from '../../http/route.ts';
import { flawsIn, jsonOrRefused } from '../../http/schema.ts';
import { submissionOf, submittedOrRefused } from '../submission-dto.ts';
import { toTransferRequested, transferIntentV1 } from '../transfer-intent.ts';

const MAX_LINES = 500;
const MAX_LINE_CHARACTERS = 64 * 1_024;
const MAX_BYTES = 4 * 1_024 * 1_024;
const NDJSON = 'application/x-ndjson';

type Batch = Asked<unknown, unknown, string>;

/** The result of one line, as it is written. */
type Result =
  | ({ readonly line: number; readonly status: 202; readonly isReplay: boolean } & ReturnType<typeof submissionOf>)
  | { readonly line: number; readonly status: number; readonly problem: Omit<Problem, 'traceId'> };

/** Empty ones among them: a body of line feeds must not become millions of lines in memory. */
const MAX_RAW_LINES = 2 * MAX_LINES;

/** Lines that say something, each with its number, from 1. @throws CodedError REQUEST_INVALID */
function linesIn(body: string) {
  const raw = body.split('\n', MAX_RAW_LINES + 1);
  const lines = raw.map((text, place) => ({ line: place + 1, text: text.trim() })).filter(({ text }) => text !== '');
  if (raw.length <= MAX_RAW_LINES && lines.length > 0 && lines.length <= MAX_LINES) return lines;
  const detail = `must have 1 to ${MAX_LINES} lines that are not empty, and ${MAX_RAW_LINES} in all at most`;
  throw invalidRequest([{ in: 'body', pointer: '', detail }]);
}

async function submitLine(asked: Batch, text: string) {
  if (text.length > MAX_LINE_CHARACTERS)
    throw new CodedError('BODY_TOO_LARGE', `a line has at most ${MAX_LINE_CHARACTERS} characters`);
  const parsed = transferIntentV1.safeParse(jsonOrRefused(() => strictJson(text), 'the line'));
  if (!parsed.success) throw invalidRequest(flawsIn(parsed.error, 'body'));
  const { transferId } = parsed.data;
  if (!isTransferId(transferId))
    throw invalidRequest([{ in: 'body', pointer: '/transferId', detail: `must be ${TRANSFER_ID_RULE}` }]);
  const { parts, principal, traceId } = asked;
  const intentAt = (now: number) => toTransferRequested(parsed.data, now);
  const outcome = await parts.submit({ producer: principal.subject, transferId, intentAt, traceId });
  return submittedOrRefused(outcome, transferId);
}

async function resultOf(
  asked: Batch,
  { line, text }: { readonly line: number; readonly text: string },
): Promise<Result> {
  try {
    const { submission, isReplay } = await submitLine(asked, text);
    return { line, status: 202, isReplay, ...submissionOf(submission) };
  } catch (error) {
    const { traceId: _, ...problem } = asked.problemOf(error);
    return { line, status: problem.status, problem };
  }
}

const submitBatch = route({
  name: 'submitTransfers',
  method: 'POST',
  url: '/v1/transfers/batch',
  action: 'transfers.submit',
  tag: 'Transfers',
  summary: 'Submit many transfers',
  description: `Newline-delimited JSON, one TransferIntent a line, transferId included; at most ${MAX_LINES} lines. Each is a submission of its own under its transferId, with the rules of POST /v1/transfers, and counts as a request. The answer has one line for each, in order: line, status, and what was submitted (with isReplay) or the problem. Lines that fail do not keep others from being submitted; send the same batch again after a 5xx or no answer.`,
  media: NDJSON,
  body: z.string().min(1).describe('One JSON text a line.'),
  bodyLimit: MAX_BYTES,
  answers: { 200: z.string().describe('One result a line.') },
  refusals: [],
  async handle(asked) {
    const lines = linesIn(asked.body);
    asked.charge(lines.length - 1);
    const results = await Promise.all(lines.map((line) => resultOf(asked, line)));
    return answer(200, results.map((result) => `${JSON.stringify(result)}\n`).join(''));
  },
});

export const batchRoutes: readonly Route[] = [submitBatch];
