// A chaos run that ends while it starts leaves nothing behind: no process, and no data.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';

const MAIN = path.resolve(import.meta.dirname, '../chaos/main.ts');
const newFolder = () => mkdtempSync(path.join(tmpdir(), 'corridor-chaos-start-'));

/** Every process whose command line or environment names the folder. */
function processesOf(folder: string): string[] {
  const lines = execFileSync('ps', ['axeww', '-o', 'pid=,args='], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n');
  return lines.filter((line) => line.includes(folder) && !line.includes('ps axeww'));
}

it('when a server cannot be started', () => {
  const folder = newFolder();
  // No Java on this path.
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  for (const tool of ['sh', 'ps']) symlinkSync(`/bin/${tool}`, path.join(bin, tool));
  const temporary = path.join(folder, 'tmp');
  mkdirSync(temporary);
  const env = { PATH: bin, HOME: folder, TMPDIR: temporary };
  const { status, stderr } = spawnSync(process.execPath, [MAIN, '--profile', 'smoke'], { env, encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain('JAVA_MISSING');
  expect(readdirSync(temporary)).toEqual([]);
  expect(processesOf(folder)).toEqual([]);
});

it('when it is killed outright', async () => {
  const folder = newFolder();
  const child = spawn(process.execPath, [MAIN, '--profile', 'smoke'], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  // Servers have been started by then.
  while (processesOf(path.join(folder, 'corridor-chaos-')).length < 3) {
    expect(child.exitCode, said).toBeNull();
    await sleep(100);
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  while (processesOf(folder).length > 0) await sleep(100);
});
