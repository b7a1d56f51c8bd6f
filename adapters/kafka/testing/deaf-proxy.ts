// A TCP proxy in front of a broker that understands so much of the protocol as to see what is asked, and never answers one
// kind of request.
import { connect, createServer, type Socket } from 'node:net';

/** Api keys that tests look at. */
export const API = { metadata: 3, joinGroup: 11, heartbeat: 12 } as const;

/** What is known of a request from its header. */
export interface SeenRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
}

export type Muteness =
  /** The request alone is lost; those behind it are answered. */
  | 'of the request'
  /** As a broker does it that is stuck in a request: nothing behind it on its connection is answered either. */
  | 'of its connection';

export class DeafProxy {
  /** Requests that came, by api key. */
  readonly seen = new Map<number, number>();
  /** Requests that were never answered. */
  ignored = 0;
  #mute: { readonly of: Muteness; readonly isMeant: (request: SeenRequest) => boolean } | undefined;
  #target: { readonly host: string; readonly port: number } | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#serve(client));

  static async listen(): Promise<DeafProxy> {
    const proxy = new DeafProxy();
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** @param address host:port of the broker */
  forwardTo(address: string): void {
    const { hostname, port } = new URL(`tcp://${address}`);
    this.#target = { host: hostname, port: Number(port) };
  }

  /** From now on requests that are meant are never answered. */
  ignore(isMeant: (request: SeenRequest) => boolean, of: Muteness): void {
    this.#mute = { isMeant, of };
  }

  /** Answers everything again, on connections that are not stuck. */
  listenAgain(): void {
    this.#mute = undefined;
  }

  count(apiKey: number): number {
    return this.seen.get(apiKey) ?? 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    if (this.#target === undefined) {
      client.destroy();
      return;
    }
    const broker = connect(this.#target);
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        broker.destroy();
      });
    }
    let isStuck = false;
    let rest: Buffer = Buffer.alloc(0);
    client.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      // Size, then api key and version.
      while (rest.length >= 8 && rest.length >= 4 + rest.readInt32BE(0)) {
        const frame = rest.subarray(0, 4 + rest.readInt32BE(0));
        rest = rest.subarray(frame.length);
        const mute = this.#met(frame);
        isStuck ||= mute === 'of its connection';
        if (mute === undefined && !isStuck) broker.write(frame);
      }
    });
    broker.on('data', (chunk) => client.write(chunk));
  }

  #met(frame: Buffer): Muteness | undefined {
    const request = { apiKey: frame.readInt16BE(4), apiVersion: frame.readInt16BE(6) };
    this.seen.set(request.apiKey, this.count(request.apiKey) + 1);
    if (this.#mute?.isMeant(request) !== true) return undefined;
    this.ignored++;
    return this.#mute.of;
  }
}
