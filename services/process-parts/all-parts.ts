// The parts of a process: each stage, sink, relay and the executor by itself, so that each can stop and start alone.
import { ANALYTICS, RATE_HISTORY } from '../../processors/topology.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { Part, PartHosts } from '../../runtime/process/supervisor.ts';
import { type Connections, firstLoss } from '../connections.ts';
import { analyticsHosts } from './analytics.ts';
import { indexHosts, sequencerHosts } from './audit.ts';
import { caseHosts } from './cases.ts';
import { EXPORTS, exportHost } from './exports.ts';
import type { ProcessParts } from './part-selection.ts';
import { closingHosts } from './payout-closings.ts';
import { payoutHosts } from './payouts.ts';
import { processorHosts } from './processors.ts';
import { rateHistoryHost } from './rate-history.ts';
import { replayHosts } from './replays.ts';
import { rescreeningHost } from './rescreening.ts';
import { sinkHosts } from './sinks.ts';
import { stuckMetricsHost } from './stuck-metrics.ts';
import { webhookHosts } from './webhooks.ts';

/** Nothing is made yet: each part is when it starts, and again after it stopped by itself. */
export function composedParts(
  { processors, sinks, payouts, cases, rescreening, replays, audit, webhooks, analytics, exports }: ProcessParts,
  connections: Connections,
  runtime: HostRuntime,
  unsafe: ReadonlySet<string>,
): readonly Part[] {
  // Every part holds the database, if only for the claims of replays: when that is lost, it is made anew.
  const held = (make: Part['make']) => async () => {
    const databaseLost = connections.databaseLost;
    const { lost, ...made } = await make();
    return { ...made, lost: firstLoss([databaseLost, ...(lost ? [lost] : [])]) };
  };
  const consumer = (name: string, make: Part['make']): Part => ({ name, consumes: true, make: held(make) });
  const background = (name: string, make: Part['make']): Part => ({ name, consumes: false, make: held(make) });
  const alone = (hosts: PartHosts['hosts']): PartHosts => ({ hosts, resources: [] });
  const sinkOptions = {
    projectionLingerMs: connections.config.batches.projectionLingerMs,
    unsafeNoSequenceGuard: unsafe.has('no-sequence-guard'),
  };
  return [
    ...processors.map((name) => consumer(name, () => processorHosts([name], connections, runtime))),
    // There are the keys that prove a rate; and what analysts get of rates keeps no price waiting.
    ...(processors.includes('fx-pricing')
      ? [{ name: RATE_HISTORY, consumes: true, make: async () => alone([rateHistoryHost(runtime)]) }]
      : []),
    ...sinks.map((name) =>
      consumer(`sink-${name}`, async () => alone(await sinkHosts([name], connections, runtime, sinkOptions))),
    ),
    ...(payouts
      ? [
          consumer('payout-executor', () =>
            payoutHosts(connections, runtime, {
              noCompareAndSet: unsafe.has('no-payout-cas'),
              noOwnClock: unsafe.has('no-own-clock'),
            }),
          ),
          background('payout-closings', () => closingHosts(connections, runtime)),
        ]
      : []),
    ...(cases
      ? [
          background('case-relay', () => caseHosts(connections, runtime)),
          background('stuck-metrics', async () => alone([stuckMetricsHost(connections, runtime)])),
        ]
      : []),
    ...(rescreening
      ? [background('rescreening', async () => alone([await rescreeningHost(connections, runtime)]))]
      : []),
    ...(replays ? [background('replays', () => replayHosts(connections, runtime))] : []),
    ...(audit
      ? [
          { name: 'audit-sequencer', consumes: true, make: () => sequencerHosts(connections, runtime) },
          background('audit-index', () => indexHosts(connections, runtime)),
        ]
      : []),
    ...(analytics ? [{ name: ANALYTICS, consumes: true, make: () => analyticsHosts(connections, runtime) }] : []),
    ...(exports
      ? [{ name: EXPORTS, consumes: false, make: async () => alone([exportHost(connections, runtime)]) }]
      : []),
    ...(webhooks ? [background('webhooks', () => webhookHosts(connections, runtime))] : []),
  ];
}
