// The limits ledger in Redis: one script call for a batch. Redis is a cache of the log here: each generation of the ledger
// is bound to one run of the server, and when that run is over (restart, failover, wipe) the ledger closes until it is
// rebuilt from the log.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { countsUntil } from '../../domain/limits/windows.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { isCoded } from '../../ports/fault.ts';
import type {
  LedgerCounter,
  LedgerState,
  LedgerStore,
  LimitOperation,
  LimitResult,
} from '../../processors/limits/ports.ts';
import { decodeResult } from './limits-answers.ts';
import { guardedLimits } from './limits-client.ts';
import { bucketOf, encodeOperation, encodeRecord, prefixOfGeneration, recordUntil } from './limits-codec.ts';
import {
  damagedLedger,
  FORM,
  limitsGeneration,
  limitsNamespace,
  markerKeyOf,
  notHydrated,
  runIdIn,
  scriptFault,
} from './limits-generation.ts';
import { type RecordProofs, recordProofs } from './limits-proofs.ts';
import { windowSums } from './window-sums.ts';

export interface LimitsLedgerOptions {
  /** The stages' ring: a record is believed only with a proof under it. */
  readonly keys: KeyRing;
  /** Prefix of every key; default: that of the application named corridor. */
  readonly namespace?: string;
  /**
   * How long ended records and idle counters are kept, in ms: longer than a window plus the longest time in which an
   * event can come again (the retention of the chain topics).
   */
  readonly keepMs?: number;
}

