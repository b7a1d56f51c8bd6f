// The grains for analysts, of a process: their one writer, and what claims that a quiet partition is complete.
import { createGrains } from '../../operations/analytics/grains.ts';
import { systemClock } from '../../ports/clock.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { LogRecord } from '../../ports/log.ts';
import { ANALYTICS } from '../../processors/topology.ts';
import { createConsumerHost } from '../../runtime/hosts/consumer-host.ts';
import type { Alarm } from '../../runtime/hosts/host.ts';
import { createObserver } from '../../runtime/hosts/observer.ts';
import { pausingHandler } from '../../runtime/hosts/pausing-handler.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createTable } from '../../runtime/hosts/table.ts';
import { analyticsWatermark, transferLifecycle, transferMoney, transferState } from '../../topics/boundary.ts';
import type { Connections } from '../connections.ts';
import { watermarkHost } from './analytics-watermarks.ts';
import type { Hosted } from './processors.ts';
import { tableFaults } from './table-faults.ts';

const LIFECYCLE = transferLifecycle.name;
const WATERMARK = analyticsWatermark.name;
/** Rows are folded: the more at once, the fewer records of state. Analysts wait for seconds anyway. */
const MAX_ROWS = 2_000;
const GATHERING_MS = 500;

export async function analyticsHosts({ config }: Connections, runtime: HostRuntime): Promise<Hosted> {
  const { clock = systemClock, logger, metrics, rings, codec, log } = runtime;
  const { clockToleranceMs: toleranceMs } = config.analytics;
  const observer = createObserver({ name: ANALYTICS, clock, logger, metrics });
  const alarms = rowAlarms(runtime);
  const claims = createTable({
    ...{ topic: WATERMARK, log, codec, rings, onFault: tableFaults(ANALYTICS, runtime) },
  });
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

/** What is reported of rows that are passed over, and of those that came too late: metrics, log, and alarms of the health. */
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
