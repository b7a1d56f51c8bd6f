// The file that keeps a person signed in: their token of the issuer and, where the issuer gives one, what it is renewed with. Only
// its owner can read it. It is written whole or not at all, and renewed by one command at a time: a refresh token is good once.
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CodedError } from '../../ports/fault.ts';

type Env = Readonly<Record<string, string | undefined>>;

const loginShape = z.strictObject({
  version: z.literal(1),
  issuer: z.string().max(2_000),
  clientId: z.string().max(200),
  accessToken: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
  refreshToken: z
    .string()
    .regex(/^[\x21-\x7e]{1,8192}$/)
    .nullable(),
  /** Null: the issuer does not say. */
  expiresAt: z.iso.datetime().nullable(),
});
export type Login = z.infer<typeof loginShape>;

const MAX_FILE_BYTES = 32_768;

/** Where commands look when nothing else is said: in the folder of settings of the person. */
export function loginFile(env: Env): string {
  const folder = env['XDG_CONFIG_HOME'] || path.join(homedir(), '.config');
  return path.join(folder, 'corridor', 'login.json');
}

export const isThere = (file: string): boolean => lstatSync(file, { throwIfNoEntry: false }) !== undefined;

/** What a file of a token holds: a login, or a bare token. @throws CodedError FILE_UNREADABLE */
export function tokenFile(file: string): Login | string {
  const text = textOf(file).trim();
  if (!text.startsWith('{')) return text;
  // Others could act with what it is renewed by.
  if ((statSync(file).mode & 0o077) !== 0) throw unreadable(`others can read ${file}: chmod 600 it, or sign in again`);
  const login = loginShape.safeParse(parsed(text));
  if (login.success) return login.data;
  throw unreadable(`${file} is no login that this release wrote: sign in again`);
}

function textOf(file: string): string {
  try {
    if (statSync(file).size > MAX_FILE_BYTES) throw new Error('too long');
    return readFileSync(file, 'utf8');
  } catch {
    throw unreadable(`the token cannot be read from ${file}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const unreadable = (why: string) => new CodedError('FILE_UNREADABLE', why);

/** @throws CodedError FILE_UNWRITABLE */
export function writeLogin(file: string, login: Login): void {
  const draft = `${file}.${randomUUID()}`;
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(draft, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    chmodSync(draft, 0o600);
    renameSync(draft, file);
  } catch {
    rmSync(draft, { force: true });
    throw new CodedError('FILE_UNWRITABLE', `the login cannot be kept in ${file}`);
  }
}

export const removeLogin = (file: string): void => rmSync(file, { force: true });

/** Longer than a renewal may take: whoever holds it for longer has died. */
const LOCK_STALE_MS = 60_000;
const LOCK_EVERY_MS = 100;
/** Nobody waits for longer than this, whatever stands there. */
const MAX_LOCK_WAITS = 1_200;

/** One at a time among the commands of this person on this machine. @throws CodedError FILE_UNWRITABLE */
export async function withLock<T>(file: string, work: () => Promise<T>, everyMs = LOCK_EVERY_MS): Promise<T> {
  const lock = `${file}.lock`;
  const mine = randomUUID();
  for (let waits = 0; !taken(lock, mine); waits++) {
    if (waits >= MAX_LOCK_WAITS) throw unlockable(lock);
    if (!isLeft(lock)) await sleep(everyMs);
  }
  try {
    return await work();
  } finally {
    // Another took it over, if this has taken too long.
    if (holderOf(lock) === mine) rmSync(lock, { force: true });
  }
}

const unlockable = (lock: string) =>
  new CodedError('FILE_UNWRITABLE', `the login cannot be renewed: remove ${lock} if no other command runs`);

function taken(lock: string, mine: string): boolean {
  try {
    mkdirSync(path.dirname(lock), { recursive: true, mode: 0o700 });
    writeFileSync(lock, mine, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unlockable(lock);
  }
}

/**
 * Whether the lock was one that its holder has left behind, and is out of the way. Only the one that was looked at is taken
 * away: of several who find it old, one moves it, and the others see the new one of whoever was next.
 */
function isLeft(lock: string): boolean {
  const seen = holderOf(lock);
  const since = lstatSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  if (since === undefined || Math.abs(Date.now() - since) <= LOCK_STALE_MS) return false;
  if (seen === undefined) return false;
  const aside = `${lock}.${randomUUID()}`;
  try {
    renameSync(lock, aside);
    if (holderOf(aside) !== seen) linkSync(aside, lock);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Undefined: no lock, or what is no file. */
function holderOf(lock: string): string | undefined {
  try {
    return lstatSync(lock).isFile() ? readFileSync(lock, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
