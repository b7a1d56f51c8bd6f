import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { classArchiveFile } from '../class-archives.ts';
import type { Java } from '../java.ts';
import { probeRegistry } from '../probes.ts';
import type { ServerKindSpec } from './server.ts';

export const REGISTRY_PATH = '/apis/ccompat/v7';

/** Apicurio behind its Confluent-compatible API, on an H2 file. */
export function registryServer(options: { java: Java; dir: string; dataDir: string; port: number }): ServerKindSpec {
  const url = `http://127.0.0.1:${options.port}${REGISTRY_PATH}`;
  const data = path.join(options.dataDir, 'registry');
  return {
    name: 'registry',
    servers: [
      {
        name: 'registry',
        title: 'The schema registry',
        ports: [options.port],
        graceMs: 10_000,
        classArchive: classArchiveFile(options.dir, options.java),
        corrupt: /File corrupted|MVStoreException|Wrong user name or password|Unsupported database file/,
        command: (classArchive) => ({
          file: options.java.file,
          args: [
            '-Xmx128m',
            '-XX:+UseSerialGC',
            '-XX:TieredStopAtLevel=1',
            '-XX:-UsePerfData',
            '-Djava.awt.headless=true',
            '-Dquarkus.datasource.jdbc.min-size=1',
            '-Dquarkus.datasource.jdbc.initial-size=1',
            '-Dquarkus.datasource.jdbc.max-size=8',
            '-Dquarkus.log.level=WARN',
            ...classArchive,
            '-jar',
            path.join(options.dir, 'apicurio-registry-app-2.6.13.Final-runner.jar'),
          ],
          env: {
            // Without WRITE_DELAY=0 a kill loses acknowledged schemas and hands their ids out again.
            REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${path.join(data, 'schemas')};WRITE_DELAY=0`,
            QUARKUS_HTTP_HOST: '127.0.0.1',
            QUARKUS_HTTP_PORT: String(options.port),
          },
        }),
        prepare: async () => {
          mkdirSync(data, { recursive: true });
        },
        probe: () => probeRegistry(url),
      },
    ],
    settle: () => requireCompatibility(url),
  };
}

/** A fresh registry accepts any change of a schema; this one must not. */
export async function requireCompatibility(url: string): Promise<void> {
  const response = await fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ compatibility: 'FULL_TRANSITIVE' }),
  });
  if (!response.ok) throw new Error(`PUT /config: ${response.status} ${await response.text()}`);
}
