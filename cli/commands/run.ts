// `corridor run`: processors, sinks and the payout executor of one process.
import type { Command } from 'commander';
import { requireSigningKeys } from '../../operations/audit/sequencer.ts';
import { isForTrials } from '../../ports/environment.ts';
import { hasRing } from '../../ports/seals.ts';
import { loadConfig, unneededKeys } from '../../runtime/config/config.ts';
import { followedControls } from '../../runtime/controls/followed-controls.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import { startUpHost } from '../../runtime/process/start-up.ts';
import { keptBreakers } from '../../runtime/retries-and-dead-letters/breaker.ts';
import { requireTarget } from '../../services/exports.ts';
import { composedParts } from '../../services/process-parts/all-parts.ts';
import { keysOfParts, usedBy } from '../../services/process-parts/part-keys.ts';
import { type ProcessParts, partsFrom, requireKeys } from '../../services/process-parts/part-selection.ts';
import { skipsOf } from '../../services/skips.ts';
import { keysUnder, unsafeSwitches } from '../../services/unsafe-switches/unsafe.ts';
import { webhookKeys } from '../../services/webhooks.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { exitAfter, serve, serviceConnections, serviceLogger } from '../service.ts';

interface RunOptions {
  readonly processors?: string;
  readonly sinks?: string;
  readonly payouts?: boolean;
  readonly cases?: boolean;
  readonly rescreening?: boolean;
  readonly replays?: boolean;
  readonly audit?: boolean;
  readonly webhooks?: boolean;
  readonly analytics?: boolean;
  readonly stay?: boolean;
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('run the pipeline, or parts of it, until SIGTERM or Ctrl-C; logs JSON to standard output')
    .option('--processors <names>', 'comma-separated, or all, or none')
    .option('--sinks <names>', 'comma-separated, or all, or none; parquet, by name alone: files for analysts')
    .option('--payouts', 'the payout executor')
    .option('--cases', 'the relay of decided cases')
    .option('--rescreening', 'screen known customers again when another list version is in force')
    .option('--replays', 'run replays of dead letters that two persons have let through')
    .option('--audit', 'the sequencer of the audit log, and its index')
    .option('--webhooks', 'send webhooks to producers')
    .option('--analytics', 'write what analysts read beside the lifecycle: state, money and watermarks')
    .option('--stay', 'never end because parts stand: start them again for ever')
    .addHelpText(
      'after',
      `
Without options everything runs in this process.

A part that stops by itself is started again with back-off, and the others go on. When all parts of the process stand, or
its only one does, the process ends with exit code 1, for a supervisor to notice.

Examples:
  corridor run
  corridor run --processors screening,limits
  corridor run --sinks parquet
  corridor run --sinks all --payouts --cases --rescreening --replays --audit --webhooks --analytics`,
    )
    .action((options: RunOptions) => {
      const parts = partsFrom(options);
      return exitAfter(() => runParts(parts, options.stay ?? false));
    });
}

async function runParts(parts: ProcessParts, stays: boolean) {
  const unsafe = unsafeSwitches();
  // Its environment alone: no stack that happens to run beside it makes it a development installation.
  const used = usedBy(keysOfParts(parts), process.env);
  const asked = loadConfig(process.env, used);
  const config = { ...asked, keys: keysUnder(unsafe, asked.keys) };
  requireKeys(parts, config.keys);
  if (parts.exports) requireTarget(config);
  if (parts.audit) requireSigningKeys(config.audit.signingKeys);
  if (parts.webhooks || parts.sinks.includes('webhooks')) webhookKeys(config);
  const name = serviceName(parts);
  const logger = serviceLogger(config, name);
  if (!isForTrials(process.env)) {
    for (const variable of unneededKeys(process.env, used)) {
      logger.warn({ code: 'KEY_NOT_NEEDED', detail: variable }, 'this process does not need this key: take it away');
    }
  }
  const metrics = createMetrics({ processMetrics: true });
  const connections = serviceConnections(config, name, logger, {
    onDatabase: ({ command, collection, writes }) => {
      metrics.databaseCommands.inc({ command, collection });
      if (writes > 0) metrics.databaseWrites.inc({ command, collection }, writes);
    },
  });
  const { kafka, batches, recovery } = config;
  const { log, codec } = connections;
  // Whoever has no keys of operators (a sink alone) believes no control, and cannot be paused.
  const believesOperators = hasRing(config.keys, 'operators');
  const followed = believesOperators && followedControls({ log, codec, rings: config.keys, logger, metrics });
  const runtime: HostRuntime = {
    app: config.appName,
    log,
    codec,
    rings: config.keys,
    ...(followed && { controls: followed.controls }),
    ...(believesOperators && { skips: skipsOf(connections) }),
    logger,
    metrics,
    chainPartitions: kafka.chainPartitions,
    maxBatchRecords: batches.maxRecords,
    lingerMs: batches.lingerMs,
    retry: recovery.retryAttempts,
    breakerOf: keptBreakers({
      window: recovery.breakerWindow,
      maxRun: recovery.breakerMaxRun,
      maxRatio: recovery.breakerMaxRatio,
      maxOutsideRatio: recovery.breakerMaxOutsideRatio,
    }),
  };
  for (const name of unsafe) logger.warn({ code: 'UNSAFE', detail: name }, 'a guarantee is taken away, for a test');
  return serve({
    name,
    hosts: [
      startUpHost({ reach: () => codec.load(neededToCompose(parts)), logger }),
      ...(followed ? [followed.host] : []),
    ],
    parts: composedParts(parts, connections, runtime, unsafe),
    stays,
    logger,
    metrics,
    config,
    connections,
  });
}

/** Topics whose schemas must be known before there are hosts; the hosts wait for those of their own inputs. */
function neededToCompose({ payouts, cases }: ProcessParts): readonly TopicName[] {
  return [
    ...(payouts ? (['payout.requested', 'payout.updated'] as const) : []),
    ...(cases ? (['review.decided'] as const) : []),
  ];
}

/** How a process is named in logs and to the brokers: by what it runs. */
function serviceName({
  processors,
  sinks,
  payouts,
  cases,
  rescreening,
  replays,
  audit,
  analytics,
  webhooks,
  exports,
}: ProcessParts): string {
  if (processors.length > 0 && sinks.length > 0 && payouts) return 'pipeline';
  if (processors.length === 1) return processors[0]!;
  if (processors.length > 1) return 'chain';
  if (payouts) return 'payouts';
  if (sinks.length > 0 || cases) return 'sinks';
  if (rescreening) return 'rescreener';
  if (replays) return 'replays';
  if (audit) return 'audit';
  if (exports) return 'exports';
  if (analytics) return 'analytics';
  return webhooks ? 'webhooks' : 'sinks';
}
