// Generations of the limits ledger in Redis: which one is in force, of which form, and putting it out of force. Each generation is
// bound to one run of the server, and when that run is over (restart, failover, wipe) the ledger is closed until it is rebuilt
// from the log.
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { CodedError } from '../../ports/fault.ts';
import type { LedgerState, LedgerStatus, LedgerStore } from '../../processors/limits/ports.ts';
import { refuseEviction } from './eviction.ts';
import { isReply, replyCode } from './fault.ts';
import { guardedLimits, LIMITS_DEPENDENCY, limitsFault } from './limits-client.ts';
import { prefixOfGeneration } from './limits-codec.ts';

/**
 * Form of what a generation holds. A marker is `<run id>:<form>.<id>`; one without a form is of form 1. A ledger of an older
 * form counts as lost, and is rebuilt from the log; one of a newer form than is known stops the process, which would else rebuild
 * it away. Form 2 has rolling windows, members, and windows longer than a day. Form 3 has a proof in each record.
 */
export const FORM = 3;

const formOf = (marker: string): number => Number(/^\w+:(\d+)\./.exec(marker)?.[1] ?? 1);

/** Where an application keeps its ledger: two on one Redis must not count, close or clear up for each other. */
export const limitsNamespace = (appName: string): string => `${appName}:limits`;

export const markerKeyOf = (namespace: string): string => `${namespace}:generation`;

const CLOSE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

type Scripted = Redis & { corridorLimitsClose: (key: string, marker: string) => Promise<number> };

const shortRules = z.array(z.object({ ruleId: z.string().max(200), until: z.number().nullable() })).max(10_000);

/**
 * The generation in force.
 * @param namespace prefix of every key, as the ledger was given it
 * @throws CodedError what `limitsFault` makes of an error of Redis; REDIS_REFUSED, LEDGER_NEWER
 */
export function limitsGeneration(
  redis: Redis,
  namespace = limitsNamespace('corridor'),
): Pick<LedgerStore, 'status' | 'close' | 'caughtUp'> {
  const markerKey = markerKeyOf(namespace);
  redis.defineCommand('corridorLimitsClose', { numberOfKeys: 1, lua: CLOSE });
  const client = redis as Scripted;
  const guarded = <T>(work: () => Promise<T>): Promise<T> => guardedLimits(redis, work);

  return {
    async status() {
      const [info, memory, marker] = await guarded(() =>
        Promise.all([client.info('server'), client.info('memory'), client.get(markerKey)]),
      );
      refuseEviction(memory, LIMITS_DEPENDENCY);
      if (marker !== null && formOf(marker) > FORM) throw newerForm(formOf(marker));
      const isOurs = marker?.startsWith(`${runIdIn(info)}:`) === true && formOf(marker) === FORM;
      if (marker === null || !isOurs) return { marker, hydrated: false };
      const notes = await guarded(() => notesOf(client, prefixOfGeneration(namespace, marker)));
      // Notes that no stage has written: it counts as lost, and is made anew.
      return notes === undefined ? { marker, hydrated: false } : { marker, hydrated: true, ...notes };
    },
    close: (marker) =>
      guarded(() =>
        marker === undefined ? client.del(markerKey) : client.corridorLimitsClose(markerKey, marker),
      ).then(() => undefined),
    caughtUp: (marker) =>
      guarded(async () => void (await client.del(`${prefixOfGeneration(namespace, marker)}b:catch-up`))),
  };
}

/** What a generation was filled with beside its counters; undefined: it cannot be read. */
async function notesOf(client: Redis, prefix: string): Promise<Pick<LedgerStatus, 'short' | 'catchUp'> | undefined> {
  const [short = null, catchUp = null] = await client.mget(`${prefix}b:short`, `${prefix}b:catch-up`);
  const rules = short === null ? undefined : rulesIn(short);
  if (short !== null && rules === undefined) return undefined;
  return { ...(rules !== undefined && { short: rules }), ...(catchUp !== null && { catchUp }) };
}

/** @throws CodedError LIMITS_LEDGER_DAMAGED */
export function shortIn(text: string): NonNullable<LedgerState['short']> {
  const rules = rulesIn(text);
  if (rules === undefined) throw damagedLedger('its note of rules that count too little cannot be read');
  return rules;
}

function rulesIn(text: string): NonNullable<LedgerState['short']> | undefined {
  try {
    return shortRules.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What scripts answer, as codes of Redis: the ledger in force is not of this run of the server; a record of it is no record. */
const NOT_HYDRATED = 'NOTHYDRATED';
const DAMAGED = 'DAMAGED';
/** What servers say of a field that is no number where a script counts with it. */
const NO_NUMBER =
  /user_script.*(?:attempt to |not an integer|not a valid float|bad argument|overflow)|(?:attempt to |not an integer|bad argument|overflow).*user_script/s;

/** An error of a script. @returns CodedError LIMITS_NOT_HYDRATED, LIMITS_LEDGER_DAMAGED, or what `limitsFault` makes of it */
export function scriptFault(redis: Redis, error: unknown): CodedError {
  const code = replyCode(error);
  if (code === NOT_HYDRATED) return notHydrated();
  const isDamaged = code === DAMAGED || code === 'WRONGTYPE' || (isReply(error) && NO_NUMBER.test(error.message));
  return isDamaged ? damagedLedger('it holds what the stage never writes') : limitsFault(redis, error);
}

/** For whoever only looks at the generation in force. @throws CodedError LIMITS_NOT_HYDRATED, LEDGER_NEWER */
export function checkForm(marker: string): void {
  if (formOf(marker) > FORM) throw newerForm(formOf(marker));
  if (formOf(marker) < FORM) throw notHydrated();
}

/** @param what is wrong with it, without a word that it holds */
export const damagedLedger = (what: string): CodedError =>
  new CodedError('LIMITS_LEDGER_DAMAGED', `the limits ledger is not as the stage wrote it: ${what}`, {
    faultClass: 'transient-dependency',
    dependency: LIMITS_DEPENDENCY,
  });

export const notHydrated = () =>
  new CodedError('LIMITS_NOT_HYDRATED', 'the limits ledger is lost or not filled yet: rebuild it from the log', {
    faultClass: 'transient-dependency',
    dependency: LIMITS_DEPENDENCY,
  });

const newerForm = (form: number) =>
  new CodedError(
    'LEDGER_NEWER',
    `the limits ledger is of form ${form}, and this release knows form ${FORM}: start the newer release`,
    { faultClass: 'fatal', dependency: LIMITS_DEPENDENCY },
  );

/** @throws CodedError REDIS_REFUSED */
export function runIdIn(info: string): string {
  const runId = /^run_id:(\w+)/m.exec(info)?.[1];
  if (runId !== undefined) return runId;
  throw new CodedError('REDIS_REFUSED', 'Redis does not tell its run_id: INFO must be allowed for this user', {
    faultClass: 'fatal',
    dependency: LIMITS_DEPENDENCY,
  });
}
