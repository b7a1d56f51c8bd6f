import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { FINDING_GROUPS } from './finding-codes.ts';

const root = path.resolve(import.meta.dirname, '..');
const codes: readonly string[] = FINDING_GROUPS.flatMap((group): readonly string[] => group.codes);

it('each code stands in one group', () => {
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
});

it('each code is found by something', () => {
  const sources = ['verify', 'adapters/mongo', 'operations', 'screening', 'ports/seals.ts'];
  const outside = [':!verify/finding-codes.ts', ':!*.test.ts', ':!verify/testing'];
  const search = ['grep', '--untracked', '-hoE', "'[A-Z]+(_[A-Z]+)+'", '--', ...sources, ...outside];
  const named = new Set(execFileSync('git', search, { cwd: root, encoding: 'utf8' }).replaceAll("'", '').split('\n'));
  expect(codes.filter((code) => !named.has(code))).toEqual([]);
});
