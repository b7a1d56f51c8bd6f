import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ownIdentity } from '../../ports/process-identity.ts';
import { readJson, withLock, writeFileAtomically } from './files.ts';

const root = mkdtempSync(path.join(tmpdir(), 'corridor-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let file = '';
beforeEach(() => {
  file = path.join(mkdtempSync(path.join(root, 'case-')), 'lock');
});

describe('a lock', () => {
  test('is given back when the work fails, and hands on what it returns', async () => {
    await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withLock(file, async () => 42)).toBe(42);
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
