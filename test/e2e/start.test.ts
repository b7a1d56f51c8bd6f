// `npm start` as a program would use it, against the servers of this test run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import type { Summary } from '../../cli/dev/demo/summary.ts';
import { stackEnvironment } from '../../infra/local/stack.ts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/dev/demo/main.ts');

it('accounts for every transfer, in its expected end, and exits 0', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'corridor-start-'));
  const file = path.join(folder, 'summary.json');
  const env = { ...process.env, ...stackEnvironment(inject('stack')), CORRIDOR_STATE_DIR: path.join(folder, 'state') };
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [MAIN, '--transfers', '600', '--seed', '3', '--exit', '--json', file],
    { env, encoding: 'utf8' },
  );
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  const summary = JSON.parse(readFileSync(file, 'utf8')) as Summary;
  const { byState, transfers, unexpected, unaccounted, elapsedMs, firstCompletedMs } = summary;
  expect(transfers).toBe(600);
  expect(Object.values(byState).reduce((sum, count) => sum + count, 0)).toBe(600);
  expect({ unexpected, unaccounted }).toEqual({ unexpected: 0, unaccounted: 0 });
  expect(byState.DEAD_LETTERED).toBe(0);
  for (const state of [
    'COMPLETED',
    'REJECTED',
    'HELD',
    'RETURNED',
    'INTENT_REJECTED',
    'DUPLICATE',
    'UNDECODABLE',
  ] as const) {
    expect(byState[state], state).toBeGreaterThan(0);
  }
  expect(firstCompletedMs).toBeGreaterThan(0);
  expect(elapsedMs).toBeGreaterThanOrEqual(firstCompletedMs!);
}, 300_000);

it('says what is wrong with an option', () => {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, '--transfers', 'many', '--exit'], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain('--transfers must be a positive whole number');
});
