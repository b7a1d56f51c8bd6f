// Claims, for the quiet ones of the partitions that a process has, that they are complete.
import { grainMaker } from '../../operations/analytics/grains.ts';
import { type QuietRefusal, quietClaims } from '../../operations/analytics/quiet-claims.ts';
import { systemClock } from '../../ports/clock.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { LogAdmin, LogWriter } from '../../ports/log.ts';
import { ANALYTICS } from '../../processors/topology.ts';
import { faultOf } from '../../runtime/fault.ts';
import type { Host } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { Table } from '../../runtime/hosts/table.ts';
import type { AnalyticsWatermark } from '../../schemas/types.generated.ts';
import { analyticsWatermark, transferLifecycle } from '../../topics/boundary.ts';
import { loopingHost } from './background.ts';

const LIFECYCLE = transferLifecycle.name;
const WATERMARK = analyticsWatermark.name;
const TICKER = 'analytics-watermark';
/** Between two looks at what is quiet, ms. */
const LOOK_EVERY_MS = 5_000;

export interface Watermarks {
  readonly runtime: HostRuntime;
  /** Whose partitions are looked at. */
  readonly host: Host;
  readonly claims: Table<AnalyticsWatermark>;
  /** Until when a partition was claimed to be complete, ms since 1970. */
  readonly claimed: (topicId: string, partition: number) => number | undefined;
  readonly toleranceMs: number;
}

export function watermarkHost(parts: Watermarks): Host {
  const { clock = systemClock, logger, metrics } = parts.runtime;
  const ticker = new QuietTicker(parts);

  async function loop(stopping: AbortSignal): Promise<void> {
    let failed: string | undefined;
    while (!stopping.aborted) {
      try {
        await ticker.look();
        failed = undefined;
      } catch (error) {
        const { code, detail } = faultOf(error);
        metrics.faults.inc({ consumer: TICKER, code });
        if (code !== failed) logger.warn({ stage: TICKER, code, detail }, 'nothing is claimed of quiet partitions');
        failed = code;
        await ticker.close();
      }
      for (const [, { partition, completeUntil }] of parts.claims.entries()) {
        metrics.analyticsCompleteUntil.set({ partition: String(partition) }, completeUntil / 1_000);
      }
      await clock.sleep(LOOK_EVERY_MS, stopping);
    }
  }

  return loopingHost({
    name: TICKER,
    loop,
    close: async () => {
      await ticker.close();
    },
  });
}

class QuietTicker {
  readonly #parts: Watermarks;
  #tools: { readonly admin: LogAdmin; readonly writer: LogWriter } | undefined;
  /** What was refused at the look before: reported once, as long as it lasts. */
  #reported = new Set<string>();

  constructor(parts: Watermarks) {
    this.#parts = parts;
  }

  async look(): Promise<void> {
    const { runtime, host, claimed, toleranceMs } = this.#parts;
    const { clock = systemClock, log, app } = runtime;
    const { partitions: held, state } = host.health();
    const partitions = new Set(held.map(({ partition }) => partition));
    if (state !== 'running' || partitions.size === 0) return;
    this.#tools ??= { admin: await log.admin(), writer: await log.writer(TICKER) };
    const { admin } = this.#tools;
    const topicId = async () => {
      const [described] = await admin.describeTopics([LIFECYCLE]);
      return described && (described.topicId ?? LIFECYCLE);
    };
    const refused: QuietRefusal[] = [];
    const quiet = await quietClaims(
      {
        committed: () => admin.committed(groupId(app, ANALYTICS), [LIFECYCLE], { evenUnstable: true }),
        ...{ reader: log.reader(), topicId, now: () => clock.now(), toleranceMs },
        onRefused: (refusal) => void refused.push(refusal),
      },
      partitions,
    );
    this.#tell(refused);
    const news = quiet.filter((claim) => claim.completeUntil > (claimed(claim.topicId, claim.partition) ?? 0));
    if (news.length > 0) await this.#send(news);
  }

  async close(): Promise<void> {
    const open = this.#tools;
    this.#tools = undefined;
    await Promise.allSettled([open?.admin.close(), open?.writer.close()]);
  }

  async #send(claims: readonly AnalyticsWatermark[]): Promise<void> {
    const { runtime } = this.#parts;
    const make = grainMaker(runtime);
    const records = claims.map((claim) => make(WATERMARK, claim, { partition: 0 }));
    await this.#tools!.writer.send(records);
  }

  #tell(refused: readonly QuietRefusal[]): void {
    const { logger, metrics } = this.#parts.runtime;
    const reported = new Set<string>();
    for (const refusal of refused) {
      const key = `${refusal.code} ${refusal.partition}`;
      reported.add(key);
      metrics.faults.inc({ consumer: TICKER, code: refusal.code });
      if (!this.#reported.has(key))
        logger.warn({ stage: TICKER, ...refusal }, 'nothing is claimed of what may be quiet');
    }
    this.#reported = reported;
  }
}
