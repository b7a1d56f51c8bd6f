import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { fileLock, LockHeld } from './file-lock.ts';
import { ownIdentity, processStart } from './process-identity.ts';

const root = mkdtempSync(path.join(tmpdir(), 'corridor-locks-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let file = '';
beforeEach(() => {
  file = path.join(mkdtempSync(path.join(root, 'folder-')), 'lock');
});

/** So many who want the lock at once; answers how many at most had it at a time. */
async function contend(count: number): Promise<number> {
  let [inside, most] = [0, 0];
  const work = async () => {
    using _lock = await fileLock(file, { timeoutMs: 600_000 });
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside--;
  };
  await Promise.all(Array.from({ length: count }, work));
  return most;
}

describe('the lock of a file', () => {
  it('is held by one at a time, within a process too, and leaves nothing behind', async () => {
    expect(await contend(4)).toBe(1);
    expect(readdirSync(path.dirname(file))).toEqual([]);
  });

  it('makes its folder, and can be read by its owner alone', async () => {
    file = path.join(path.dirname(file), 'new', 'lock');
    using _lock = await fileLock(file, { timeoutMs: 0 });
    expect(existsSync(file)).toBe(true);
  });

  it('of a process that has died is taken over, by one at a time', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const dead = { pid: child.pid as number, startedAt: processStart(child.pid as number), host: hostname() };
    child.kill('SIGKILL');
    await once(child, 'exit');
    writeFileSync(file, JSON.stringify(dead));
    expect(await contend(8)).toBe(1);
    expect(readdirSync(path.dirname(file))).toEqual([]);
  });

  it.each(['', '.takeover'])('is taken over also where who took it over died doing so (lock%s)', async (half) => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const dead = { pid: child.pid as number, startedAt: processStart(child.pid as number), host: hostname() };
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const name of [file, `${file}.takeover`]) writeFileSync(name, JSON.stringify(dead));
    // One of the two it had only begun to write.
    writeFileSync(`${file}${half}`, '');
    const longAgo = new Date(Date.now() - 6_000);
    utimesSync(`${file}${half}`, longAgo, longAgo);
    expect(await contend(8)).toBe(1);
    expect(readdirSync(path.dirname(file))).toEqual([]);
  });

  it('of another process with the same id (the id was used again) is taken over', async () => {
    writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: 'long ago', host: hostname() }));
    expect(await contend(1)).toBe(1);
  });

  it.each<readonly [string, string]>([
    ['says nothing', ''],
    ['is no JSON', 'dead'],
    ['is no lock', 'null'],
    ['names no process', '{"host":"here"}'],
    ['is of another machine', JSON.stringify({ ...ownIdentity(), host: 'elsewhere.example' })],
    [
      'is of another container of this host name',
      JSON.stringify({ pid: 1, startedAt: 'then', host: hostname(), pids: 'pid:[7]' }),
    ],
    ['is longer than any', `{"host":"${'x'.repeat(5_000)}"}`],
  ])('that %s is taken over when it is old, also where the clock was ahead, and not before', async (_, text) => {
    for (const sinceMs of [-3_600_000, 3_600_000]) {
      writeFileSync(file, text);
      await expect(fileLock(file, { timeoutMs: 0 })).rejects.toThrow(LockHeld);
      const since = new Date(Date.now() + sinceMs);
      utimesSync(file, since, since);
      expect(await contend(3)).toBe(1);
    }
  });

  it('of a process that lives is waited for, and given up after the time allowed', async () => {
    writeFileSync(file, JSON.stringify({ ...ownIdentity(), host: hostname() }));
    let waited = 0;
    const held = fileLock(file, { timeoutMs: 50, onWait: () => waited++ });
    await expect(held).rejects.toThrow(file);
    expect(waited).toBe(1);
    expect(existsSync(file)).toBe(true);
  });

  it('stays with whoever took it over, when the one before ends after all', async () => {
    {
      using _lock = await fileLock(file, { timeoutMs: 0 });
      writeFileSync(file, 'another');
    }
    expect(readFileSync(file, 'utf8')).toBe('another');
  });

  it('follows no link, and waits for none without end', async () => {
    symlinkSync('/nowhere', file);
    await expect(fileLock(file, { timeoutMs: 0 })).rejects.toThrow(LockHeld);
  });

  it('is refused with what the file system says where nothing can be written', async () => {
    writeFileSync(file, '');
    await expect(fileLock(path.join(file, 'lock'), { timeoutMs: 0 })).rejects.toMatchObject({ code: 'EEXIST' });
  });
});
