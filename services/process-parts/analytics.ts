// The grains for analysts, of a process: their one writer, and what claims that a quiet partition is complete.
import { createGrains, grainMaker } from '../../operations/analytics/grains.ts';
import { quietClaims } from '../../operations/analytics/quiet-claims.ts';
import { systemClock } from '../../ports/clock.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { LogAdmin, LogRecord, LogWriter } from '../../ports/log.ts';
import { within } from '../../ports/pause.ts';
import { ANALYTICS } from '../../processors/topology.ts';
import { faultOf } from '../../runtime/fault.ts';
import { createConsumerHost } from '../../runtime/hosts/consumer-host.ts';
import type { Alarm, Host } from '../../runtime/hosts/host.ts';
import { createObserver } from '../../runtime/hosts/observer.ts';
import { pausingHandler } from '../../runtime/hosts/pausing-handler.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createTable, type Table } from '../../runtime/hosts/table.ts';
import type { AnalyticsWatermark } from '../../schemas/types.generated.ts';
import { analyticsWatermark, transferLifecycle, transferMoney, transferState } from '../../topics/boundary.ts';
import type { Connections } from '../connections.ts';
import { backgroundHost } from './background.ts';
import type { Hosted } from './processors.ts';
import { tableFaults } from './table-faults.ts';

const LIFECYCLE = transferLifecycle.name;
const WATERMARK = analyticsWatermark.name;
const TICKER = 'analytics-watermark';
/** Between two looks at what is quiet, ms. */
const LOOK_EVERY_MS = 5_000;
/** Rows are folded: the more at once, the fewer records of state. Analysts wait for seconds anyway. */
const MAX_ROWS = 2_000;
const GATHERING_MS = 500;

export async function analyticsHosts({ config }: Connections, runtime: HostRuntime): Promise<Hosted> {
  const { clock = systemClock, logger, metrics, rings, codec, log } = runtime;
  const { clockToleranceMs: toleranceMs } = config.analytics;
  const observer = createObserver({ name: ANALYTICS, clock, logger, metrics });
  const alarms = rowAlarms(runtime);
  const claims = createTable({ topic: WATERMARK, log, codec, rings, onFault: tableFaults(ANALYTICS, runtime) });
  const claimed = (topicId: string, partition: number) => {
    const claim = claims.get(`${LIFECYCLE}/${partition}`);
    return claim?.topicId === topicId ? claim.completeUntil : undefined;
  };
  const handler = createGrains({
    ...{ codec, rings, clock, toleranceMs, reader: log.reader(), claimedUntil: claimed },
    ...alarms,
    onTaken: ({ rows, ageMs }) => {
      observer.records(LIFECYCLE, 'done', rows);
      metrics.analyticsRowAge.observe(Math.max(0, ageMs) / 1_000);
    },
  });
  const host = createConsumerHost({
    ...runtime,
    name: ANALYTICS,
    clock,
    observer: { ...observer, alarms: () => [...observer.alarms(), ...alarms.all()] },
    schemas: [LIFECYCLE, transferState.name, transferMoney.name, WATERMARK],
    inputs: [LIFECYCLE],
    delivery: 'exactly-once',
    maxBatchRecords: Math.max(MAX_ROWS, runtime.maxBatchRecords),
    lingerMs: GATHERING_MS,
    tables: [claims],
    handler: pausingHandler(observer, handler),
  });
  return { hosts: [host, watermarkHost({ runtime, host, claims, claimed, toleranceMs })], resources: [] };
}

