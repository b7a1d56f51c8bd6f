// What the judge makes of exported files: no row that is missing, repeated, made up or changed passes, and no file that is.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { tableBytes } from '../../../adapters/files/table-formats.ts';
import { type ExportedRow, exportedFiles, misexported, rowsIn } from './exported.ts';

const row = (offset: number, over: Partial<ExportedRow> = {}): ExportedRow => ({
  ...{ topic: 'transfer.lifecycle', partition: 2, offset, id: `event-${offset}` },
  ...over,
});
const sealed = [row(1), row(2), row(3)];
const [first, second, third] = sealed as [ExportedRow, ExportedRow, ExportedRow];
const found = (rows: readonly ExportedRow[]) =>
  misexported(sealed, { rows, wrong: [] }).map(({ detail }) => detail.replace(/ says.*/, ' says'));

describe('exported rows', () => {
  it('that are those of the log, in any order, are right', () => {
    expect(found([third, first, second])).toEqual([]);
  });

  it.each([
    ['one less', [first, second], ['the row was never exported']],
    ['one twice', [first, second, third, second], ['the row is exported more than once']],
    ['one more', [...sealed, row(9)], ['the row is in no log, or nobody sealed it']],
    ['one of another partition', [first, second, row(3, { partition: 0 })], [expect.any(String), expect.any(String)]],
    ['one that says something else', [first, second, row(3, { id: 'event-1' })], ['the row says']],
  ])('%s are not', (_, rows, details) => {
    expect(found(rows)).toEqual(details);
  });
});

describe('a folder', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'corridor-exported-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(name: string, offsets: readonly number[]): void {
    mkdirSync(path.join(folder, '_manifests'), { recursive: true });
    const columns = [
      { name: 'eventId', kind: 'text' },
      { name: 'kafkaPartition', kind: 'int' },
      { name: 'kafkaOffset', kind: 'long' },
    ] as const;
    const cells = [offsets.map((at) => `event-${at}`), offsets.map(() => 2), offsets.map((at) => BigInt(at))];
    writeFileSync(path.join(folder, name), tableBytes('parquet', columns, cells));
  }
  const manifest = (files: readonly { readonly name: string; readonly rows: number }[], end = '\n') =>
    writeFileSync(
      path.join(folder, '_manifests/transfer.lifecycle-p2.ndjson'),
      `${JSON.stringify({ topic: 'transfer.lifecycle' })}\n${JSON.stringify({ files })}${end}`,
    );

  it('has the rows of the files that its manifests name', async () => {
    write('a.parquet', [1, 2]);
    write('b.parquet', [3]);
    manifest([
      { name: 'a.parquet', rows: 2 },
      { name: 'b.parquet', rows: 1 },
    ]);
    expect(await exportedFiles(folder)).toEqual({ rows: sealed, wrong: [] });
    expect(rowsIn(folder)).toBe(3);
  });

  it('tells of a file that is in none, that is not there, or that has other rows than it says', async () => {
    write('a.parquet', [1, 2]);
    write('stray.parquet', [3]);
    manifest([
      { name: 'a.parquet', rows: 3 },
      { name: 'gone.parquet', rows: 1 },
    ]);
    expect((await exportedFiles(folder)).wrong.toSorted()).toEqual([
      'a.parquet has 2 rows, and its manifest says 3',
      'gone.parquet is in a manifest, and is not there',
      'stray.parquet is in no manifest',
    ]);
  });

  it('takes a line without its end for none', async () => {
    write('a.parquet', [1, 2]);
    manifest([{ name: 'a.parquet', rows: 2 }], '');
    expect(await exportedFiles(folder)).toEqual({ rows: [], wrong: ['a.parquet is in no manifest'] });
  });
});
