// Rates as people look at them and act on them.
import { ringFor } from '../domain/seals/seal.ts';
import { newerThan } from '../operations/rates/import.ts';
import type { RateLog } from '../operations/rates/ports.ts';
import { CodedError } from '../ports/fault.ts';
import { recordMaker } from '../ports/records.ts';
import { hasRing, ringOf } from '../ports/seals.ts';
import { createFxPricing, type FxPricing } from '../processors/fx-pricing/processor.ts';
import { createTable } from '../runtime/hosts/table.ts';
import type { AcceptedRate, FxRate } from '../schemas/types.generated.ts';
import { fxAcceptedRates, fxJumpsAccepted, fxRates } from '../topics/boundary.ts';
import type { TopicValues } from '../topics/catalogue.ts';
import { followedRates } from './accepted-rates.ts';
import { corridorBookOf } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { configuredPolicy } from './terms.ts';

const OWNER = 'rates';

type LogComponents = Pick<Connections, 'log' | 'codec'> & { readonly config: Pick<Connections['config'], 'keys'> };

/** Reads the topics to their ends whenever it is asked: they are small, and what was acknowledged before must be seen. */
export function rateLog(parts: LogComponents): RateLog {
  const { config, log, codec } = parts;
  const topic = fxJumpsAccepted.name;
  return {
    isProven: hasRing(config.keys, 'stages'),
    accepted: () => (hasRing(config.keys, 'stages') ? latestOf(parts, fxAcceptedRates.name) : acceptedUnproven(parts)),
    jumps: () => latestOf(parts, topic),
    async publish(jump) {
      await codec.load([topic]);
      const make = recordMaker({ owner: OWNER, writes: [fxJumpsAccepted], codec, rings: config.keys });
      const writer = await log.writer(OWNER);
      try {
        await writer.send([make(topic, jump, { partition: 0 })]);
      } finally {
        await writer.close();
      }
    },
  };
}

async function latestOf<T extends 'fx.accepted-rates' | 'fx.jumps-accepted'>(
  { config, log, codec }: LogComponents,
  topic: T,
): Promise<ReadonlyMap<string, TopicValues[T]>> {
  const table = createTable({ topic, log, codec, rings: config.keys });
  try {
    await table.start();
    return new Map(table.entries());
  } finally {
    await table.stop();
  }
}

/** Without the keys of stages: as the records say, whoever wrote them. What is bound to one that is not true has no effect. */
async function acceptedUnproven({ log, codec }: LogComponents): Promise<ReadonlyMap<string, AcceptedRate>> {
  const { name } = fxAcceptedRates;
  await codec.load([name]);
  const reader = log.reader();
  const latest = new Map<string, AcceptedRate>();
  await reader.read(await reader.offsets([name]), async ({ records }) => {
    for (const result of await codec.decode(
      name,
      records.map(({ value }) => value),
    )) {
      if (!result.ok) continue;
      const key = fxAcceptedRates.keyOf(result.value);
      if (result.value.version >= (latest.get(key)?.version ?? 0)) latest.set(key, result.value);
    }
  });
  return latest;
}

export interface RatePublisher {
  /**
   * Writes rates of one source that are newer than what the log has of it.
   * @returns those that it wrote
   * @throws CodedError of the log
   */
  publish(source: string, rates: readonly FxRate[]): Promise<readonly FxRate[]>;
  close(): Promise<void>;
}

/**
 * Follows what the log has of each source, and writes what is newer.
 * @param sources that are written for
 * @throws CodedError CONFIG_INVALID when no key speaks for one of them, and those of the log
 */
export async function ratePublisher(
  { log, codec, config: { keys } }: LogComponents,
  sources: readonly string[],
): Promise<RatePublisher> {
  const makers = new Map(
    sources.map((source) => {
      const feeds = ringFor(ringOf(keys, 'feeds'), source);
      if (feeds) return [source, recordMaker({ owner: OWNER, writes: [fxRates], codec, rings: { ...keys, feeds } })];
      throw new CodedError('CONFIG_INVALID', `no key of CORRIDOR_FEED_KEYS speaks for ${source}`);
    }),
  );
  const table = createTable({ topic: fxRates.name, log, codec, rings: keys });
  /** What it wrote itself, which the table may not have yet. */
  const own = new Map<string, FxRate>();
  const known = (key: string) => {
    const [read, written] = [table.get(key), own.get(key)];
    return written && written.observedAt > (read?.observedAt ?? 0) ? written : read;
  };
  await table.start();
  const writer = await log.writer(OWNER);
  return {
    async publish(source, rates) {
      const make = makers.get(source)!;
      const newer = newerThan(known, rates);
      if (newer.length === 0) return [];
      await writer.send(newer.map((rate) => make(fxRates.name, rate, { partition: 0 })));
      for (const rate of newer) own.set(fxRates.keyOf(rate), rate);
      return newer;
    },
    close: async () => {
      await writer.close();
      await table.stop();
    },
  };
}

/**
 * The same, once.
 * @throws CodedError as `ratePublisher`
 */
export async function publishRates(
  parts: LogComponents,
  source: string,
  rates: readonly FxRate[],
): Promise<readonly FxRate[]> {
  const publisher = await ratePublisher(parts, [source]);
  try {
    return await publisher.publish(source, rates);
  } finally {
    await publisher.close();
  }
}

/** The route of each corridor now, as pricing would take it, and what it went by before; needs the keys of feeds and stages. */
export async function ratesNow(connections: Pick<Connections, 'log' | 'codec' | 'config'>): Promise<{
  readonly routes: ReturnType<FxPricing['routes']>;
  readonly accepted: ReadonlyMap<string, AcceptedRate>;
  readonly rates: readonly FxRate[];
}> {
  const { log, codec, config } = connections;
  const rates = createTable({ topic: fxRates.name, log, codec, rings: config.keys });
  const { accepted, tables, close } = followedRates(connections, { isDry: true });
  const all = [rates, ...tables];
  try {
    await Promise.all(all.map((table) => table.start()));
    const pricing = createFxPricing({
      ...{ rates, accepted, corridors: corridorBookOf(config), clock: Date.now },
      terms: configuredPolicy(config),
    });
    const [known] = tables;
    return {
      routes: pricing.routes(),
      accepted: new Map(known!.entries() as Iterable<[string, AcceptedRate]>),
      rates: [...rates.entries()].map(([, rate]) => rate),
    };
  } finally {
    await Promise.all(all.map((table) => table.stop()));
    await close();
  }
}
