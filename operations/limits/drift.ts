// What the ledger holds against what the log says it must hold: by rule and window. What moves is looked at again, since the
// ledger is ahead of the log by what is being committed.
import { countsUntil } from '../../domain/limits/windows.ts';
import type { LedgerCounter } from '../../processors/limits/ports.ts';

export interface StoredCounter {
  readonly bucket: string;
  readonly usedMinor: bigint;
  readonly open: number;
}

export interface Drift {
  readonly bucket: string;
  /** What the log says; 0: it knows of nothing. */
  readonly logged: bigint;
  /** What Redis holds; 0: there is no such counter. */
  readonly held: bigint;
}

/** A rule and a window with what differs there. */
export interface DriftOf {
  readonly ruleId: string;
  readonly window: string;
  readonly counters: number;
  /** Minor units, transfers or beneficiaries that Redis counts too many (above zero) or too few. */
  readonly tooMany: bigint;
  readonly tooFew: bigint;
}

export const bucketOf = ({ ruleId, subjectToken, window }: Pick<LedgerCounter, 'ruleId' | 'subjectToken' | 'window'>) =>
  `${ruleId}:${subjectToken}:${window}`;

/**
 * Counters that differ. Those of windows that are over are left out: Redis lets them go, and so do snapshots.
 * @param now ms since 1970
 */
export async function driftBetween(
  logged: Iterable<LedgerCounter>,
  held: AsyncIterable<readonly StoredCounter[]>,
  now: number,
): Promise<ReadonlyMap<string, Drift>> {
  const open = new Map<string, bigint>();
  for (const counter of logged) if (countsUntil(counter.window) > now) open.set(bucketOf(counter), counter.usedMinor);
  const drift = new Map<string, Drift>();
  const seen = new Set<string>();
  for await (const page of held) {
    for (const { bucket, usedMinor } of page) {
      if (countsUntil(windowOf(bucket)) <= now || seen.has(bucket)) continue;
      seen.add(bucket);
      const expected = open.get(bucket) ?? 0n;
      if (expected !== usedMinor) drift.set(bucket, { bucket, logged: expected, held: usedMinor });
      open.delete(bucket);
    }
  }
  for (const [bucket, expected] of open) if (expected !== 0n) drift.set(bucket, { bucket, logged: expected, held: 0n });
  return drift;
}

/** Differences that were there at both looks, and were the same: nothing that goes on explains them. */
export const lasting = (first: ReadonlyMap<string, Drift>, then: ReadonlyMap<string, Drift>): readonly Drift[] =>
  [...then.values()].filter(({ bucket, logged, held }) => {
    const before = first.get(bucket);
    return before !== undefined && before.held - before.logged === held - logged;
  });

export function byRuleAndWindow(drifts: readonly Drift[]): readonly DriftOf[] {
  const sums = new Map<string, { counters: number; tooMany: bigint; tooFew: bigint }>();
  for (const { bucket, logged, held } of drifts) {
    const key = `${bucket.slice(0, bucket.indexOf(':'))}:${windowOf(bucket)}`;
    const sum = sums.get(key) ?? { counters: 0, tooMany: 0n, tooFew: 0n };
    sums.set(key, sum);
    sum.counters += 1;
    if (held > logged) sum.tooMany += held - logged;
    else sum.tooFew += logged - held;
  }
  return [...sums].map(([key, sum]) => ({ ruleId: key.slice(0, key.indexOf(':')), window: windowOf(key), ...sum }));
}

const windowOf = (bucket: string): string => bucket.slice(bucket.lastIndexOf(':') + 1);
