// The data contracts of the topics for analysts, as somebody else reads the standard (PyPI datacontract-cli).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dataContractFiles } from '../../docs/generators/data-contract.ts';
import { pythonWith } from '../kit/python.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const REQUIREMENTS = path.resolve(import.meta.dirname, '../kit/data-contracts/requirements.txt');
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-contracts-'));
let python: string;
beforeAll(async () => {
  python = await pythonWith(REQUIREMENTS);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lint(file: string) {
  const cli = path.join(path.dirname(python), 'datacontract');
  const { status, stdout, stderr } = spawnSync(cli, ['lint', file], {
    encoding: 'utf8',
    env: { ...process.env, HOME: folder, NO_COLOR: '1' },
  });
  return { status, output: `${stdout}${stderr}` };
}

it.each(dataContractFiles)('$file is a contract by the standard', ({ file }) => {
  const { status, output } = lint(path.join(ROOT, file));
  expect(output).toContain('valid against ODCS v3.1.0');
  expect(status, output).toBe(0);
});

it('and one with a type that the standard does not know is none', () => {
  const { file } = dataContractFiles[0]!;
  const broken = path.join(folder, 'broken.odcs.yaml');
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  writeFileSync(broken, text.replace('logicalType: string', 'logicalType: words'));
  expect(lint(broken).status).not.toBe(0);
});
