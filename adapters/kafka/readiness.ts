// Waiting for a cluster that is still making up its mind: right after topics were made, brokers refuse what they are asked
// because a leader is not chosen yet, or because they have not heard of it.

import { backoffMs } from '../../ports/backoff.ts';
import { CodedError } from '../../ports/fault.ts';
import { pause } from '../../ports/pause.ts';
import { brokerErrorType, codedError } from './fault.ts';

/** How long topics and offsets are tried for, ms: as long as a slow machine may take for its first start. */
export const PROVISION_TIMEOUT_MS = 180_000;
/** Brokers that have just started are not all registered: until then a replication factor can be too large for them. */
const REGISTRATION_TIMEOUT_MS = 30_000;
const BACKOFF = { firstMs: 50, maxMs: 2_000 };

/** A topic as one broker knows it. */
export interface KnownTopic {
  readonly name: string;
  readonly partitions: number;
  /** Partitions without a leader. */
  readonly leaderless: number;
}

export interface RetryUntil {
  readonly timeoutMs?: number;
  /** Waits; the argument is the number of failures so far. */
  readonly wait?: (failures: number) => Promise<void>;
  /** Monotonic ms. */
  readonly now?: () => number;
}

const waitAwhile = (failures: number) => pause(backoffMs(failures, BACKOFF));

/** Runs `request`, which must be safe to run twice, until it is answered; rejects with the last refusal when time is up. */
export async function insist<T>(request: () => Promise<T>, until: RetryUntil = {}): Promise<T> {
  const { timeoutMs = PROVISION_TIMEOUT_MS, wait = waitAwhile, now = () => performance.now() } = until;
  const began = now();
  const timeoutFor = (error: unknown, isTransient: boolean): number => {
    if (isTransient) return timeoutMs;
    return brokerErrorType(error) === 'INVALID_REPLICATION_FACTOR' ? REGISTRATION_TIMEOUT_MS : 0;
  };
  for (let failures = 1; ; failures++) {
    try {
      return await request();
    } catch (error) {
      const coded = codedError(error);
      if (now() - began >= timeoutFor(error, coded.faultClass === 'transient-dependency')) throw coded;
    }
    await wait(failures);
  }
}

/** Throws TOPICS_NOT_READY, naming one, unless every broker knows all topics with all partitions, each with a leader. */
export function assertReady(
  wanted: readonly { readonly name: string; readonly partitions: number }[],
  brokers: readonly (readonly KnownTopic[])[],
): void {
  for (const known of brokers) {
    const byName = new Map(known.map((topic) => [topic.name, topic]));
    for (const { name, partitions } of wanted) {
      const found = byName.get(name);
      if (found && found.partitions >= partitions && found.leaderless === 0) continue;
      const why = found
        ? `${found.partitions} of ${partitions} partitions, ${found.leaderless} without a leader`
        : 'unknown';
      throw new CodedError(
        'TOPICS_NOT_READY',
        `a broker does not have topic ${name} ready (${why}): look at the broker's log, then run \`corridor topics apply\` again`,
        { faultClass: 'transient-dependency', dependency: 'kafka' },
      );
    }
  }
}
