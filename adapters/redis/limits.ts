// The limits ledger in Redis: one script call for a batch. Redis is a cache of the log here: each generation of the ledger
// is bound to one run of the server, and when that run is over (restart, failover, wipe) the ledger closes until it is
// rebuilt from the log.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { LimitRule } from '../../domain/limits/limit-rules.ts';
import { countsUntil } from '../../domain/limits/windows.ts';
import { CodedError } from '../../ports/fault.ts';
import type {
  LedgerCounter,
  LedgerState,
  LedgerStatus,
  LedgerStore,
  LimitOperation,
  LimitResult,
} from '../../processors/limits/ports.ts';
import { refuseEviction } from './eviction.ts';
import { replyCode } from './fault.ts';
import { guardedLimits, LIMITS_DEPENDENCY, limitsFault } from './limits-client.ts';
import {
  bucketOf,
  decodeResult,
  encodeOperations,
  encodeRecord,
  prefixOfGeneration,
  recordUntil,
} from './limits-codec.ts';
import { windowSums } from './window-sums.ts';

export interface LimitsLedgerOptions {
  /** Prefix of every key; default: that of the application named corridor. */
  readonly namespace?: string;
  /**
   * How long ended records and idle counters are kept, in ms: longer than a window plus the longest time in which an
   * event can come again (the retention of the chain topics).
   */
  readonly keepMs?: number;
  /** The form that the rules need; see ledgerFormOf. It may rise while the process runs: then the ledger is rebuilt. */
  readonly form?: LedgerForm | (() => LedgerForm);
}

/**
 * Form of what a generation holds. A marker is `<run id>:<form>.<id>`; one without a form is of form 1. A ledger of an older
 * form than the rules need counts as lost, and is rebuilt from the log; one of a newer form than is known stops the process,
 * which would else rebuild it away. Form 2 has rolling windows, members, and windows longer than a day: a process that knows
 * form 1 alone would free the first two wrongly, and forget a counter of the last while its window is open.
 */
const NEWEST_FORM = 2;
export type LedgerForm = 1 | 2;

/** The form that these rules need: with rules of before, a ledger of before is taken over as it is. */
export const ledgerFormOf = (rules: readonly LimitRule[]): LedgerForm =>
  rules.some(({ window, metric }) => isNew(window) || metric.kind === 'beneficiaries') ? 2 : 1;

/** Of a window that form 1 does not know: it keeps each counter for as long as one of a day matters. */
const isNew = (window: LimitRule['window']): boolean =>
  window.kind !== 'transfer' && !(window.kind === 'calendar' && window.unit === 'day');

const formOf = (marker: string): number => Number(/^\w+:(\d+)\./.exec(marker)?.[1] ?? 1);

/** Where an application keeps its ledger: two on one Redis must not count, close or clear up for each other. */
export const limitsNamespace = (appName: string): string => `${appName}:limits`;

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
const CLOSE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;
const CHUNK = 1_000;

type ShortRules = NonNullable<LedgerState['short']>;
type ApplyScript = (key: string, ...args: string[]) => Promise<string[]>;
type StepScript = (key: string, ...args: string[]) => Promise<number>;
type RunScript = (marker: string, operations: readonly LimitOperation[]) => Promise<readonly LimitResult[]>;
type Scripted = Redis & {
  corridorLimitsApply: ApplyScript;
  corridorLimitsSwap: StepScript;
  corridorLimitsClear: StepScript;
  corridorLimitsClose: StepScript;
};

