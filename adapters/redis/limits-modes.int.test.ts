// The limits stage on the real host, over a real Redis that is put into each mode in which it refuses: nothing is
// dead-lettered, the partition waits and says what for, it goes on by itself, and the limits are then what they would have
// been without any trouble. What servers answer word for word is in fault.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';

import { useOwnRedis } from '../../test/kit/own-redis.ts';
import { REDIS_LOCKS, REDIS_MODES, type RedisMode, until } from '../../test/kit/redis-modes.ts';
import { type OwnRedis, redisPrograms } from '../../test/kit/redis-server.ts';
import { ready } from './limits-client.ts';
import { countersOf, EARLY, stageOn, transferIds, untroubledCounters } from './testing/limits-stage.ts';

let untroubled: readonly string[];
beforeAll(async () => {
  untroubled = await untroubledCounters();
});

const servers = useOwnRedis();
async function stageWith(server: OwnRedis) {
  const made = await stageOn(server.url);
  servers.alsoStop(() => made.redis.disconnect());
  return made;
}

/** Those that only a ledger of limits can meet. */
const OWN_MODES: readonly RedisMode[] = [
  {
    name: 'a user who may not write (ACL) inside scripts',
    enter: async (server) => {
      await server.admin.call('ACL', 'SETUSER', 'default', '-hincrby', '-hset');
      return () => server.admin.call('ACL', 'SETUSER', 'default', '+@all');
    },
    message: /can't run this command/,
  },
];

describe.each(await redisPrograms())('Redis $version refuses', ({ file }) => {
  it.each([...REDIS_MODES, ...OWN_MODES])(
    '$name: waits, dead-letters nothing, goes on, and nothing counts twice',
    async (mode) => {
      const server = await servers.start(file, mode.flags ?? []);
      const { stage, redis, hydrate } = await stageWith(server);
      const leave = await mode.enter(server);

      const trouble = () => stage.host.health().troubles.find(({ dependency }) => dependency === 'redis-limits');
      await until('told', async () => {
        await stage.attempt();
        return mode.message.test(trouble()?.detail ?? '');
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
        if (mode.restarts) await hydrate().catch(() => undefined);
        await stage.attempt();
        return stage.done;
      });
      expect(stage.host.health().troubles).toEqual([]);
      expect(stage.deadLetters()).toBe(0);
      const ids = (await stage.reserved()).map(({ envelope }) => envelope.transferId);
      expect(ids.sort()).toEqual(transferIds);
      expect(await countersOf(redis)).toEqual(untroubled);
    },
  );

  it('a type that is not ours under our key: the ledger is made anew, dead-letters nothing, and nothing counts twice', async () => {
    const server = await servers.start(file);
    const { stage, redis, hydrate } = await stageWith(server);
    const generation = (await server.admin.get('corridor:limits:generation'))!.split(':')[1]!;
    await server.admin.set(`corridor:limits:${generation}:t:${transferIds[EARLY]}`, 'another program');
    const trouble = () => stage.host.health().troubles.find(({ dependency }) => dependency === 'redis-limits');
    await until('told', async () => {
      await stage.attempt();
      return trouble() !== undefined;
    });
    expect(['LIMITS_LEDGER_DAMAGED', 'LIMITS_NOT_HYDRATED']).toContain(trouble()!.code);
    // Out of force: nobody has to take the key away.
    expect(await server.admin.get('corridor:limits:generation')).toBeNull();
    expect((await hydrate()).rebuilt).toBe(true);
    await until('done', async () => {
      await stage.attempt();
      return stage.done;
    });
    expect([stage.host.health().troubles, stage.deadLetters()]).toEqual([[], 0]);
    const ids = (await stage.reserved()).map(({ envelope }) => envelope.transferId);
    expect(ids.sort()).toEqual(transferIds);
    expect(await countersOf(redis)).toEqual(untroubled);
  });

  it('scripts that were flushed are sent again, without a pause', async () => {
    const server = await servers.start(file);
    const { stage, redis } = await stageWith(server);
    await server.admin.script('FLUSH');
    await stage.attempt();
    expect(stage.done).toBe(true);
    expect(await countersOf(redis)).toEqual(untroubled);
  });
});

describe.each(await redisPrograms())('Redis $version does not let us in', ({ file }) => {
  it.each(REDIS_LOCKS)(
    '%s: the stage stops, time and again, and dead-letters nothing until it is let in',
    async (_, lock) => {
      const server = await servers.start(file);
      const { stage, redis } = await stageWith(server);
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
