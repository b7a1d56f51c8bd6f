// A command on a socket that closes without an error ends; as shipped it never does.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { endCommandsWithTheirSocket } from './closed-socket.ts';

const require = createRequire(import.meta.url);
const { Connection } = require('mongodb/lib/cmap/connection.js');
const { HostAddress, ns } = require('mongodb/lib/utils.js');

let server: Server;
beforeAll(async () => {
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());
afterEach(() => endCommandsWithTheirSocket(false));

/** A command that is written right after the socket was closed, before anybody has heard of it. */
async function commandOnClosedSocket(): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const socket: Socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const options = { id: 1, generation: 0, hostAddress: HostAddress.fromString(`127.0.0.1:${port}`), tls: false };
  const connection = new Connection(socket, options);
  socket.destroy();
  const ended = connection.command(ns('admin.$cmd'), { hello: 1 }, {}).then(
    () => 'answered',
    (error: Error) => error.name,
  );
  return Promise.race([ended, sleep(300).then(() => 'still waiting')]);
}

it('ends with a network error', async () => {
  endCommandsWithTheirSocket();
  expect(await commandOnClosedSocket()).toBe('MongoNetworkError');
});

it('is needed: the shipped driver waits for ever', async () => {
  expect(await commandOnClosedSocket()).toBe('still waiting');
});
