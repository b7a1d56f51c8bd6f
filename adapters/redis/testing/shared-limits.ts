// The limits' Redis of the shared servers: each ledger of a test in a namespace of its own, all of it removed in the end.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { limitsClient, ready } from '../limits-client.ts';

export let redis: Redis;
/** Prefix of every namespace of this file. */
export const RUN = `test-limits-${process.pid}-${Date.now().toString(36)}`;
let namespaces = 0;
export const freshNamespace = (): string => `${RUN}:${namespaces++}`;

/** To be called once, at the top of a file. */
export function useSharedLimits(url: string): void {
  beforeAll(async () => {
    redis = limitsClient({ url });
    await ready(redis);
  });
  afterAll(async () => {
    const keys = await redis.keys(`${RUN}:*`);
    if (keys.length > 0) await redis.unlink(...keys);
    redis.disconnect();
  });
}
