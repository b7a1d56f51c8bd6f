// The limits ledger in force, as verification reads it. Read-only.
import type { Redis } from 'ioredis';
import type { LimitsStore, StoredCounter, StoredReservation } from '../../verify/ports.ts';
import { limitsFault } from './limits-client.ts';
import { usesIn } from './limits-contents.ts';
import { limitsGeneration, limitsNamespace } from './limits-generation.ts';

const PAGE = 1_000;

/** @param namespace prefix of every key, as the ledger was given it. */
export function verifyLimits(redis: Redis, namespace = limitsNamespace('corridor')): LimitsStore {
  const ledger = limitsGeneration(redis, namespace);
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw limitsFault(redis, error);
    }
  };

  async function prefix(): Promise<string> {
    const { marker } = await ledger.status();
    return `${namespace}:${(marker ?? '').slice((marker ?? '').indexOf(':') + 1)}:`;
  }

  return {
    hydrated: async () => (await ledger.status()).hydrated,
    find: (transferIds) =>
      guarded(async () => {
        const under = await prefix();
        const rows = await fields(
          redis,
          transferIds.map((id) => `${under}t:${id}`),
          ['state', 'attempt', 'uses'],
        );
        return transferIds.flatMap((transferId, index) => reservationOf(transferId, rows[index]!));
      }),
    async *counters() {
      const under = `${await guarded(prefix)}c:`;
      let cursor = '0';
      do {
        const [next, keys] = await guarded(() => redis.scan(cursor, 'MATCH', `${under}*`, 'COUNT', PAGE));
        cursor = next;
        // A scan may give a key twice; it is compared twice then, which does no harm.
        const rows = await guarded(() => fields(redis, keys, ['used', 'open']));
        const page = keys.flatMap((key, index) => counterOf(key.slice(under.length), rows[index]!));
        if (page.length > 0) yield page;
      } while (cursor !== '0');
    },
  };
}

type Row = readonly (string | null)[];

async function fields(redis: Redis, keys: readonly string[], names: readonly string[]): Promise<readonly Row[]> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hmget(key, ...names);
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, row]) => {
    if (error) throw error;
    return row as Row;
  });
}

const STATES = ['open', 'refused', 'released', 'committed', 'returned'] as const;

function reservationOf(transferId: string, [state, attempt, uses]: Row): readonly StoredReservation[] {
  if (!state) return [];
  const read = usesIn(uses ?? '');
  const known = STATES.find((each) => each === state);
  if (read === undefined || known === undefined)
    return [{ transferId, state: 'unreadable', attempt: Number(attempt), uses: [] }];
  return [{ transferId, state: known, attempt: Number(attempt), uses: read }];
}

/** A counter that expired between the scan and the read is left out. */
function counterOf(bucket: string, [used, open]: Row): readonly StoredCounter[] {
  if (used === null || used === undefined) return [];
  return [{ bucket, usedMinor: /^-?\d{1,18}$/.test(used) ? BigInt(used) : undefined, open: Number(open) }];
}
