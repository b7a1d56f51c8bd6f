// The file that keeps a person signed in: their token of the issuer and, where the issuer gives one, what it is renewed with. Only
// its owner can read it. It is written whole or not at all, and renewed by one command at a time: a refresh token is good once.
import { randomUUID } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { CodedError } from '../../ports/fault.ts';
import { fileLock } from '../../ports/file-lock.ts';

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

/** Nobody waits for longer than this, whatever stands there. */
const LOCK_TIMEOUT_MS = 120_000;

/** One at a time among the commands of this person on this machine. @throws CodedError FILE_UNWRITABLE */
export async function withLock<T>(file: string, work: () => Promise<T>, timeoutMs = LOCK_TIMEOUT_MS): Promise<T> {
  const lock = `${file}.lock`;
  using _lock = await fileLock(lock, { timeoutMs }).catch(() => {
    throw new CodedError(
      'FILE_UNWRITABLE',
      `the login cannot be renewed: remove ${lock} if no other command runs, and see that ${path.dirname(lock)} can be written to`,
    );
  });
  return await work();
}
