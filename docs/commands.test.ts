// What the documentation names exists: variables, npm scripts, commands and their options, files that it links to.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { unknownVariables } from '../runtime/config/config.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((page) => existsSync(path.join(ROOT, page)));
const textOf = (page: string) => readFileSync(path.join(ROOT, page), 'utf8');
const scripts = Object.keys((JSON.parse(textOf('package.json')) as { scripts: object }).scripts);
const commands = new Set(
  execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'cli/*/*.ts'], { cwd: ROOT, encoding: 'utf8' })
    .trim()
    .split('\n')
    .filter((file) => existsSync(path.join(ROOT, file)))
    .flatMap((file) => [...textOf(file).matchAll(/\.command\('([a-z-]+)/g)].map(([, name]) => name!)),
);

describe.each(pages)('%s names only', (page) => {
  const text = textOf(page);

  it('variables that are read', () => {
    const named = [...text.matchAll(/\b(CORRIDOR_[A-Z0-9_]*[A-Z0-9])\b(?!…)/g)].map(([, name]) => name!);
    expect(unknownVariables(Object.fromEntries(named.map((name) => [name, '1'])))).toEqual([]);
  });

  it('scripts of package.json', () => {
    const named = [...text.matchAll(/\bnpm run ([a-z:]+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });

  it('commands that there are', () => {
    const named = [...text.matchAll(/(?:`|npm run |\n|^)corridor (?:-- )?([a-z][a-z-]+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !commands.has(name))).toEqual([]);
  });

  it('files that exist', () => {
    const linked = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, file]) => file!);
    const missing = linked.filter((file) => !existsSync(path.resolve(ROOT, path.dirname(page), file)));
    expect(missing).toEqual([]);
  });
});
