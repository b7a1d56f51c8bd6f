// Newline-delimited JSON from a pipe, to a pipe: every line is answered by one line, in order, whatever is in it.
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { safeJson } from '../domain/text.ts';
import { HybridDecoder } from '../processors/screening/lists/index.ts';

/** Characters of one line; the rest of a longer one is passed over. */
const MOST_CHARACTERS = 16 * 1024 * 1024;

export interface Line {
  /** From 1, blank lines counted. */
  readonly number: number;
  /** Undefined for a line that is longer than anybody means. */
  readonly text: string | undefined;
}

/** What is said about a line that cannot be used. */
export interface LineFault {
  readonly line: number;
  readonly error: string;
  readonly message: string;
}

/**
 * Lines of a byte stream, those of one chunk together. Ends at `\n` alone (a carriage return before it is dropped): other
 * line separators may stand in JSON texts. A byte order mark is dropped, bytes that are no UTF-8 are read as Windows-1252.
 */
export async function* linesOf(
  input: AsyncIterable<Uint8Array>,
  mostCharacters = MOST_CHARACTERS,
): AsyncGenerator<readonly Line[]> {
  const decoder = new HybridDecoder();
  let number = 0;
  let open = '';
  let tooLong = false;
  const take = (text: string): void => {
    if (tooLong) return;
    open += text;
    if (open.length <= mostCharacters) return;
    tooLong = true;
    open = '';
  };
  const end = (): Line => {
    number += 1;
    const text = tooLong ? undefined : open.replace(/\r$/, '');
    open = '';
    tooLong = false;
    return { number, text: number === 1 && text?.startsWith('\ufeff') ? text.slice(1) : text };
  };
  for await (const chunk of input) {
    const parts = decoder.decode(chunk).split('\n');
    const lines: Line[] = [];
    parts.forEach((part, i) => {
      take(part);
      if (i < parts.length - 1) lines.push(end());
    });
    if (lines.length > 0) yield lines;
  }
  take(decoder.end());
  if (open !== '' || tooLong) yield [end()];
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
      if (line.text?.trim() === '') return [];
      const made = answerTo(line, answer);
      if ('error' in made) faults += 1;
      return [`${safeJson(JSON.stringify(made))}\n`];
    });
    if (answers.length > 0 && !output.write(answers.join(''))) await once(output, 'drain');
  }
  return faults;
}

function answerTo(
  { number: line, text }: Line,
  answer: (value: Readonly<Record<string, unknown>>, line: number) => object,
): object {
  const fault = (error: string, message: string): LineFault => ({ line, error, message });
  if (text === undefined) return fault('LINE_TOO_LONG', 'The line is longer than 16 million characters.');
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
