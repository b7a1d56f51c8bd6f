// The limits stage on the real host, over a real Redis that is put into each mode in which it refuses: nothing is
// dead-lettered, the partition waits and says what for, it goes on by itself, and the limits are then what they would have
// been without any trouble. What servers answer word for word is in fault.test.ts.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LIMIT_RULES } from '../../domain/limit-rules.ts';
import { hydrateLimits } from '../../processors/limits/hydrate.ts';
import type { LimitLedger } from '../../processors/limits/ports.ts';
import { createLimits } from '../../processors/limits/processor.ts';
import type { Host } from '../../runtime/host.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createProcessorHost } from '../../runtime/processor-host.ts';
import { AT, BOOK, payoutRequested, transferPriced, transferRejected, type Wishes } from '../../test/kit/builders.ts';
import { append, input } from '../../test/kit/harness.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryHoldClaims, memoryReplayClaims } from '../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLedger } from '../../test/kit/memory-ledger.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { type OwnRedis, ownRedis } from '../../test/kit/redis-server.ts';
import { testRings } from '../../test/kit/rings.ts';
import type { TopicValues } from '../../topics/catalogue.ts';
import { limitsLedger } from './limits.ts';
import { limitsClient, ready } from './limits-client.ts';
import { verifyLimits } from './verify-limits.ts';

const LIMIT_MS = 20_000;
const transferIds = Array.from({ length: 20 }, (_, n) => `transfer-${String(n).padStart(4, '0')}`);
const EARLY = 8;
/** Small enough for all of them to stay within the limits of their sender, whatever their order. */
const wishes = (transferId: string): Wishes => ({
  transferId,
  intent: { instructedAmount: { minor: 10_000n, currency: 'GBP' } },
});

/** The stage, its log, and whatever ledger it is given. */
class Stage {
  readonly clock = new ManualClock(AT);
  readonly codec = memoryCodec();
  readonly log = new MemoryLog({ partitions: 4, clock: this.clock, manual: true });
  readonly ledger: LimitLedger;
  host!: Host;

  constructor(ledger: LimitLedger) {
    this.ledger = ledger;
  }

  async start(): Promise<void> {
    const processor = createLimits({
      keys: KEYS,
      ledger: this.ledger,
      holds: memoryHoldClaims(),
      rules: LIMIT_RULES,
      corridors: BOOK,
      clock: this.clock.now,
    });
    this.host = createProcessorHost({
      replayClaims: memoryReplayClaims(),
      processor,
      app: this.log.app,
      log: this.log,
      codec: this.codec,
      rings: testRings,
      clock: this.clock,
      logger: silentLogger,
      metrics: createMetrics(),
      chainPartitions: 4,
      maxBatchRecords: 100,
      lingerMs: 0,
      retry: [3, 3],
    });
    await this.host.start();
  }

  feed(from: number, to: number): void {
    for (const transferId of transferIds.slice(from, to)) {
      append(this.log, this.codec, input('transfer.priced', transferPriced(wishes(transferId))));
    }
  }

  /** An early transfer ends: its reservation is to be released. */
  feedEnd(): void {
    append(
      this.log,
      this.codec,
      input('transfer.rejected', transferRejected(payoutRequested(wishes(transferIds[0]!)))),
    );
  }

  /** Lets the partitions try once more. */
  async attempt(): Promise<void> {
    this.clock.advance(15_000);
    await this.consumer.step();
  }

  get consumer() {
    return this.log.consumers.at(-1)!;
  }

  get done(): boolean {
    return this.consumer.progress().every(({ lag }) => lag === 0);
  }

  async reserved(): Promise<readonly TopicValues['transfer.reserved'][]> {
    const records = this.log.all('transfer.reserved');
    const decoded = await this.codec.decode(
      'transfer.reserved',
      records.map(({ value }) => value),
    );
    return decoded.map((result) => {
      if (!result.ok) throw new Error(result.code);
      return result.value;
    });
  }

