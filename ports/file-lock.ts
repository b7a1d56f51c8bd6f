// The lock between processes of one machine: a file that names who holds it.
//
// What could happen: its holder dies. What stops others from waiting for ever: the file says which process holds it, and one
// that has ended holds nothing. What could happen: two see the same dead holder, and the slower one takes away the lock of the
// faster one. What stops it: a lock of the same kind beside the file lets one at a time look again and take it away.
import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { pause } from './pause.ts';
import { isAlive, ownIdentity, type ProcessIdentity } from './process-identity.ts';

interface LockHolder extends ProcessIdentity {
  readonly host: string;
  /** Where its process id means something: containers may share a host name and a folder. Absent: where the reader is. */
  readonly pids?: string;
  /** Of this one lock: a process may hold it again, and must not give back what came after. */
  readonly lockId: string;
}

export interface FileLockOptions {
  /** Rejects with LockHeld after so long, ms. */
  readonly timeoutMs: number;
  /** Called once when somebody else holds it. */
  readonly onWait?: () => void;
}

/** A holder of another machine or container, or one that nobody can name, holds nothing any more after this long. */
const FOREIGN_STALE_MS = 10 * 60_000;
/** A process that writes its name needs less. */
const HALF_WRITTEN_MS = 5_000;
const LOOK_EVERY_MS = 100;
/** A lock is a few words; whatever is longer is no lock. */
const MAX_LOCK_BYTES = 4_096;

/** Somebody else holds the lock. */
export class LockHeld extends Error {
  constructor(file: string) {
    super(`another process has held ${file} for too long`);
    this.name = 'LockHeld';
  }
}

/**
 * Takes the lock; whoever gets it disposes of it. The folder is made where it is missing, for its owner alone.
 * @throws LockHeld, and the error of the file system when nothing can be written there
 */
export async function fileLock(file: string, { timeoutMs, onWait }: FileLockOptions): Promise<Disposable> {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const lockId = randomUUID();
  const end = performance.now() + timeoutMs;
  for (let waited = false; !isTaken(file, lockId); ) {
    if (wasAbandoned(file)) continue;
    if (!waited) onWait?.();
    waited = true;
    if (performance.now() > end) throw new LockHeld(file);
    await pause(LOOK_EVERY_MS);
  }
  return {
    [Symbol.dispose]() {
      if (holderOf(file)?.lockId === lockId) rmSync(file, { force: true });
    },
  };
}

function isTaken(file: string, lockId: string): boolean {
  const pids = ownPids();
  const holder: LockHolder = { ...ownIdentity(), host: hostname(), ...(pids && { pids }), lockId };
  try {
    writeFileSync(file, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes a lock away that nobody holds any more. @returns whether there was one, and it is gone */
function wasAbandoned(file: string): boolean {
  if (!isAbandoned(file)) return false;
  const guard = `${file}.takeover`;
  if (!isTaken(guard, randomUUID())) {
    // Whoever died taking it away keeps nobody from doing so.
    if (isAbandoned(guard) || ageMs(guard) > FOREIGN_STALE_MS) rmSync(guard, { recursive: true, force: true });
    return false;
  }
  try {
    if (!isAbandoned(file)) return false;
    rmSync(file, { force: true });
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

function isAbandoned(file: string): boolean {
  const holder = holderOf(file);
  // Half written: by a process that is just doing it, or by one that died doing it.
  if (holder === undefined) return isFile(file) && ageMs(file) > HALF_WRITTEN_MS;
  const isHere = holder.host === hostname() && (holder.pids ?? ownPids()) === ownPids();
  return isHere ? !isAlive(holder) : ageMs(file) > FOREIGN_STALE_MS;
}

/** The namespace that the ids of this process and its neighbours are of; undefined: this system has none. */
function ownPids(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

/** Undefined: no lock, or one that says nothing. */
function holderOf(file: string): LockHolder | undefined {
  try {
    if (!isFile(file) || statSync(file).size > MAX_LOCK_BYTES) return undefined;
    const said = JSON.parse(readFileSync(file, 'utf8')) as Partial<LockHolder> | null;
    const isWhole =
      typeof said?.host === 'string' && typeof said.pid === 'number' && typeof said.startedAt === 'string';
    return isWhole ? (said as LockHolder) : undefined;
  } catch {
    return undefined;
  }
}

const isFile = (file: string): boolean => lstatSync(file, { throwIfNoEntry: false })?.isFile() === true;

/** How long ago it was written, either way: the clock may have been put back since. */
function ageMs(file: string): number {
  const writtenAt = lstatSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return writtenAt === undefined ? 0 : Math.abs(Date.now() - writtenAt);
}
