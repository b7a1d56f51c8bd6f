// A replica of the Redis of the limits takes over: the ledger closes, since a replica may be behind, is filled from the log,
// and the counters are then what they would have been.
import { beforeAll, describe, expect, it } from 'vitest';
import { useOwnRedis } from '../../test/kit/own-redis.ts';
import { until, untilCopied } from '../../test/kit/redis-modes.ts';
import { redisPrograms } from '../../test/kit/redis-server.ts';
import { TcpProxy } from '../../test/kit/tcp-proxy.ts';
import { countersOf, EARLY, stageOn, transferIds, untroubledCounters } from './testing/limits-stage.ts';

let untroubled: readonly string[];
beforeAll(async () => {
  untroubled = await untroubledCounters();
});
const servers = useOwnRedis();

describe.each(await redisPrograms())('on Redis $version', ({ file }) => {
  it.each([
    ['killed', 'with all that it had'],
    ['killed', 'behind'],
    ['demoted', 'with all that it had'],
  ] as const)('the primary is %s and a replica %s is promoted', async (how, copy) => {
    const primary = await servers.start(file);
    const replica = await servers.start(file);
    const name = await TcpProxy.listen();
    servers.alsoStop(() => name.close());
    name.forwardTo(`127.0.0.1:${primary.port}`);
    const follow = () => replica.admin.replicaof('127.0.0.1', String(primary.port));
    if (copy !== 'behind') await follow();
    const { stage, redis, hydrate } = await stageOn(`redis://127.0.0.1:${name.port}`);
    servers.alsoStop(() => redis.disconnect());
    if (copy !== 'behind') await untilCopied(primary);

    if (how === 'killed') await primary.kill();
    else await primary.admin.replicaof('127.0.0.1', String(replica.port));
    await until('told', async () => {
      await stage.attempt();
      return stage.host.health().troubles.some(({ dependency }) => dependency === 'redis-limits');
    });
    expect([stage.deadLetters(), stage.consumer.failure, (await stage.reserved()).length]).toEqual([
      0,
      undefined,
      EARLY,
    ]);

    await replica.admin.replicaof('NO', 'ONE');
    name.forwardTo(`127.0.0.1:${replica.port}`);
    await until('done', async () => {
      await hydrate().catch(() => undefined);
      await stage.attempt();
      return stage.done;
    });
    expect(stage.deadLetters()).toBe(0);
    expect((await stage.reserved()).map(({ envelope }) => envelope.transferId).sort()).toEqual(transferIds);
    expect(await countersOf(redis)).toEqual(untroubled);
  });
});
