// Health and metrics of one process over HTTP, for probes, scrapers and people.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HealthAnswer, HealthServer, HealthSource } from '../../ports/health.ts';

/** Serves GET /health, /health/live, /health/ready and /metrics. Port 0 takes any free port. */
export async function startHealthServer(
  source: HealthSource,
  options: { readonly host: string; readonly port: number },
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, { error: 'only GET' });
    switch (path) {
      case '/health':
        return answer(response, source.all());
      case '/health/live':
        return answer(response, source.live());
      case '/health/ready':
        return answer(response, source.ready());
      case '/metrics':
        return void source.metrics().then(
          ({ contentType, text }) => response.writeHead(200, { 'content-type': contentType }).end(text),
          () => send(response, 500, { error: 'metrics cannot be collected' }),
        );
      default:
        return send(response, 404, {
          error: 'not here',
          try: ['/health', '/health/live', '/health/ready', '/metrics'],
        });
    }
  });
  await listening(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${options.host === '0.0.0.0' || options.host === '::' ? 'localhost' : options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const answer = (response: ServerResponse, { ok, body }: HealthAnswer) => send(response, ok ? 200 : 503, body);

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
