import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from './fault.ts';
import { isAlive, ownIdentity, type ProcessIdentity } from './processes.ts';

/** The parsed JSON of a file; undefined when there is no such file. Throws SyntaxError on anything but JSON. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces a file in one step, so that a reader (or a crash) sees the old content or the new. */
export function writeFileAtomically(file: string, content: string): void {
  const next = `${file}.${process.pid}.next`;
  writeFileSync(next, content);
  renameSync(next, file);
}

interface LockOwner extends ProcessIdentity {
  readonly host: string;
}

/** A lock of unknown or foreign owner that is so old belongs to nobody. */
const FOREIGN_STALE_MS = 10 * 60_000;

/**
 * Holds a lock file while `work` runs. A lock whose owner has died is taken over. `onWait` is called once if another
 * process holds it. Throws StackError LOCK_TIMEOUT after `timeoutMs`.
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  options: { onWait?: () => void; timeoutMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + (options.timeoutMs ?? 15 * 60_000);
  mkdirSync(path.dirname(file), { recursive: true });
  for (let waited = false; !tryLock(file); waited = true) {
    if (!waited) options.onWait?.();
    if (Date.now() > deadline) {
      throw new StackError(
        'LOCK_TIMEOUT',
        `Another process has held ${file} for too long.`,
        'End the process named in that file, or remove the file if there is no such process, and try again.',
      );
    }
    removeIfAbandoned(file);
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function tryLock(file: string): boolean {
  const owner: LockOwner = { ...ownIdentity(), host: hostname() };
  try {
    writeFileSync(file, JSON.stringify(owner), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A folder guards the removal, so that nobody removes the lock of the one that came after the abandoned one. */
function removeIfAbandoned(file: string): void {
  if (!isAbandoned(file)) return;
  const guard = `${file}.takeover`;
  try {
    mkdirSync(guard);
  } catch {
    if (ageMs(guard) > FOREIGN_STALE_MS) rmdirSync(guard);
    return;
  }
  try {
    if (isAbandoned(file)) rmSync(file, { force: true });
  } finally {
    rmdirSync(guard);
  }
}

function isAbandoned(file: string): boolean {
  let owner: LockOwner | undefined;
  try {
    owner = readJson(file) as LockOwner | undefined;
  } catch {
    // Half written: by a process that is just doing it, or by one that died doing it.
    return ageMs(file) > 5_000;
  }
  if (!owner) return false;
  if (owner.host !== hostname()) return ageMs(file) > FOREIGN_STALE_MS;
  return !isAlive(owner);
}

function ageMs(file: string): number {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
