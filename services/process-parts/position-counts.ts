// The open exposure by currency as metrics, counted on now and then where prices are made: there are the keys that prove it.
import { currencyOf } from '../../domain/money/currencies.ts';
import type { Counted } from '../../operations/positions/count.ts';
import { systemClock } from '../../ports/clock.ts';
import { faultOf } from '../../runtime/fault.ts';
import type { Host } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { Metrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { Connections } from '../connections.ts';
import { countPositions } from '../positions.ts';
import { loopingHost } from './background.ts';

const PART = 'position-counts';
const EVERY_MS = 30_000;
/** Offsets that are counted at a time; what is more follows at once. */
const MAX_OFFSETS = 200_000;

export function positionCountsHost(connections: Connections, { metrics, logger }: HostRuntime): Host {
  async function loop(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      let behind = 0;
      try {
        const counted = await countPositions(connections, MAX_OFFSETS);
        report(counted, metrics);
        behind = counted.behind;
      } catch (error) {
        const { code, detail } = faultOf(error);
        metrics.faults.inc({ consumer: PART, code });
        logger.warn({ stage: PART, code, detail }, 'open positions were not counted');
      }
      if (behind === 0) await systemClock.sleep(EVERY_MS, stopping);
    }
  }
  return loopingHost({
    name: PART,
    loop,
  });
}

/** Sets the gauges to what was counted. */
export function report(
  { count, behind }: Counted,
  metrics: Pick<Metrics, 'openPosition' | 'positionsUncounted' | 'positionsLeftOut'>,
): void {
  for (const [currency, minor] of count.open)
    if (currencyOf(currency)) metrics.openPosition.set({ currency }, Number(minor));
  metrics.positionsUncounted.set(behind);
  metrics.positionsLeftOut.set(count.unproven + (count.isWhole ? 0 : 1));
}
