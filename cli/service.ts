// What commands share that serve until they are told to stop.
import { flushCompileCache } from 'node:module';
import { startHealthServer } from '../adapters/http/health-server.ts';
import { type Config, unknownVariables } from '../runtime/config/config.ts';
import { createLogger, type Logger } from '../runtime/logs-and-metrics/logger.ts';
import { EXIT, runService, type ServiceEnd, type ServiceOptions } from '../runtime/process/service.ts';
import { Connections, type ConnectionsOptions } from '../services/connections.ts';
import { explain, printError, toJsonLine } from './output.ts';

/** A process tries for ever, so its health can soon say that the database is away. */
const FIRST_DATABASE_WAIT_MS = 3_000;

/** Ends the process as the service ends. What was opened before a fault (connections, threads) would keep it alive. */
export async function exitAfter(serve: () => Promise<ServiceEnd>): Promise<never> {
  try {
    const end = await serve();
    if (end.exitCode !== 0) printError(`ended: ${end.detail} (${end.code})`);
    process.exit(end.exitCode);
  } catch (error) {
    printError(explain(error));
    process.exit(EXIT.fault);
  }
}

/** The log of the process, which begins with the variables that are no settings. */
export function serviceLogger(config: Config, service: string): Logger {
  const logger = createLogger({ level: config.logLevel, service });
  for (const variable of unknownVariables(process.env)) {
    logger.warn({ code: 'SETTING_UNKNOWN', detail: variable }, 'this variable is no setting of Corridor');
  }
  return logger;
}

/** Connections that are made anew when the client of the database is broken. */
export function serviceConnections(
  config: Config,
  service: string,
  logger: Logger,
  more: ConnectionsOptions = {},
): Connections {
  return new Connections(config, `${config.appName}-${service}`, {
    firstWaitMs: FIRST_DATABASE_WAIT_MS,
    watch: {},
    onOlderStores: (detail) => logger.warn({ code: 'STORES_OLDER', detail }, 'the stores are of an older release'),
    ...more,
  });
}

interface Serving extends Pick<ServiceOptions, 'name' | 'hosts' | 'parts' | 'stays' | 'logger' | 'metrics'> {
  readonly config: Config;
  readonly connections: Connections;
  /** What the line says beside that it is ready. */
  readonly says?: () => Readonly<Record<string, unknown>>;
}

/** Runs until it is told to stop, watched as the settings say; says in a line of JSON that it is ready. */
export function serve({ config, connections, says, ...service }: Serving): Promise<ServiceEnd> {
  const { watchdog, health } = config;
  return runService({
    ...service,
    liveness: { stallAfterMs: watchdog.stallAfterMs, exitAfterMs: watchdog.exitAfterMs },
    drainDeadlineMs: watchdog.drainDeadlineMs,
    eventLoopDeadlineMs: watchdog.eventLoopDeadlineMs,
    serveHealth: (source) => startHealthServer(source, { host: health.host, port: health.port }),
    resources: [{ name: 'connections', close: () => connections.close() }],
    onReady: (server) => {
      console.log(toJsonLine({ ready: true, service: service.name, health: server?.url, ...says?.() }));
      // Node would keep what it has compiled only when this ends, and not when it is killed.
      flushCompileCache();
    },
  });
}
