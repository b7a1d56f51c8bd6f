// What the limits ledger would answer, without writing to it: for dry runs. One pipeline of reads for a batch; what the
// operations of one preview would reserve counts for those that follow, as it would in the ledger.
import type { Redis } from 'ioredis';
import { CodedError } from '../../ports/fault.ts';
import type { LimitLedger, LimitOperation, LimitResult, Reserve } from '../../processors/limits/ports.ts';
import { guardedLimits, LIMITS_DEPENDENCY, limitsFault } from './limits-client.ts';
import { bucketOf, decodeResult, prefixOfGeneration } from './limits-codec.ts';

/** The bound of the ledger's counters. */
const MAX_EXACT = 2n ** 53n;

/** @param namespace of the ledger; see limitsNamespace */
export function limitsPreview(redis: Redis, namespace: string): LimitLedger {
  /** What this preview has counted, by counter, and the transfers that it has reserved for. */
  const counted = new Map<string, bigint>();
  const answered = new Map<string, LimitResult>();

  return {
    async apply(operations) {
      const reserves = operations.filter((operation) => operation.kind === 'reserve');
      const known = reserves.length === 0 ? NOTHING : await readAll(redis, namespace, reserves);
      return operations.map((operation) => answer(operation, known));
    },
  };

  function answer(operation: LimitOperation, known: Known): LimitResult {
    if (operation.kind === 'settle') return { kind: 'settled', changed: true };
    const { transferId, attempt } = operation;
    const before = answered.get(transferId);
    if (before) return before;
    const record = known.transfers.get(transferId);
    const result = standing(record, attempt) ?? reserve(operation, known, freedBy(record));
    answered.set(transferId, result);
    return result;
  }

  function reserve({ requests }: Reserve, { used }: Known, freed: ReadonlyMap<string, bigint>): LimitResult {
    for (const [bucket, minor] of freed) counted.set(bucket, (counted.get(bucket) ?? 0n) - minor);
    const uses = requests.map((request) => {
      const { ruleId, subjectToken, window, currency, minor: reservedMinor, limitMinor } = request;
      const usedMinor = (used.get(bucketOf(request)) ?? 0n) + (counted.get(bucketOf(request)) ?? 0n);
      return { ruleId, subjectToken, window, currency, reservedMinor, usedMinor, limitMinor };
    });
    const refused = requests.filter(({ action, minor, limitMinor }, i) => {
      const wouldBe = uses[i]!.usedMinor + minor;
      return (action === 'reject' && wouldBe > limitMinor) || wouldBe >= MAX_EXACT;
    });
    if (refused.length > 0) return { kind: 'refused', uses, refused: refused.map(({ ruleId }) => ruleId) };
    for (const request of requests) {
      counted.set(bucketOf(request), (counted.get(bucketOf(request)) ?? 0n) + request.minor);
    }
    return {
      kind: 'reserved',
      uses: uses.map((use) => ({ ...use, usedMinor: use.usedMinor + use.reservedMinor })),
    };
  }
}

interface Known {
  /** state, attempt and outcome of each transfer's record. */
  readonly transfers: ReadonlyMap<string, readonly (string | null)[]>;
  readonly used: ReadonlyMap<string, bigint>;
}
const NOTHING: Known = { transfers: new Map(), used: new Map() };

/** What the ledger holds of these transfers and of what they would count for. @throws CodedError LIMITS_NOT_HYDRATED */
async function readAll(redis: Redis, namespace: string, reserves: readonly Reserve[]): Promise<Known> {
  const prefixed = await prefixOf(redis, namespace);
  const transfers = [...new Set(reserves.map(({ transferId }) => transferId))];
  const counters = [...new Set(reserves.flatMap(({ requests }) => requests.map(bucketOf)))];
  const pipeline = redis.pipeline();
  for (const id of transfers) pipeline.hmget(`${prefixed}t:${id}`, 'state', 'attempt', 'outcome', 'uses');
  for (const counter of counters) pipeline.hget(`${prefixed}c:${counter}`, 'used');
  const answers = (await guardedLimits(redis, () => pipeline.exec())) ?? [];
  for (const [error] of answers) if (error) throw limitsFault(redis, error);
  const values = answers.map(([, value]) => value);
  return {
    transfers: new Map(transfers.map((id, i) => [id, values[i] as (string | null)[]])),
    used: new Map(counters.map((counter, i) => [counter, BigInt((values[transfers.length + i] as string) ?? '0')])),
  };
}

async function prefixOf(redis: Redis, namespace: string): Promise<string> {
  const marker = await guardedLimits(redis, () => redis.get(`${namespace}:generation`));
  if (marker !== null) return prefixOfGeneration(namespace, marker);
  throw new CodedError('LIMITS_NOT_HYDRATED', 'the limits ledger is lost or not filled yet: try again later', {
    faultClass: 'transient-dependency',
    dependency: LIMITS_DEPENDENCY,
  });
}

/** What the attempt before has reserved: the later one takes its place. */
function freedBy(record: readonly (string | null)[] | undefined): ReadonlyMap<string, bigint> {
  const uses: unknown = record?.[0] === 'open' ? JSON.parse(record[3] ?? '[]') : [];
  // Lua has one table for lists and objects: an empty list is {}.
  const list = Array.isArray(uses) ? (uses as readonly { readonly b: string; readonly m: string }[]) : [];
  return new Map(list.map(({ b, m }) => [b, BigInt(m)]));
}

/** What the ledger says of a transfer that it knows; undefined: it would count it. */
function standing(record: readonly (string | null)[] | undefined, attempt: number): LimitResult | undefined {
  const [state, known, outcome] = record ?? [];
  if (!state) return undefined;
  if (state !== 'open' && state !== 'refused') return { kind: 'ended' };
  if (attempt === Number(known)) return decodeResult(outcome ?? '');
  if (attempt < Number(known)) return { kind: 'superseded' };
  return state === 'refused' ? { kind: 'ended' } : undefined;
}
