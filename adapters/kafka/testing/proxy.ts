// A TCP proxy in front of a broker, whose faults a test decides.
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Where connections go from now on: the broker behind it. */
  forwardTo(address: string): void;
  /** From now on answers are swallowed; requests still arrive. Then, after `ms`, every connection is cut. */
  loseAnswers(ms: number): Promise<void>;
  /** Nothing passes in either direction for `ms`, but connections stay open; then they are cut. */
  blackHole(ms: number): Promise<void>;
  /** Cuts every connection. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startProxy(): Promise<TcpProxy> {
  let target: { host: string; port: number } | undefined;
  let requestsPass = true;
  let answersPass = true;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    if (target === undefined) {
      client.destroy();
      return;
    }
    const broker = connect(target);
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        broker.destroy();
      });
    }
    client.on('data', (bytes) => requestsPass && broker.write(bytes));
    broker.on('data', (bytes) => answersPass && client.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    requestsPass = true;
    answersPass = true;
  };
  const later = (ms: number) => new Promise<void>((resolve) => setTimeout(() => resolve(cut()), ms));
  return {
    port: (server.address() as { port: number }).port,
    forwardTo: (address) => {
      const [host = '', port = ''] = address.split(':');
      target = { host, port: Number(port) };
    },
    loseAnswers: (ms) => {
      answersPass = false;
      return later(ms);
    },
    blackHole: (ms) => {
      requestsPass = false;
      answersPass = false;
      return later(ms);
    },
    cut,
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
