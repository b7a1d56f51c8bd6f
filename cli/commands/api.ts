// `corridor api`: the REST API of one process.
import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import type { Command } from 'commander';
import { startHealthServer } from '../../adapters/http/health-server.ts';
import { createApi } from '../../api/http/app.ts';
import { routesOn } from '../../api/http/faces.ts';
import { ROUTES } from '../../api/v1/routes.ts';
import { unknownVariables } from '../../runtime/config/config.ts';
import { createLogger } from '../../runtime/logs-and-metrics/logger.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import { EXIT, runService } from '../../runtime/process/service.ts';
import { authentication } from '../../services/api/authentication.ts';
import { loadApiConfig } from '../../services/api/environment.ts';
import { composeApi } from '../../services/api/parts.ts';
import { Connections } from '../../services/connections.ts';
import { backgroundHost } from '../../services/process-parts/background.ts';
import { explain, printError, toJsonLine } from '../output.ts';

const SERVICE = 'api';
const DOCUMENT = new URL('../../api/v1/openapi.json', import.meta.url);
/** A process tries for ever, so its health can soon say that the database is away. */
const FIRST_DATABASE_WAIT_MS = 3_000;

export function registerApi(program: Command): void {
  program
    .command('api')
    .description('serve the REST API until SIGTERM or Ctrl-C; logs JSON to standard output')
    .addHelpText(
      'after',
      `
Listens on CORRIDOR_API_HOST and CORRIDOR_API_PORT. Who is let in: docs/security.md. What there is: docs/api.md.
CORRIDOR_API_FACES says whether it serves producers, operators or both. Keys that it does not need are refused.

Example:
  CORRIDOR_API_PORT=8080 corridor api`,
    )
    .action(async () => {
      try {
        const end = await serveApi();
        if (end.exitCode !== 0) printError(`ended: ${end.detail} (${end.code})`);
        process.exit(end.exitCode);
      } catch (error) {
        printError(explain(error));
        process.exit(EXIT.fault);
      }
    });
}

async function serveApi() {
  const config = loadApiConfig(process.env);
  const { watchdog, health, api } = config;
  const logger = createLogger({ level: config.logLevel, service: SERVICE });
  for (const variable of unknownVariables(process.env)) {
    logger.warn({ code: 'SETTING_UNKNOWN', detail: variable }, 'this variable is no setting of Corridor');
  }
  const metrics = createMetrics({ processMetrics: true });
  // A wrong configuration ends the process at once; a dependency that is away is waited for.
  const authenticator = await authentication(config, ({ code, message }) =>
    logger.error({ code, detail: message }, 'the API keys read before stay in force'),
  );
  const connections = new Connections(config, `${config.appName}-${SERVICE}`, {
    firstWaitMs: FIRST_DATABASE_WAIT_MS,
    watch: {},
    onOlderStores: (detail) => logger.warn({ code: 'STORES_OLDER', detail }, 'the stores are of an older release'),
  });
  let url = '';
  const make = async () => {
    // When the database is lost, all of it is made anew.
    const lost = connections.databaseLost;
    const { parts, resources } = await composeApi(connections, { logger, metrics });
    const app = createApi({
      routes: routesOn(ROUTES, api.faces),
      parts,
      authenticator,
      document: readFileSync(DOCUMENT, 'utf8'),
      docsUrl: api.docsUrl,
      requestsPerMinute: api.requestsPerMinute,
      logger,
      metrics,
    });
    const host = backgroundHost({
      name: SERVICE,
      start: async () => {
        url = await app.listen({ host: api.host, port: api.port });
      },
      stop: () => app.close(),
    });
    return { hosts: [host], resources, lost };
  };
  return runService({
    name: SERVICE,
    hosts: [],
    parts: [{ name: SERVICE, consumes: false, make }],
    stays: true,
    logger,
    metrics,
    liveness: { stallAfterMs: watchdog.stallAfterMs, exitAfterMs: watchdog.exitAfterMs },
    drainDeadlineMs: watchdog.drainDeadlineMs,
    eventLoopDeadlineMs: watchdog.eventLoopDeadlineMs,
    serveHealth: (source) => startHealthServer(source, { host: health.host, port: health.port }),
    resources: [{ name: 'connections', close: () => connections.close() }],
    onReady: (server) => {
      console.log(toJsonLine({ ready: true, service: SERVICE, faces: api.faces, health: server?.url, url }));
      flushCompileCache();
    },
  });
}
