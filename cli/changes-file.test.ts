// The file of a backtest: whole under its name, or not there.
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { changesFile } from './changes-file.ts';

const fileIn = () => path.join(mkdtempSync(path.join(tmpdir(), 'corridor-changes-')), 'changes.ndjson');

it.each(['ndjson', 'parquet'] as const)('has its name when it is whole (%s)', (format) => {
  const file = fileIn();
  const writing = changesFile(file, format);
  expect(existsSync(file)).toBe(false);
  expect(readdirSync(path.dirname(file))).toHaveLength(1);
  writing.end();
  expect(readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
});

it('takes the place of no file, also of one that came meanwhile', () => {
  const file = fileIn();
  const writing = changesFile(file);
  writeFileSync(file, 'of somebody else');
  expect(() => writing.end()).toThrow('EEXIST');
  writing.discard();
  expect(readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
  expect(() => changesFile(file)).toThrow('EEXIST');
  expect(readFileSync(file, 'utf8')).toBe('of somebody else');
});

it('leaves nothing when it is discarded', () => {
  const file = fileIn();
  changesFile(file).discard();
  expect(readdirSync(path.dirname(file))).toEqual([]);
});
