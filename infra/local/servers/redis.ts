import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { StackError } from '../errors.ts';
import { probeRedis } from '../probes.ts';
import type { PartSpec } from './server.ts';

/** A redis-server older than this lacks commands that BullMQ uses. */
const LEAST = [6, 2] as const;

/** `redis-server` on the PATH if it is there and new enough, else null. */
export function redisOnPath(env: NodeJS.ProcessEnv): string | null {
  try {
    const text = execFileSync('redis-server', ['--version'], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [major = 0, minor = 0] = (/v=(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);
    return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]) ? 'redis-server' : null;
  } catch {
    return null;
  }
}

/** The binary for this machine among those of the artifact. Throws StackError NO_BINARY. */
export function redisFromArtifact(dir: string): string {
  const cpu = process.arch === 'x64' ? 'amd64' : process.arch;
  const suffix = `${process.platform}-${cpu}`;
  const name = readdirSync(dir).find((file) => file.endsWith(suffix));
  if (name) return path.join(dir, name);
  throw new StackError(
    'NO_BINARY',
    `There is no ready-made redis-server for ${suffix}.`,
    'Install one (Debian, Ubuntu: sudo apt-get install redis-server; macOS: brew install redis), and try again.',
  );
}

/** One of the two Redis servers. Every write is in its append-only file before it is acknowledged. */
export function redisPart(options: {
  name: 'redisLimits' | 'redisQueue';
  binary: string;
  dataDir: string;
  port: number;
}): PartSpec {
  const data = path.join(options.dataDir, options.name);
  const args: Record<string, string> = {
    port: String(options.port),
    bind: '127.0.0.1',
    dir: data,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
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
          args: Object.entries(args).flatMap(([key, value]) => [`--${key}`, value]),
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
