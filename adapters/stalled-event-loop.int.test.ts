// Servers that are there are connected to, although the event loop stood still for longer than every timeout of their clients.
import { afterEach, describe, expect, inject, it } from 'vitest';
import { ownRedis } from '../test/kit/redis-server.ts';
import { connectMongo } from './mongo/client.ts';
import { bullPollTimer } from './queue/poll-timer.ts';
import { limitsClient, ready } from './redis/limits-client.ts';

const { mongoUri, redisLimitsUrl } = inject('stack');

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

/** Work that does not give way. */
function standStill(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('after the event loop stood still', () => {
  it('MongoDB is found within the timeout of a first connect; commands are bounded as ever', async () => {
    const connecting = connectMongo({ uri: mongoUri, database: 'standing_still' });
    connecting.catch(() => undefined);
    // Longer than the bound of a command (3 s), and than that of a socket.
    standStill(4_000);
    const mongo = await connecting;
    opened.push(() => mongo.close());
    await mongo.ping();
    expect(mongo.client.options.serverSelectionTimeoutMS).toBe(3_000);
  });

  it('a first connect to MongoDB is given up when nobody waits for it any more', async () => {
    const closing = new AbortController();
    const uri = 'mongodb://127.0.0.1:1/corridor?directConnection=true';
    const connecting = connectMongo({ uri, firstWaitMs: 600_000, signal: closing.signal });
    closing.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
  });

  it('the Redis of limits becomes ready', async () => {
    const client = limitsClient({ url: redisLimitsUrl, connectTimeoutMs: 100 });
    opened.push(() => client.disconnect());
    const waiting = ready(client, 1_000);
    standStill(2_000);
    await waiting;
    expect(await client.ping()).toBe('PONG');
  });

  it('the Redis of the queue is still asked whether it may evict', async () => {
    const server = await ownRedis(['--maxmemory-policy', 'allkeys-lru']);
    opened.push(() => server.stop());
    const timer = bullPollTimer({ redisUrl: server.url });
    opened.push(() => timer.stop());
    const starting = timer.start(async () => undefined);
    starting.catch(() => undefined);
    standStill(4_000);
    await expect(starting).rejects.toMatchObject({ code: 'REDIS_MAY_EVICT' });
  });
});
