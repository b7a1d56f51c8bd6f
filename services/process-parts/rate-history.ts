// The rates that are kept, written beside pricing: there are the keys that prove a rate.
import { createRateHistory } from '../../operations/analytics/rate-history.ts';
import { systemClock } from '../../ports/clock.ts';
import { RATE_HISTORY } from '../../processors/topology.ts';
import { createConsumerHost } from '../../runtime/hosts/consumer-host.ts';
import type { Host } from '../../runtime/hosts/host.ts';
import { createObserver } from '../../runtime/hosts/observer.ts';
import { pausingHandler } from '../../runtime/hosts/pausing-handler.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { fxRateHistory, fxRates } from '../../topics/boundary.ts';

const MAX_RATES = 2_000;
const GATHERING_MS = 500;

export function rateHistoryHost(runtime: HostRuntime): Host {
  const { clock = systemClock, logger, metrics, rings, codec, log } = runtime;
  const observer = createObserver({ name: RATE_HISTORY, clock, logger, metrics });
  const handler = createRateHistory({
    ...{ codec, rings, reader: log.reader() },
    onPassedOver: (_, code) => {
      metrics.faults.inc({ consumer: RATE_HISTORY, code });
      metrics.records.inc({ consumer: RATE_HISTORY, topic: fxRates.name, disposition: 'dropped' });
    },
  });
  return createConsumerHost({
    ...{ ...runtime, name: RATE_HISTORY, clock, observer },
    schemas: [fxRates.name, fxRateHistory.name],
    inputs: [fxRates.name],
    delivery: 'exactly-once',
    maxBatchRecords: MAX_RATES,
    lingerMs: GATHERING_MS,
    handler: pausingHandler(observer, handler),
  });
}
