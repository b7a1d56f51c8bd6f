// A Redis that answers and refuses every write: out of memory, or a replica after a failover that went wrong.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

export type Refusal = 'oom' | 'readonly';

/** Makes the server refuse writes for so long, then takes it back. Resolves with what a client was told meanwhile. */
export async function refuseWrites(url: string, how: Refusal, forMs: number): Promise<string> {
  const redis = new Redis(url, { maxRetriesPerRequest: 20 });
  redis.on('error', () => undefined);
  try {
    const [, limit] = (await redis.config('GET', 'maxmemory')) as [string, string];
    // A replica of nobody: it keeps its data, and refuses writes.
    const refuse = () => (how === 'oom' ? redis.config('SET', 'maxmemory', '1') : redis.replicaof('127.0.0.1', 1));
    const takeBack = () =>
      how === 'oom' ? redis.config('SET', 'maxmemory', limit) : redis.replicaof('NO' as never, 'ONE' as never);
    await refuse();
    try {
      const answer = await redis.set('chaos:refused', '1').then(
        () => 'nothing was refused',
        (error: Error) => error.message,
      );
      await sleep(forMs);
      return answer;
    } finally {
      await takeBack();
      await redis.del('chaos:refused');
    }
  } finally {
    redis.disconnect();
  }
}
