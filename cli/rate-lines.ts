// Rates as lines of JSON, from a pipe into the log, as they come.
import { rateOfLine } from '../operations/rates/import.ts';
import { CodedError, codeAndDetail } from '../ports/fault.ts';
import type { FxRate } from '../schemas/types.generated.ts';
import type { RatePublisher } from '../services/rates.ts';
import { linesOf } from './ndjson.ts';
import { printError } from './output.ts';

/** Lines that are written together. */
const MAX_LINES_AT_ONCE = 500;
const MAX_LINE_BYTES = 4_096;

export interface LinesTaken {
  readonly read: number;
  readonly wrong: number;
  readonly written: number;
}

/**
 * Each line that is right is written, whatever is in the others; those that came together are written together.
 * @throws CodedError of the log
 */
export async function publishLines(
  input: AsyncIterable<Uint8Array>,
  source: string,
  publisher: Pick<RatePublisher, 'publish'>,
): Promise<LinesTaken> {
  let [read, wrong, written] = [0, 0, 0];
  for await (const lines of linesOf(input, MAX_LINE_BYTES)) {
    const rates: FxRate[] = [];
    for (const { number, bytes } of lines) {
      if (bytes?.length === 0) continue;
      read += 1;
      try {
        if (bytes === undefined) throw new CodedError('RATE_FILE_WRONG', 'it is too long');
        rates.push(rateOfLine(bytes, { source, now: Date.now() }));
      } catch (error) {
        wrong += 1;
        printError(`line ${number}: ${codeAndDetail(error).detail}`);
      }
    }
    for (let at = 0; at < rates.length; at += MAX_LINES_AT_ONCE)
      written += (await publisher.publish(source, rates.slice(at, at + MAX_LINES_AT_ONCE))).length;
  }
  return { read, wrong, written };
}
