/** A CSV with a header line, read row by row by column name. */
import type { Options } from 'csv-parse';
import type { ListBuilder } from './build.ts';
import { csvRows } from './csv.ts';
import { ListRefused } from './fault.ts';
import { type ByteSource, textOf } from './source.ts';

export interface TableFormat {
  /** For messages: which file was expected. */
  readonly file: string;
  /** Columns without which the file is something else. */
  readonly required: readonly string[];
  readonly delimiter?: string;
  /** Lines before the header that are no part of the table; each is handed to `onPreamble`. */
  readonly isPreamble?: (cells: readonly string[]) => boolean;
  readonly onPreamble?: (cells: readonly string[]) => void;
}

/** A row: the trimmed cell of a column, '' when the column is not there. */
export type Row = (column: string) => string;

/**
 * Hands every complete row to `use` and returns the file's sha256. A row with another number of cells than the header
 * is dropped and counted; as the very last row it means that the file was cut off.
 * @throws ListRefused LIST_WRONG_FORMAT, LIST_TRUNCATED, LIST_MALFORMED and what the byte source throws
 */
export async function eachTableRow(
  source: ByteSource,
  format: TableFormat,
  builder: ListBuilder,
  use: (row: Row, line: number) => void,
): Promise<string> {
  const text = textOf(source);
  const options: Options = format.delimiter === undefined ? {} : { delimiter: format.delimiter };
  let header: Map<string, number> | undefined;
  let badLine: number | undefined;
  const end = { of: '' };
  for await (const { cells, line } of csvRows(remembering(text.chunks, end), options)) {
    if (header === undefined) {
      if (format.isPreamble?.(cells)) format.onPreamble?.(cells);
      else header = headerOf(cells, format);
      continue;
    }
    if (badLine !== undefined) builder.dropEntity('BAD_ROW', `${format.file} line ${badLine}`);
    badLine = undefined;
    if (cells.length !== header.size) {
      badLine = line;
      continue;
    }
    const columns = header;
    use((column) => cells[columns.get(column.toLowerCase()) ?? -1]?.trim() ?? '', line);
  }
  if (header === undefined) throw new ListRefused('LIST_WRONG_FORMAT', `${format.file}: no header line was found.`);
  if (badLine !== undefined) {
    throw new ListRefused('LIST_TRUNCATED', `${format.file} ends within a row (line ${badLine}). Download it again.`);
  }
  // Cut off within its last cell, a file looks whole: what it lost before that is told by how much it shrank.
  if (!['\r', '\n', '\u001a'].includes(end.of)) builder.warnings.add('NO_END_OF_LINE', format.file);
  if (text.facts.foreignBytes > 0) builder.warnings.add('NOT_UTF8', format.file, text.facts.foreignBytes);
  return text.facts.sha256;
}

/** The chunks as they come; `end` holds the last character so far. */
async function* remembering(chunks: AsyncIterable<string>, end: { of: string }): AsyncGenerator<string> {
  for await (const chunk of chunks) {
    end.of = chunk.at(-1) ?? end.of;
    yield chunk;
  }
}

function headerOf(cells: readonly string[], format: TableFormat): Map<string, number> {
  const header = new Map(cells.map((cell, at) => [cell.trim().toLowerCase(), at]));
  const missing = format.required.filter((column) => !header.has(column.toLowerCase()));
  if (missing.length === 0 && header.size === cells.length) return header;
  const found = cells.slice(0, 4).join(', ').slice(0, 120);
  throw new ListRefused(
    'LIST_WRONG_FORMAT',
    missing.length > 0
      ? `${format.file} must have the columns ${missing.join(', ')}; it begins with: ${found}`
      : `${format.file} has two columns of the same name; it begins with: ${found}`,
  );
}
