// Dependencies that background work (relays, sweeps, timers) found down. No partition waits for them, so nothing else
// would show it.
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { DependencyTrouble } from '../hosts/host.ts';

/** Codes of a dependency that is down, and its name in health. */
const DEPENDENCY_OF: Readonly<Record<string, string>> = {
  KAFKA_UNAVAILABLE: 'kafka',
  KAFKA_REFUSED: 'kafka',
  KAFKA_CLIENT: 'kafka',
  CLIENT_BUG: 'kafka',
  WRITE_UNKNOWN: 'kafka',
  ATTEMPT_CLAIMS_LATE: 'kafka',
  READ_STALLED: 'kafka',
  KAFKA_UNAUTHORIZED: 'kafka',
  KAFKA_UNAUTHENTICATED: 'kafka',
  MONGO_UNAVAILABLE: 'mongo',
  MONGO_REFUSED: 'mongo',
  MONGO_UNKNOWN: 'mongo',
  MONGO_UNAUTHORISED: 'mongo',
  REGISTRY_UNAVAILABLE: 'registry',
  REGISTRY_INCOMPLETE: 'registry',
  REDIS_UNAVAILABLE: 'redis-limits',
  REDIS_QUEUE_UNAVAILABLE: 'redis-queue',
  // The client of the limits ends its part; that of the queue is made anew beside it.
  REDIS_CLIENT_BROKEN: 'redis-queue',
};
/** Work in the background tries again within this time, so that a trouble not met for longer is over, ms. */
const OVER_AFTER_MS = 10_000;

export interface RecentOutages {
  /** A fault of background work; anything but an outage is ignored. */
  met(code: ErrorCode, detail: string): void;
  /** Dependencies met as down within the last ten seconds. */
  troubles(): readonly DependencyTrouble[];
}

/** @param topic what waits for the background work, for people */
export function recentOutages(topic: string, monotonic: () => number = () => performance.now()): RecentOutages {
  const met = new Map<string, DependencyTrouble>();
  const troubles = () => {
    for (const [dependency, { lastMetAt }] of met) {
      if (lastMetAt < monotonic() - OVER_AFTER_MS) met.delete(dependency);
    }
    return [...met.values()];
  };
  return {
    met(code, detail) {
      const dependency = DEPENDENCY_OF[code];
      if (dependency === undefined) return;
      const since = troubles().find((trouble) => trouble.dependency === dependency)?.since ?? Date.now();
      met.set(dependency, { dependency, code, detail, since, topic, partition: 0, lastMetAt: monotonic() });
    },
    troubles,
  };
}
