// Redis servers of a test alone, and whatever else it opens: ended after it, the last one first.
import { afterEach } from 'vitest';
import { type OwnRedis, ownRedis } from './redis-server.ts';

export interface OwnRedisServers {
  /** Starts one of this program, with these flags behind those of the product. */
  start(program: string, flags?: readonly string[]): Promise<OwnRedis>;
  /** Ends it before whatever was opened earlier. */
  alsoStop(stop: () => unknown): void;
}

/** To be called once, at the top of a file. */
export function useOwnRedis(): OwnRedisServers {
  const opened: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of opened.splice(0).reverse()) await stop();
  });
  return {
    async start(program, flags = []) {
      const server = await ownRedis(flags, program);
      opened.push(() => server.stop());
      return server;
    },
    alsoStop(stop) {
      opened.push(stop);
    },
  };
}
