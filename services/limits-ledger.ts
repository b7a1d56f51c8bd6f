// The ledger of limits as people look at it: snapshots of it, what the log says that it must hold, and having it rebuilt.
import { limitsLedger, limitsNamespace } from '../adapters/redis/limits.ts';
import { limitsClient, ready } from '../adapters/redis/limits-client.ts';
import { verifyLimits } from '../adapters/redis/verify-limits.ts';
import { byRuleAndWindow, type DriftOf, driftBetween, lasting } from '../operations/limits/drift.ts';
import { CodedError } from '../ports/fault.ts';
import { pause } from '../ports/pause.ts';
import { requireRings } from '../ports/seals.ts';
import { LEDGER_TOPICS, LedgerFold } from '../processors/limits/rebuild.ts';
import { rulesOf } from '../processors/limits/requests.ts';
import type { Connections } from './connections.ts';
import { limitsSnapshots, type SnapshotHead } from './limits-snapshots.ts';
import { followedLimits } from './policies.ts';
import { ledgerReader } from './process-parts/hydration.ts';

/** What the log says now, beginning at the newest snapshot. */
async function foldOf(connections: Connections) {
  const { log, codec, config } = connections;
  requireRings(config.keys, LEDGER_TOPICS);
  const policy = followedLimits(connections);
  try {
    await policy.table.start();
    const fold = new LedgerFold(rulesOf(policy));
    const read = ledgerReader({ log, codec, rings: config.keys, snapshots: limitsSnapshots({ log, codec, config }) });
    const since = await read((topic, value) => fold.add(topic, value), {
      resume: false,
      restore: (entry) => fold.restore(entry),
    });
    return { fold, read, since };
  } finally {
    await policy.table.stop();
  }
}

/** Which windows are over: by a clock that runs ahead, open ones would be forgotten. ms since 1970. */
const asOf = (fold: LedgerFold): number => Math.min(Date.now(), fold.newestAt);

/** Takes a snapshot, from the newest one and the log behind it. @throws CodedError CONFIG_INVALID, and what the log throws */
export async function takeSnapshot(connections: Connections): Promise<SnapshotHead> {
  const { fold, read, since } = await foldOf(connections);
  const takenAt = asOf(fold);
  return limitsSnapshots(connections).write(fold.entries(takenAt), {
    ...{ takenAt, missingSince: since ?? null, positions: read.positions() },
  });
}

export interface LimitsAudit {
  readonly transfers: number;
  /** The log and snapshots do not reach back to the first use: ms since 1970; null: they do. */
  readonly missingSince: number | null;
  readonly drift: readonly DriftOf[];
}

/** Compares Redis with the log, twice where they differ. @throws CodedError LIMITS_NOT_HYDRATED, and of the stores */
export async function auditLimits(connections: Connections): Promise<LimitsAudit> {
  const { config } = connections;
  const redis = limitsClient({ url: config.redis.limitsUrl });
  try {
    await ready(redis);
    const store = verifyLimits(redis, limitsNamespace(config.appName));
    if (!(await store.hydrated())) throw lost();
    const { fold, read, since } = await foldOf(connections);
    const look = () => driftBetween(fold.state().counters, store.counters(), asOf(fold));
    const first = await look();
    let then = first;
    if (first.size > 0) {
      // What was being committed is in the log by then, or never will be.
      await pause(config.kafka.transactionTimeoutMs);
      await read((topic, value) => fold.add(topic, value), { resume: true });
      then = await look();
    }
    return { transfers: fold.transfers, missingSince: since ?? null, drift: byRuleAndWindow(lasting(first, then)) };
  } finally {
    redis.disconnect();
  }
}

/** Puts the ledger out of force: the stage that runs makes it anew from snapshot and log, within a second. */
export async function rebuildLimits({ config }: Connections): Promise<void> {
  const redis = limitsClient({ url: config.redis.limitsUrl });
  try {
    await ready(redis);
    await limitsLedger(redis, { namespace: limitsNamespace(config.appName) }).close();
  } finally {
    redis.disconnect();
  }
}

const lost = () =>
  new CodedError('LIMITS_NOT_HYDRATED', 'the limits ledger is lost or not filled yet: the stage rebuilds it', {
    faultClass: 'transient-dependency',
    dependency: 'redis-limits',
  });
