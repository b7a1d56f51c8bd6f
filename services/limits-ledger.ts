// The ledger of limits as people look at it: snapshots of it, what the log says that it must hold, and having it rebuilt.
import { limitsClient, ready } from '../adapters/redis/limits-client.ts';
import { limitsContents } from '../adapters/redis/limits-contents.ts';
import { limitsGeneration, limitsNamespace } from '../adapters/redis/limits-generation.ts';
import { type AuditOptions, auditLedger, guarded, type LimitsAudit, type Motion } from '../operations/limits/audit.ts';
import { groupId } from '../ports/consumer-groups/names.ts';
import { requireRings } from '../ports/seals.ts';
import { LEDGER_TOPICS, LedgerFold } from '../processors/limits/rebuild.ts';
import { rulesOf } from '../processors/limits/requests.ts';
import { topology } from '../processors/topology.ts';
import { transferPriced } from '../topics/chain.ts';
import { headerText, RECOVERY_HEADER } from '../topics/headers.ts';
import { inputTopics } from '../topics/recovery.ts';
import type { Connections } from './connections.ts';
import { limitsSnapshots, type SnapshotHead } from './limits-snapshots.ts';
import { followedLimits } from './policies.ts';
import { ledgerReader } from './process-parts/hydration.ts';

export interface HeldOptions {
  /** Transfers and uses in memory at most; default: as many as there are. */
  readonly maxHeld?: number;
}

/** What the log says now, beginning at the newest snapshot. @throws CodedError LIMITS_TOO_LARGE, CONFIG_INVALID */
async function foldOf(connections: Connections, { maxHeld }: HeldOptions) {
  const { log, codec, config } = connections;
  requireRings(config.keys, LEDGER_TOPICS);
  const policy = followedLimits(connections);
  try {
    await policy.table.start();
    const rules = rulesOf(policy);
    const fold = new LedgerFold(rules, maxHeld);
    const read = ledgerReader({ log, codec, rings: config.keys, snapshots: limitsSnapshots({ log, codec, config }) });
    const since = await guarded(() =>
      read((topic, value) => fold.add(topic, value), { resume: false, restore: (entry) => fold.restore(entry) }),
    );
    return { fold, read, since, rules };
  } finally {
    await policy.table.stop();
  }
}

/**
 * Takes a snapshot, from the newest one and the log behind it.
 * @throws CodedError CONFIG_INVALID, LIMITS_TOO_LARGE, and what the log throws
 */
export async function takeSnapshot(connections: Connections, options: HeldOptions = {}): Promise<SnapshotHead> {
  const { fold, read, since } = await foldOf(connections, options);
  // By a clock that runs ahead, open windows would be forgotten.
  const takenAt = Math.min(Date.now(), fold.newestAt);
  return limitsSnapshots(connections).write(fold.entries(takenAt), {
    ...{ takenAt, missingSince: since ?? null, positions: read.positions() },
  });
}

/** Compares Redis with the log. @throws CodedError CONFIG_INVALID, LIMITS_TOO_LARGE, and of the stores */
export async function auditLimits(connections: Connections, options: AuditOptions & HeldOptions): Promise<LimitsAudit> {
  const { config } = connections;
  const redis = limitsClient({ url: config.redis.limitsUrl });
  try {
    await ready(redis);
    let begun: Awaited<ReturnType<typeof foldOf>> | undefined;
    return await auditLedger(
      {
        ledger: limitsContents(redis, { keys: config.keys.stages, namespace: limitsNamespace(config.appName) }),
        fold: async () => (begun = await foldOf(connections, options)),
        foldOn: async () => {
          const { fold, read } = begun!;
          await read((topic, value) => fold.add(topic, value), { resume: true });
        },
        stageStands: () => stageStands(connections, providersOf(begun!.rules)),
        transactionTimeoutMs: config.kafka.transactionTimeoutMs,
      },
      options,
    );
  } finally {
    redis.disconnect();
  }
}

const STAGE = 'limits';
const INPUTS = inputTopics(
  STAGE,
  topology.limits.reads.map(({ name }) => name),
);

const providersOf = (rules: Awaited<ReturnType<typeof foldOf>>['rules']): readonly string[] =>
  rules.flatMap(({ provider }) => provider ?? []);

/** Where the stage has committed to; its answer reads what stands from there to the ends of that moment. */
async function stageStands({ log, codec, config }: Connections, providers: readonly string[]) {
  const admin = await log.admin();
  // Under load some transaction is always under way. An offset of before it leaves more out, and takes nothing for drift.
  const group = groupId(config.appName, STAGE);
  const committed = await admin.committed(group, INPUTS, { evenUnstable: true }).finally(() => admin.close());
  const stands = new Map(committed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset ?? 0]));
  return async (): Promise<Motion> => {
    await codec.load([transferPriced.name]);
    const [transfers, subjects] = [new Set<string>(), new Set<string>()];
    const reader = log.reader();
    const tails = (await reader.offsets(INPUTS)).map((range) => {
      const from = Math.max(range.from, stands.get(`${range.topic}/${range.partition}`) ?? 0);
      return { ...range, from: Math.min(from, range.to) };
    });
    await reader.read(tails, async ({ topic, records }) => {
      for (const { key } of records) if (key !== null) transfers.add(key.toString('utf8'));
      // What waits was read by the contract of its source. What nobody can read moves nothing.
      const priced = records.filter(
        ({ value, headers }) =>
          value !== null && (headerText(headers, RECOVERY_HEADER.sourceTopic) ?? topic) === transferPriced.name,
      );
      const values = priced.map(({ value }) => value);
      for (const result of await codec.decode(transferPriced.name, values)) {
        if (!result.ok) continue;
        const { debtorToken, creditorToken, fundingToken, producerId } = result.value.instruction;
        const named = [debtorToken, creditorToken, `${debtorToken}.${creditorToken}`, fundingToken, producerId];
        for (const token of [...named, ...providers]) if (token !== null) subjects.add(token);
      }
    });
    return { transfers, subjects };
  };
}

/** Puts the ledger out of force: the stage that runs makes it anew from snapshot and log, within a second. */
export async function rebuildLimits({ config }: Connections): Promise<void> {
  const redis = limitsClient({ url: config.redis.limitsUrl });
  try {
    await ready(redis);
    await limitsGeneration(redis, limitsNamespace(config.appName)).close();
  } finally {
    redis.disconnect();
  }
}
