// Member: somebody who may write to the Redis of the limits says of transfers on their way that they have ended, or that a later
// attempt has taken their place.
//
// What must come of it: limits believe none of it, make their ledger anew from the log, and every transfer goes on. How the judge
// knows: the books. A transfer that was ended so would be lost without a word.
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { prefixOfGeneration } from '../../../adapters/redis/limits-codec.ts';
import { limitsNamespace, markerKeyOf } from '../../../adapters/redis/limits-generation.ts';
import type { Done } from '../injected.ts';
import type { World } from '../world.ts';

export interface LimitsTamperFault {
  readonly kind: 'limits-tamper';
  /** How many transfers at most. */
  readonly transfers: number;
}

export const limitsTamperFault = (): LimitsTamperFault => ({ kind: 'limits-tamper', transfers: 40 });

/** Until transfers are on their way to limits. */
const LOOK_EVERY_MS = 200;
const MAX_LOOKS = 75;
/** Records at the end of each partition. */
const TAIL = 50;

const FORGED = [
  { state: 'committed', attempt: '1', uses: '[]', outcome: '{"k":"ended","s":"committed","a":1,"p":"forged"}' },
  { state: 'open', attempt: '9', uses: '[]', outcome: '{"k":"reserved","a":9,"p":"forged","used":[],"uses":[]}' },
  { state: 'refused', attempt: '1', uses: '[]', outcome: '{"k":"refused","a":1,"used":[],"uses":[]}' },
] as const;

/** Those alone that limits do not know yet: of others the counters would be wrong for good. */
const WRITE = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1`;

export async function tamperWithLimits(world: World, { transfers }: LimitsTamperFault): Promise<Done> {
  const redis = new Redis(world.stack.urls.redisLimitsUrl, { maxRetriesPerRequest: 20 });
  let forged = 0;
  try {
    for (let looks = 0; forged < transfers && looks < MAX_LOOKS; looks++) {
      // Kafka may be away, or Redis.
      forged += await forgeRecords(world, redis, transfers - forged).catch(() => 0);
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    redis.disconnect();
  }
  const outcome = forged === 0 ? 'no transfer was on its way' : `${forged} transfers`;
  return { outcome, counts: forged === 0 ? [] : ['limitsTampered'] };
}

/** @returns how many were written */
async function forgeRecords(world: World, redis: Redis, count: number): Promise<number> {
  const namespace = limitsNamespace(world.connections.config.appName);
  const marker = await redis.get(markerKeyOf(namespace));
  if (marker === null) return 0;
  const ids = (await onTheirWay(world)).slice(0, count);
  const written = await Promise.all(
    ids.map((id, at) => {
      const fields = Object.entries(FORGED[at % FORGED.length]!).flat();
      return redis.eval(WRITE, 1, `${prefixOfGeneration(namespace, marker)}t:${id}`, ...fields);
    }),
  );
  return written.filter((isNew) => isNew === 1).length;
}

/** Transfers that were taken in last. */
async function onTheirWay({ connections }: World): Promise<readonly string[]> {
  const reader = connections.log.reader();
  const tails = (await reader.offsets(['transfer.accepted'])).map((range) => ({
    ...range,
    from: Math.max(range.from, range.to - TAIL),
  }));
  const ids = new Set<string>();
  await reader.read(tails, async ({ records }) => {
    for (const { key } of records) if (key !== null) ids.add(key.toString('utf8'));
  });
  return [...ids].toReversed();
}
