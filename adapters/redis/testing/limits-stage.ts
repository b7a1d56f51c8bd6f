// The limits stage on the real host over a log in memory and a Redis of the test's choice: twenty transfers, eight of them
// reserved before anything happens, and what the counters must say in the end.
import type { Redis } from 'ioredis';
import { LIMIT_RULES } from '../../../domain/limits/limit-rules.ts';
import { hydrateLimits } from '../../../processors/limits/hydrate.ts';
import type { LimitLedger } from '../../../processors/limits/ports.ts';
import { createLimits } from '../../../processors/limits/processor.ts';
import { fixedPolicy } from '../../../processors/policies.ts';
import type { Host } from '../../../runtime/hosts/host.ts';
import { createProcessorHost } from '../../../runtime/hosts/processor-host.ts';
import { silentLogger } from '../../../runtime/logs-and-metrics/logger.ts';
import { createMetrics } from '../../../runtime/logs-and-metrics/metrics.ts';
import {
  AT,
  LIMIT_BOOK,
  payoutRequested,
  transferPriced,
  transferRejected,
  type Wishes,
} from '../../../test/kit/builders.ts';
import { append, input } from '../../../test/kit/harness.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { ManualClock } from '../../../test/kit/manual-clock.ts';
import { memoryHoldClaims, memoryReplayClaims } from '../../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../../test/kit/memory-codec.ts';
import { ledgerReading, MemoryLedger } from '../../../test/kit/memory-ledger.ts';
import { MemoryLog } from '../../../test/kit/memory-log.ts';
import { testRings } from '../../../test/kit/rings.ts';
import type { TopicValues } from '../../../topics/catalogue.ts';
import { limitsLedger } from '../limits.ts';
import { limitsClient, ready } from '../limits-client.ts';
import { verifyLimits } from '../verify-limits.ts';

export const transferIds = Array.from({ length: 20 }, (_, n) => `transfer-${String(n).padStart(4, '0')}`);
export const EARLY = 8;
/** Small enough for all of them to stay within the limits of their sender, whatever their order. */
const wishes = (transferId: string): Wishes => ({
  transferId,
  intent: { instructedAmount: { minor: 10_000n, currency: 'GBP' } },
});

/** The stage, its log, and whatever ledger it is given. */
export class LimitsStage {
  readonly clock = new ManualClock(AT);
  readonly codec = memoryCodec();
  readonly log = new MemoryLog({ partitions: 4, clock: this.clock, manual: true });
  readonly ledger: LimitLedger;
  host!: Host;

  constructor(ledger: LimitLedger) {
    this.ledger = ledger;
  }

  async start(): Promise<void> {
    const processor = createLimits({
      keys: KEYS,
      ledger: this.ledger,
      holds: memoryHoldClaims(),
      rules: fixedPolicy(LIMIT_BOOK),
      clock: this.clock.now,
    });
    this.host = createProcessorHost({
      replayClaims: memoryReplayClaims(),
      processor,
      app: this.log.app,
      log: this.log,
      codec: this.codec,
      rings: testRings,
      clock: this.clock,
      logger: silentLogger,
      metrics: createMetrics(),
      chainPartitions: 4,
      maxBatchRecords: 100,
      lingerMs: 0,
      retry: [3, 3],
    });
    await this.host.start();
  }

  feed(from: number, to: number): void {
    for (const transferId of transferIds.slice(from, to)) {
      append(this.log, this.codec, input('transfer.priced', transferPriced(wishes(transferId))));
    }
  }

  /** An early transfer ends: its reservation is to be released. */
  feedEnd(): void {
    append(
      this.log,
      this.codec,
      input('transfer.rejected', transferRejected(payoutRequested(wishes(transferIds[0]!)))),
    );
  }

  /** Lets the partitions try once more. */
  async attempt(): Promise<void> {
    this.clock.advance(15_000);
    await this.consumer.step();
  }

  get consumer() {
    return this.log.consumers.at(-1)!;
  }

  get done(): boolean {
    return this.consumer.progress().every(({ lag }) => lag === 0);
  }

  async reserved(): Promise<readonly TopicValues['transfer.reserved'][]> {
    const records = this.log.all('transfer.reserved');
    const decoded = await this.codec.decode(
      'transfer.reserved',
      records.map(({ value }) => value),
    );
    return decoded.map((result) => {
      if (!result.ok) throw new Error(result.code);
      return result.value;
    });
  }

  deadLetters = () => this.log.all('limits.dlq').length;
}

/** Counters after the same inputs, without any trouble. */
export async function untroubledCounters(): Promise<readonly string[]> {
  const ledger = new MemoryLedger();
  const stage = new LimitsStage(ledger);
  await stage.start();
  stage.feed(0, EARLY);
  await stage.attempt();
  stage.feedEnd();
  stage.feed(EARLY, transferIds.length);
  await stage.attempt();
  if (!stage.done) throw new Error('the stage without trouble is not done');
  return [...ledger.counters].map(([bucket, { used, open }]) => `${bucket} ${used} ${open}`).sort();
}

export async function countersOf(redis: Redis): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const page of verifyLimits(redis).counters()) {
    for (const { bucket, usedMinor, open } of page) found.push(`${bucket} ${usedMinor} ${open}`);
  }
  return found.sort();
}

/** A stage over the Redis at `url`, with the early transfers reserved and the others before it. */
export async function stageOn(url: string) {
  const redis = limitsClient({ url, commandTimeoutMs: 1_000 });
  await ready(redis);
  const ledger = limitsLedger(redis, { keys: KEYS.stages });
  const stage = new LimitsStage(ledger);
  /** What the hydration host does each second. */
  const hydrate = () =>
    hydrateLimits(
      ledger,
      LIMIT_RULES,
      ledgerReading(async (add) => {
        for (const value of await stage.reserved()) await add('transfer.reserved', value);
        return undefined;
      }),
    );
  await hydrate();
  await stage.start();
  stage.feed(0, EARLY);
  await stage.attempt();
  const reserved = (await stage.reserved()).length;
  if (reserved !== EARLY) throw new Error(`${reserved} of ${EARLY} are reserved before anything has happened`);
  stage.feedEnd();
  stage.feed(EARLY, transferIds.length);
  return { stage, redis, ledger, hydrate };
}
