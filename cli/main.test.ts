import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

// Help without a command loads every one: options that do not go together throw here, and not at night.
it.each([
  ['on the stores', ['--help']],
  ['over an API', ['--api', 'https://api.example', '--help']],
])('has every command, %s', (_, args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(import.meta.dirname, 'main.ts'), ...args], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^ {2}dlq /m);
});
