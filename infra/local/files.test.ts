import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { readJson, withLock, writeFileAtomically } from './files.ts';
import { ownIdentity, processStart } from './processes.ts';

const root = mkdtempSync(path.join(tmpdir(), 'corridor-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let file = '';
beforeEach(() => {
  file = path.join(mkdtempSync(path.join(root, 'case-')), 'lock');
});

describe('a lock', () => {
  test('is held by one at a time, within a process too', async () => {
    let inside = 0;
    let most = 0;
    const work = () =>
      withLock(file, async () => {
        inside++;
        most = Math.max(most, inside);
        await new Promise((resolve) => setTimeout(resolve, 10));
        inside--;
      });
    await Promise.all([work(), work(), work(), work()]);
    expect(most).toBe(1);
    expect(existsSync(file)).toBe(false);
  });

  test('is given back when the work fails, and hands on what it returns', async () => {
    await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(file, async () => 42)).toBe(42);
  });

  test('of a process that has died is taken over, by one only', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const dead = { pid: child.pid as number, startedAt: processStart(child.pid as number), host: hostname() };
    child.kill('SIGKILL');
    await once(child, 'exit');
    writeFileSync(file, JSON.stringify(dead));
    const order: string[] = [];
    const work = (name: string) =>
      withLock(file, async () => {
        order.push(`${name} in`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(`${name} out`);
      });
    await Promise.all([work('a'), work('b'), work('c')]);
    for (let at = 0; at < order.length; at += 2) expect(order[at + 1]).toBe(order[at]?.replace('in', 'out'));
    expect(order).toHaveLength(6);
  });

  test('of another process with the same id (the id was used again) is taken over', async () => {
    writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: 'long ago', host: hostname() }));
    expect(await withLock(file, async () => 'in')).toBe('in');
  });

  test('of a process that lives is waited for, and given up after the time allowed', async () => {
    writeFileSync(file, JSON.stringify({ ...ownIdentity(), host: hostname() }));
    let waited = 0;
    const held = withLock(file, async () => 'in', { timeoutMs: 50, onWait: () => waited++ });
    await expect(held).rejects.toMatchObject({ code: 'LOCK_TIMEOUT', message: expect.stringContaining(file) });
    expect(waited).toBe(1);
    expect(existsSync(file)).toBe(true);
  });
});

test('a file is replaced whole, and JSON that is none is an error, not an absence', () => {
  writeFileAtomically(file, '{"a":1}');
  writeFileAtomically(file, '{"a":2}');
  expect(readJson(file)).toEqual({ a: 2 });
  expect(readJson(`${file}.none`)).toBeUndefined();
  writeFileSync(file, '{"a":');
  expect(() => readJson(file)).toThrow(SyntaxError);
  expect(readFileSync(file, 'utf8')).toBe('{"a":');
});
