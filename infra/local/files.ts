import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileLock, LockHeld } from '../../ports/file-lock.ts';
import { StackError } from './fault.ts';

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

/** What is made under a lock may have to be downloaded. */
const LOCK_TIMEOUT_MS = 15 * 60_000;

/**
 * Holds a lock file while `work` runs. `onWait` is called once if another process holds it. Throws StackError LOCK_TIMEOUT
 * after `timeoutMs`.
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  { timeoutMs = LOCK_TIMEOUT_MS, ...options }: { onWait?: () => void; timeoutMs?: number } = {},
): Promise<T> {
  using _lock = await fileLock(file, { timeoutMs, ...options }).catch((error: unknown) => {
    throw error instanceof LockHeld ? heldTooLong(file) : error;
  });
  return await work();
}

const heldTooLong = (file: string) =>
  new StackError(
    'LOCK_TIMEOUT',
    `Another process has held ${file} for too long.`,
    'End the process named in that file, or remove the file if there is no such process, and try again.',
  );
