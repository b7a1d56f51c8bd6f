// `corridor run`: processors, sinks and the payout executor of one process.
import type { Command } from 'commander';
import { startHealthServer } from '../../adapters/http/health-server.ts';
import { unknownVariables } from '../../runtime/config/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import type { HostRuntime } from '../../runtime/processor-host.ts';
import { EXIT, runService } from '../../runtime/service.ts';
import { payoutHosts } from '../compose/payouts.ts';
import { type Parts, partsFrom } from '../compose/pipeline.ts';
import { processorHosts } from '../compose/processors.ts';
import { rescreeningHost } from '../compose/rescreening.ts';
import { caseHosts, sinkHosts } from '../compose/sinks.ts';
import { unsafeSwitches } from '../compose/unsafe.ts';
import { Connections, commandConfig } from '../connect.ts';
import { commandEnvironment } from '../environment.ts';
import { explain } from '../output.ts';

interface RunOptions {
  readonly processors?: string;
  readonly sinks?: string;
  readonly payouts?: boolean;
  readonly cases?: boolean;
  readonly rescreening?: boolean;
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('run the pipeline, or parts of it, until SIGTERM or Ctrl-C; logs JSON to standard output')
    .option('--processors <names>', 'comma-separated, or all, or none')
    .option('--sinks <names>', 'comma-separated, or all, or none')
    .option('--payouts', 'the payout executor')
    .option('--cases', 'the relay of decided cases')
    .option('--rescreening', 'screen known customers again when another list version is in force')
    .addHelpText(
      'after',
      `
Without options everything runs in this process.

Examples:
  corridor run
  corridor run --processors screening,limits
  corridor run --sinks all --payouts --cases --rescreening`,
    )
    .action(async (options: RunOptions) => {
      const parts = partsFrom(options);
      try {
        const end = await runParts(parts);
        if (end.exitCode !== 0) console.error(`ended: ${end.detail} (${end.code})`);
        process.exit(end.exitCode);
      } catch (error) {
        // What was opened before the fault (connections, threads) would keep the process alive, doing nothing.
        console.error(explain(error));
        process.exit(EXIT.fault);
      }
    });
}

async function runParts(parts: Parts) {
  const config = commandConfig();
  const name = serviceName(parts);
  const logger = createLogger({ level: config.logLevel, service: name });
  for (const variable of unknownVariables(commandEnvironment())) {
    logger.warn({ code: 'SETTING_UNKNOWN', detail: variable }, 'this variable is no setting of Corridor');
  }
  const metrics = createMetrics({ processMetrics: true });
  const connections = new Connections(config, `${config.appName}-${name}`);
  const { kafka, batches, recovery, watchdog, health } = config;
  const runtime: HostRuntime = {
    app: config.appName,
    log: connections.log,
    codec: connections.codec,
    logger,
    metrics,
    chainPartitions: kafka.chainPartitions,
    maxBatchRecords: batches.maxRecords,
    lingerMs: batches.lingerMs,
    retry: recovery.retryAttempts,
    breaker: {
      window: recovery.breakerWindow,
      maxRun: recovery.breakerMaxRun,
      maxRatio: recovery.breakerMaxRatio,
      maxOutsideRatio: recovery.breakerMaxOutsideRatio,
    },
  };
  const processors = await processorHosts(parts.processors, connections, runtime);
  const unsafe = unsafeSwitches();
  for (const name of unsafe) logger.warn({ code: 'UNSAFE', detail: name }, 'a guarantee is taken away, for a test');
  const sinks = await sinkHosts(parts.sinks, connections, runtime, {
    noSequenceGuard: unsafe.has('no-sequence-guard'),
  });
  const payouts = parts.payouts
    ? await payoutHosts(connections, runtime, { noCompareAndSet: unsafe.has('no-payout-cas') })
    : { hosts: [], resources: [] };
  const cases = parts.cases ? await caseHosts(connections, runtime) : { hosts: [], resources: [] };
  const rescreening = parts.rescreening ? [await rescreeningHost(connections, runtime)] : [];
  return runService({
    name,
    hosts: [...processors.hosts, ...sinks, ...payouts.hosts, ...cases.hosts, ...rescreening],
    logger,
    metrics,
    liveness: { stallAfterMs: watchdog.stallAfterMs, exitAfterMs: watchdog.exitAfterMs },
    drainDeadlineMs: watchdog.drainDeadlineMs,
    eventLoopDeadlineMs: watchdog.eventLoopDeadlineMs,
    serveHealth: (source) => startHealthServer(source, { host: health.host, port: health.port }),
    resources: [...processors.resources, { name: 'connections', close: () => connections.close() }],
    onReady: (server) => console.log(JSON.stringify({ ready: true, service: name, health: server?.url })),
  });
}

/** How a process is named in logs and to the brokers: by what it runs. */
function serviceName({ processors, sinks, payouts, cases, rescreening }: Parts): string {
  if (processors.length > 0 && sinks.length > 0 && payouts) return 'pipeline';
  if (processors.length === 1) return processors[0]!;
  if (processors.length > 1) return 'chain';
  if (payouts) return 'payouts';
  return rescreening && sinks.length === 0 && !cases ? 'rescreener' : 'sinks';
}
