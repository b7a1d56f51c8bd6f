// Alive means: getting on with it. A partition with records to handle that makes no progress, for no declared reason,
// makes the process unready, then ends it, so that another member takes over.

import type { PartitionProgress } from '../../ports/log.ts';
import type { HostHealth } from '../hosts/host.ts';

export interface LivenessLimits {
  /** Lag without progress for this long: not ready, ms. */
  readonly stallAfterMs: number;
  /** Lag without progress for this long: the process ends, ms. */
  readonly exitAfterMs: number;
}

export interface Stall {
  readonly host: string;
  readonly topic: string;
  readonly partition: number;
  readonly lag: number;
  readonly withoutProgressMs: number;
  /** Nobody knows whether there is anything to do. */
  readonly isEndUnknown?: boolean;
}

export interface Liveness {
  /** Every host runs, and no partition is stalled. */
  readonly ready: boolean;
  readonly stalled: readonly Stall[];
  /** Set when the process must end. */
  readonly exit: { readonly code: 'NO_PROGRESS'; readonly detail: string } | undefined;
}

/**
 * Judges the hosts as they are at `now` (monotonic ms, as `lastProgressAt`). A declared pause (a dependency that is
 * down, a retry that is not due) is no stall, however long it lasts; neither is being idle.
 */
export function assess(hosts: readonly HostHealth[], limits: LivenessLimits, now: number): Liveness {
  const stalled: Stall[] = [];
  for (const { name, partitions } of hosts) {
    for (const progress of partitions) {
      const withoutProgressMs = now - progress.lastProgressAt;
      if (!mustMove(progress) || withoutProgressMs < limits.stallAfterMs) continue;
      const { topic, partition, lag, isEndUnknown } = progress;
      stalled.push({ host: name, topic, partition, lag, withoutProgressMs, ...(isEndUnknown && { isEndUnknown }) });
    }
  }
  const [worst] = stalled.filter(({ withoutProgressMs }) => withoutProgressMs >= limits.exitAfterMs).sort(worstFirst);
  const ready = stalled.length === 0 && hosts.every(({ state }) => state === 'running');
  return { ready, stalled, exit: worst && { code: 'NO_PROGRESS', detail: sentence(worst) } };
}

/** Records that are known to wait go before an end that nobody knows: the latter may be for want of the former. */
const worstFirst = (one: Stall, other: Stall) =>
  Number(one.isEndUnknown ?? false) - Number(other.isEndUnknown ?? false) ||
  other.withoutProgressMs - one.withoutProgressMs;

const mustMove = ({ lag, paused }: PartitionProgress) => lag > 0 && paused === undefined;

function sentence({ host, topic, partition, lag, withoutProgressMs, isEndUnknown }: Stall): string {
  const seconds = Math.round(withoutProgressMs / 1_000);
  const waiting = isEndUnknown ? 'and the broker does not say where it ends' : `with ${lag} records waiting`;
  return `${host} made no progress on ${topic}/${partition} for ${seconds} s ${waiting}`;
}

export interface Watch {
  /** The last judgement. */
  current(): Liveness;
  stop(): void;
}

/** Judges every `everyMs` and calls `onExit` once when the process must end. */
export function watchProgress(
  hosts: () => readonly HostHealth[],
  limits: LivenessLimits,
  onExit: (exit: NonNullable<Liveness['exit']>) => void,
  options: { readonly everyMs?: number; readonly now?: () => number } = {},
): Watch {
  const now = options.now ?? (() => performance.now());
  const judge = () => assess(hosts(), limits, now());
  let isReported = false;
  const timer = setInterval(() => {
    const { exit } = judge();
    if (!exit || isReported) return;
    isReported = true;
    onExit(exit);
  }, options.everyMs ?? 1_000);
  timer.unref();
  return { current: judge, stop: () => clearInterval(timer) };
}
