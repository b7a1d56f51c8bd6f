// A real browser for tests: the Chromium that the machine has; where it has none, root on Debian gets that of the distribution.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { withLock } from '../../infra/local/files.ts';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const INSTALL_MS = 480_000;

/** Starts it, without a way to any network but this machine's. Close it. */
export async function browser(): Promise<Browser> {
  const quiet = ['--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'];
  return chromium.launch({
    executablePath: await chromiumPath(),
    // As root there is no sandbox; what is opened is our own.
    args: [...quiet, '--no-sandbox', '--disable-sync', '--disable-quic', '--disable-dev-shm-usage'],
    timeout: 120_000,
  });
}

async function chromiumPath(): Promise<string> {
  const named = process.env['CHROMIUM_PATH'];
  if (named !== undefined) return named;
  const lock = path.join(tmpdir(), 'corridor-chromium.lock');
  mkdirSync(path.dirname(lock), { recursive: true });
  return withLock(lock, async () => PLACES.find((place) => existsSync(place)) ?? installed());
}

function installed(): string {
  const help = 'install Chromium (Debian: apt-get install chromium), or name one by CHROMIUM_PATH';
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(`a browser is needed: ${help}`);
  process.stderr.write('chromium: installing that of the distribution (once)\n');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args: readonly string[]) =>
    spawnSync('apt-get', ['-qq', ...args], { env, encoding: 'utf8', timeout: INSTALL_MS });
  run('update');
  const { status, stderr } = run('install', '--no-install-recommends', '-y', 'chromium');
  if (status !== 0) throw new Error(`${stderr}\n${help}`);
  return PLACES[0]!;
}
