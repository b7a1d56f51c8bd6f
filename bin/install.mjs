// Installs node_modules from the lockfile when it has to. No dependencies: this runs before there are any.
//
// - node_modules is right when a stamp in it holds the hash of package-lock.json and the platform. The stamp is taken
//   away before npm begins and written after it ended well, so an installation cut short is done again.
// - What `npm install` has just made is recognised by npm's own record of it, and only stamped.
// - One installation at a time: a lock file names its owner and the npm it runs. A lock whose owner is dead is taken over.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const BEAT_MS = 2_000;
/** A lock on another machine (a shared folder) that has not been touched for so long is abandoned. */
const SILENT_MS = 60_000;
const OLDEST_STARTER = 20;
const ENTRY_MAJOR = 24;

/** A failure that the reader can mend: the message is one paragraph that ends with the cure. */
export class StarterError extends Error {}

/** Makes node_modules match package-lock.json under `root`. Throws StarterError with the cure. */
export async function ensureInstalled(root, { npm = npmCommand(), log = (line) => console.error(line) } = {}) {
  checkStarter(process.versions.node);
  if (isStamped(root)) return;

  const release = await takeLock(root, log);
  if (!release) return;
  try {
    if (isStamped(root)) return;
    if (!isInstalledByHand(root)) await install(root, npm, release.setNpm, log);
    writeStamp(root);
  } finally {
    release();
  }
}

/** The absolute path of the Node that runs entries: the pinned one, or this one where no package of it runs. */
export function pinnedNode(root) {
  return readJson(stampFile(root))?.node ?? process.execPath;
}

