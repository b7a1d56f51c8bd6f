// Keeps the limits ledger in step with the log: filled at the first start, and again whenever Redis has lost it.

import type { LimitRule } from '../../domain/limits/limit-rules.ts';
import type { Codec } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Log } from '../../ports/log.ts';
import { pause } from '../../ports/pause.ts';
import { type Rings, sealFlaw } from '../../ports/seals.ts';
import { catchUpLimits, hydrateLimits, type LedgerReader } from '../../processors/limits/hydrate.ts';
import type { LedgerStore } from '../../processors/limits/ports.ts';
import { LEDGER_TOPICS, type LedgerTopic } from '../../processors/limits/rebuild.ts';
import { faultOf } from '../../runtime/fault.ts';
import type { Host, HostHealth, HostState } from '../../runtime/hosts/host.ts';
import type { Logger } from '../../runtime/logs-and-metrics/logger.ts';

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
  /**
   * How long the broker lets a transaction stay open, ms. One that had reserved in the lost ledger may still commit in
   * that time, so the log is read once more after it.
   */
  readonly transactionTimeoutMs: number;
}

/** Reads the ledger's topics from the start, and on a resumed pass from where the last pass that came through ended. */
export function ledgerReader({ log, codec, rings }: Pick<HydrationOptions, 'log' | 'codec' | 'rings'>): LedgerReader {
  const done = new Map<string, number>();
  return async (add, { resume }) => {
    await codec.load(LEDGER_TOPICS);
    const reader = log.reader();
    const ranges = (await reader.offsets(LEDGER_TOPICS)).map((range) => {
      const reached = done.get(placeOf(range)) ?? range.from;
      return { ...range, from: resume ? Math.max(range.from, reached) : range.from };
    });
    let since: number | undefined;
    const isCut = new Set(ranges.filter(({ from }) => !resume && from > 0).map(placeOf));
    await reader.read(ranges, async ({ topic, partition, records }) => {
      const name = topic as LedgerTopic;
      // The first record of a partition that has lost its beginning: from here on it is whole.
      const [first] = records;
      if (first !== undefined && isCut.delete(placeOf({ topic, partition })))
        since = Math.max(since ?? 0, first.timestamp);
      // What its stage has not sealed reserves and releases nothing.
      const proven = records.filter((record) => sealFlaw(rings, topic, record) === undefined);
      const values = proven.map(({ value }) => value);
      for (const result of await codec.decode(name, values)) {
        if (!result.ok) throw unreadable(topic, result);
        await add(name, result.value);
      }
    });
    for (const { topic, partition, to } of ranges) done.set(placeOf({ topic, partition }), to);
    return since;
  };
}

const placeOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`;

const unreadable = (topic: string, { code, detail }: { code: ErrorCode; detail: string }) =>
  new CodedError(code, `the limits ledger cannot be rebuilt: ${topic} ${detail}`, { faultClass: 'fatal' });

function reportShort(short: readonly string[], logger: Logger): void {
  if (short.length === 0) return;
  const detail = short.join(', ');
  logger.error({ code: 'LIMITS_HISTORY_SHORT', detail }, 'the log does not reach back to where these windows began');
}

/** Watches the ledger for as long as the limits processor of this process runs. */
export function hydrationHost(options: HydrationOptions): Host {
  const { ledger, logger, transactionTimeoutMs } = options;
  const stopping = new AbortController();
  let state: HostState = 'new';
  let trouble: HostHealth['troubles'] = [];
  let running: Promise<void> = Promise.resolve();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);

  const read = ledgerReader(options);
  /** Monotonic ms from which no transaction of the lost ledger can be open any more. */
  let catchUpAt: number | undefined;

  async function once(): Promise<void> {
    const began = performance.now();
    await options.ready();
    const rules = options.rules();
    const { rebuilt, transfers, short } = await hydrateLimits(ledger, rules, read);
    if (!rebuilt) {
      if (catchUpAt === undefined || performance.now() < catchUpAt) return;
      const count = await catchUpLimits(ledger, rules, read);
      catchUpAt = undefined;
      logger.info({ count }, 'limits ledger caught up');
      return;
    }
    catchUpAt = performance.now() + transactionTimeoutMs;
    reportShort(short, logger);
    const durationMs = Math.round(performance.now() - began);
    logger.warn({ code: 'LIMITS_REBUILT', count: transfers, durationMs }, 'the limits ledger was rebuilt from the log');
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await once();
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
    health: () => ({ name: 'limits-hydration', state, partitions: [], troubles: trouble, tables: [] }),
    async stop() {
      state = 'draining';
      stopping.abort();
      await running;
      state = 'stopped';
    },
  };
}
