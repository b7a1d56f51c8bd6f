// A day as the stages made it: the sample feed, and what a test adds, through the real stages on the real host, in memory.
import type { LimitRuleSet } from '../../../domain/limits/limit-rules.ts';
import { createFxPricing } from '../../../processors/fx-pricing/processor.ts';
import { createIntake } from '../../../processors/intake/processor.ts';
import { bookOf, createLimits } from '../../../processors/limits/processor.ts';
import { fixedPolicy } from '../../../processors/policies.ts';
import { createScreening } from '../../../processors/screening/processor.ts';
import { inboundReader } from '../../../runtime/hosts/inbound-records.ts';
import { sampleRates } from '../../../samples/rates.ts';
import { sampleFeed } from '../../../samples/sample.ts';
import type { FxRate, TransferRequested } from '../../../schemas/types.generated.ts';
import type { ListVersion } from '../../../screening/lists/index.ts';
import { listedPersons, loadSampleList } from '../../../screening/lists/sample/load.ts';
import { BOOK, BUILT_IN_PRICES, TOKEN_KEY } from '../../../test/kit/builders.ts';
import { input, runProcessor } from '../../../test/kit/harness.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { ManualClock } from '../../../test/kit/manual-clock.ts';
import { memoryHoldClaims, memoryIntentClaims } from '../../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../../test/kit/memory-codec.ts';
import { MemoryLedger } from '../../../test/kit/memory-ledger.ts';
import { MemoryLog } from '../../../test/kit/memory-log.ts';
import { memoryRates } from '../../../test/kit/memory-rates.ts';
import { type MemoryLists, memoryLists, screenerOver } from '../../../test/kit/memory-screening.ts';
import { testRings } from '../../../test/kit/rings.ts';
import type { TopicName, TopicValues } from '../../../topics/catalogue.ts';
import { homePartition } from '../../../topics/home-partition.ts';
import { PAIR_TOPICS } from '../pairs.ts';

export const PARTITIONS = 4;
const WAVE_MS = 600_000;

export interface DayOptions {
  readonly waves: number;
  readonly perWave: number;
  readonly limits: LimitRuleSet;
  /** More intents, of this time, by wave. */
  readonly more?: (wave: number, now: number) => readonly TransferRequested[];
}

export interface Day {
  readonly log: MemoryLog;
  readonly from: number;
  readonly to: number;
  readonly lists: MemoryLists;
  readonly list: ListVersion;
  readonly limits: LimitRuleSet;
  readonly receive: ReturnType<typeof inboundReader>;
  readonly codec: ReturnType<typeof memoryCodec>;
  /** All events of a topic. */
  events<T extends TopicName>(topic: T): Promise<readonly TopicValues[T][]>;
}

/** What intake goes by, then and in a backtest that changes nothing. */
export const INTAKE = {
  corridors: BOOK,
  tokenKey: TOKEN_KEY,
  homePartitionOf: (transferId: string) => homePartition(transferId, PARTITIONS),
};

export async function aDay({ waves, perWave, limits, more = () => [] }: DayOptions): Promise<Day> {
  const clock = new ManualClock(Date.UTC(2026, 10, 23, 6));
  const codec = memoryCodec();
  const log = new MemoryLog({ partitions: PARTITIONS, clock, manual: true });
  const lists = memoryLists();
  const list = await loadSampleList();
  await lists.put(list);
  const from = clock.now();
  const rates = { version: 0, of: [] as readonly FxRate[] };
  const stages = stagesOf({ clock, lists, limits, rates });
  for (let wave = 0; wave < waves; wave++) {
    rates.version += 1;
    rates.of = sampleRates(clock.now());
    const fed = [
      ...sampleFeed({
        ...{ count: perWave, seed: wave, runId: 'a-day', now: clock.now() },
        ...{ listedNames: listedPersons(list), encode: (intent) => codec.encode('transfer.requested', intent) },
      }),
    ];
    const sample = fed.map(({ key, value }) => ({
      ...{ topic: 'transfer.requested', key, bytes: value },
      partition: homePartition(key ?? '', PARTITIONS),
    }));
    const added = more(wave, clock.now()).map((intent) => input('transfer.requested', intent));
    const shared = { log, codec, clock, maxVirtualMs: 60_000 };
    await runProcessor(stages.intake as never, { ...shared, inputs: [...sample, ...added] });
    for (const stage of [stages.screening, stages.pricing, stages.limits])
      await runProcessor(stage as never, { ...shared, inputs: [] });
    clock.advance(WAVE_MS);
  }
  const receive = inboundReader({
    ...{ owner: 'backtest', reads: PAIR_TOPICS, codec, rings: testRings, sealsRecovery: true },
    chainPartitions: PARTITIONS,
  });
  const events = async <T extends TopicName>(topic: T): Promise<readonly TopicValues[T][]> => {
    const results = await codec.decode(
      topic,
      log.all(topic).map(({ value }) => value),
    );
    return results.flatMap((result) => (result.ok ? [result.value] : []));
  };
  return { ...{ log, from, to: clock.now(), lists, list, limits, receive, codec, events } };
}

interface World {
  readonly clock: ManualClock;
  readonly lists: MemoryLists;
  readonly limits: LimitRuleSet;
  readonly rates: { readonly version: number; readonly of: readonly FxRate[] };
}

function stagesOf({ clock, lists, limits, rates }: World) {
  const holding = { holds: memoryHoldClaims(), keys: { ...testRings, needsTwo: KEYS.needsTwo }, clock: clock.now };
  return {
    intake: createIntake({ ...INTAKE, claims: memoryIntentClaims(), clock: clock.now }),
    screening: createScreening({ ...holding, screener: screenerOver(lists, { clock: clock.now }) }),
    pricing: createFxPricing({
      rates: {
        get version() {
          return rates.version;
        },
        entries: () => rates.of.map((rate) => [`${rate.base}/${rate.quote}`, rate] as const),
      },
      ...{ accepted: memoryRates(), corridors: BOOK, terms: BUILT_IN_PRICES, clock: clock.now },
    }),
    limits: createLimits({ ...holding, ledger: new MemoryLedger(), rules: fixedPolicy(bookOf(limits, BOOK)) }),
  };
}
