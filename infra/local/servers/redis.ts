import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describeError, StackError } from '../fault.ts';
import { probeRedis } from '../probes.ts';
import type { ServerKindSpec } from './server.ts';

/** Every write is in the append-only file before it is acknowledged, and nothing is ever evicted. */
export const REDIS_FLAGS: readonly string[] = Object.entries({
  appendonly: 'yes',
  appendfsync: 'everysec',
  save: '',
  'maxmemory-policy': 'noeviction',
}).flatMap(([key, value]) => [`--${key}`, value]);

/** A redis-server older than this lacks commands that BullMQ uses. */
const MIN_REDIS_VERSION = [6, 2] as const;

/** `redis-server` on the PATH if it is there and new enough, else null. */
export function redisOnPath(env: NodeJS.ProcessEnv): string | null {
  try {
    const text = execFileSync('redis-server', ['--version'], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [major = 0, minor = 0] = (/v=(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);
    return major > MIN_REDIS_VERSION[0] || (major === MIN_REDIS_VERSION[0] && minor >= MIN_REDIS_VERSION[1])
      ? 'redis-server'
      : null;
  } catch {
    return null;
  }
}

/** The binary for this machine among those of the artifact. Throws StackError NO_BINARY. */
export function redisFromArtifact(dir: string): string {
  const cpu = process.arch === 'x64' ? 'amd64' : process.arch;
  const suffix = `${process.platform}-${cpu}`;
  const cure =
    'Install one (Debian, Ubuntu: sudo apt-get install redis-server; macOS: brew install redis), and try again.';
  const name = readdirSync(dir).find((file) => file.endsWith(suffix));
  if (!name) throw new StackError('NO_BINARY', `There is no ready-made redis-server for ${suffix}.`, cure);
  const file = path.join(dir, name);
  try {
    execFileSync(file, ['--version'], { stdio: 'pipe' });
    return file;
  } catch (error) {
    // On Linux it needs libssl 3, which an older system lacks.
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim() || describeError(error);
    throw new StackError('NO_BINARY', `The ready-made redis-server does not run here: ${said}.`, cure, {
      cause: error,
    });
  }
}

/** One of the two Redis servers. */
export function redisServer(options: {
  name: 'redisLimits' | 'redisQueue';
  binary: string;
  dataDir: string;
  port: number;
}): ServerKindSpec {
  const data = path.join(options.dataDir, options.name);
  return {
    name: options.name,
    servers: [
      {
        name: options.name,
        title: options.name === 'redisLimits' ? 'Redis (limits)' : 'Redis (queue)',
        ports: [options.port],
        graceMs: 5_000,
        classArchive: null,
        corrupt: /Bad file format|Unrecoverable error|Error reading the append only file|Wrong signature|AOF .* check/i,
        command: () => ({
          file: options.binary,
          args: ['--port', String(options.port), '--bind', '127.0.0.1', '--dir', data, ...REDIS_FLAGS],
        }),
        prepare: async () => {
          mkdirSync(data, { recursive: true });
        },
        probe: () => probeRedis(`redis://127.0.0.1:${options.port}`),
      },
    ],
    settle: async () => undefined,
  };
}
