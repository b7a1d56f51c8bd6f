// Clients of Redis that are broken for ever while the server answers: told, or mended by a new connection; never for a server
// that is away.
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { TcpProxy } from '../../test/kit/tcp-proxy.ts';
import type { WatchOptions } from '../client-watch.ts';
import { bullPollTimer } from '../queue/poll-timer.ts';
import { watchRedis } from './client-watch.ts';
import { limitsClient, ready } from './limits-client.ts';

const { redisLimitsUrl, redisQueueUrl } = inject('stack');
const QUICK = { everyMs: 50, answerMs: 1_000, looks: 3 };
/** Longer than a client takes to see that a connection does not end, or to try again. */
const SLOW = { everyMs: 1_500, answerMs: 1_000, looks: 3 };
const POLLING = { timeout: 60_000 };
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

interface Sabotaged {
  readonly connector: { connect(): Promise<never> };
  readonly stream: { destroy(): void };
}

/** Breaks a client from the inside: it loses its connection and can never make one again. */
function sabotage(client: Redis): void {
  const { connector, stream } = client as unknown as Sabotaged;
  connector.connect = () => Promise.reject(new Error('a bug of the client'));
  stream.destroy();
}

async function proxyTo(url: string): Promise<{ readonly proxy: TcpProxy; readonly url: string }> {
  const proxy = await TcpProxy.listen();
  opened.push(() => proxy.close());
  const { host } = new URL(url);
  proxy.forwardTo(host);
  return { proxy, url: url.replace(host, `127.0.0.1:${proxy.port}`) };
}

async function watched(url: string, options: WatchOptions = QUICK) {
  const client = limitsClient({ url, commandTimeoutMs: 200 });
  const reported: string[] = [];
  const watch = watchRedis(client, (detail) => reported.push(detail), options);
  opened.push(() => {
    watch.stop();
    client.disconnect();
  });
  await ready(client);
  expect(await client.ping()).toBe('PONG');
  return { client, reported };
}
const pings = (client: Redis) =>
  client.ping().then(
    () => true,
    () => false,
  );

describe('a client of Redis', () => {
  it('that can never connect again is told once', async () => {
    const { client, reported } = await watched(redisLimitsUrl);
    sabotage(client);
    await expect.poll(() => reported, POLLING).toHaveLength(1);
    expect(reported[0]).toMatch(/fresh connection to the same address was answered/);
    expect(await pings(client)).toBe(false);
  });

  it('whose commands are never answered is told once', async () => {
    const { client, reported } = await watched(redisLimitsUrl);
    client.sendCommand = () => new Promise(() => undefined);
    await expect.poll(() => reported, POLLING).toHaveLength(1);
  });

  it('that somebody has ended is connected anew', async () => {
    const { client, reported } = await watched(redisLimitsUrl);
    client.disconnect();
    await expect.poll(() => pings(client), POLLING).toBe(true);
    expect(reported).toEqual([]);
  });

  it('whose connection is dead without a word gets another one, long before the kernel gives it up', async () => {
    const { proxy, url } = await proxyTo(redisLimitsUrl);
    const { client, reported } = await watched(url, SLOW);
    proxy.misbehave({ how: 'half-open', hits: (connection) => connection === 0 });
    expect(await pings(client)).toBe(false);
    await expect.poll(() => pings(client), POLLING).toBe(true);
    expect(reported).toEqual([]);
  });

  it('is not told while its server is away, and works when it is back', async () => {
    const { proxy, url } = await proxyTo(redisLimitsUrl);
    const { client, reported } = await watched(url, SLOW);
    proxy.misbehave({ how: 'cut' });
    const met = proxy.connectionsHit;
    await expect.poll(() => proxy.connectionsHit - met, POLLING).toBeGreaterThan(20);
    proxy.behave();
    await expect.poll(() => pings(client), POLLING).toBe(true);
    expect(reported).toEqual([]);
  });
});

it('the timer of payouts makes clients that are broken anew, says so, and goes on', async () => {
  const asks = vi.spyOn(Redis.prototype, 'info');
  opened.push(() => asks.mockRestore());
  const reported = new Set<string>();
  const timer = bullPollTimer({
    redisUrl: redisQueueUrl,
    queue: `broken-${process.pid}`,
    prefix: 'test',
    watch: QUICK,
    onFault: (code) => reported.add(code),
  });
  opened.push(() => timer.stop());
  const due = new Set<string>();
  await timer.start(async (ids) => {
    for (const id of ids) due.add(id);
  });
  const scheduled = (payoutId: string) =>
    timer.schedule([{ payoutId, dueAt: 0 }]).then(
      () => true,
      () => false,
    );
  await expect.poll(() => scheduled('before'), POLLING).toBe(true);
  await expect.poll(() => due.has('before'), POLLING).toBe(true);
  // Those of the queue and of the worker; BullMQ looks after the one that waits for jobs.
  const clients = new Set(asks.mock.contexts as Redis[]);
  expect(clients.size).toBeGreaterThanOrEqual(2);
  for (const client of clients) sabotage(client);
  expect(await scheduled('meanwhile')).toBe(false);
  await expect.poll(() => reported.has('REDIS_CLIENT_BROKEN'), POLLING).toBe(true);
  await expect.poll(() => scheduled('after'), POLLING).toBe(true);
  await expect.poll(() => due.has('after'), POLLING).toBe(true);
});
