// Keeps the limits ledger in step with the log: filled at the first start, and again whenever Redis has lost it.

import { z } from 'zod';
import type { LimitRule } from '../../domain/limits/limit-rules.ts';
import { safeText } from '../../domain/text/text.ts';
import type { Codec } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Log, PartitionRange } from '../../ports/log.ts';
import { pause } from '../../ports/pause.ts';
import { type Rings, sealFlaw } from '../../ports/seals.ts';
import {
  catchUpLimits,
  type Hydration,
  hydrateLimits,
  type LedgerReader,
  type ShortRule,
} from '../../processors/limits/hydrate.ts';
import type { LedgerStore } from '../../processors/limits/ports.ts';
import { LEDGER_TOPICS, type LedgerTopic } from '../../processors/limits/rebuild.ts';
import { faultOf } from '../../runtime/fault.ts';
import type { Host, HostHealth, HostState } from '../../runtime/hosts/host.ts';
import type { Logger } from '../../runtime/logs-and-metrics/logger.ts';
import type { Metrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { LimitsSnapshot } from '../../schemas/types.generated.ts';
import type { LimitsSnapshots, SnapshotHead } from '../limits-snapshots.ts';

const CHECK_EVERY_MS = 1_000;

export interface HydrationOptions {
  readonly ledger: LedgerStore;
  readonly log: Log;
  readonly codec: Codec;
  readonly rings: Rings;
  /** Every rule that has reserved, or may: asked before each pass, since versions come while it runs. */
  readonly rules: () => readonly LimitRule[];
  /** Resolves when `rules` knows all that was put in force so far. */
  readonly ready: () => Promise<void>;
  readonly logger: Logger;
  readonly metrics?: Pick<Metrics, 'limitsHistoryShort'>;
  /** Where a rebuild begins; absent: at the start of the log. */
  readonly snapshots?: LimitsSnapshots;
  /** ms since 1970 */
  readonly clock?: () => number;
  /**
   * How long the broker lets a transaction stay open, ms. One that had reserved in the lost ledger may still commit in
   * that time, so the log is read once more after it.
   */
  readonly transactionTimeoutMs: number;
}

/**
 * Reads the ledger's topics from the start, or from where the newest snapshot ended; and on a resumed pass from where the last
 * pass that came through ended.
 */
export function ledgerReader({
  log,
  codec,
  rings,
  snapshots,
  clock = Date.now,
}: Pick<HydrationOptions, 'log' | 'codec' | 'rings' | 'snapshots' | 'clock'>): PlacedReader {
  const done = new Map<string, number>();
  let ids: ReadonlyMap<string, string> = new Map();
  const read = async (...[add, { resume, restore, atEnd }]: Parameters<LedgerReader>): Promise<number | undefined> => {
    await codec.load(LEDGER_TOPICS);
    const reader = log.reader();
    const whole = await reader.offsets(LEDGER_TOPICS);
    ids = await topicIdsOf(log);
    const newest = resume || restore === undefined ? undefined : await snapshots?.latest();
    const head = newest !== undefined && isOfThisLog(newest, whole, ids) ? newest : undefined;
    const kept = new Map(head?.positions.map((position) => [placeOf(position), position.offset]));
    const ranges = whole.map((range) => {
      const from = resume ? (done.get(placeOf(range)) ?? range.from) : (kept.get(placeOf(range)) ?? range.from);
      return { ...range, from: Math.max(range.from, from) };
    });
    let since = head?.missingSince ?? undefined;
    const missing = (before: number) => {
      since = Math.max(since ?? 0, before);
    };
    if (head !== undefined) await snapshots!.entriesOf(head, restore!);
    // What it was of is gone: a topic was made anew, and begins at nothing as though nothing had been before.
    else if (newest !== undefined) missing(clock());
    // Partitions that have lost records which no snapshot has.
    const cut = whole.filter((range) => !resume && range.from > (kept.get(placeOf(range)) ?? 0));
    const isCut = new Set(cut.map(placeOf));
    await reader.read(ranges, async ({ topic, partition, records }) => {
      const name = topic as LedgerTopic;
      // The first record of a partition that has lost its beginning: from here on it is whole.
      const [first] = records;
      if (first !== undefined && isCut.delete(placeOf({ topic, partition }))) missing(first.timestamp);
      // What its stage has not sealed reserves and releases nothing.
      const proven = records.filter((record) => {
        const flaw = sealFlaw(rings, topic, record);
        // A stage may have sealed it under a key that was taken away since: nobody can tell, so what was before is not whole.
        if (flaw === 'SEAL_KEY_UNKNOWN') missing(Math.min(record.timestamp, clock()));
        return flaw === undefined;
      });
      const values = proven.map(({ value }) => value);
      for (const result of await codec.decode(name, values)) {
        if (!result.ok) throw unreadable(topic, result);
        await add(name, result.value);
      }
    });
    // What was emptied says nothing of how long it was whole.
    if (isCut.size > 0) missing(clock());
    await atEnd?.();
    for (const { topic, partition, to } of ranges) done.set(placeOf({ topic, partition }), to);
    return since;
  };
  const positions = () =>
    [...done].map(([place, offset]) => {
      const at = place.lastIndexOf('/');
      const topic = place.slice(0, at);
      return { topic, partition: Number(place.slice(at + 1)), offset, topicId: ids.get(topic) ?? null };
    });
  return Object.assign(read, {
    positions,
    place: () => JSON.stringify(positions()),
    resumeAt(place: string) {
      done.clear();
      for (const each of placeText.parse(JSON.parse(place))) done.set(placeOf(each), each.offset);
    },
  });
}

/** A reader that tells how far it has come, to snapshots too. */
export interface PlacedReader extends LedgerReader {
  positions(): LimitsSnapshot['positions'];
}

const placeText = z.array(
  z.strictObject({
    topic: z.string(),
    partition: z.int().nonnegative(),
    offset: z.int().nonnegative(),
    topicId: z.string().nullable(),
  }),
);

/** One that is ahead of the log, or that names other topics of these names, is of another log: a topic was made anew. */
function isOfThisLog(
  { positions }: SnapshotHead,
  whole: readonly PartitionRange[],
  ids: ReadonlyMap<string, string>,
): boolean {
  const ends = new Map(whole.map((range) => [placeOf(range), range.to]));
  return positions.every(
    (position) =>
      position.offset <= (ends.get(placeOf(position)) ?? -1) &&
      (position.topicId === null || position.topicId === ids.get(position.topic)),
  );
}

async function topicIdsOf(log: Log): Promise<ReadonlyMap<string, string>> {
  const admin = await log.admin();
  try {
    const described = await admin.describeTopics(LEDGER_TOPICS);
    return new Map(described.flatMap(({ name, topicId }) => (topicId === undefined ? [] : [[name, topicId]])));
  } finally {
    await admin.close();
  }
}

const placeOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`;

const unreadable = (topic: string, { code, detail }: { code: ErrorCode; detail: string }) =>
  new CodedError(code, `the limits ledger cannot be rebuilt: ${topic} ${detail}`, { faultClass: 'fatal' });

/** Told once in the log, and in health and metrics for as long as it is so. */
function shortReport({ logger, metrics }: Pick<HydrationOptions, 'logger' | 'metrics'>) {
  let since: number | undefined;
  return (short: readonly ShortRule[]): HostHealth['troubles'] => {
    metrics?.limitsHistoryShort.reset();
    for (const { ruleId } of short) metrics?.limitsHistoryShort.set({ rule: ruleId }, 1);
    if (short.length === 0) {
      since = undefined;
      return [];
    }
    const ends = ({ until }: ShortRule) => (until === null ? 'for ever' : `until ${new Date(until).toISOString()}`);
    const detail = safeText(short.map((rule) => `${rule.ruleId} (${ends(rule)})`).join(', '), 1_000);
    if (since === undefined)
      logger.error(
        { code: 'LIMITS_HISTORY_SHORT', detail },
        'the log does not reach back to where these windows began',
      );
    since ??= Date.now();
    const place = { topic: 'transfer.reserved', partition: 0, lastMetAt: performance.now() };
    return [{ dependency: 'history of limits', code: 'LIMITS_HISTORY_SHORT', detail, since, ...place }];
  };
}

/** One look at the ledger after the other. */
function hydratorOf(options: HydrationOptions) {
  const { ledger, logger, transactionTimeoutMs } = options;
  const read = ledgerReader(options);
  const report = shortReport(options);
  let shortage: HostHealth['troubles'] = [];
  /** `at`: monotonic ms from which no transaction of the ledger before this one can be open any more. */
  let caught: { readonly marker: string; readonly at: number } | undefined;

  async function once(): Promise<void> {
    const began = performance.now();
    await options.ready();
    const rules = options.rules();
    const { rebuilt, transfers, short, due } = await hydrateLimits(ledger, rules, read);
    shortage = report(short);
    if (!rebuilt) return due ? catchUp(rules, due) : forget();
    forget();
    const durationMs = Math.round(performance.now() - began);
    logger.warn({ code: 'LIMITS_REBUILT', count: transfers, durationMs }, 'the limits ledger was rebuilt from the log');
  }

  /** Whoever rebuilt it may have died since: each process that sees it is due waits for itself, and takes it in. */
  async function catchUp(rules: readonly LimitRule[], { marker, place }: NonNullable<Hydration['due']>): Promise<void> {
    if (caught?.marker !== marker) {
      caught = { marker, at: performance.now() + transactionTimeoutMs };
      read.resumeAt(place);
    }
    if (performance.now() < caught.at) return;
    const count = await catchUpLimits(ledger, rules, read);
    await ledger.caughtUp(marker);
    forget();
    logger.info({ count }, 'limits ledger caught up');
  }

  function forget(): void {
    caught = undefined;
  }

  return { once, shortage: () => shortage };
}

/** Watches the ledger for as long as the limits processor of this process runs. */
export function hydrationHost(options: HydrationOptions): Host {
  const stopping = new AbortController();
  let state: HostState = 'new';
  let trouble: HostHealth['troubles'] = [];
  let running: Promise<void> = Promise.resolve();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);

  const hydrator = hydratorOf(options);

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await hydrator.once();
        trouble = [];
      } catch (error) {
        if (error instanceof CodedError && error.faultClass === 'fatal') {
          state = 'failed';
          failed.reject(error);
          return;
        }
        const { code, detail, dependency = 'kafka' } = faultOf(error);
        const since = trouble[0]?.since ?? Date.now();
        const place = { topic: 'transfer.reserved', partition: 0 };
        trouble = [{ dependency, code, detail, since, ...place, lastMetAt: performance.now() }];
      }
      await pause(CHECK_EVERY_MS, stopping.signal);
    }
  }

  return {
    name: 'limits-hydration',
    failed: failed.promise,
    async start() {
      state = 'running';
      running = loop();
    },
    health: () => ({
      name: 'limits-hydration',
      state,
      partitions: [],
      troubles: [...trouble, ...hydrator.shortage()],
      tables: [],
    }),
    async stop() {
      state = 'draining';
      stopping.abort();
      await running;
      state = 'stopped';
    },
  };
}
