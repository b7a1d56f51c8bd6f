// The file of a backtest: each transfer that would have been decided otherwise, as lines of JSON or as Parquet.
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { parquetFile } from '../adapters/files/parquet-file.ts';
import { CHANGE_COLUMNS, type ChangeFormat, changeCells } from '../operations/backtest/change-rows.ts';
import type { Change } from '../operations/backtest/report.ts';
import { CodedError } from '../ports/fault.ts';
import { toJsonLine } from './output.ts';

export interface ChangesFile {
  add(change: Change): void;
  end(): void;
  /** Takes it away: what is in it is not all. */
  discard(): void;
}

export const withInstant = (change: Change) => ({ ...change, appendedAt: new Date(change.appendedAt) });

/**
 * A new file, in this format or in that of its ending. It has its name when it is whole and durable: what a death leaves is a part
 * beside it (`.PID.part`). @throws CodedError FILE_NOT_WRITTEN, also where there is one
 */
export function changesFile(file: string, format: ChangeFormat = formatOf(file)): ChangesFile {
  if (existsSync(file)) throw notWritten(file, 'EEXIST');
  const part = `${file}.${process.pid}.part`;
  const { add, end, discard } = writing(file, () => (format === 'parquet' ? asParquet(part) : asLines(part)));
  let isEnded = false;
  return {
    add: (change) => writing(file, () => add(change)),
    end: () =>
      writing(file, () => {
        end();
        isEnded = true;
        named(part, file);
      }),
    discard: () => {
      if (!isEnded) discard();
    },
  };
}

/** Never in the place of a file that came meanwhile. */
function named(part: string, file: string): void {
  try {
    linkSync(part, file);
  } finally {
    rmSync(part, { force: true });
  }
  const folder = openSync(path.dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

const formatOf = (file: string): ChangeFormat => (file.endsWith('.parquet') ? 'parquet' : 'ndjson');

function asParquet(file: string): ChangesFile {
  const { add, end, discard } = parquetFile(file, CHANGE_COLUMNS);
  return { add: (change) => add(changeCells(change)), end, discard };
}

/** Text that is gathered before it is written, characters. */
const GATHERED = 1_048_576;

function asLines(file: string): ChangesFile {
  const descriptor = openSync(file, 'wx');
  let text = '';
  const flush = () => {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    text = '';
  };
  return {
    add(change) {
      text += `${toJsonLine(withInstant(change))}\n`;
      if (text.length > GATHERED) flush();
    },
    end() {
      flush();
      fsyncSync(descriptor);
      closeSync(descriptor);
    },
    discard() {
      closeSync(descriptor);
      rmSync(file, { force: true });
    },
  };
}

function writing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw notWritten(file, code);
  }
}

const notWritten = (file: string, code: string) =>
  new CodedError('FILE_NOT_WRITTEN', `${file} cannot be written: ${code}`);
