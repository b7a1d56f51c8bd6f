// Watches a shared client of Redis: see adapters/client-watch.ts.
import type { Redis } from 'ioredis';
import { type ClientWatch, type WatchOptions, watchClient } from '../client-watch.ts';
import { isReply } from './fault.ts';

const CONNECT_TIMEOUT_MS = 2_000;

/**
 * Calls `onBroken` once when the client is broken for ever. Every command that is answered, with a refusal too, proves that
 * it works. One that is in doubt is asked to connect anew first: a connection whose end nobody reported (a dropped entry of a
 * NAT, say) keeps its client until the kernel gives it up, a quarter of an hour later.
 */
export function watchRedis(client: Redis, onBroken: (detail: string) => void, options?: WatchOptions): ClientWatch {
  const watched = { ask: () => client.ping(), askAnew: askAnew(client), reconnect: () => reconnect(client) };
  const watch = watchClient(watched, onBroken, options);
  const send = client.sendCommand;
  client.sendCommand = (command, stream) => {
    command.promise.then(watch.heard, (error: unknown) => {
      if (isReply(error)) watch.heard();
    });
    return send.call(client, command, stream);
  };
  return watch;
}

/** Says PING on a connection with the same address, user and encryption, and ends it. */
const askAnew = (client: Redis) => async (signal: AbortSignal) => {
  const fresh = client.duplicate({
    connectTimeout: CONNECT_TIMEOUT_MS,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  fresh.on('error', () => undefined);
  signal.addEventListener('abort', () => fresh.disconnect(), { once: true });
  await fresh.connect();
  await fresh.ping();
};

function reconnect(client: Redis): void {
  if (client.status === 'end') client.connect().catch(() => undefined);
  else client.disconnect(true);
}
