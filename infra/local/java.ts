// Java and Maven: are they here, and what do their failures mean?
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describeError, StackError } from './fault.ts';
import { withLock } from './files.ts';

const JAVA_LEAST = 17;
const INSTALL_JAVA =
  'Install it (Debian, Ubuntu: sudo apt-get install openjdk-17-jdk-headless; macOS: brew install openjdk@17 and set ' +
  'JAVA_HOME), or start Docker, and try again.';
const INSTALL_MAVEN =
  'Install it (Debian, Ubuntu: sudo apt-get install maven; macOS: brew install maven), or start Docker, and try again.';

export interface Java {
  readonly file: string;
  /** Such as "17.0.15+6-Debian": an archive of classes made by one build does not fit another. */
  readonly build: string;
}

/** The Java of JAVA_HOME or of the PATH. Throws StackError JAVA_MISSING when there is none, or it is too old. */
export async function findJava(env: NodeJS.ProcessEnv): Promise<Java> {
  const file = env['JAVA_HOME'] ? path.join(env['JAVA_HOME'], 'bin', 'java') : 'java';
  let text: string;
  try {
    // -version prints to stderr.
    text = (await promisify(execFile)(file, ['-version'], { env })).stderr;
  } catch (error) {
    throw new StackError(
      'JAVA_MISSING',
      `Java ${JAVA_LEAST} or newer is needed, and ${file} does not run.`,
      INSTALL_JAVA,
      {
        cause: error,
      },
    );
  }
  const version = /version "(\d+)/.exec(text)?.[1];
  if (Number(version) >= JAVA_LEAST) {
    return { file, build: createHash('sha256').update(text).digest('hex').slice(0, 12) };
  }
  const found = text.split('\n')[0]?.trim();
  throw new StackError('JAVA_MISSING', `Java ${JAVA_LEAST} or newer is needed, and this is: ${found}.`, INSTALL_JAVA);
}

/**
 * Runs Maven in batch mode. One at a time for this user: two of them may spoil their common repository. `onDownload` is
 * called with the name of each file fetched. When it fails, all that it printed is in `logFile`.
 * Throws StackError with the cause and its cure.
 */
export async function runMaven(
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; logFile: string; onDownload: (file: string) => void; onWait: () => void },
): Promise<void> {
  const lock = path.join(tmpdir(), `corridor-maven-${userInfo().uid}.lock`);
  const { code, output } = await withLock(lock, () => maven(args, options.env, options.onDownload), {
    onWait: options.onWait,
  });
  if (code === 0) return;
  writeFileSync(options.logFile, output);
  throw explainMaven(output, options.logFile);
}

function maven(args: readonly string[], env: NodeJS.ProcessEnv, onDownload: (file: string) => void) {
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn('mvn', ['--batch-mode', '--strict-checksums', ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Whoever is interrupted while it fetches leaves no Maven behind.
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    child.once('close', () => process.off('exit', end));
    const lines: string[] = [];
    const read = (line: string) => {
      lines.push(line);
      const downloaded = /^(?:\[INFO\] )?Downloaded from [^:]+: \S*\/(\S+\.(?:jar|gz)) /.exec(line)?.[1];
      if (downloaded) onDownload(downloaded);
    };
    createInterface(child.stdout).on('line', read);
    createInterface(child.stderr).on('line', read);
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT'
          ? new StackError(
              'MAVEN_MISSING',
              'Maven is needed to fetch the local servers, and mvn is not on the PATH.',
              INSTALL_MAVEN,
            )
          : new StackError('MAVEN_MISSING', `Maven does not run: ${describeError(error)}.`, INSTALL_MAVEN),
      );
    });
    child.once('close', (code) => resolve({ code, output: lines.join('\n') }));
  });
}

const MAVEN_CAUSES: readonly {
  pattern: RegExp;
  code: 'DOWNLOAD_FAILED' | 'BUILD_FAILED' | 'JAVA_MISSING';
  cure: string;
}[] = [
  {
    pattern: /No space left on device/,
    code: 'DOWNLOAD_FAILED',
    cure: 'The disk is full: free 1 GB and try again.',
  },
  {
    pattern: /[Cc]hecksum validation failed/,
    code: 'DOWNLOAD_FAILED',
    cure: 'What was downloaded is damaged: try again, and if it comes back, check the proxy or mirror that Maven uses.',
  },
  {
    pattern: /PKIX|certificat|SSLHandshake/i,
    code: 'DOWNLOAD_FAILED',
    cure: "Java does not trust the server's certificate: import your company's certificate into Java's cacerts (or set MAVEN_OPTS=-Djavax.net.ssl.trustStore=FILE) and try again.",
  },
  {
    pattern:
      /Unknown host|UnknownHost|Connection refused|timed out|Network is unreachable|Connection reset|Could not transfer|No route to host/,
    code: 'DOWNLOAD_FAILED',
    cure: 'Check the network, and the proxy or mirror in ~/.m2/settings.xml, and try again.',
  },
  {
    pattern: /Could not find artifact|Could not resolve|was not found in/,
    code: 'DOWNLOAD_FAILED',
    cure: 'The repository that Maven uses does not have it: check the mirror in ~/.m2/settings.xml (and -o, offline, in MAVEN_ARGS), and try again with -U in MAVEN_ARGS.',
  },
  {
    pattern: /No compiler is provided/,
    code: 'JAVA_MISSING',
    cure: INSTALL_JAVA,
  },
];

/** Exported for its test: Maven's output to the error that a person can act on. */
export function explainMaven(output: string, logFile: string): StackError {
  const line =
    output
      .split('\n')
      .find((text) => text.startsWith('[ERROR]'))
      ?.replace(/^\[ERROR\]\s*/, '') ?? 'Maven failed';
  const known = MAVEN_CAUSES.find(({ pattern }) => pattern.test(output));
  return new StackError(
    known?.code ?? 'BUILD_FAILED',
    `Fetching the local servers failed: ${line.slice(0, 400)}`,
    known?.cure ?? `Look into ${logFile}, which holds all that Maven said.`,
  );
}
