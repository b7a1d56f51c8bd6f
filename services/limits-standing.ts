// How somebody stands with the limits, over the Redis of the limits and the rules that count now.

import { limitsClient, ready } from '../adapters/redis/limits-client.ts';
import { limitsNamespace } from '../adapters/redis/limits-generation.ts';
import { limitsStanding } from '../adapters/redis/limits-standing.ts';
import { type LimitStanding, limitStandings } from '../operations/limits/standing.ts';
import type { LimitedSubject } from '../processors/limits/requests.ts';
import { gateOf } from './api/gated.ts';
import type { Connections } from './connections.ts';
import { rulesNow } from './policies-now.ts';

export interface LimitsDesk {
  /**
   * One for each subject, in order, all as at one moment.
   * @throws CodedError REDIS_UNAVAILABLE, LIMITS_NOT_HYDRATED, LEDGER_NEWER, POLICY_UNUSABLE, TOO_BUSY, and what the log throws
   *   when it was never read
   */
  standings(subjects: readonly LimitedSubject[]): Promise<readonly LimitStanding[]>;
}

/** How long Redis may take to answer, ms: a person waits. */
const ANSWER_MS = 2_000;
/** How many questions wait for Redis at once: one that hangs takes no more of this process. */
const MAX_LOOKS = 16;

/** Connects in the background: what is asked while Redis is away is refused, and answered once it is there. Close it. */
export function openLimitsDesk(
  connections: Pick<Connections, 'log' | 'codec' | 'config'>,
  clock: () => number = Date.now,
): LimitsDesk & { close(): Promise<void> } {
  const { config } = connections;
  const rules = rulesNow(connections, clock);
  const redis = limitsClient({
    ...{ url: config.redis.limitsUrl, connectTimeoutMs: ANSWER_MS, commandTimeoutMs: ANSWER_MS },
  });
  // The first question may come before the first connection stands.
  const connected = ready(redis, ANSWER_MS);
  const eyes = limitsStanding(redis, limitsNamespace(config.appName));
  const gate = gateOf(MAX_LOOKS);
  return {
    standings: (subjects) =>
      gate(async () => {
        const policy = await rules();
        await connected;
        const at = clock();
        const { content: book } = policy.at(at);
        return limitStandings(eyes, { subjects, book, at });
      }),
    close: async () => redis.disconnect(),
  };
}
