// Modes in which a Redis refuses, or is away: how a real server is put into each of them, and taken back.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import type { OwnRedis } from './redis-server.ts';

/** A machine may be busy; what never comes is named all the same. */
const LIMIT_MS = 120_000;

/** Waits for a state. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until a replica has all that was written so far. WAIT speaks of what its own connection wrote: so it writes last. */
export async function untilCopied({ admin }: OwnRedis): Promise<void> {
  await admin.set('written-last', '1');
  await until('a copy', async () => ((await admin.wait(1, 1_000)) as number) === 1);
  await admin.del('written-last');
}

/** A connection that sends nothing again and ends with its server. */
function somebodyElse({ url }: OwnRedis): Redis {
  const redis = new Redis(url, { retryStrategy: () => null, autoResendUnfulfilledCommands: false });
  redis.on('error', () => undefined);
  return redis;
}

/** A script of somebody else keeps the server from everything else. */
const untilBusy = (server: OwnRedis) =>
  until('busy', () =>
    server.admin.get('any').then(
      () => false,
      (error: Error) => error.message.startsWith('BUSY'),
    ),
  );

export interface RedisMode {
  readonly name: string;
  readonly flags?: readonly string[];
  /** Puts the server into the mode; what it answers ends it again. */
  enter(server: OwnRedis): Promise<() => Promise<unknown>>;
  /** What the fault of its client says. */
  readonly message: RegExp;
  /** It was started again: what is only in its memory, and what depends on its run, is gone. */
  readonly restarts?: boolean;
}

export const set = (server: OwnRedis, key: string, value: string) => server.admin.config('SET', key, value);
const info = (redis: Redis, section: string) => redis.info(section) as Promise<string>;

const FROM_DUMP = ['--appendonly', 'no', '--rdbcompression', 'no', '--dbfilename', 'dump.rdb'];

export const REDIS_MODES: readonly RedisMode[] = [
  {
    name: 'out of memory',
    enter: async (server) => {
      await set(server, 'maxmemory', '1');
      return () => set(server, 'maxmemory', '0');
    },
    message: /is unavailable: OOM: out of memory/,
  },
  {
    name: 'read only, as the replica of another',
    enter: async (server) => {
      // It keeps what it has: it asks for a primary that does not answer.
      await server.admin.replicaof('127.0.0.1', '1');
      return () => server.admin.replicaof('NO', 'ONE');
    },
    message: /READONLY: a replica|MASTERDOWN/,
  },
  {
    name: 'a replica without its primary that serves nothing stale',
    enter: async (server) => {
      await set(server, 'replica-serve-stale-data', 'no');
      await server.admin.replicaof('127.0.0.1', '1');
      return () => server.admin.replicaof('NO', 'ONE');
    },
    message: /MASTERDOWN: a replica that has lost its primary/,
  },
  {
    name: 'too few replicas',
    enter: async (server) => {
      await set(server, 'min-replicas-to-write', '1');
      return () => set(server, 'min-replicas-to-write', '0');
    },
    message: /NOREPLICAS: fewer replicas/,
  },
  {
    name: 'unable to save',
    flags: ['--dbfilename', 'dump.rdb'],
    enter: async (server) => {
      await set(server, 'save', '3600 1');
      // A folder in the place of the file.
      const file = path.join(server.dir, 'dump.rdb');
      rmSync(file, { force: true });
      mkdirSync(path.join(file, 'in-the-way'), { recursive: true });
      const saved = async (how: string) => {
        await until('a save', async () => {
          if (/rdb_bgsave_in_progress:0/.test(await info(server.admin, 'persistence'))) await server.admin.bgsave();
          return new RegExp(`rdb_last_bgsave_status:${how}`).test(await info(server.admin, 'persistence'));
        });
      };
      await saved('err');
      return async () => {
        rmSync(file, { recursive: true });
        await saved('ok');
      };
    },
    message: /MISCONF: it cannot save/,
  },
  {
    name: 'busy with a script, which is then killed',
    flags: ['--lua-time-limit', '20'],
    enter: async (server) => {
      const other = somebodyElse(server);
      const killed = other.eval('while true do end', 0).catch(() => other.disconnect());
      await untilBusy(server);
      return async () => {
        await server.admin.script('KILL');
        await killed;
      };
    },
    message: /BUSY: busy with a script/,
  },
  {
    name: 'busy with a script that has written, and is killed with its server',
    flags: ['--lua-time-limit', '20'],
    enter: async (server) => {
      const other = somebodyElse(server);
      const ended = other.eval("redis.call('SET', 'any', '1') while true do end", 0).catch(() => other.disconnect());
      await untilBusy(server);
      const refused = await server.admin.script('KILL').catch((error: Error) => error.message);
      if (!String(refused).startsWith('UNKILLABLE')) throw new Error(`the script was to be unkillable: ${refused}`);
      return async () => {
        await server.restart();
        await ended;
      };
    },
    message: /BUSY: busy with a script|UNKILLABLE/,
    restarts: true,
  },
  {
    name: 'killed, and started again a while later',
    enter: async (server) => {
      const start = await server.kill();
      return start;
    },
    message: /unavailable/,
    restarts: true,
  },
  {
    name: 'loading its data',
    flags: [...FROM_DUMP],
    enter: async (server) => {
      // It answers after every 2 MB that it has read.
      await server.admin.eval("for i = 1, 8 do redis.call('SETRANGE', 'other:' .. i, 3000000, 'x') end", 0);
      await server.admin.save();
      await server.restart([...FROM_DUMP, '--key-load-delay', '400000']);
      const loading = (is: 0 | 1) =>
        until(`loading:${is}`, () =>
          info(server.admin, 'persistence').then((text) => new RegExp(`^loading:${is}`, 'm').test(text)),
        );
      await loading(1);
      return () => loading(0);
    },
    message: /LOADING|isn't writeable|unavailable/,
    restarts: true,
  },
];

/** Ways to be locked out: what each is called, and how to lock; the answer unlocks. */
export const REDIS_LOCKS: readonly (readonly [string, (server: OwnRedis) => Promise<() => Promise<unknown>>])[] = [
  [
    'asks for a password',
    async (server) => {
      await set(server, 'requirepass', 'secret');
      await server.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      return () => set(server, 'requirepass', '');
    },
  ],
  [
    'takes no scripts from this user',
    async (server) => {
      await server.admin.call('ACL', 'SETUSER', 'default', '-eval', '-evalsha');
      return () => server.admin.call('ACL', 'SETUSER', 'default', '+@all');
    },
  ],
];
