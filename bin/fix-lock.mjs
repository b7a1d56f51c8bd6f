// Completes package-lock.json for platforms other than the one it was made on.
//
//   node bin/fix-lock.mjs [lockfile]            add what is missing
//   node bin/fix-lock.mjs --check [lockfile]    change nothing; exit 1 when something is missing
//
// `npm install` silently leaves an optional platform package (a native binary for another system) out of the lockfile
// when the registry at hand does not serve it. `npm ci` then refuses that lockfile: "Missing: x from lock file". For
// each such package this adds an entry with the version, marked optional and bound to its platform, which `npm ci`
// skips everywhere else. Run it after every `npm install`; running it twice changes nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const OS = {
  aix: 'aix',
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  openharmony: 'openharmony',
  sunos: 'sunos',
  win32: 'win32',
  windows: 'win32',
};
const CPU = {
  aarch64: 'arm64',
  arm: 'arm',
  arm64: 'arm64',
  ia32: 'ia32',
  loong64: 'loong64',
  mips64el: 'mips64el',
  ppc64: 'ppc64',
  ppc64le: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  wasi: 'wasm32',
  wasm32: 'wasm32',
  x64: 'x64',
};
const LIBC = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };

/** Does a package at lockfile path `from` find `name`, as Node resolves it: in its own node_modules, then outwards? */
function resolves(packages, from, name) {
  for (let directory = from; ; ) {
    if (packages[`${directory ? `${directory}/` : ''}node_modules/${name}`]) return true;
    if (!directory) return false;
    const outer = directory.lastIndexOf('node_modules/');
    directory = outer > 0 ? directory.slice(0, outer - 1) : '';
  }
}

/** The lockfile entry of a platform package nobody here has seen, from the words in its name; null if they name none. */
function stub(name, range, parent) {
  const words = name.split(/[-/]/);
  const pick = (table) => [...new Set(words.map((word) => table[word]).filter(Boolean))];
  const [os, cpu, libc] = [pick(OS), pick(CPU), pick(LIBC)];
  const version = /^[~^=v]*(\d+\.\d+\.\d+[\w.+-]*)$/.exec(range)?.[1];
  if (!version || (os.length === 0 && cpu.length === 0)) return null;
  return {
    version,
    ...(cpu.length > 0 && { cpu }),
    ...(parent.dev && { dev: true }),
    ...(libc.length > 0 && { libc }),
    optional: true,
    ...(os.length > 0 && { os }),
  };
}

/**
 * The lockfile with an entry for every optional dependency that it names.
 * Returns `added` (names) and `unclear` (names whose platform or version cannot be told: look at them by hand).
 */
export function completeLock(lock) {
  const packages = { ...lock.packages };
  const added = [];
  const unclear = [];
  for (const [from, entry] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (resolves(packages, from, name)) continue;
      const missing = stub(name, range, entry);
      if (!missing) {
        unclear.push(`${name}@${range}`);
        continue;
      }
      packages[`node_modules/${name}`] = missing;
      added.push(name);
    }
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { lock: { ...lock, packages: Object.fromEntries(sorted) }, added, unclear };
}

function main(args) {
  const check = args.includes('--check');
  const named = args.find((argument) => !argument.startsWith('--'));
  const file = named ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
  const { lock, added, unclear } = completeLock(JSON.parse(readFileSync(file, 'utf8')));

  if (unclear.length > 0) {
    console.error(`${file}: cannot tell the platform or version of ${unclear.join(', ')}: add them by hand`);
    return 1;
  }
  if (added.length === 0) {
    console.log(`${file}: complete`);
    return 0;
  }
  if (check) {
    console.error(`${file}: ${added.length} platform packages are missing (${added[0]} ...).`);
    console.error('Run `node bin/fix-lock.mjs` and commit the result.');
    return 1;
  }
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${file}: added ${added.length} platform packages`);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2));
