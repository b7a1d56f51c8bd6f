// What is written, read back: Parquet by the reader of its own library (DuckDB reads it end to end), CSV and JSON as they are.
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import type { Column, Table } from '../../operations/analytics/table.ts';
import { tableBytes } from './table-formats.ts';

const AT = Date.UTC(2026, 10, 30, 22, 50, 1, 234);
const COLUMNS: readonly Column[] = [
  { name: 'id', kind: 'text' },
  { name: 'sequence', kind: 'int' },
  { name: 'minor', kind: 'long' },
  { name: 'at', kind: 'timestamp' },
  { name: 'ended', kind: 'flag' },
  { name: 'codes', kind: 'list' },
];
const TABLE: Table = [
  ['=cmd()', 'b,"c"', '-0.63'],
  [1, 2, null],
  [2n ** 53n + 1n, -5n, null],
  [AT, AT + 1, null],
  [true, false, null],
  ['["AC04"]', '[]', '[{"code":"FLAT","minor":"199"}]'],
];

describe('a table', () => {
  it('as Parquet keeps longs whole, times to the millisecond, and nothing where there is nothing', async () => {
    const bytes = tableBytes('parquet', COLUMNS, TABLE);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    expect(await parquetReadObjects({ file })).toEqual([
      { id: '=cmd()', sequence: 1, minor: 2n ** 53n + 1n, at: new Date(AT), ended: true, codes: '["AC04"]' },
      { id: 'b,"c"', sequence: 2, minor: -5n, at: new Date(AT + 1), ended: false, codes: '[]' },
      {
        ...{ id: '-0.63', sequence: null, minor: null, at: null, ended: null },
        codes: '[{"code":"FLAT","minor":"199"}]',
      },
    ]);
  });

  it('as CSV has a head, and no cell that a spreadsheet would run', () => {
    const rows = parse(tableBytes('csv', COLUMNS, TABLE)) as readonly (readonly string[])[];
    expect(rows).toEqual([
      COLUMNS.map(({ name }) => name),
      ["'=cmd()", '1', '9007199254740993', '2026-11-30T22:50:01.234Z', 'true', '["AC04"]'],
      ['b,"c"', '2', '-5', '2026-11-30T22:50:01.235Z', 'false', '[]'],
      ['-0.63', '', '', '', '', '[{"code":"FLAT","minor":"199"}]'],
    ]);
  });

  it('as JSON has longs as text and lists as lists', () => {
    const lines = tableBytes('ndjson', COLUMNS, TABLE).toString().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        ...{ id: '=cmd()', sequence: 1, minor: '9007199254740993', at: '2026-11-30T22:50:01.234Z' },
        ...{ ended: true, codes: ['AC04'] },
      },
      { id: 'b,"c"', sequence: 2, minor: '-5', at: '2026-11-30T22:50:01.235Z', ended: false, codes: [] },
      {
        ...{ id: '-0.63', sequence: null, minor: null, at: null, ended: null },
        codes: [{ code: 'FLAT', minor: '199' }],
      },
    ]);
  });
});