function checkStarter(version) {
  if (Number(version.split('.')[0]) >= OLDEST_STARTER) return;
  throw new StarterError(
    `Corridor needs Node ${OLDEST_STARTER} or newer to start, and this is Node ${version}. ` +
      'Install a newer one (Debian 12 or newer: sudo apt-get install nodejs npm; macOS: brew install node) and run the command again.',
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// The stamp

const stampFile = (root) => path.join(root, 'node_modules', '.corridor-installed.json');
const npmRecord = (root) => path.join(root, 'node_modules', '.package-lock.json');
const platform = `${process.platform}-${process.arch}`;

function lockHash(root) {
  return createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
}

function isStamped(root) {
  const stamp = readJson(stampFile(root));
  return stamp?.lock === lockHash(root) && stamp.platform === platform && existsSync(stamp.node);
}

/** True when npm's record of node_modules holds every package of the lockfile; platform packages may be absent. */
function isInstalledByHand(root) {
  const installed = readJson(npmRecord(root))?.packages;
  if (!installed) return false;
  const wanted = readJson(path.join(root, 'package-lock.json')).packages;
  return Object.entries(wanted).every(([at, entry]) => {
    if (at === '') return true;
    const found = installed[at];
    if (!found) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function writeStamp(root) {
  const node = nodeForEntries(root);
  writeFileSync(stampFile(root), `${JSON.stringify({ lock: lockHash(root), platform, node })}\n`);
}

function nodeForEntries(root) {
  const packaged = path.join(root, 'node_modules', `node-${platform}`, 'bin', 'node');
  if (existsSync(packaged) && spawnSync(packaged, ['--version']).status === 0) return packaged;
  if (Number(process.versions.node.split('.')[0]) >= ENTRY_MAJOR) return process.execPath;
  throw new StarterError(
    `Corridor runs on Node ${ENTRY_MAJOR}, and there is no package of it that runs on ${platform} (packages exist for ` +
      `glibc Linux and macOS, x64 and arm64). Install Node ${ENTRY_MAJOR} or newer yourself and run the command again with ` +
      'it; on Windows use WSL 2.',
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// npm

/** npm's own script when npm started us (so that it is the same npm), else the one on the PATH. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script && path.basename(script) === 'npm-cli.js' ? [process.execPath, script] : ['npm'];
}

async function install(root, npm, setNpm, log) {
  // From here until the stamp is written, nothing may take a half-made node_modules for a whole one.
  rmSync(stampFile(root), { force: true });
  rmSync(npmRecord(root), { force: true });

  const started = Date.now();
  log('Installing dependencies with npm ci (about a minute the first time) ...');
  const seconds = () => Math.round((Date.now() - started) / 1_000);
  const ticker = setInterval(() => log(`  ... still installing, ${seconds()} s`), 15_000);
  try {
    const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
    const { code, output } = await run([...npm, ...args], root, setNpm);
    if (code !== 0) throw new StarterError(explain(code, output));
  } finally {
    clearInterval(ticker);
  }
  log(`Installed in ${seconds()} s.`);
}

/** Runs a command to its end; hands out its pid; resolves with the exit code (or signal) and everything it printed. */
function run([command, ...args], cwd, onPid) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    // Ctrl-C in a terminal reaches npm as well; a signal to this process alone must not leave it behind.
    const end = (signal) => {
      child.kill(signal);
      process.exit(130);
    };
    for (const signal of SIGNALS) process.once(signal, end);
    child.on('close', () => {
      for (const signal of SIGNALS) process.off(signal, end);
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('spawn', () => onPid(child.pid));
    child.on('error', (error) => {
      reject(
        new StarterError(
          error.code === 'ENOENT'
            ? 'npm is not on the PATH. Install it (Debian: sudo apt-get install npm; macOS: brew install node) and run the command again.'
            : `npm could not be run: ${error.message}`,
        ),
      );
    });
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output: Buffer.concat(chunks).toString() }));
  });
}

const CAUSES = [
  [
    /EUSAGE|in sync|Missing: /,
    'package.json and package-lock.json disagree. Run `npm install`, then `node bin/fix-lock.mjs`, and commit both files.',
  ],
  [/ENOSPC/, 'The disk is full: node_modules needs about 600 MB. Free some space and run the command again.'],
  [
    /EACCES|EPERM|EROFS/,
    'This user may not write here. Give yourself the folder and npm cache (sudo chown -R "$USER" . ~/.npm) and run the command again.',
  ],
  [
    /EINTEGRITY/,
    'A package is not the one that the lockfile records. Run `npm cache clean --force` and try again; if it comes back, do not trust that registry.',
  ],
  [
    /CERT|SELF_SIGNED|ISSUER/,
    "The registry's certificate is not trusted here. Point npm to your company's certificates (npm config set cafile FILE) and run the command again.",
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/i,
    'The package registry cannot be reached. Check the network, the proxy (npm config get proxy) and the registry (npm config get registry), and run the command again.',
  ],
  [
    /E404|ETARGET|E401|E403/,
    'The package registry does not serve a package that the lockfile names. Check which registry is set (npm config get registry), and run the command again.',
  ],
];

function explain(code, output) {
  const cure =
    CAUSES.find(([pattern]) => pattern.test(output))?.[1] ??
    'Run `npm ci` by hand to see more, then run the command again.';
  const tail = output.trim().split('\n').slice(-12).join('\n');
  return `${tail}\n\nInstalling the dependencies failed (npm ci ended with ${code}). ${cure}`;
}

// ---------------------------------------------------------------------------------------------------------------------
// The lock

/**
 * Waits for the lock. Resolves with a function that releases it (and `setNpm`, which records the npm that holds it too),
 * or with null when another process finished the installation meanwhile.
 */
async function takeLock(root, log) {
  const file = path.join(root, '.install.lock');
  const owner = { pid: process.pid, npm: 0, host: hostname() };
  for (let waiting = false; ; ) {
    try {
      writeFileSync(file, JSON.stringify(owner), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST')
        throw new StarterError(
          `Cannot write ${file} (${error.code}). Make the folder writable and run the command again.`,
        );
    }
    if (!waiting) log('Another start is installing the dependencies: waiting for it.');
    waiting = true;
    takeOver(file);
    await sleep(200);
    if (!existsSync(file) && isStamped(root)) return null;
  }

  const beat = setInterval(() => existsSync(file) && utimesSync(file, new Date(), new Date()), BEAT_MS);
  const release = () => {
    clearInterval(beat);
    rmSync(file, { force: true });
  };
  release.setNpm = (npm) => writeFileSync(file, JSON.stringify({ ...owner, npm }));
  return release;
}

/** Removes the lock if its owner is gone. A folder guards the removal, so that nobody removes its successor's lock. */
function takeOver(file) {
  if (!isAbandoned(file)) return;
  const guard = `${file}.takeover`;
  try {
    mkdirSync(guard);
  } catch {
    // Left by a crash within the few lines below; the next round tries again.
    if (age(guard) > SILENT_MS) rmdirSync(guard);
    return;
  }
  try {
    if (isAbandoned(file)) rmSync(file, { force: true });
  } finally {
    rmdirSync(guard);
  }
}

function isAbandoned(file) {
  const silent = age(file);
  const owner = readJson(file);
  if (!owner) return silent > 3 * BEAT_MS;
  if (owner.host !== hostname()) return silent > SILENT_MS;
  // The npm of a killed starter works on: wait for it as well.
  return !isStarter(owner.pid) && !isStarter(owner.npm);
}

/** Is that process alive, and one of ours rather than a stranger with a recycled id? */
function isStarter(pid) {
  if (!pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
  }
  const ps = spawnSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' });
  return ps.error !== undefined || /npm|node|vitest/.test(ps.stdout);
}

function age(file) {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
