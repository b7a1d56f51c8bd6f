// What the ledger of limits in force holds, as an audit reads it. Read-only: a field that is no number counts as not there.
import type { Redis } from 'ioredis';
import type { LedgerContents } from '../../operations/limits/audit.ts';
import type { StoredCounter, StoredSum } from '../../operations/limits/drift.ts';
import { limitsLedger, limitsNamespace } from './limits.ts';
import { guardedLimits } from './limits-client.ts';
import { prefixOfGeneration } from './limits-codec.ts';

const PAGE = 1_000;

type Fields = Readonly<Record<string, string>>;

/** @param namespace prefix of every key, as the ledger was given it. */
export function limitsContents(redis: Redis, namespace = limitsNamespace('corridor')): LedgerContents {
  const ledger = limitsLedger(redis, { namespace });
  const prefixOf = (marker: string, kind: 'c' | 'w' | 't') => `${prefixOfGeneration(namespace, marker)}${kind}:`;
  const hashesOf = (keys: readonly string[]) => guardedLimits(redis, () => hashes(redis, keys));

  /** Hashes under a prefix, page by page, with what their names are below it. A scan may give one twice. */
  async function* under(prefix: string): AsyncIterable<readonly (readonly [name: string, fields: Fields])[]> {
    let cursor = '0';
    do {
      const [next, keys] = await guardedLimits(redis, () => redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', PAGE));
      cursor = next;
      const rows = await hashesOf(keys);
      if (keys.length > 0) yield keys.map((key, at) => [key.slice(prefix.length), rows[at]!] as const);
    } while (cursor !== '0');
  }
  async function named(prefix: string, names: readonly string[]) {
    const rows = await hashesOf(names.map((name) => prefix + name));
    return names.map((name, at) => [name, rows[at]!] as const);
  }

  return {
    async standing() {
      const { hydrated, marker, catchUp } = await ledger.status();
      return { marker: hydrated ? marker : null, isCatchUpDue: catchUp !== undefined };
    },
    async *counters(marker) {
      for await (const page of under(prefixOf(marker, 'c'))) yield page.flatMap(counterOf);
    },
    async *sums(marker) {
      for await (const page of under(prefixOf(marker, 'w'))) yield page.flatMap(sumOf);
    },
    countersOf: async (marker, buckets) => (await named(prefixOf(marker, 'c'), buckets)).flatMap(counterOf),
    sumsOf: async (marker, names) => (await named(prefixOf(marker, 'w'), names)).flatMap(sumOf),
    statesOf: (marker, transferIds) =>
      guardedLimits(redis, async () => {
        const pipeline = redis.pipeline();
        for (const id of transferIds) pipeline.hget(`${prefixOf(marker, 't')}${id}`, 'state');
        const states = await answersOf<string | null>(pipeline);
        return new Map(transferIds.flatMap((id, at) => (states[at] == null ? [] : [[id, states[at]]])));
      }),
  };
}

async function hashes(redis: Redis, keys: readonly string[]): Promise<readonly Fields[]> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hgetall(key);
  return answersOf<Fields>(pipeline);
}

async function answersOf<T>(pipeline: ReturnType<Redis['pipeline']>): Promise<readonly T[]> {
  return ((await pipeline.exec()) ?? []).map(([error, answer]) => {
    if (error) throw error;
    return answer as T;
  });
}

const WHOLE = /^-?\d{1,18}$/;
const wholeIn = (text: string | undefined): bigint | undefined =>
  text !== undefined && WHOLE.test(text) ? BigInt(text) : undefined;

/** One that expired between the scan and the read is left out. */
function counterOf([bucket, fields]: readonly [string, Fields]): readonly StoredCounter[] {
  const [used, open] = [wholeIn(fields['used']), wholeIn(fields['open'])];
  if (used === undefined || open === undefined) return [];
  return [{ bucket, used, open, members: membersOf(fields) }];
}

function sumOf([name, fields]: readonly [string, Fields]): readonly StoredSum[] {
  const [lo, hi, sum] = [wholeIn(fields['lo']), wholeIn(fields['hi']), wholeIn(fields['sum'])];
  if (lo === undefined || hi === undefined || sum === undefined) return [];
  const steps = withPrefix(fields, 's:').map(([step, held]) => [Number(step), held] as const);
  return [{ name, lo: Number(lo), hi: Number(hi), sum, steps: new Map(steps), members: membersOf(fields) }];
}

const membersOf = (fields: Fields): ReadonlyMap<string, number> =>
  new Map(withPrefix(fields, 'm:').map(([member, times]) => [member, Number(times)]));

const withPrefix = (fields: Fields, prefix: string): readonly (readonly [string, bigint])[] =>
  Object.entries(fields).flatMap(([name, text]) => {
    const held = wholeIn(text);
    return name.startsWith(prefix) && held !== undefined ? [[name.slice(prefix.length), held]] : [];
  });
