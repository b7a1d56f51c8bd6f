// What is stuck, as metrics: looked at now and then, with bounds of its own, so that it takes little from those that work.
import { currencyOf } from '../../domain/money/currencies.ts';
import { type StuckBoard, stuckBoard } from '../../operations/stuck/board.ts';
import { systemClock } from '../../ports/clock.ts';
import { LETTER_INDEX, ownersOfLetters } from '../../processors/topology.ts';
import { faultOf } from '../../runtime/fault.ts';
import type { Host } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { Metrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { Connections } from '../connections.ts';
import { stuckKeys, stuckSources } from '../stuck.ts';
import { loopingHost } from './background.ts';

const PART = 'stuck-metrics';
const EVERY_MS = 30_000;
/** Records that are read from the log at a look. */
const MAX_RECORDS = 2_000;
const OTHER = 'other';
const OWNERS: ReadonlySet<string> = new Set([...ownersOfLetters, LETTER_INDEX]);

type StuckMetrics = Pick<
  Metrics,
  'stuckTransfers' | 'stuckValue' | 'stuckOldest' | 'stuckIncomplete' | 'unknownPayoutsWithoutCase'
>;

export function stuckMetricsHost(connections: Connections, { metrics, logger }: HostRuntime): Host {
  async function loop(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      try {
        const now = systemClock.now();
        report(await stuckBoard(stuckSources(connections, MAX_RECORDS, stuckKeys(connections)), { now }), now, metrics);
      } catch (error) {
        const { code, detail } = faultOf(error);
        metrics.stuckIncomplete.set(1);
        metrics.faults.inc({ consumer: PART, code });
        logger.warn({ stage: PART, code, detail }, 'what is stuck was not looked at');
      }
      await systemClock.sleep(EVERY_MS, stopping);
    }
  }
  return loopingHost({
    name: PART,
    loop,
  });
}

/** Sets the gauges to what the board says. Labels are bounded: what is not ours is `other`. */
export function report(board: StuckBoard, now: number, metrics: StuckMetrics): void {
  for (const gauge of [metrics.stuckTransfers, metrics.stuckValue, metrics.stuckOldest]) gauge.reset();
  const oldest = new Map<string, { readonly labels: { kind: string; owner: string }; readonly since: number }>();
  for (const { kind, owner: found, count, money, since } of board.lines) {
    const owner = OWNERS.has(found) ? found : OTHER;
    metrics.stuckTransfers.inc({ kind, owner }, count);
    for (const { minor, currency } of money)
      metrics.stuckValue.inc({ kind, owner, currency: currencyOf(currency) ? currency : OTHER }, Number(minor));
    const key = `${kind} ${owner}`;
    if (since !== null && since < (oldest.get(key)?.since ?? Number.POSITIVE_INFINITY))
      oldest.set(key, { labels: { kind, owner }, since });
  }
  for (const { labels, since } of oldest.values()) metrics.stuckOldest.set(labels, Math.max(0, now - since) / 1_000);
  metrics.stuckIncomplete.set(board.complete ? 0 : 1);
  metrics.unknownPayoutsWithoutCase.set(board.unknownWithoutCase);
}
