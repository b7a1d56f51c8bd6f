// A driver that is broken for ever while the server answers is told; one whose server is away, or slow, never is.
import { afterEach, describe, expect, inject, it } from 'vitest';
import { breakPools, forgetServers } from '../../test/kit/mongo/broken-driver.ts';
import { MongoProxy } from '../../test/kit/mongo-proxy.ts';
import { TcpProxy } from '../../test/kit/tcp-proxy.ts';
import { connectMongo, type MongoConnection, type MongoOptions } from './client.ts';

const { mongoUri } = inject('stack');
const QUICK = { everyMs: 50, answerMs: 1_000, looks: 3 };
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** A connection with a watch, and what the watch told. */
async function watched(options: Partial<MongoOptions> = {}) {
  const reported: string[] = [];
  const mongo = await connectMongo({
    uri: mongoUri,
    database: 'client_watch',
    serverSelectionTimeoutMs: 300,
    watch: QUICK,
    onBroken: ({ code }) => reported.push(code),
    ...options,
  });
  opened.push(() => mongo.close());
  return { mongo, reported };
}

const pings = (mongo: MongoConnection) =>
  mongo.ping().then(
    () => 'answered',
    ({ code }: { readonly code: string }) => code,
  );

describe('a driver of MongoDB', () => {
  it.each([
    ['whose pool fails each time', breakPools('rejects')],
    ['whose pool never answers', breakPools('hangs')],
    ['that takes every server for one that is away', forgetServers],
  ])('%s is told once, while the server answers others', async (_, sabotage) => {
    const { mongo, reported } = await watched();
    sabotage(mongo.client);
    await expect.poll(() => reported, { timeout: 60_000 }).toEqual(['MONGO_CLIENT_BROKEN']);
    const other = await watched();
    expect(await pings(other.mongo)).toBe('answered');
    expect(reported).toHaveLength(1);
  });

  it('is not told while its server is away, and works when it is back', async () => {
    const proxy = await TcpProxy.listen();
    opened.push(() => proxy.close());
    const { host } = new URL(mongoUri);
    proxy.forwardTo(host);
    const { mongo, reported } = await watched({ uri: mongoUri.replace(host, `127.0.0.1:${proxy.port}`) });
    proxy.misbehave({ how: 'cut' });
    const met = proxy.connectionsHit;
    // Its own attempts and those of the watch, many looks long.
    await expect.poll(() => proxy.connectionsHit - met, { timeout: 60_000 }).toBeGreaterThan(20);
    expect(await pings(mongo)).toBe('MONGO_UNAVAILABLE');
    proxy.behave();
    await expect.poll(() => pings(mongo), { timeout: 60_000 }).toBe('answered');
    expect(reported).toEqual([]);
  });

  it('is not told when its pool is full of commands that take long, and no question comes through', async () => {
    const proxy = await MongoProxy.start();
    opened.push(() => proxy.close());
    const { mongo, reported } = await watched({
      uri: proxy.uri(),
      maxPoolSize: 2,
      watch: { everyMs: 20, answerMs: 20, looks: 2 },
    });
    proxy.treat = ({ name }) => (name === 'find' ? { kind: 'delay', ms: 15 } : undefined);
    let asked = 0;
    const asks = async () => {
      for (; asked < 600; asked++) await mongo.db.collection('any').findOne({});
    };
    await Promise.all(Array.from({ length: 20 }, asks));
    expect(asked).toBeGreaterThanOrEqual(600);
    expect(reported).toEqual([]);
  });

  it('that was closed is watched no more', async () => {
    const { mongo, reported } = await watched();
    await mongo.close();
    const { mongo: other } = await watched();
    breakPools('rejects')(other.client);
    await other.close();
    await expect(other.ping()).rejects.toMatchObject({ faultClass: 'transient-dependency' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(reported).toEqual([]);
  });
});
