// A file of intents, one a line: money goes by it, so nothing in it is guessed at.
import type { z } from 'zod';
import { toTransferRequested, transferIntentV1 } from '../api/v1/transfer-intent.ts';
import { strictJson, strictText } from '../domain/text/strict-json.ts';
import { safeText } from '../domain/text/text.ts';
import type { TransferRequested } from '../schemas/types.generated.ts';
import { type Line, linesOf } from './ndjson.ts';

/** Bytes of one line: far more than an intent that fits its topic. */
const MAX_LINE_BYTES = 1024 * 1024;
const MAX_PROBLEM_CHARACTERS = 300;

export interface BadLine {
  readonly line: number;
  readonly problem: string;
}

export interface IntentLines<T> {
  readonly good: readonly T[];
  readonly bad: readonly BadLine[];
  /** Good lines that named no `requestedAt` and were given `requestedAt`. */
  readonly undated: number;
  readonly blank: number;
}

export interface IntentTerms<T> {
  /** Stands in where a line names no time, ms. */
  readonly requestedAt: number;
  /** Makes of an intent what is kept of it; what it throws is the line's problem. */
  readonly keep: (intent: TransferRequested) => T;
}

/** Reads all lines; a bad one is told with its number and the next one follows. Rejects with what the input rejects with. */
export async function readIntentLines<T>(
  input: AsyncIterable<Uint8Array>,
  { requestedAt, keep }: IntentTerms<T>,
): Promise<IntentLines<T>> {
  const good: T[] = [];
  const bad: BadLine[] = [];
  let undated = 0;
  let blank = 0;
  for await (const lines of linesOf(input, MAX_LINE_BYTES)) {
    for (const line of lines) {
      try {
        const dto = intentOf(line);
        if (dto === undefined) {
          blank += 1;
          continue;
        }
        good.push(keep(toTransferRequested(dto, requestedAt)));
        if (dto.requestedAt === undefined) undated += 1;
      } catch (error) {
        bad.push({ line: line.number, problem: safeText((error as Error).message, MAX_PROBLEM_CHARACTERS) });
      }
    }
  }
  return { good, bad, undated, blank };
}

/** The intent of a line; undefined for a blank one. @throws Error that says in words what is wrong */
function intentOf({ bytes }: Line): z.output<typeof transferIntentV1> | undefined {
  if (bytes === undefined) throw new Error(`longer than ${MAX_LINE_BYTES} bytes`);
  const text = strictText(bytes);
  if (text.trim() === '') return undefined;
  const parsed = transferIntentV1.safeParse(strictJson(text));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'line'}: ${message}`);
  throw new Error(problems.join('; '));
}
