// Gets the programs of the local servers onto this machine, once: from Maven Central, checksums enforced.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { StackError } from './fault.ts';
import { withLock } from './files.ts';
import { runMaven } from './java.ts';

export const HERE = path.dirname(fileURLToPath(import.meta.url));
/** The ignored folder of the checkout that holds everything the local stack makes. */
export const DEFAULT_STATE_DIR = path.resolve(HERE, '../../.corridor');
const MAVEN = path.join(HERE, 'maven');
/** Sources and launcher of the stand-in for MongoDB. */
export const STAND_IN = path.join(HERE, '../../tools/mongod-stand-in');

/** A server that Maven fetches (a module of maven/pom.xml), or builds (the MongoDB stand-in). */
export type Artifact = 'kafka' | 'registry' | 'redis' | 'mongo-stand-in';

/** A file that is there when the artifact is. */
const PROOF: Readonly<Record<Artifact, RegExp>> = {
  kafka: /^kafka-server-.*\.jar$/,
  registry: /^apicurio-registry-app-.*-runner\.jar$/,
  redis: /^redis-server-/,
  'mongo-stand-in': /^mongod-stand-in\.jar$/,
};
const TRY_BY_HAND = 'Run `mvn -f infra/local/maven/pom.xml prepare-package` by hand to see what it does.';

export interface ArtifactOptions {
  /** Where they are kept. */
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (line: string) => void;
}

/**
 * Makes sure that the artifacts are there; several processes may ask at once. Hands out a promise of the folder of each:
 * what is there, or is fetched, can be started while the stand-in is still being built. The promises reject with
 * StackError DOWNLOAD_FAILED, BUILD_FAILED, JAVA_MISSING, MAVEN_MISSING or STATE_NOT_WRITABLE.
 */
export function fetchArtifacts(wanted: readonly Artifact[], options: ArtifactOptions): Map<Artifact, Promise<string>> {
  const servers = wanted.filter((artifact) => artifact !== 'mongo-stand-in');
  const fetched = ensure(servers, options, fetchServers);
  const promises = new Map<Artifact, Promise<string>>();
  for (const server of servers)
    promises.set(
      server,
      fetched.then(() => artifactDir(server, options.dir)),
    );
  if (wanted.includes('mongo-stand-in')) {
    const built = fetched.then(() => ensure(['mongo-stand-in'], options, buildStandIn));
    promises.set(
      'mongo-stand-in',
      built.then(() => artifactDir('mongo-stand-in', options.dir)),
    );
  }
  // Whoever awaits one of them hears of a failure; the others are not to be reported as unhandled.
  for (const promise of promises.values()) promise.catch(() => undefined);
  return promises;
}

async function ensure(
  artifacts: readonly Artifact[],
  options: ArtifactOptions,
  make: (missing: readonly Artifact[], options: ArtifactOptions) => Promise<void>,
): Promise<void> {
  const missing = () => artifacts.filter((artifact) => !existsSync(artifactDir(artifact, options.dir)));
  if (missing().length === 0) return;
  makeDirectory(options.dir);
  await withLock(
    path.join(options.dir, 'fetch.lock'),
    async () => {
      if (missing().length > 0) await make(missing(), options);
    },
    { onWait: () => options.onProgress('Another process is fetching the local servers: waiting for it') },
  );
}

/** A folder name that changes with the recipe, so that a changed version is fetched anew. */
function artifactDir(artifact: Artifact, dir: string): string {
  const recipe = artifact === 'mongo-stand-in' ? filesUnder(STAND_IN) : filesUnder(path.join(MAVEN, artifact));
  const hash = createHash('sha256');
  for (const file of recipe) hash.update(file).update(readFileSync(path.join(HERE, file)));
  return path.join(dir, `${artifact}-${hash.digest('hex').slice(0, 12)}`);
}

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:java|xml|properties)$/.test(entry.name))
    .map((entry) => path.relative(HERE, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes(`${path.sep}target${path.sep}`))
    .sort();
}

async function fetchServers(servers: readonly Artifact[], options: ArtifactOptions): Promise<void> {
  options.onProgress(`Fetching ${servers.join(', ')} with Maven (once)`);
  const into = path.join(options.dir, 'incoming');
  rmSync(into, { recursive: true, force: true });
  const args = ['-f', MAVEN, '-T', '3', '-pl', servers.join(','), `-Dinto=${into}`, 'prepare-package'];
  await maven(args, options);
  if (servers.includes('redis')) {
    for (const name of readdirSync(path.join(into, 'redis'))) chmodSync(path.join(into, 'redis', name), 0o755);
  }
  for (const server of servers) {
    if (!readdirSync(path.join(into, server)).some((name) => PROOF[server].test(name))) {
      throw new StackError('DOWNLOAD_FAILED', `Maven ended well, but brought no ${server}.`, TRY_BY_HAND);
    }
    renameSync(path.join(into, server), artifactDir(server, options.dir));
  }
  rmSync(into, { recursive: true, force: true });
}

async function buildStandIn(_: readonly Artifact[], options: ArtifactOptions): Promise<void> {
  options.onProgress('Building the MongoDB stand-in with Maven (once)');
  const into = path.join(options.dir, 'incoming-stand-in');
  rmSync(into, { recursive: true, force: true });
  await maven(['-f', STAND_IN, `-DbuildDirectory=${into}`, 'package'], options);
  renameSync(into, artifactDir('mongo-stand-in', options.dir));
}

async function maven(args: readonly string[], options: ArtifactOptions): Promise<void> {
  let files = 0;
  let shownAt = Date.now();
  await runMaven(args, {
    env: options.env,
    logFile: path.join(options.dir, 'maven.log'),
    onWait: () => options.onProgress('Another Maven of this user is at work: waiting for it'),
    onDownload: (file) => {
      files++;
      if (Date.now() - shownAt < 2_000) return;
      shownAt = Date.now();
      options.onProgress(`  ${files} files fetched, now ${file}`);
    },
  });
}

/** What a crash left in the scratch folder is removed after this. */
const SCRATCH_MS = 60 * 60_000;

/** A new folder beside an artifact, on the same file system, for what is renamed into place or thrown away. */
export function makeScratch(beside: string): string {
  const scratch = path.join(path.dirname(beside), 'scratch');
  mkdirSync(scratch, { recursive: true });
  for (const name of readdirSync(scratch)) {
    const old = path.join(scratch, name);
    const age = Date.now() - (statSync(old, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > SCRATCH_MS) rmSync(old, { recursive: true, force: true });
  }
  return mkdtempSync(path.join(scratch, `${path.basename(beside)}-`));
}

/** Makes a folder and those above it. Throws StackError STATE_NOT_WRITABLE. */
export function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new StackError(
      'STATE_NOT_WRITABLE',
      `Cannot make the folder ${dir} (${(error as NodeJS.ErrnoException).code}).`,
      'Make its parent folder writable for this user, and try again.',
      { cause: error },
    );
  }
}
