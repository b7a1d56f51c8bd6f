// The import check sees what it is there for: each of these little trees has one mistake.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..');
const CRUISER = path.join(ROOT, 'node_modules/.bin/depcruise');

/** Names of the rules that a tree breaks, each once. */
function broken(files: Readonly<Record<string, string>>): readonly string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'imports-'));
  try {
    writeFileSync(path.join(folder, 'tsconfig.json'), '{}');
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), text);
    }
    const folders = new Set(Object.keys(files).map((file) => file.split('/')[0]!));
    const args = ['--config', path.join(ROOT, '.dependency-cruiser.cjs'), '--output-type', 'json', ...folders];
    const { stdout, stderr } = spawnSync(process.execPath, [CRUISER, ...args], { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    const { summary } = JSON.parse(stdout) as { summary: { violations: readonly { rule: { name: string } }[] } };
    return [...new Set(summary.violations.map(({ rule }) => rule.name))].toSorted();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const LONE = 'export const a = 1;\n';
const uses = (file: string) => `import { a } from '${file}';\nexport const b = a;\n`;

it.each<[mistake: string, rules: readonly string[], files: Readonly<Record<string, string>>]>([
  ['nothing', [], { 'topics/b.ts': uses('../domain/a.ts'), 'domain/a.ts': LONE }],
  ['an arrow upwards', ['domain-imports'], { 'domain/b.ts': uses('../topics/a.ts'), 'topics/a.ts': LONE }],
  [
    'one of types alone',
    ['domain-imports'],
    {
      'domain/b.ts': "export type B = import('../topics/a.ts').A;\n",
      'topics/a.ts': 'export type A = 1;\n',
    },
  ],
  [
    'a circle of types alone',
    ['no-cycles'],
    {
      'domain/a.ts': "import type { B } from './b.ts';\nexport interface A { b?: B }\n",
      'domain/b.ts': "export interface B { a?: import('./a.ts').A }\n",
    },
  ],
  ['a folder that is not named', ['no-unknown-folder'], { 'shared/b.ts': uses('./a.ts'), 'shared/a.ts': LONE }],
  ['one of a file that imports nothing', ['no-unknown-folder-of-lone-files'], { 'shared/a.ts': LONE }],
  [
    'a use-case that knows the runtime',
    ['operations-imports'],
    { 'operations/b.ts': uses('../runtime/a.ts'), 'runtime/a.ts': LONE },
  ],
  [
    'the runtime that knows a use-case',
    ['runtime-imports'],
    { 'runtime/b.ts': uses('../operations/a.ts'), 'operations/a.ts': LONE },
  ],
  ['a command on the local stack', ['cli-imports'], { 'cli/b.ts': uses('../infra/a.ts'), 'infra/a.ts': LONE }],
  ['a decision with I/O', ['decide-is-pure'], { 'processors/x/decide.ts': "import 'node:fs';\n" }],
  [
    'a helper of tests in the product',
    ['helpers-of-tests-stay-with-tests'],
    { 'domain/b.ts': uses('./testing/a.ts'), 'domain/testing/a.ts': LONE },
  ],
])('%s: %j', (_, rules, files) => {
  expect(broken(files)).toEqual(rules);
});
