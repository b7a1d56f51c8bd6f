// What the limits ledger would answer, without writing to it: for dry runs. Two pipelines of reads for a batch; what the
// operations of one preview would reserve counts for those that follow, as it would in the ledger.
import type { Redis } from 'ioredis';
import { isCounted, rollingOf } from '../../domain/limits/windows.ts';
import type { LimitLedger, LimitOperation, LimitRequest, LimitResult, Reserve } from '../../processors/limits/ports.ts';
import { type Counted, reserveIn, Tally } from '../../processors/limits/tally.ts';
import { foreseenResult } from './limits-answers.ts';
import { guardedLimits, limitsFault } from './limits-client.ts';
import { bucketOf, prefixOfGeneration } from './limits-codec.ts';
import { usesIn } from './limits-contents.ts';
import { checkForm, damagedLedger, markerKeyOf, notHydrated } from './limits-generation.ts';

/** @param namespace of the ledger; see limitsNamespace */
export function limitsPreview(redis: Redis, namespace: string): LimitLedger {
  /** Counters as they were read, with what this preview has counted, and the transfers that it has reserved for. */
  const tally = new Tally();
  const read = new Set<string>();
  const answered = new Map<string, LimitResult>();

  return {
    async apply(operations) {
      const reserves = operations.filter((operation) => operation.kind === 'reserve');
      const known = reserves.length === 0 ? NOTHING : await readAll(redis, namespace, { reserves, tally, read });
      return operations.map((operation) => answer(operation, known));
    },
  };

  function answer(operation: LimitOperation, known: Records): LimitResult {
    if (operation.kind === 'settle') return { kind: 'settled', changed: true };
    const { transferId, attempt } = operation;
    const before = answered.get(transferId);
    if (before) return before;
    const record = known.get(transferId);
    const result = standing(record, attempt) ?? reserve(operation, record);
    answered.set(transferId, result);
    return result;
  }

  function reserve({ requests }: Reserve, record: Record | undefined): LimitResult {
    // The attempt before has reserved what the later one takes the place of.
    for (const use of usesOf(record)) tally.count(use, -1);
    return reserveIn(tally, requests);
  }
}

/** state, attempt, outcome and uses. */
type Record = readonly (string | null)[];
type Records = ReadonlyMap<string, Record>;
const NOTHING: Records = new Map();

interface Reading {
  readonly reserves: readonly Reserve[];
  readonly tally: Tally;
  /** Counters that are in the tally already. */
  readonly read: Set<string>;
}

/** What the ledger holds of these transfers; what they would count for goes to the tally. @throws CodedError LIMITS_NOT_HYDRATED */
async function readAll(redis: Redis, namespace: string, { reserves, tally, read }: Reading): Promise<Records> {
  const prefixed = await prefixOf(redis, namespace);
  const ids = [...new Set(reserves.map(({ transferId }) => transferId))];
  const first = redis.pipeline();
  for (const id of ids) first.hmget(`${prefixed}t:${id}`, 'state', 'attempt', 'outcome', 'uses');
  const records = new Map((await answersOf(redis, first)).map((record, i) => [ids[i]!, record as Record]));
  const places = new Map<string, Place>();
  const all = [...reserves.flatMap(({ requests }) => requests), ...[...records.values()].flatMap(usesOf)];
  for (const place of all.filter(({ window }) => isCounted(window)).flatMap(everyStep)) {
    if (!read.has(bucketOf(place))) places.set(bucketOf(place), place);
  }
  const second = redis.pipeline();
  for (const bucket of places.keys()) second.hgetall(`${prefixed}c:${bucket}`);
  const found = await answersOf(redis, second);
  for (const [at, [bucket, place]] of [...places].entries()) {
    const fields = found[at] as { readonly [field: string]: string };
    const members = Object.entries(fields).filter(([field]) => field.startsWith('m:'));
    tally.set(
      place,
      wholeIn(fields['used']),
      new Map(members.map(([field, n]) => [field.slice(2), Number(wholeIn(n))])),
    );
    read.add(bucket);
  }
  return records;
}

/** @throws CodedError LIMITS_LEDGER_DAMAGED */
function wholeIn(text = '0'): bigint {
  if (/^-?\d{1,18}$/.test(text)) return BigInt(text);
  throw damagedLedger('a counter of it is no number');
}

type Place = Pick<LimitRequest, 'ruleId' | 'subjectToken' | 'window'>;

/** The counters that a request looks at: its own, or each step of a rolling window, before and after its own. */
function everyStep({ ruleId, subjectToken, window }: Place): readonly Place[] {
  const rolling = rollingOf(window);
  if (rolling === undefined) return [{ ruleId, subjectToken, window }];
  const head = window.slice(0, window.lastIndexOf('.') + 1);
  const first = rolling.step - rolling.steps;
  return Array.from({ length: 2 * rolling.steps + 1 }, (_, at) => ({
    ...{ ruleId, subjectToken },
    window: head + String(first + at),
  }));
}

async function answersOf(redis: Redis, pipeline: ReturnType<Redis['pipeline']>): Promise<readonly unknown[]> {
  const answers = (await guardedLimits(redis, () => pipeline.exec())) ?? [];
  for (const [error] of answers) if (error) throw limitsFault(redis, error);
  return answers.map(([, value]) => value);
}

async function prefixOf(redis: Redis, namespace: string): Promise<string> {
  const marker = await guardedLimits(redis, () => redis.get(markerKeyOf(namespace)));
  if (marker === null) throw notHydrated();
  checkForm(marker);
  return prefixOfGeneration(namespace, marker);
}

/** What an open reservation counts. */
function usesOf(record: Record | undefined): readonly Counted[] {
  const uses = record?.[0] === 'open' ? usesIn(record[3] ?? '') : [];
  if (uses === undefined) throw damagedLedger('a record of it cannot be read');
  return uses.map(({ bucket, minor, member }) => {
    const [ruleId = '', subjectToken = '', window = ''] = bucket.split(':');
    return { ruleId, subjectToken, window, minor, member };
  });
}

/** What the ledger says of a transfer that it knows; undefined: it would count it. */
function standing(record: Record | undefined, attempt: number): LimitResult | undefined {
  const [state, known, outcome] = record ?? [];
  if (!state) return undefined;
  if (state !== 'open' && state !== 'refused') return { kind: 'ended' };
  if (attempt === Number(known)) return foreseenResult(outcome);
  if (attempt < Number(known)) return { kind: 'superseded' };
  return state === 'refused' ? { kind: 'ended' } : undefined;
}