const DAY_MS = 86_400_000;
const SCRIPT = readFileSync(new URL('./limits.lua', import.meta.url), 'utf8');
// The mark of the builder goes with everything else when the server is wiped: a generation of which a part is gone
// must never come into force. The client sends a command again whose answer was lost: then it is in force already.
const SWAP = `
local marker = redis.call('GET', KEYS[1]) or ''
if marker == ARGV[2] then return 1 end
if marker ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('UNLINK', KEYS[2])
return 1`;
// Only the builder whose generation is in force deletes: after a wipe, another builder may have started already.
const CLEAR = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('UNLINK', unpack(ARGV, 2))
return 1`;
const CHUNK = 1_000;

type ApplyScript = (key: string, ...args: string[]) => Promise<string[]>;
type StepScript = (key: string, ...args: string[]) => Promise<number>;
type Scripted = Redis & {
  corridorLimitsApply: ApplyScript;
  corridorLimitsSwap: StepScript;
  corridorLimitsClear: StepScript;
};

/**
 * @throws CodedError what `limitsFault` makes of an error of Redis; REDIS_REFUSED, LEDGER_NEWER, LIMITS_NOT_HYDRATED;
 * LIMITS_LEDGER_DAMAGED: it held what the stage never wrote, and is out of force now
 */
export function limitsLedger(redis: Redis, options: LimitsLedgerOptions): LedgerStore {
  const { keys, namespace = limitsNamespace('corridor'), keepMs = 45 * DAY_MS } = options;
  const markerKey = markerKeyOf(namespace);
  const client = scripted(redis);
  const proofs = recordProofs(keys);
  const generation = limitsGeneration(redis, namespace);
  // What this process last saw; the script compares it with what is in force.
  let known: string | undefined;

  const prefixOf = (marker: string) => prefixOfGeneration(namespace, marker);

  async function run(marker: string, operations: readonly LimitOperation[]): Promise<readonly LimitResult[]> {
    const asked = operations.map((operation) => encodeOperation(operation, proofs));
    const answers: unknown = await client
      .corridorLimitsApply(markerKey, marker, prefixOf(marker), String(keepMs), JSON.stringify(asked))
      .catch((error: unknown) => {
        throw scriptFault(redis, error);
      });
    if (!Array.isArray(answers) || answers.length !== asked.length)
      throw damagedLedger('it answered what nobody asked for');
    return answers.map((answer: unknown, at) => decodeResult(answer, asked[at]!, proofs));
  }

  /** What is not believed counts no more for anybody: the log says what is right. */
  async function runOrClose(marker: string, operations: readonly LimitOperation[]): Promise<readonly LimitResult[]> {
    try {
      return await run(marker, operations);
    } catch (error) {
      if (isCoded(error) && error.code === 'LIMITS_LEDGER_DAMAGED') await generation.close(marker);
      throw error;
    }
  }

  async function apply(operations: readonly LimitOperation[]): Promise<readonly LimitResult[]> {
    if (operations.length === 0) return [];
    if (known !== undefined) {
      try {
        return await runOrClose(known, operations);
      } catch (error) {
        if (!isCoded(error) || error.code !== 'LIMITS_NOT_HYDRATED') throw error;
      }
    }
    // Another process may have rebuilt it: look once.
    const { hydrated, marker } = await generation.status();
    if (!hydrated || marker === null) throw notHydrated();
    known = marker;
    return runOrClose(marker, operations);
  }

  return {
    apply,
    ...generation,
    replaceAll: (state, expected) =>
      guardedLimits(redis, async () => {
        const marker = `${runIdIn(await client.info('server'))}:${FORM}.${randomUUID()}`;
        const prefix = prefixOf(marker);
        const building = await build(client, prefix, state, { keepMs, proofs });
        if ((await client.corridorLimitsSwap(markerKey, building, expected ?? '', marker)) === 0) {
          await eachPage(client, `${prefix}*`, async (found) => (await client.unlink(...found)) >= 0);
          return 'overtaken';
        }
        known = marker;
        await clearOthers(client, { namespace, prefix, markerKey, marker });
        return 'replaced';
      }),
  };
}

function scripted(redis: Redis): Scripted {
  redis.defineCommand('corridorLimitsApply', { numberOfKeys: 1, lua: SCRIPT });
  redis.defineCommand('corridorLimitsSwap', { numberOfKeys: 2, lua: SWAP });
  redis.defineCommand('corridorLimitsClear', { numberOfKeys: 1, lua: CLEAR });
  return redis as Scripted;
}

/** The clock of the server, ms since 1970: times to live go by it, and by no caller's. */
async function timeOf(client: Redis): Promise<number> {
  const [seconds, microseconds] = (await client.time()).map(Number) as [number, number];
  return seconds * 1_000 + Math.floor(microseconds / 1_000);
}

interface Generation {
  readonly namespace: string;
  readonly prefix: string;
  readonly markerKey: string;
  readonly marker: string;
}

/** Deletes what belongs to no generation but this one, for as long as this one is in force. */
async function clearOthers(client: Scripted, { namespace, prefix, markerKey, marker }: Generation): Promise<void> {
  const clear = async (found: readonly string[]) => {
    const old = found.filter((key) => !key.startsWith(prefix));
    return old.length === 0 || (await client.corridorLimitsClear(markerKey, marker, ...old)) === 1;
  };
  // The marks of other builders first: whoever has lost something must not win.
  await eachPage(client, `${namespace}:*:b:*`, clear);
  await eachPage(client, `${namespace}:*:[tcw]:*`, clear);
}

interface Filling {
  readonly keepMs: number;
  readonly proofs: RecordProofs;
}

/** Fills a generation that is not in force yet. @returns the key of the mark of its builder */
async function build(client: Redis, prefix: string, state: LedgerState, filling: Filling): Promise<string> {
  const building = `${prefix}b:building`;
  await client.set(building, '1');
  await fill(client, prefix, state, { ...filling, now: await timeOf(client) });
  if (state.short?.length) await client.set(`${prefix}b:short`, JSON.stringify(state.short));
  if (state.catchUp !== undefined) await client.set(`${prefix}b:catch-up`, state.catchUp);
  return building;
}

/** Writes a whole state under the prefix of a generation that is not in force yet. */
async function fill(
  client: Redis,
  prefix: string,
  state: LedgerState,
  { keepMs, proofs, now }: Filling & { readonly now: number },
): Promise<void> {
  const expire = (pipeline: ReturnType<Redis['pipeline']>, key: string, until: number) => {
    if (Number.isFinite(until)) pipeline.pexpire(key, Math.max(keepMs, until - now + keepMs));
  };
  await inChunks(state.records, async (records) => {
    const pipeline = client.pipeline();
    for (const record of records) {
      const key = `${prefix}t:${record.transferId}`;
      pipeline.hset(key, encodeRecord(record, proofs));
      if (record.state !== 'open') expire(pipeline, key, recordUntil(record));
    }
    await executed(pipeline);
  });
  const sums = windowSums();
  await inChunks(state.counters, async (counters) => {
    const pipeline = client.pipeline();
    for (const counter of counters) {
      sums.add(counter);
      const key = `${prefix}c:${bucketOf(counter)}`;
      pipeline.hset(key, fieldsOf(counter));
      if (counter.open === 0) expire(pipeline, key, countsUntil(counter.window));
    }
    await executed(pipeline);
  });
  await inChunks(sums.all(), async (all) => {
    const pipeline = client.pipeline();
    for (const { name, until, fields } of all) {
      pipeline.hset(`${prefix}w:${name}`, fields);
      expire(pipeline, `${prefix}w:${name}`, until);
    }
    await executed(pipeline);
  });
}

function fieldsOf({ usedMinor, open, members }: LedgerCounter): Record<string, string> {
  const counts = [...(members ?? [])].map(([member, times]) => [`m:${member}`, String(times)]);
  return { used: usedMinor.toString(), open: String(open), ...Object.fromEntries(counts) };
}

async function inChunks<T>(items: Iterable<T>, use: (chunk: readonly T[]) => Promise<void>): Promise<void> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < CHUNK) continue;
    await use(chunk);
    chunk = [];
  }
  if (chunk.length > 0) await use(chunk);
}

async function executed(pipeline: ReturnType<Redis['pipeline']>): Promise<void> {
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}

/** Hands every key that matches to `use`, page by page, until that answers false. */
async function eachPage(client: Redis, pattern: string, use: (keys: readonly string[]) => Promise<boolean>) {
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', CHUNK);
    cursor = next;
    if (keys.length > 0 && !(await use(keys))) return;
  } while (cursor !== '0');
}
