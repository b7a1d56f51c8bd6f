// Problems (RFC 9457): what a caller is told when a request is refused or fails. Codes are those of the catalogue; the detail is
// told only where it was written for callers, and never a message of somebody else, a stack or a word of what was sent.
import { z } from 'zod';
import { safeText } from '../../domain/text/text.ts';
import { type ErrorCode, errorCodes } from '../../ports/error-codes.ts';
import { CodedError, codeAndDetail, isCoded } from '../../ports/fault.ts';

const flaw = z
  .object({
    in: z.enum(['body', 'query', 'path', 'header']).describe('Part of the request.'),
    pointer: z.string().describe('JSON pointer (RFC 6901) of the value within that part.'),
    detail: z.string(),
  })
  .meta({ id: 'Flaw', description: 'One thing that is wrong with a request.' });

/** One thing that is wrong with a request. */
export type Flaw = z.output<typeof flaw>;

export const problemDto = z
  .object({
    type: z.string().describe('Where the code is explained.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What happened, for people.'),
    code: z.string().describe('Stable: programs go by it. docs/errors.md lists all.'),
    action: z.string().describe('What to do next.'),
    traceId: z.string().describe('Names this request in logs and traces.'),
    errors: z.array(flaw).optional(),
    reasons: z
      .array(z.object({ code: z.string(), detail: z.string() }))
      .optional()
      .describe('Every reason why an intent is refused: ISO 20022 codes where there is one.'),
    transferId: z.string().optional().describe('The transfer that the problem is about.'),
  })
  .meta({ id: 'Problem', description: 'Why a request was refused, or failed (RFC 9457).' });

export type Problem = z.output<typeof problemDto>;
export const PROBLEM_TYPE = 'application/problem+json';

/** What a problem may say beside its code. */
export type ProblemExtra = Pick<Problem, 'errors' | 'reasons' | 'transferId'>;

/** A refusal that says more than its code. */
export class Refusal extends CodedError {
  readonly extra: ProblemExtra;
  constructor(code: ErrorCode, detail: string, extra: ProblemExtra = {}) {
    super(code, detail);
    this.extra = extra;
  }
}

const MAX_FLAWS = 20;

/** A request of a wrong shape. Pointers name fields; details name rules. */
export const invalidRequest = (flaws: readonly Flaw[]): Refusal =>
  new Refusal('REQUEST_INVALID', `${flaws.length} ${flaws.length === 1 ? 'thing is' : 'things are'} wrong`, {
    errors: flaws.slice(0, MAX_FLAWS),
  });

/** The problem that a caller gets for anything thrown, and whether operators must see more. */
export function problemOf(
  thrown: unknown,
  { docsUrl, traceId }: { readonly docsUrl: string; readonly traceId: string },
): { readonly problem: Problem; readonly isOurs: boolean } {
  const coded = isCoded(thrown) ? thrown : undefined;
  const code = coded?.code ?? codeAndDetail(thrown).code;
  const entry = errorCodes[code];
  const isTheirs = entry.status < 500 && (coded === undefined || coded.faultClass === 'invalid-request');
  const status = isTheirs ? entry.status : Math.max(entry.status, 500);
  const problem: Problem = {
    type: `${docsUrl}/errors.md#${code}`,
    title: titleOf(code),
    status,
    detail: isTheirs && coded !== undefined ? safeText(coded.message) : (OURS[status] ?? OURS[500]!),
    code,
    action: entry.action,
    traceId,
    ...(thrown instanceof Refusal ? thrown.extra : {}),
  };
  return { problem, isOurs: !isTheirs };
}

/** What fails on our side is told in general: the log has the rest under the trace id. */
const OURS: Readonly<Record<number, string>> = {
  500: 'the request could not be carried out; tell the operators the trace id',
  502: 'something that this depends on gave a wrong answer',
  503: 'something that this depends on is away: ask again later',
  504: 'something that this depends on did not answer in time: ask again later',
};

const titleOf = (code: string): string => {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words[0]!.toUpperCase() + words.slice(1);
};
