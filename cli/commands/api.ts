// `corridor api`: the REST API of one process.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { createApi } from '../../api/http/app.ts';
import { routesOn } from '../../api/http/faces.ts';
import { ROUTES } from '../../api/v1/routes.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import { authentication } from '../../services/api/authentication.ts';
import { composeApi } from '../../services/api/components.ts';
import { loadApiConfig } from '../../services/api/environment.ts';
import { backgroundHost } from '../../services/process-parts/background.ts';
import { exitAfter, serve, serviceConnections, serviceLogger } from '../service.ts';

const SERVICE = 'api';
const DOCUMENT = new URL('../../api/v1/openapi.json', import.meta.url);

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
    .action(() => exitAfter(serveApi));
}

async function serveApi() {
  const config = loadApiConfig(process.env);
  const { api } = config;
  const logger = serviceLogger(config, SERVICE);
  const metrics = createMetrics({ processMetrics: true });
  // A wrong configuration ends the process at once; a dependency that is away is waited for.
  const authenticator = await authentication(config, ({ code, message }) =>
    logger.error({ code, detail: message }, 'the API keys read before stay in force'),
  );
  const connections = serviceConnections(config, SERVICE, logger);
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
  return serve({
    name: SERVICE,
    hosts: [],
    parts: [{ name: SERVICE, consumes: false, make }],
    stays: true,
    logger,
    metrics,
    config,
    connections,
    says: () => ({ faces: api.faces, url }),
  });
}