/** @throws CodedError what `limitsFault` makes of an error of Redis; REDIS_REFUSED, LEDGER_NEWER, LIMITS_NOT_HYDRATED */
export function limitsLedger(redis: Redis, options: LimitsLedgerOptions = {}): LedgerStore {
  const { namespace = limitsNamespace('corridor'), keepMs = 45 * DAY_MS, form = 1 } = options;
  const formNow = typeof form === 'function' ? form : () => form;
  const markerKey = `${namespace}:generation`;
  const client = scripted(redis);
  // What this process last saw; the script compares it with what is in force.
  let known: string | undefined;

  const prefixOf = (marker: string) => prefixOfGeneration(namespace, marker);
  const guarded = <T>(work: () => Promise<T>): Promise<T> => guardedLimits(redis, work);

  async function status() {
    const [info, memory, marker] = await guarded(() =>
      Promise.all([client.info('server'), client.info('memory'), client.get(markerKey)]),
    );
    refuseEviction(memory, LIMITS_DEPENDENCY);
    if (marker !== null && formOf(marker) > NEWEST_FORM) throw newerForm(formOf(marker));
    const isOurs = marker?.startsWith(`${runIdIn(info)}:`) === true && formOf(marker) >= formNow();
    if (marker === null || !isOurs) return { marker, hydrated: false };
    return { marker, hydrated: true, ...(await guarded(() => notesOf(client, prefixOf(marker)))) };
  }

  const run: RunScript = async (marker, operations) => {
    const operated = encodeOperations(operations);
    const answers = await client.corridorLimitsApply(markerKey, marker, prefixOf(marker), String(keepMs), operated);
    return answers.map(decodeResult);
  };

  async function apply(operations: readonly LimitOperation[]): Promise<readonly LimitResult[]> {
    if (operations.length === 0) return [];
    if (known !== undefined) {
      try {
        return await run(known, operations);
      } catch (error) {
        if (replyCode(error) !== NOT_HYDRATED) throw limitsFault(redis, error);
      }
    }
    // Another process may have rebuilt it: look once.
    const { hydrated, marker } = await status();
    if (!hydrated || marker === null) throw notHydrated();
    known = marker;
    return run(marker, operations).catch((error: unknown) => {
      throw scriptFault(redis, error);
    });
  }

  return {
    apply,
    status,
    form: formNow,
    close: (marker) =>
      guarded(() =>
        marker === undefined ? client.del(markerKey) : client.corridorLimitsClose(markerKey, marker),
      ).then(() => undefined),
    caughtUp: (marker) => guarded(async () => void (await client.del(`${prefixOf(marker)}b:catch-up`))),
    replaceAll: (state, expected) =>
      guarded(async () => {
        const marker = `${runIdIn(await client.info('server'))}:${state.form ?? formNow()}.${randomUUID()}`;
        const prefix = prefixOf(marker);
        const building = await build(client, prefix, state, keepMs);
        if ((await client.corridorLimitsSwap(markerKey, building, expected ?? '', marker)) === 0) {
          await eachPage(client, `${prefix}*`, async (keys) => (await client.unlink(...keys)) >= 0);
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
  redis.defineCommand('corridorLimitsClose', { numberOfKeys: 1, lua: CLOSE });
  return redis as Scripted;
}

/** What scripts answer, as a code of Redis, where the ledger in force is not of this run of the server. */
const NOT_HYDRATED = 'NOTHYDRATED';

/** An error of a script. @returns CodedError LIMITS_NOT_HYDRATED, or what `limitsFault` makes of it */
export const scriptFault = (redis: Redis, error: unknown): CodedError =>
  replyCode(error) === NOT_HYDRATED ? notHydrated() : limitsFault(redis, error);

/**
 * For whoever only looks at the generation in force.
 * @param form that the rules need
 * @throws CodedError LIMITS_NOT_HYDRATED when the stage would make it anew, LEDGER_NEWER
 */
export function checkForm(marker: string, form: LedgerForm): void {
  if (formOf(marker) > NEWEST_FORM) throw newerForm(formOf(marker));
  if (formOf(marker) < form) throw notHydrated();
}

const notHydrated = () =>
  new CodedError('LIMITS_NOT_HYDRATED', 'the limits ledger is lost or not filled yet: rebuild it from the log', {
    faultClass: 'transient-dependency',
    dependency: LIMITS_DEPENDENCY,
  });

const newerForm = (form: number) =>
  new CodedError(
    'LEDGER_NEWER',
    `the limits ledger is of form ${form}, and this release knows form ${NEWEST_FORM}: start the newer release`,
    { faultClass: 'fatal', dependency: LIMITS_DEPENDENCY },
  );

function runIdIn(info: string): string {
  const runId = /^run_id:(\w+)/m.exec(info)?.[1];
  if (runId !== undefined) return runId;
  throw new CodedError('REDIS_REFUSED', 'Redis does not tell its run_id: INFO must be allowed for this user', {
    faultClass: 'fatal',
    dependency: LIMITS_DEPENDENCY,
  });
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

/** What a generation was filled with beside its counters. */
async function notesOf(client: Redis, prefix: string): Promise<Pick<LedgerStatus, 'short' | 'catchUp'>> {
  const [short = null, catchUp = null] = await client.mget(`${prefix}b:short`, `${prefix}b:catch-up`);
  return {
    ...(short !== null && { short: JSON.parse(short) as ShortRules }),
    ...(catchUp !== null && { catchUp }),
  };
}

/** Fills a generation that is not in force yet. @returns the key of the mark of its builder */
async function build(client: Redis, prefix: string, state: LedgerState, keepMs: number): Promise<string> {
  const building = `${prefix}b:building`;
  await client.set(building, '1');
  await fill(client, prefix, state, { keepMs, now: await timeOf(client) });
  if (state.short?.length) await client.set(`${prefix}b:short`, JSON.stringify(state.short));
  if (state.catchUp !== undefined) await client.set(`${prefix}b:catch-up`, state.catchUp);
  return building;
}

/** Writes a whole state under the prefix of a generation that is not in force yet. */
async function fill(
  client: Redis,
  prefix: string,
  state: Parameters<LedgerStore['replaceAll']>[0],
  { keepMs, now }: { readonly keepMs: number; readonly now: number },
): Promise<void> {
  const expire = (pipeline: ReturnType<Redis['pipeline']>, key: string, until: number) => {
    if (Number.isFinite(until)) pipeline.pexpire(key, Math.max(keepMs, until - now + keepMs));
  };
  await inChunks(state.records, async (records) => {
    const pipeline = client.pipeline();
    for (const record of records) {
      const key = `${prefix}t:${record.transferId}`;
      pipeline.hset(key, encodeRecord(record));
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
