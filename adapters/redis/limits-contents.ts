// What the limits ledger in Redis holds, for an audit. It reads page by page, and writes nothing.
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { KeyRing } from '../../domain/seals/seal.ts';
import type { LedgerContents } from '../../operations/limits/audit.ts';
import type { StoredCounter, StoredRecord, StoredSum, StoredUse } from '../../operations/limits/drift.ts';
import { replyCode } from './fault.ts';
import { isProvenRecord } from './limits-answers.ts';
import { guardedLimits } from './limits-client.ts';
import { prefixOfGeneration } from './limits-codec.ts';
import { limitsGeneration, limitsNamespace } from './limits-generation.ts';
import { type RecordProofs, recordProofs } from './limits-proofs.ts';

const PAGE = 1_000;

type Fields = Readonly<Record<string, string>>;

export interface ContentsOptions {
  /** The stages' ring: whose proofs count. */
  readonly keys: KeyRing;
  /** Prefix of every key, as the ledger was given it. */
  readonly namespace?: string;
}

export function limitsContents(redis: Redis, options: ContentsOptions): LedgerContents {
  const { keys: ring, namespace = limitsNamespace('corridor') } = options;
  const ledger = limitsGeneration(redis, namespace);
  const recordOf = recordReader(recordProofs(ring));
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
  const each = <T>(kind: 'c' | 'w' | 't', read: (row: readonly [string, Fields]) => readonly T[]) =>
    async function* (marker: string): AsyncIterable<readonly T[]> {
      for await (const page of under(prefixOf(marker, kind))) yield page.flatMap(read);
    };
  const some =
    <T>(kind: 'c' | 'w' | 't', read: (row: readonly [string, Fields]) => readonly T[]) =>
    async (marker: string, names: readonly string[]) =>
      (await named(prefixOf(marker, kind), names)).flatMap(read);

  return {
    async standing() {
      const { hydrated, marker, catchUp } = await ledger.status();
      return { marker: hydrated ? marker : null, isCatchUpDue: catchUp !== undefined };
    },
    counters: each('c', counterOf),
    sums: each('w', sumOf),
    records: each('t', recordOf),
    countersOf: some('c', counterOf),
    sumsOf: some('w', sumOf),
    recordsOf: some('t', recordOf),
  };
}

/** In the place of the fields of a key that is no hash. */
const NO_HASH: Fields = { '': 'no hash' };

async function hashes(redis: Redis, keys: readonly string[]): Promise<readonly Fields[]> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hgetall(key);
  return ((await pipeline.exec()) ?? []).map(([error, answer]) => {
    if (error && replyCode(error) === 'WRONGTYPE') return NO_HASH;
    if (error) throw error;
    return answer as Fields;
  });
}

const WHOLE = /^(?:0|-?[1-9]\d{0,17})$/;
const wholeIn = (text: string | undefined): bigint | undefined =>
  text !== undefined && WHOLE.test(text) ? BigInt(text) : undefined;

/** One that expired between the scan and the read is left out. */
function counterOf([bucket, fields]: readonly [string, Fields]): readonly StoredCounter[] {
  if (Object.keys(fields).length === 0) return [];
  const [used, open] = [wholeIn(fields['used']), wholeIn(fields['open'])];
  const { members, isOdd } = membersOf(fields);
  const is = used === undefined || open === undefined || isOdd ? { isOdd: true } : {};
  return [{ bucket, used: used ?? 0n, open: open ?? 0n, members, ...is }];
}

function sumOf([name, fields]: readonly [string, Fields]): readonly StoredSum[] {
  if (Object.keys(fields).length === 0) return [];
  const [lo, hi, sum] = [wholeIn(fields['lo']), wholeIn(fields['hi']), wholeIn(fields['sum'])];
  const steps = Object.entries(fields).filter(([field]) => field.startsWith('s:'));
  const held = steps.map(([field, text]) => [wholeIn(field.slice(2)), wholeIn(text)] as const);
  const { members, isOdd } = membersOf(fields);
  const isWhole =
    lo !== undefined && hi !== undefined && sum !== undefined && held.flat().every((n) => n !== undefined);
  return [
    {
      ...{ name, lo: Number(lo ?? 0n), hi: Number(hi ?? 0n), sum: sum ?? 0n, members },
      steps: new Map(held.map(([step, amount]) => [Number(step ?? 0n), amount ?? 0n])),
      ...(isWhole && !isOdd ? {} : { isOdd: true }),
    },
  ];
}

/** A beneficiary for whom nothing counts is not written: the script takes the field away. */
function membersOf(fields: Fields): { readonly members: ReadonlyMap<string, number>; readonly isOdd: boolean } {
  const members = Object.entries(fields).filter(([field]) => field.startsWith('m:'));
  const times = members.map(([field, text]) => [field.slice(2), Number(wholeIn(text) ?? 0n)] as const);
  return { members: new Map(times.filter(([, each]) => each > 0)), isOdd: times.some(([, each]) => each <= 0) };
}

const MAX_USES = 10_000;
const uses = z
  .array(z.object({ b: z.string(), m: z.string().regex(/^\d{1,17}$/), d: z.string().optional() }))
  .max(MAX_USES)
  // Lua has one table for lists and objects: an empty list is stored as {}.
  .or(z.strictObject({}).transform(() => []));
const record = z.object({
  state: z.enum(['open', 'refused', 'released', 'committed', 'returned']),
  attempt: z.string().regex(/^\d{1,9}$/),
  uses: z.string(),
  outcome: z.string(),
});

const recordReader =
  (proofs: RecordProofs) =>
  ([transferId, fields]: readonly [string, Fields]): readonly StoredRecord[] => {
    if (Object.keys(fields).length === 0) return [];
    const read = record.safeParse(fields);
    const held = read.success ? usesIn(read.data.uses) : undefined;
    if (!read.success || held === undefined)
      return [{ transferId, state: 'unreadable', attempt: 0, uses: [], isProven: false }];
    const { state, outcome } = read.data;
    const attempt = Number(read.data.attempt);
    return [
      {
        transferId,
        state,
        attempt,
        uses: held,
        isProven: isProvenRecord({ transferId, state, attempt }, outcome, proofs),
      },
    ];
  };

/** Undefined: it is no list of uses. */
export function usesIn(text: string): readonly StoredUse[] | undefined {
  try {
    return uses.parse(JSON.parse(text)).map(({ b, m, d = null }) => ({ bucket: b, minor: BigInt(m), member: d }));
  } catch {
    return undefined;
  }
}
