import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TcpProxy } from './tcp-proxy.ts';

const POLLING = { timeout: 60_000 };

let echo: Server;
let heard: string[];
let proxy: TcpProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  heard = [];
  echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      heard.push(String(data));
      socket.write(data);
    });
  });
  await once(echo.listen(0, '127.0.0.1'), 'listening');
  proxy = await TcpProxy.listen();
  proxy.forwardTo(`127.0.0.1:${(echo.address() as { port: number }).port}`);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  echo.close();
});

async function client() {
  const socket = connect(proxy.port, '127.0.0.1');
  clients.push(socket);
  const state = { received: '', error: undefined as string | undefined };
  socket.on('data', (data) => {
    state.received += String(data);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    state.error = error.code;
  });
  await once(socket, 'connect');
  return { socket, state };
}

it('passes bytes on both ways, and the end of a connection', async () => {
  const { socket, state } = await client();
  const large = 'x'.repeat(2_000_000);
  socket.write(large);
  await vi.waitFor(() => expect(state.received.length).toBe(large.length), POLLING);
  socket.end();
  await once(socket, 'close');
  expect(proxy.connectionsHit).toBe(0);
});

it('delays what it passes, in order', async () => {
  const { socket, state } = await client();
  proxy.misbehave({ how: 'latency', ms: 150 });
  const started = performance.now();
  socket.write('a');
  await sleep(20);
  socket.write('b');
  await vi.waitFor(() => expect(state.received).toBe('ab'), POLLING);
  expect(performance.now() - started).toBeGreaterThanOrEqual(290);
  proxy.behave();
  expect(proxy.connectionsHit).toBe(1);
});

it('cuts connections and refuses new ones until it behaves', async () => {
  const { state } = await client();
  proxy.misbehave({ how: 'cut' });
  await vi.waitFor(() => expect(state.error).toBe('ECONNRESET'), POLLING);
  const refused = connect(proxy.port, '127.0.0.1');
  await expect(once(refused, 'data')).rejects.toMatchObject({ code: 'ECONNRESET' });
  proxy.behave();
  const again = await client();
  again.socket.write('hello');
  await vi.waitFor(() => expect(again.state.received).toBe('hello'), POLLING);
});

it('half open towards the client: the server is asked, its answer is lost', async () => {
  const { socket, state } = await client();
  proxy.misbehave({ how: 'half-open', hole: 'to-client' });
  socket.write('do it');
  await vi.waitFor(() => expect(heard).toEqual(['do it']), POLLING);
  await sleep(50);
  expect(state).toEqual({ received: '', error: undefined });
  proxy.behave();
  await vi.waitFor(() => expect(state.error).toBe('ECONNRESET'), POLLING);
});

it('half open both ways: nobody hears anything, and nobody is told', async () => {
  const { socket, state } = await client();
  proxy.misbehave({ how: 'half-open' });
  socket.write('anybody?');
  await sleep(80);
  expect(heard).toEqual([]);
  expect(state).toEqual({ received: '', error: undefined });
});

it('hits only the connections it is told to', async () => {
  const first = await client();
  const second = await client();
  proxy.misbehave({ how: 'half-open', hits: (connection) => connection === 0 });
  first.socket.write('1');
  second.socket.write('2');
  await vi.waitFor(() => expect(second.state.received).toBe('2'), POLLING);
  expect(first.state.received).toBe('');
  expect(proxy.connectionsHit).toBe(1);
});
