// Rows that come one by one: all are there, in order, across groups; what was never ended is no file, and none is written over.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import type { Column } from '../../operations/analytics/table.ts';
import { parquetFile } from './parquet-file.ts';

const COLUMNS: readonly Column[] = [
  { name: 'id', kind: 'text' },
  { name: 'at', kind: 'timestamp' },
  { name: 'minor', kind: 'long' },
  { name: 'codes', kind: 'list' },
];
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-parquet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const rowOf = (at: number) => [`row-${at}`, at * 1_000, at % 3 === 0 ? null : BigInt(at) * 10n ** 14n, `["${at}"]`];

describe('a Parquet file of rows', () => {
  it.each([0, 1, 9, 10, 11, 205])('holds %i of them, in groups', async (rows) => {
    const file = path.join(folder, `${rows}.parquet`);
    const written = parquetFile(file, COLUMNS, 10);
    for (let at = 0; at < rows; at++) written.add(rowOf(at));
    written.end();
    const read = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
    const expected = Array.from({ length: rows }, (_, at) => {
      const [id, time, minor, codes] = rowOf(at);
      return { id, at: new Date(Number(time)), minor, codes };
    });
    expect(read).toEqual(expected);
    const { row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(file));
    expect(groups).toHaveLength(Math.ceil(rows / 10));
  });

  it('that was never ended is taken away', () => {
    const file = path.join(folder, 'never.parquet');
    const written = parquetFile(file, COLUMNS, 2);
    for (let at = 0; at < 5; at++) written.add(rowOf(at));
    written.discard();
    expect(existsSync(file)).toBe(false);
  });

  it('is never written over another', () => {
    const file = path.join(folder, 'there.parquet');
    writeFileSync(file, 'mine');
    expect(() => parquetFile(file, COLUMNS)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});
