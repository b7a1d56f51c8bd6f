// A TCP proxy that can be told to misbehave: slow, cut, or holding what it was given without a word.
import { createServer, type Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Misbehaviour {
  /**
   * `latency`: every chunk arrives `ms` late. `cut`: connections are reset, and new ones as soon as they come. `half-open`:
   * nothing is passed on while everything looks connected; at the end the connections are reset.
   */
  readonly how: 'latency' | 'cut' | 'half-open';
  /** Latency only. */
  readonly ms?: number;
  /** `half-open` in one direction only: what the server was asked still reaches it, and its answers are lost; or the other way. */
  readonly hole?: 'both' | 'to-server' | 'to-client';
  /** Whether the connection of this number (from 0, in order of arrival) is hit; absent: all are. */
  readonly hits?: (connection: number) => boolean;
}

interface Link {
  readonly number: number;
  readonly client: Socket;
  readonly server: Socket;
}

export class TcpProxy {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #target: { readonly host: string; readonly port: number } | undefined;
  #present: Misbehaviour | undefined;
  #accepted = 0;
  #hit = 0;

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  /** Listens on a free port of 127.0.0.1; until it has a target it refuses. */
  static async listen(): Promise<TcpProxy> {
    const proxy = new TcpProxy();
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Connections that misbehaved so far: a fault that met none proves nothing. */
  get connectionsHit(): number {
    return this.#hit;
  }

  /** @param address host:port */
  forwardTo(address: string): void {
    const { hostname, port } = new URL(`tcp://${address}`);
    this.#target = { host: hostname, port: Number(port) };
  }

  /** Misbehaves from now on. */
  misbehave(misbehaviour: Misbehaviour): void {
    this.#present = misbehaviour;
    for (const link of this.#links) {
      if (!this.#isHit(link)) continue;
      this.#hit++;
      if (misbehaviour.how === 'cut') reset(link);
    }
  }

  /** Behaves again. Connections that were held are reset: whoever waits on them learns it now. */
  behave(): void {
    const past = this.#present;
    this.#present = undefined;
    if (past?.how !== 'half-open') return;
    for (const link of this.#links) if (past.hits?.(link.number) ?? true) reset(link);
  }

  /** Misbehaves for `ms`, then behaves again. */
  async misbehaveFor(ms: number, misbehaviour: Misbehaviour): Promise<void> {
    this.misbehave(misbehaviour);
    await sleep(ms);
    this.behave();
  }

  /** Resets every connection that there is; new ones pass. */
  cut(): void {
    for (const link of this.#links) reset(link);
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #isHit({ number }: Link): boolean {
    return this.#present !== undefined && (this.#present.hits?.(number) ?? true);
  }

  #accept(client: Socket): void {
    const link: Link = { number: this.#accepted++, client, server: new Socket({ allowHalfOpen: true }) };
    if (this.#target === undefined || (this.#isHit(link) && this.#present?.how === 'cut')) {
      if (this.#target !== undefined) this.#hit++;
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    if (this.#isHit(link)) this.#hit++;
    this.#links.add(link);
    link.server.connect(this.#target);
    this.#pass(link, client, link.server, 'to-server');
    this.#pass(link, link.server, client, 'to-client');
  }

  #pass(link: Link, from: Socket, to: Socket, direction: 'to-server' | 'to-client'): void {
    from.setNoDelay(true);
    let late: { readonly at: number; readonly chunk: Buffer | null }[] = [];
    let timer: NodeJS.Timeout | undefined;
    const write = (chunk: Buffer | null) => {
      if (to.destroyed) return;
      if (chunk === null) to.end();
      else if (!to.write(chunk)) from.pause();
    };
    const flush = () => {
      timer = undefined;
      const now = performance.now();
      const due = late.filter(({ at }) => at <= now);
      late = late.slice(due.length);
      for (const { chunk } of due) write(chunk);
      if (late.length > 0) timer = setTimeout(flush, Math.max(1, late[0]!.at - now));
    };
    const take = (chunk: Buffer | null) => {
      const present = this.#isHit(link) ? this.#present : undefined;
      // What falls into the hole is gone: the connection is reset when it ends.
      if (present?.how === 'half-open' && [undefined, 'both', direction].includes(present.hole)) return;
      const ms = present?.how === 'latency' ? (present.ms ?? 0) : 0;
      if (ms === 0 && late.length === 0) return write(chunk);
      late.push({ at: Math.max(performance.now() + ms, late.at(-1)?.at ?? 0), chunk });
      timer ??= setTimeout(flush, ms);
    };
    from.on('data', take);
    from.on('end', () => take(null));
    to.on('drain', () => from.resume());
    from.on('error', () => reset(link));
    from.on('close', () => {
      clearTimeout(timer);
      this.#links.delete(link);
      if (from.errored || to.destroyed) reset(link);
      else if (!to.writableEnded) to.end();
    });
  }
}

function reset({ client, server }: Link): void {
  for (const socket of [client, server]) {
    if (!socket.destroyed) socket.resetAndDestroy();
  }
}
