// Kafka in KRaft mode: each broker is its own controller too.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeScratch } from '../artifacts.ts';
import { classArchiveFile } from '../class-archives.ts';
import { StackError } from '../fault.ts';
import type { Java } from '../java.ts';
import { probePort } from '../probes.ts';
import type { ServerName } from '../types.ts';
import { commonSettings, type KafkaSettings, kafkaUuid, settleKafka } from './kafka-cluster.ts';
import type { ServerKindSpec, ServerSpec } from './server.ts';

export interface KafkaOptions {
  readonly java: Java;
  /** Folder of the jars. */
  readonly jars: string;
  readonly dataDir: string;
  /** The same for the life of the data. */
  readonly clusterId: string;
  /** Up with about half the processor time, and slower under a long load: only quickly compiled code. */
  readonly trial: boolean;
  /** One entry a broker. `proxied` is a second listener, for a proxy that clients reach at `advertised`. */
  readonly brokers: readonly BrokerPlace[];
}

interface BrokerPlace {
  readonly port: number;
  readonly controllerPort: number;
  readonly proxied?: { readonly port: number; readonly advertised: number };
  /**
   * One more listener, on which clients log in (SASL PLAIN) and may do what access control lists allow. Whoever comes in by the
   * others may do everything.
   */
  readonly guarded?: { readonly port: number; readonly passwords: Readonly<Record<string, string>> };
}

export function kafkaServers(options: KafkaOptions): ServerKindSpec {
  const servers = options.brokers.map((_, index) => brokerSpec(options, index));
  return {
    name: 'kafka',
    servers,
    settle: async (signal, running) => {
      const addresses = options.brokers
        .filter((_, index) => running.includes(servers[index]?.name as ServerName))
        .map(({ port }) => `127.0.0.1:${port}`);
      await settleKafka(addresses, signal);
    },
  };
}

function brokerSpec(options: KafkaOptions, index: number): ServerSpec {
  const { port, controllerPort, proxied, guarded } = options.brokers[index] as BrokerPlace;
  const name = `kafka-${index + 1}` as ServerName;
  const dir = path.join(options.dataDir, name);
  const single = options.brokers.length === 1;
  return {
    name,
    title: single ? 'Kafka' : `Kafka broker ${index + 1}`,
    ports: [port, controllerPort, ...(proxied ? [proxied.port] : []), ...(guarded ? [guarded.port] : [])],
    graceMs: 15_000,
    classArchive: classArchiveFile(options.jars, options.java),
    corrupt:
      /InconsistentClusterId|CorruptRecord|corrupted|Malformed|No meta.properties|Error while reading checkpoint/i,
    command: (classArchive) => ({
      file: options.java.file,
      args: [
        '-Xms128m',
        single ? '-Xmx512m' : '-Xmx384m',
        '-XX:+UseSerialGC',
        '-XX:-UsePerfData',
        ...(options.trial ? ['-XX:TieredStopAtLevel=1'] : []),
        '-Djava.awt.headless=true',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
        '-Dorg.slf4j.simpleLogger.showDateTime=true',
        ...classArchive,
        '-cp',
        path.join(options.jars, '*'),
        'kafka.Kafka',
        path.join(dir, 'server.properties'),
      ],
    }),
    prepare: async () => {
      const logDir = path.join(dir, 'log');
      if (existsSync(dir)) checkFormatted(logDir, options.clusterId, index + 1);
      else await format(options, dir, index + 1);
      writeFileSync(path.join(dir, 'server.properties'), properties(options, index, logDir));
    },
    // The real question is asked in `settle`: one broker of three cannot answer it alone.
    probe: () => probePort(port),
  };
}

function properties(options: KafkaOptions, index: number, logDir: string): string {
  const { port, controllerPort, proxied, guarded } = options.brokers[index] as BrokerPlace;
  const own = [`PLAINTEXT://127.0.0.1:${port}`, ...(guarded ? [`GUARDED://127.0.0.1:${guarded.port}`] : [])];
  const listen = [...own, ...(proxied ? [`PROXIED://127.0.0.1:${proxied.port}`] : [])];
  const advertise = [...own, ...(proxied ? [`PROXIED://127.0.0.1:${proxied.advertised}`] : [])];
  const voters = options.brokers.map((broker, at) => `${at + 1}@127.0.0.1:${broker.controllerPort}`);
  const settings: KafkaSettings = {
    'node.id': index + 1,
    'controller.quorum.voters': voters.join(),
    listeners: [...listen, `CONTROLLER://127.0.0.1:${controllerPort}`].join(),
    'advertised.listeners': advertise.join(),
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT',
    'log.dirs': logDir,
    ...commonSettings(options.brokers.length),
    ...(guarded ? guardedSettings(guarded.passwords) : {}),
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function guardedSettings(passwords: Readonly<Record<string, string>>): KafkaSettings {
  const users = Object.entries(passwords).map(([user, password]) => `user_${user}="${password}"`);
  return {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'listener.name.guarded.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.guarded.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${users.join(' ')};`,
  };
}

/**
 * Makes the log folder of a broker. Kafka's own tool takes 2 s for it, so it runs once for all, and what it made is
 * copied; what differs from cluster to cluster and from broker to broker is only in meta.properties.
 */
async function format(options: KafkaOptions, dir: string, nodeId: number): Promise<void> {
  const template = path.join(options.jars, '..', `${path.basename(options.jars)}-format`);
  if (!existsSync(template)) await makeTemplate(options, template);
  const next = `${dir}.next`;
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { recursive: true });
  cpSync(template, path.join(next, 'log'), { recursive: true });
  writeFileSync(
    path.join(next, 'log', 'meta.properties'),
    `version=1\nnode.id=${nodeId}\ncluster.id=${options.clusterId}\ndirectory.id=${kafkaUuid()}\n`,
  );
  renameSync(next, dir);
}

async function makeTemplate(options: KafkaOptions, template: string): Promise<void> {
  const work = makeScratch(template);
  const logDir = path.join(work, 'log');
  const config = path.join(work, 'server.properties');
  writeFileSync(config, properties({ ...options, brokers: [{ port: 1, controllerPort: 2 }] }, 0, logDir));
  const classPath = path.join(options.jars, '*');
  const args = ['-XX:TieredStopAtLevel=1', '-cp', classPath, 'kafka.tools.StorageTool', 'format'];
  await promisify(execFile)(options.java.file, [...args, '-t', kafkaUuid(), '-c', config]);
  try {
    renameSync(logDir, template);
  } catch (error) {
    // Another process was first; its template is as good.
    if (!existsSync(template)) throw error;
  }
  rmSync(work, { recursive: true, force: true });
}

function checkFormatted(logDir: string, clusterId: string, nodeId: number): void {
  let text = '';
  try {
    text = readFileSync(path.join(logDir, 'meta.properties'), 'utf8');
  } catch {
    // Reported below.
  }
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1];
  if (value('cluster.id') === clusterId && value('node.id') === String(nodeId)) return;
  throw new StackError(
    'STATE_CORRUPT',
    `${logDir} does not hold the data of this Kafka cluster: its meta.properties is missing or names another.`,
    'Run `npm run corridor -- down --wipe` to remove the local data (all topics are lost), and start again.',
  );
}
