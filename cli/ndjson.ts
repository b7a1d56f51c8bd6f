// Newline-delimited JSON from a pipe, to a pipe: every line is answered by one line, in order, whatever is in it.
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { safeJson } from '../domain/text/text.ts';
import { HybridDecoder } from '../screening/lists/index.ts';

/** Bytes of one line; the rest of a longer one is passed over. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const MARK = [0xef, 0xbb, 0xbf];

export interface Line {
  /** From 1, blank lines counted. */
  readonly number: number;
  /** Undefined for a line that is longer than anybody means. */
  readonly bytes: Uint8Array | undefined;
}

/** What is said about a line that cannot be used. */
export interface LineFault {
  readonly line: number;
  readonly error: string;
  readonly message: string;
}

/**
 * Lines of a byte stream, those of one chunk together; how their bytes are read as text is for the caller to say. A line
 * ends at a line feed alone (a carriage return before it is dropped): other line separators may stand in JSON texts. A
 * byte order mark at the beginning is dropped.
 */
export async function* linesOf(
  input: AsyncIterable<Uint8Array>,
  maxBytes = MAX_LINE_BYTES,
): AsyncGenerator<readonly Line[]> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let size = 0;
  const take = (part: Uint8Array): void => {
    size += part.length;
    if (size > maxBytes) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  const end = (): Line => {
    number += 1;
    const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const bytes = size > maxBytes ? undefined : trimmed(whole, number === 1);
    parts = [];
    size = 0;
    return { number, bytes };
  };
  for await (const chunk of input) {
    const lines: Line[] = [];
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      take(chunk.subarray(from, at));
      lines.push(end());
      from = at + 1;
    }
    take(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (size > 0) yield [end()];
}

function trimmed(bytes: Uint8Array, first: boolean): Uint8Array {
  const from = first && MARK.every((byte, i) => bytes[i] === byte) ? MARK.length : 0;
  return bytes.subarray(from, bytes.at(-1) === CARRIAGE_RETURN ? -1 : undefined);
}

/** Reads bytes that are no UTF-8 as Windows-1252, as lists do. */
function tolerantText(bytes: Uint8Array): string {
  const decoder = new HybridDecoder();
  return decoder.decode(bytes) + decoder.end();
}

/**
 * Answers each line that is a JSON object. Any other line is answered with a `LineFault`
 * and the next one follows; blank lines are passed over.
 * @returns how many lines could not be used
 */
export async function answerLines(
  input: AsyncIterable<Uint8Array>,
  output: Writable,
  answer: (value: Readonly<Record<string, unknown>>, line: number) => object,
): Promise<number> {
  let faults = 0;
  for await (const lines of linesOf(input)) {
    const answers = lines.flatMap((line) => {
      const text = line.bytes && tolerantText(line.bytes);
      if (text?.trim() === '') return [];
      const made = answerTo(line.number, text, answer);
      if ('error' in made) faults += 1;
      return [`${safeJson(JSON.stringify(made))}\n`];
    });
    if (answers.length > 0 && !output.write(answers.join(''))) await once(output, 'drain');
  }
  return faults;
}

function answerTo(
  line: number,
  text: string | undefined,
  answer: (value: Readonly<Record<string, unknown>>, line: number) => object,
): object {
  const fault = (error: string, message: string): LineFault => ({ line, error, message });
  if (text === undefined) return fault('LINE_TOO_LONG', 'The line is longer than 16 MiB.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fault('LINE_NOT_JSON', 'Each line must be one JSON object.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fault('LINE_NOT_OBJECT', 'Each line must be one JSON object.');
  return answer(value as Record<string, unknown>, line);
}
