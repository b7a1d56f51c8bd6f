// A redis-server of a test's own, to be put into modes that would harm others.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { DEFAULT_STATE_DIR, fetchArtifacts } from '../../infra/local/artifacts.ts';
import { freePorts } from '../../infra/local/ports.ts';
import { REDIS_FLAGS, redisFromArtifact, redisOnPath } from '../../infra/local/servers/redis.ts';

/** A redis-server that can be run here. */
export interface RedisProgram {
  readonly file: string;
  /** Such as 6.2.11. */
  readonly version: string;
}

/** Every version that is here: that of the local stack's artifact always, and the one on the PATH where it is another. */
export async function redisPrograms(): Promise<readonly RedisProgram[]> {
  const files = [await fromArtifact(), redisOnPath(process.env)].filter((file) => file !== null);
  const programs = files.map((file) => ({ file, version: versionOf(file) }));
  return programs.filter(({ version }, at) => programs.findIndex((each) => each.version === version) === at);
}

const versionOf = (file: string): string =>
  /v=([\d.]+)/.exec(execFileSync(file, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'of unknown version';

async function fromArtifact(): Promise<string> {
  const dir = path.join(DEFAULT_STATE_DIR, 'artifacts');
  const fetched = fetchArtifacts(['redis'], { dir, env: process.env, onProgress: () => undefined });
  return redisFromArtifact(await fetched.get('redis')!);
}

export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  /** Where it keeps its files. */
  readonly dir: string;
  /** A connection that is let in whatever the test sets later. */
  readonly admin: Redis;
  /** Ends it as kill -9 does, and starts it again with the same files and other flags. */
  restart(flags?: readonly string[]): Promise<void>;
  /** Ends it as kill -9 does. What it answers starts it again, with the same files and flags. */
  kill(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

/** Starts one with the flags of the product's own, and `flags` behind them; `program`: by default the local stack's. */
export async function ownRedis(flags: readonly string[] = [], program?: string): Promise<OwnRedis> {
  const file = program ?? redisOnPath(process.env) ?? (await fromArtifact());
  const [port] = (await freePorts(1)) as [number];
  const dir = mkdtempSync(path.join(tmpdir(), 'corridor-redis-'));
  const url = `redis://127.0.0.1:${port}`;
  const start = (more: readonly string[]) => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, ...REDIS_FLAGS, ...more];
    return spawn(file, args, { stdio: 'ignore' });
  };
  let child: ChildProcess = start(flags);
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  // Without a ready check: it must be able to speak to a server that loads.
  const admin = new Redis(url, { maxRetriesPerRequest: null, enableReadyCheck: false, retryStrategy: () => 20 });
  admin.on('error', () => undefined);
  await admin.ping();
  return {
    url,
    port,
    dir,
    admin,
    async restart(more = flags) {
      await end();
      child = start(more);
    },
    async kill() {
      await end();
      return async () => {
        child = start(flags);
        await admin.ping();
      };
    },
    async stop() {
      admin.disconnect();
      await end();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
