// A broker that is there is connected to, however long the event loop stood still meanwhile.
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createSocketFactory } from './internals.ts';
import { applyPatches } from './patches.ts';

const require = createRequire(import.meta.url);

interface Connection {
  connect(): Promise<boolean>;
  disconnect(): Promise<unknown>;
}
const ConnectionClass = require('kafkajs/src/network/connection') as new (options: object) => Connection;
const silent = { namespace: () => ({ debug: () => {}, error: () => {} }) };
const TIMEOUT_MS = 100;

const connectionTo = (host: string, port: number) =>
  new ConnectionClass({
    host,
    port,
    logger: silent,
    socketFactory: createSocketFactory(),
    requestTimeout: 1_000,
    connectionTimeout: TIMEOUT_MS,
  });

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
  applyPatches();
});

async function listening(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => server.close());
  return (server.address() as { port: number }).port;
}

/** Work that does not give way, for many times the timeout. */
function standStill(): void {
  const until = performance.now() + 5 * TIMEOUT_MS;
  while (performance.now() < until);
}

describe('an event loop that stood still for longer than the timeout of a connection', () => {
  test('as shipped takes the broker for one that is away', async () => {
    applyPatches([]);
    const connection = connectionTo('127.0.0.1', await listening());
    const connecting = connection.connect();
    standStill();
    await expect(connecting).rejects.toThrow('Connection timeout');
  });

  test('connects, also a second time', async () => {
    applyPatches(['connect-timeout']);
    const connection = connectionTo('127.0.0.1', await listening());
    opened.push(() => connection.disconnect());
    for (let round = 0; round < 2; round++) {
      const connecting = connection.connect();
      standStill();
      expect(await connecting).toBe(true);
      await connection.disconnect();
    }
  });
});

test('a connection that nobody takes is given up', async () => {
  applyPatches(['connect-timeout']);
  // Addresses of documentation (RFC 5737): no answer, or a refusal.
  await expect(connectionTo('192.0.2.1', 9).connect()).rejects.toMatchObject({ name: 'KafkaJSConnectionError' });
});
