// Ctrl-C while `npm start` is starting: it ends at once, quietly, and leaves nothing that runs, whatever it was at.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Servers of its own: those of the test run are nothing that it would start or stop. */
const ownServers = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('CORRIDOR_') && name !== 'MONGODB_URI'),
);

/** Every process whose command line or environment names the folder. */
function processesOf(folder: string): string[] {
  const lines = execFileSync('ps', ['axeww', '-o', 'pid=,args='], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n');
  return lines.filter((line) => line.includes(folder) && !line.includes('ps axeww'));
}

it.each([
  ['servers begin', 'Starting kafka'],
  ['the first server is up', ' is up ('],
  ['topics are made', 'Creating topics'],
  ['the pipeline starts', 'Starting processors'],
  ['transfers are fed', 'Feeding'],
])('while %s', async (_what, line) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'corridor-interrupt-'));
  const child = spawn(
    process.execPath,
    [path.join(ROOT, 'bin/run.mjs'), 'cli/dev/demo/main.ts', '--transfers', '3000'],
    {
      env: { ...ownServers, CORRIDOR_STATE_DIR: path.join(folder, 'state') },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  const hear = (text: string) => {
    said += text;
  };
  child.stderr.setEncoding('utf8').on('data', hear);
  child.stdout.setEncoding('utf8').on('data', hear);
  const exited = once(child, 'exit');
  while (!said.includes(line)) {
    expect(child.exitCode, said).toBeNull();
    await sleep(10);
  }
  const before = said.length;
  child.kill('SIGINT');
  const [code] = await exited;
  const words = said.slice(before);
  expect(code, words).toBe(130);
  expect(words).not.toMatch(/expected|NOT AS EXPECTED|\n {4}at |Error/);
  while (processesOf(folder).length > 0) await sleep(50);
});