/** What is told of rows that are passed over, and of those that came too late: metrics, log, and alarms of the health. */
function rowAlarms({ clock = systemClock, logger, metrics }: HostRuntime) {
  const alarms = new Map<string, Alarm>();
  function raise(code: Alarm['code'], { topic, partition, offset }: LogRecord, detail: string, toDo: string): void {
    const key = `${code} ${partition}`;
    const before = alarms.get(key);
    const count = (before?.count ?? 0) + 1;
    const alarm: Alarm = {
      ...{ code, topic, partition, firstOffset: offset, lastOffset: offset, detail, toDo, count },
      since: before?.since ?? clock.now(),
    };
    alarms.set(key, alarm);
    metrics.faults.inc({ consumer: ANALYTICS, code });
    // Whoever writes rubbish shall not fill the disk with lines about it.
    if (Number.isInteger(Math.log10(count))) logger.error({ stage: ANALYTICS, ...alarm }, 'alarm');
  }
  return {
    all: (): readonly Alarm[] => [...alarms.values()],
    onPassedOver(record: LogRecord, code: ErrorCode, detail: string): void {
      metrics.records.inc({ consumer: ANALYTICS, topic: LIFECYCLE, disposition: 'dropped' });
      const toDo = 'run `corridor verify`, which names it; find out who writes to this topic beside the pipeline';
      raise('ROW_PASSED_OVER', record, `${code}: ${detail}; it is not in state and money`, toDo);
    },
    onOvertaken(record: LogRecord, claimedUntil: number): void {
      const at = new Date(record.timestamp).toISOString();
      const detail = `a row of ${at} came after ${new Date(claimedUntil).toISOString()} was claimed to be complete`;
      const toDo =
        'set the clocks of the brokers right, or raise CORRIDOR_ANALYTICS_CLOCK_TOLERANCE_MS; tell analysts of the day';
      raise('WATERMARK_OVERTAKEN', record, detail, toDo);
    },
  };
}

interface Watermarks {
  readonly runtime: HostRuntime;
  /** Whose partitions are looked at. */
  readonly host: Host;
  readonly claims: Table<AnalyticsWatermark>;
  readonly claimed: (topicId: string, partition: number) => number | undefined;
  readonly toleranceMs: number;
}

/** Claims, for the quiet ones of the partitions that this process has, that they are complete. */
function watermarkHost({ runtime, host, claims, claimed, toleranceMs }: Watermarks): Host {
  const { clock = systemClock, logger, metrics, log, app } = runtime;
  const make = grainMaker(runtime);
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let tools: { readonly admin: LogAdmin; readonly writer: LogWriter } | undefined;

  async function look(): Promise<void> {
    const partitions = new Set(host.health().partitions.map(({ partition }) => partition));
    if (host.health().state !== 'running' || partitions.size === 0) return;
    tools ??= { admin: await log.admin(), writer: await log.writer(TICKER) };
    const { admin, writer } = tools;
    const [described] = await admin.describeTopics([LIFECYCLE]);
    const topicId = described?.topicId ?? LIFECYCLE;
    const committed = () => admin.committed(groupId(app, ANALYTICS), [LIFECYCLE], { evenUnstable: true });
    const sources = { reader: log.reader(), committed, topicId, now: () => clock.now(), toleranceMs };
    const quiet = await quietClaims(sources, partitions);
    const news = quiet.filter(({ partition, completeUntil }) => completeUntil > (claimed(topicId, partition) ?? 0));
    if (news.length > 0) await writer.send(news.map((claim) => make(WATERMARK, claim, { partition: 0 })));
  }

  async function loop(): Promise<void> {
    let failed: string | undefined;
    while (!stopping.signal.aborted) {
      try {
        await look();
        failed = undefined;
      } catch (error) {
        const { code, detail } = faultOf(error);
        metrics.faults.inc({ consumer: TICKER, code });
        if (code !== failed) logger.warn({ stage: TICKER, code, detail }, 'nothing is claimed of quiet partitions');
        failed = code;
        await close();
      }
      for (const [, { partition, completeUntil }] of claims.entries()) {
        metrics.analyticsCompleteUntil.set({ partition: String(partition) }, completeUntil / 1_000);
      }
      await clock.sleep(LOOK_EVERY_MS, stopping.signal);
    }
  }

  async function close(): Promise<void> {
    const open = tools;
    tools = undefined;
    await Promise.allSettled([open?.admin.close(), open?.writer.close()]);
  }

  return backgroundHost({
    name: TICKER,
    start: async () => {
      running = loop();
    },
    stop: async (deadlineMs) => {
      stopping.abort();
      await within(deadlineMs, running);
      await close();
    },
  });
}
