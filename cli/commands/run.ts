// `corridor run`: processors, sinks and the payout executor of one process.
import type { Command } from 'commander';
import { startHealthServer } from '../../adapters/http/health-server.ts';
import { unknownVariables } from '../../runtime/config/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import type { HostRuntime } from '../../runtime/processor-host.ts';
import { EXIT, runService } from '../../runtime/service.ts';
import { startUpHost } from '../../runtime/start-up.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { payoutHosts } from '../compose/payouts.ts';
import { type Parts, partsFrom } from '../compose/pipeline.ts';
import { processorHosts } from '../compose/processors.ts';
import { rescreeningHost } from '../compose/rescreening.ts';
import { caseHosts, sinkHosts } from '../compose/sinks.ts';
import { unsafeSwitches } from '../compose/unsafe.ts';
import { Connections, commandConfig } from '../connect.ts';
import { commandEnvironment } from '../environment.ts';
import { explain, printError, toJsonLine } from '../output.ts';

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
        if (end.exitCode !== 0) printError(`ended: ${end.detail} (${end.code})`);
        process.exit(end.exitCode);
      } catch (error) {
        // What was opened before the fault (connections, threads) would keep the process alive, doing nothing.
        printError(explain(error));
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
  const connections = new Connections(config, `${config.appName}-${name}`, ({ command, collection, writes }) => {
    metrics.databaseCommands.inc({ command, collection });
    if (writes > 0) metrics.databaseWrites.inc({ command, collection }, writes);
  });
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
  const unsafe = unsafeSwitches();
  for (const name of unsafe) logger.warn({ code: 'UNSAFE', detail: name }, 'a guarantee is taken away, for a test');
  const resources: { readonly name: string; close(): Promise<void> }[] = [];
  const compose = async () => {
    const processors = await processorHosts(parts.processors, connections, runtime);
    resources.unshift(...processors.resources);
    const sinks = await sinkHosts(parts.sinks, connections, runtime, {
      projectionLingerMs: batches.projectionLingerMs,
      unsafeNoSequenceGuard: unsafe.has('no-sequence-guard'),
    });
    const payouts = parts.payouts
      ? await payoutHosts(connections, runtime, {
          noCompareAndSet: unsafe.has('no-payout-cas'),
          noOwnClock: unsafe.has('no-own-clock'),
        })
      : { hosts: [] };
    const cases = parts.cases ? await caseHosts(connections, runtime) : { hosts: [] };
    const rescreening = parts.rescreening ? [await rescreeningHost(connections, runtime)] : [];
    return [...processors.hosts, ...sinks, ...payouts.hosts, ...cases.hosts, ...rescreening];
  };
  resources.push({ name: 'connections', close: () => connections.close() });
  return runService({
    name,
    hosts: [startUpHost({ reach: () => connections.codec.load(neededToCompose(parts)), logger })],
    continueWith: compose,
    logger,
    metrics,
    liveness: { stallAfterMs: watchdog.stallAfterMs, exitAfterMs: watchdog.exitAfterMs },
    drainDeadlineMs: watchdog.drainDeadlineMs,
    eventLoopDeadlineMs: watchdog.eventLoopDeadlineMs,
    serveHealth: (source) => startHealthServer(source, { host: health.host, port: health.port }),
    resources,
    onReady: (server) => console.log(toJsonLine({ ready: true, service: name, health: server?.url })),
  });
}

/** Topics whose schemas must be known before there are hosts; the hosts wait for those of their own inputs. */
function neededToCompose({ payouts, cases }: Parts): readonly TopicName[] {
  return [
    ...(payouts ? (['payout.requested', 'payout.updated'] as const) : []),
    ...(cases ? (['review.decided'] as const) : []),
  ];
}

/** How a process is named in logs and to the brokers: by what it runs. */
function serviceName({ processors, sinks, payouts, cases, rescreening }: Parts): string {
  if (processors.length > 0 && sinks.length > 0 && payouts) return 'pipeline';
  if (processors.length === 1) return processors[0]!;
  if (processors.length > 1) return 'chain';
  if (payouts) return 'payouts';
  return rescreening && sinks.length === 0 && !cases ? 'rescreener' : 'sinks';
}
