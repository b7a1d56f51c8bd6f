// Intake that takes everything in, over a real log: for tests of what comes before it decides. As a program it runs in a
// process of its own, to be killed at a failpoint: `intake-host.ts <brokers> <app> <partitions>`.
import { pathToFileURL } from 'node:url';
import { createLog } from '../../adapters/kafka/log.ts';
import type { Log } from '../../ports/log.ts';
import type { Processor } from '../../processors/contract.ts';
import { type Topology, topology } from '../../processors/topology.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import type { Host } from '../../runtime/hosts/host.ts';
import { createProcessorHost } from '../../runtime/hosts/processor-host.ts';
import { silentLogger } from '../../runtime/logs-and-metrics/logger.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import { accepted } from './events.ts';
import { memoryReplayClaims } from './memory-claims.ts';
import { memoryCodec } from './memory-codec.ts';
import { testRings } from './rings.ts';

const SESSION_MS = 3_000;

export const logOf = (brokers: readonly string[], app: string): Log =>
  createLog({
    brokers,
    appName: app,
    clientId: app,
    sessionTimeoutMs: SESSION_MS,
    compression: 'zstd',
    unreadableTimeoutMs: 500,
    failpoint,
  });

/** A host of it, not started. */
export function intakeHost(log: Log, app: string, partitions: number): Host {
  const processor: Processor<Topology['intake'], undefined> = {
    name: 'intake',
    edges: topology.intake,
    prepare: async (batch) => batch.map(() => undefined),
    decide: ({ value }) => [{ to: 'transfer.accepted', value: accepted({ transferId: value.transferId, partitions }) }],
  };
  return createProcessorHost({
    replayClaims: memoryReplayClaims(),
    app,
    log,
    codec: memoryCodec(),
    logger: silentLogger,
    metrics: createMetrics(),
    chainPartitions: partitions,
    maxBatchRecords: 50,
    lingerMs: 5,
    retry: [1, 0],
    processor,
    rings: testRings,
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , brokers = '', app = '', partitions = ''] = process.argv;
  await intakeHost(logOf(brokers.split(','), app), app, Number(partitions)).start();
}
