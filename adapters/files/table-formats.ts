// Tables as files: Parquet, CSV and newline-delimited JSON.
import { stringify } from 'csv-stringify/sync';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import type { ExportFormat } from '../../operations/analytics/ports.ts';
import type { Cell, Column, ColumnKind, Table } from '../../operations/analytics/table.ts';

/** The bytes of a file. Times are UTC; amounts are minor units; lists are JSON text. */
export function tableBytes(format: ExportFormat, columns: readonly Column[], table: Table): Buffer {
  if (format === 'parquet') return parquet(columns, table);
  const rows = rowsOf(columns, table);
  if (format === 'csv') return Buffer.from(csv(columns, rows));
  return Buffer.from(rows.map((row) => `${ndjson(columns, row)}\n`).join(''));
}

const PARQUET: Readonly<Record<ColumnKind, NonNullable<ColumnSource['type']>>> = {
  text: 'STRING',
  int: 'INT32',
  long: 'INT64',
  timestamp: 'TIMESTAMP',
  flag: 'BOOLEAN',
  list: 'STRING',
};

function parquet(columns: readonly Column[], table: Table): Buffer {
  return Buffer.from(parquetWriteBuffer({ columnData: columnSources(columns, table), createdBy: 'corridor' }));
}

/** Names and types of columns, as files of Parquet have them. */
export const typedColumns = (columns: readonly Column[]): readonly Omit<ColumnSource, 'data'>[] =>
  columns.map(({ name, kind }) => ({ name, type: PARQUET[kind], nullable: true }));

/** The same with their cells. */
export function columnSources(columns: readonly Column[], table: Table): ColumnSource[] {
  return typedColumns(columns).map((typed, at) => {
    const cells = table[at]!;
    const isTime = columns[at]!.kind === 'timestamp';
    return {
      ...typed,
      data: isTime ? cells.map((cell) => (cell === null ? null : new Date(Number(cell)))) : [...cells],
    };
  });
}

function rowsOf(columns: readonly Column[], table: Table): readonly (readonly Cell[])[] {
  return table[0]!.map((_, row) => columns.map((__, at) => table[at]![row]!));
}

/** What begins like a formula gets no chance to be one: text from outside is opened in spreadsheets too. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?\d+(\.\d+)?$/;
const asText = (cell: Cell): string => {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  return FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
};

function csv(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const lines = rows.map((row) => row.map((cell, at) => asText(shown(cell, columns[at]!.kind))));
  return stringify([columns.map(({ name }) => name), ...lines]);
}

const shown = (cell: Cell, kind: ColumnKind): Cell =>
  kind === 'timestamp' && cell !== null ? new Date(Number(cell)).toISOString() : cell;

/** Longs are text, since many readers of JSON cut numbers at 2^53; lists are lists. */
function ndjson(columns: readonly Column[], row: readonly Cell[]): string {
  const entries = columns.map(({ name, kind }, at) => {
    const cell = row[at]!;
    if (kind === 'list' && cell !== null) return [name, JSON.parse(cell as string)];
    if (kind === 'long' && cell !== null) return [name, String(cell)];
    return [name, shown(cell, kind)];
  });
  return JSON.stringify(Object.fromEntries(entries));
}
