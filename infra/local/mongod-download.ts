// A genuine mongod for this machine, fetched once with mongodb-memory-server-core and kept beside the other programs.
//
// Most machines reach its download; where it is refused, that is known within seconds and remembered for a day, so that a
// start loses them once.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { makeDirectory } from './artifacts.ts';
import { describeError } from './fault.ts';
import { readJson, withLock, writeFileAtomically } from './files.ts';
import { FOLLOW_PARENT, followed } from './follow-parent.ts';
import { IMAGES } from './images.ts';

/** The version that the containers have. */
export const MONGOD_VERSION = IMAGES.mongo.slice(IMAGES.mongo.indexOf(':') + 1);
const REMEMBERED_MS = 24 * 60 * 60_000;
const LOOK_EVERY_MS = 100;
const MAX_REASON = 200;

export interface MongodDownloadOptions {
  /** Where programs are kept. */
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (line: string) => void;
  /** How long nothing at all may come, and how long nothing more. */
  readonly silence?: { readonly firstByteMs: number; readonly stalledMs: number };
}

const MAX_SILENCE = { firstByteMs: 4_000, stalledMs: 15_000 };

/** What the library is told through its environment, beside what somebody has set for it (a mirror). */
const SETTINGS = {
  // The library checks certificates only when this is set.
  npm_config_strict_ssl: 'true',
  MONGOMS_MD5_CHECK: 'true',
  MONGOMS_MAX_RETRIES: '1',
  MONGOMS_PREFER_GLOBAL_PATH: 'false',
};

/**
 * The path of a mongod that runs here: one that was fetched before, or is now. undefined: it is not to be had, and one line
 * has said why. Several processes may ask at once. Never rejects for what the network does.
 */
export async function fetchMongod(options: MongodDownloadOptions): Promise<string | undefined> {
  const folder = path.join(options.dir, `mongod-${MONGOD_VERSION}`);
  makeDirectory(folder);
  return foundIn(folder) ?? (await withLock(path.join(folder, 'fetch.lock'), () => fetchInto(folder, options)));
}

async function fetchInto(folder: string, options: MongodDownloadOptions): Promise<string | undefined> {
  const { onProgress } = options;
  const found = foundIn(folder);
  if (found) return found;
  const marker = path.join(folder, 'refused.json');
  const refusal = refusedIn(marker);
  if (refusal !== undefined) {
    onProgress(`MongoDB ${MONGOD_VERSION} could not be fetched lately (${refusal}): remove ${marker} to try again`);
    return undefined;
  }
  onProgress(`Fetching MongoDB ${MONGOD_VERSION} (once, some 100 MB; CORRIDOR_MONGOD_DOWNLOAD=off forbids it)`);
  const answer = await download(folder, options);
  const reason = 'file' in answer ? flawOf(answer.file) : answer.refused;
  if ('file' in answer && reason === undefined) {
    writeFileAtomically(path.join(folder, 'found.json'), `${JSON.stringify({ file: answer.file })}\n`);
    return answer.file;
  }
  // An archive that was found wanting would be taken for whole the next time.
  for (const name of readdirSync(folder).filter(isDownload)) rmSync(path.join(folder, name), { force: true });
  const shownReason = (reason ?? '').replaceAll(/\s+/g, ' ').slice(0, MAX_REASON);
  writeFileAtomically(marker, `${JSON.stringify({ at: Date.now(), reason: shownReason })}\n`);
  onProgress(`MongoDB ${MONGOD_VERSION} cannot be fetched: ${shownReason}`);
  return undefined;
}

type Answer = { readonly file: string } | { readonly refused: string };

/** Runs the library in a child, which is ended when nothing comes. */
async function download(folder: string, { env, silence = MAX_SILENCE }: MongodDownloadOptions): Promise<Answer> {
  const entry = path.join(import.meta.dirname, 'mongod-fetch.ts');
  const child = spawn(process.execPath, [...FOLLOW_PARENT, entry, MONGOD_VERSION, folder], {
    env: followed({ ...env, ...SETTINGS }),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let answer: Answer = { refused: 'the download ended without a word' };
  let movedAt: number | undefined;
  let bytes = bytesIn(folder);
  let hasCome = false;
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const said = parsed(line);
    if (said && 'begun' in said) movedAt ??= performance.now();
    if (said && ('file' in said || 'refused' in said)) answer = said as unknown as Answer;
  });
  const watch = setInterval(() => {
    const now = performance.now();
    const size = bytesIn(folder);
    if (size !== bytes) {
      bytes = size;
      hasCome = true;
      movedAt = now;
    }
    if (movedAt === undefined || now - movedAt < (hasCome ? silence.stalledMs : silence.firstByteMs)) return;
    answer = { refused: hasCome ? 'the download stands still' : 'nothing comes' };
    child.kill('SIGKILL');
  }, LOOK_EVERY_MS);
  await new Promise<void>((resolve) => {
    child.once('error', (error) => {
      answer = { refused: describeError(error) };
      resolve();
    });
    // After its last line has been read.
    child.once('close', () => resolve());
  });
  clearInterval(watch);
  return answer;
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    // The library's own progress.
    return undefined;
  }
}

/** Files of this download; the library keeps a lock beside them. */
const isDownload = (name: string) => /\.(tgz|zip|downloading|md5)$|^mongod-/.test(name);

function bytesIn(folder: string): number {
  const sizes = readdirSync(folder)
    .filter(isDownload)
    .map((name) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Why this program does not run on this machine; undefined: it does. */
function flawOf(file: string): string | undefined {
  try {
    execFileSync(file, ['--version'], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 });
    return undefined;
  } catch (error) {
    const said = (error as { readonly stderr?: Buffer }).stderr?.toString().trim();
    return `it does not run here: ${said || describeError(error)}`;
  }
}

function foundIn(folder: string): string | undefined {
  const { file } = (safely(path.join(folder, 'found.json')) ?? {}) as { readonly file?: unknown };
  return typeof file === 'string' && existsSync(file) ? file : undefined;
}

function refusedIn(marker: string): string | undefined {
  const { at, reason } = (safely(marker) ?? {}) as { readonly at?: unknown; readonly reason?: unknown };
  const isRecent = typeof at === 'number' && Math.abs(Date.now() - at) < REMEMBERED_MS;
  return isRecent ? String(reason) : undefined;
}

function safely(file: string): unknown {
  try {
    return readJson(file);
  } catch {
    return undefined;
  }
}
