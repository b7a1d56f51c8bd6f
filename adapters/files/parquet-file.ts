// A Parquet file of rows that come one by one, in bounded memory: rows become groups, and no reader takes what has no end.
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import type { Cell, Column } from '../../operations/analytics/table.ts';
import { columnSources, typedColumns } from './table-formats.ts';

/** Rows that are held in memory before they are written. */
const GROUP_ROWS = 20_000;

export interface ParquetFile {
  /** Cells in the order of the columns. */
  add(cells: readonly Cell[]): void;
  /** Writes what is left, and what makes it a file that can be read; durable afterwards. */
  end(): void;
  /** Takes the file away: it was never ended. */
  discard(): void;
}

/** A new file. @throws what the file system throws; EEXIST where there is one already */
export function parquetFile(file: string, columns: readonly Column[], groupRows = GROUP_ROWS): ParquetFile {
  const descriptor = openSync(file, 'wx');
  const writer = new ByteWriter();
  const flush = () => {
    const bytes = writer.getBytes();
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    writer.index = 0;
  };
  const types = typedColumns(columns);
  const parquet = new ParquetWriter({
    writer: Object.assign(writer, { flush, finish: flush }),
    schema: schemaFromColumnData({ columnData: types.map((type) => ({ ...type, data: [] })) }),
    createdBy: 'corridor',
  });
  let cells: Cell[][] = columns.map(() => []);
  const group = () => {
    if (cells[0]!.length === 0) return;
    const columnData = columnSources(columns, cells).map(({ name, data }) => ({ name, data }));
    // Its writer is synchronous, and so is all that it does.
    void parquet.write({ columnData, rowGroupSize: groupRows });
    cells = columns.map(() => []);
  };
  return {
    add(row) {
      for (const [at, cell] of row.entries()) cells[at]!.push(cell);
      if (cells[0]!.length >= groupRows) group();
    },
    end() {
      group();
      void parquet.finish();
      fsyncSync(descriptor);
      closeSync(descriptor);
    },
    discard() {
      closeSync(descriptor);
      rmSync(file, { force: true });
    },
  };
}
