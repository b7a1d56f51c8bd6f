import { Readable } from 'node:stream';
import { CsvError, type Options, parse } from 'csv-parse';
import { ListRefused } from './fault.ts';

export interface CsvRow {
  readonly cells: readonly string[];
  /** Line of the file where the row ends, counted from 1. */
  readonly line: number;
}

/**
 * Rows of a CSV text stream. Quotes are taken strictly: a lost quote would silently swallow the rows that follow it.
 * The number of cells is for the caller to judge.
 * @throws ListRefused LIST_MALFORMED for a broken quote
 */
export async function* csvRows(chunks: AsyncIterable<string>, options: Options = {}): AsyncGenerator<CsvRow> {
  const parser = parse({
    ...options,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: 4 * 1024 * 1024,
  });
  const input = Readable.from(chunks);
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const item of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      yield { cells: item.record, line: item.info.lines };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as { lines?: number };
    const near = lines === undefined ? '' : `, near line ${lines}`;
    throw new ListRefused('LIST_MALFORMED', `The CSV is broken (${error.code}${near}). Download it again.`, {
      cause: error,
    });
  } finally {
    input.destroy();
  }
}
