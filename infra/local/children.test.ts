import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from './children.ts';

const groupOf = (pid: number) => execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' }).trim();

it('a child stands apart from the terminal, so that Ctrl-C reaches it once: as the stop of its parent', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'corridor-child-'));
  const program = path.join(folder, 'child.mjs');
  writeFileSync(
    program,
    `process.on('SIGTERM', () => process.exit(7));
     setInterval(() => {}, 1000);
     console.log('{"ready":true}');`,
  );
  const child = await startChild({
    name: 'child',
    entry: path.relative(path.resolve(import.meta.dirname, '../..'), program),
    env: process.env,
    logFile: path.join(folder, 'child.log'),
  });
  expect(groupOf(child.pid)).not.toBe(groupOf(process.pid));
  expect(await child.stop(10_000)).toBe(7);
});

it('a child that ends before it is ready is told of with what it said, also without a log', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'corridor-child-'));
  const program = path.join(folder, 'child.mjs');
  writeFileSync(program, `console.log('first'); console.error('no room left'); process.exitCode = 3;`);
  const options = {
    name: 'child',
    entry: path.relative(path.resolve(import.meta.dirname, '../..'), program),
    env: process.env,
  };
  for (const logFile of [undefined, path.join(folder, 'child.log')]) {
    const starting = startChild(logFile === undefined ? options : { ...options, logFile });
    await expect(starting).rejects.toMatchObject({
      code: 'CHILD_FAILED',
      message: expect.stringContaining('no room left'),
    });
    await expect(starting).rejects.toThrow('ended with code 3 before it was ready');
  }
});