  deadLetters = () => this.log.all('limits.dlq').length;
}

/** Counters after the same inputs, without any trouble. */
let untroubled: readonly string[];
beforeAll(async () => {
  const ledger = new MemoryLedger();
  const stage = new Stage(ledger);
  await stage.start();
  stage.feed(0, EARLY);
  await stage.attempt();
  stage.feedEnd();
  stage.feed(EARLY, transferIds.length);
  await stage.attempt();
  expect(stage.done).toBe(true);
  untroubled = [...ledger.counters].map(([bucket, { used, open }]) => `${bucket} ${used} ${open}`).sort();
});

async function countersOf(redis: Redis): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const page of verifyLimits(redis).counters()) {
    for (const { bucket, usedMinor, open } of page) found.push(`${bucket} ${usedMinor} ${open}`);
  }
  return found.sort();
}

const opened: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.stop();
});
async function serverWith(...flags: string[]): Promise<OwnRedis> {
  const server = await ownRedis(...flags);
  opened.push(server);
  return server;
}

/** A stage over `server`, with the early transfers reserved. */
async function stageOn(server: OwnRedis) {
  const redis = limitsClient({ url: server.url, commandTimeoutMs: 1_000 });
  opened.push({ stop: async () => redis.disconnect() });
  await ready(redis);
  const ledger = limitsLedger(redis);
  const stage = new Stage(ledger);
  /** What the hydration host does each second. */
  const hydrate = () =>
    hydrateLimits(ledger, LIMIT_RULES, async (add) => {
      for (const value of await stage.reserved()) await add('transfer.reserved', value);
    });
  await hydrate();
  await stage.start();
  stage.feed(0, EARLY);
  await stage.attempt();
  expect(await stage.reserved()).toHaveLength(EARLY);
  stage.feedEnd();
  stage.feed(EARLY, transferIds.length);
  return { stage, redis, ledger, hydrate };
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Mode {
  readonly name: string;
  readonly flags?: readonly string[];
  /** Puts the server into the mode; what it answers ends it again. */
  enter(server: OwnRedis): Promise<() => Promise<unknown>>;
  /** What health says, besides the dependency. */
  readonly told: RegExp;
  /** A restart or another server: the ledger is filled anew, as the product does by itself. */
  readonly refill?: boolean;
}

const set = (server: OwnRedis, key: string, value: string) => server.admin.config('SET', key, value);
const info = (redis: Redis, section: string) => redis.info(section) as Promise<string>;

const FROM_DUMP = ['--appendonly', 'no', '--rdbcompression', 'no', '--dbfilename', 'dump.rdb'];

const MODES: readonly Mode[] = [
  {
    name: 'out of memory',
    enter: async (server) => {
      await set(server, 'maxmemory', '1');
      return () => set(server, 'maxmemory', '0');
    },
    told: /^redis-limits is unavailable: OOM: out of memory/,
  },
  {
    name: 'read only, as the replica of another',
    enter: async (server) => {
      const primary = await serverWith();
      // It keeps what it has: it asks for a primary that does not answer.
      await server.admin.replicaof('127.0.0.1', String(primary.port + 1));
      return () => server.admin.replicaof('NO', 'ONE');
    },
    told: /READONLY: a replica|MASTERDOWN/,
  },
  {
    name: 'a replica without its primary that serves nothing stale',
    enter: async (server) => {
      await set(server, 'replica-serve-stale-data', 'no');
      await server.admin.replicaof('127.0.0.1', '1');
      return () => server.admin.replicaof('NO', 'ONE');
    },
    told: /MASTERDOWN: a replica that has lost its primary/,
  },
  {
    name: 'too few replicas',
    enter: async (server) => {
      await set(server, 'min-replicas-to-write', '1');
      return () => set(server, 'min-replicas-to-write', '0');
    },
    told: /NOREPLICAS: fewer replicas/,
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
    told: /MISCONF: it cannot save/,
  },
  {
    name: 'busy with a script, which is then killed',
    flags: ['--lua-time-limit', '20'],
    enter: async (server) => {
      const other = server.admin.duplicate();
      const killed = other.eval('while true do end', 0).catch(() => other.disconnect());
      await until('busy', () =>
        server.admin.get('any').then(
          () => false,
          (error: Error) => error.message.startsWith('BUSY'),
        ),
      );
      return async () => {
        await server.admin.script('KILL');
        await killed;
      };
    },
    told: /BUSY: busy with a script/,
  },
  {
    name: 'a type that is not ours under our key',
    enter: async (server) => {
      const generation = (await server.admin.get('corridor:limits:generation'))!.split(':')[1]!;
      const key = `corridor:limits:${generation}:t:${transferIds[EARLY]}`;
      await server.admin.set(key, 'another program');
      return () => server.admin.del(key);
    },
    told: /WRONGTYPE: a key holds another type/,
  },
  {
    name: 'a user who may not write (ACL) inside scripts',
    enter: async (server) => {
      await server.admin.call('ACL', 'SETUSER', 'default', '-hincrby', '-hset');
      return () => server.admin.call('ACL', 'SETUSER', 'default', '+@all');
    },
    told: /can't run this command/,
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
    told: /LOADING|isn't writeable|unavailable/,
    refill: true,
  },
];

describe('a Redis that refuses', () => {
  it.each(MODES)('$name: waits, dead-letters nothing, goes on, and nothing counts twice', async (mode) => {
    const server = await serverWith(...(mode.flags ?? []));
    const { stage, redis, hydrate } = await stageOn(server);
    const leave = await mode.enter(server);

    const trouble = () => stage.host.health().troubles.find(({ dependency }) => dependency === 'redis-limits');
    await until('told', async () => {
      await stage.attempt();
      return mode.told.test(trouble()?.detail ?? '');
    });
    for (let attempts = 0; attempts < 30; attempts++) await stage.attempt();
    expect(trouble()).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect([stage.deadLetters(), stage.consumer.failure, (await stage.reserved()).length]).toEqual([
      0,
      undefined,
      EARLY,
    ]);

    await leave();
    await until('done', async () => {
      if (mode.refill) await hydrate().catch(() => undefined);
      await stage.attempt();
      return stage.done;
    });
    expect(stage.host.health().troubles).toEqual([]);
    expect(stage.deadLetters()).toBe(0);
    const ids = (await stage.reserved()).map(({ envelope }) => envelope.transferId);
    expect(ids.sort()).toEqual(transferIds);
    expect(await countersOf(redis)).toEqual(untroubled);
  });

  it('scripts that were flushed are sent again, without a pause', async () => {
    const server = await serverWith();
    const { stage, redis } = await stageOn(server);
    await server.admin.script('FLUSH');
    await stage.attempt();
    expect(stage.done).toBe(true);
    expect(await countersOf(redis)).toEqual(untroubled);
  });
});

describe('a Redis that does not let us in', () => {
  const LOCKS: readonly (readonly [string, (server: OwnRedis) => Promise<() => Promise<unknown>>])[] = [
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

  it.each(LOCKS)(
    '%s: the stage stops, time and again, and dead-letters nothing until it is let in',
    async (_, lock) => {
      const server = await serverWith();
      const { stage, redis } = await stageOn(server);
      const unlock = await lock(server);
      for (let starts = 0; starts < 30; starts++) {
        await until('stopped', async () => {
          await stage.attempt();
          return stage.consumer.failure !== undefined;
        });
        expect(stage.consumer.failure).toMatchObject({ code: 'REDIS_UNAUTHORISED' });
        await stage.start();
      }
      expect(stage.deadLetters()).toBe(0);
      await unlock();
      await ready(redis);
      await until('done', async () => {
        if (stage.consumer.failure) await stage.start();
        await stage.attempt();
        return stage.done;
      });
      expect(stage.deadLetters()).toBe(0);
      expect(await countersOf(redis)).toEqual(untroubled);
    },
  );
});
