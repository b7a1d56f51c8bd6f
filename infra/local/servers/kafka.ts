// Kafka in KRaft mode: each broker is its own controller too.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { classArchiveFile } from '../class-archives.ts';
import { StackError } from '../errors.ts';
import type { Java } from '../java.ts';
import { probeGroup, probeTransactions } from '../kafka-probe.ts';
import { probeKafka, probePort, until } from '../probes.ts';
import type { ServerName } from '../types.ts';
import type { PartSpec, ServerSpec } from './server.ts';

/** The DLQ takes what its source took and 64 KiB of headers; batches of intents of 1 MB must pass. */
const MAX_MESSAGE_BYTES = 2_359_296;
/** Few, because each is a log of its own; more than one, so that coordinators are spread over a cluster. */
const INTERNAL_PARTITIONS = 4;

export interface KafkaOptions {
  readonly java: Java;
  /** Folder of the jars. */
  readonly jars: string;
  readonly dataDir: string;
  /** The same for the life of the data. */
  readonly clusterId: string;
  /** One entry a broker. `proxied` is a second listener, for a proxy that clients reach at `advertised`. */
  readonly brokers: readonly { port: number; controllerPort: number; proxied?: { port: number; advertised: number } }[];
}

/** A new cluster id, in Kafka's own form: 16 random bytes, base64url. */
export function newClusterId(): string {
  return kafkaUuid();
}

function kafkaUuid(): string {
  // An id that begins with a dash is taken for an option by Kafka's own tools.
  const text = randomBytes(16).toString('base64url');
  return text.startsWith('-') ? kafkaUuid() : text;
}

export function kafkaPart(options: KafkaOptions): PartSpec {
  const servers = options.brokers.map((_, index) => brokerSpec(options, index));
  return {
    name: 'kafka',
    servers,
    settle: async (signal, running) => {
      const addresses = options.brokers
        .filter((_, index) => running.includes(servers[index]?.name as ServerName))
        .map(({ port }) => `127.0.0.1:${port}`);
      await until(signal, () => probeKafka(addresses, addresses.length));
      await warmUp(addresses[0] as string, signal);
    },
  };
}

function brokerSpec(options: KafkaOptions, index: number): ServerSpec {
  const { port, controllerPort, proxied } = options.brokers[index] as KafkaOptions['brokers'][number];
  const name = `kafka-${index + 1}` as ServerName;
  const dir = path.join(options.dataDir, name);
  const single = options.brokers.length === 1;
  return {
    name,
    title: single ? 'Kafka' : `Kafka broker ${index + 1}`,
    ports: [port, controllerPort, ...(proxied ? [proxied.port] : [])],
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
  const { port, controllerPort, proxied } = options.brokers[index] as KafkaOptions['brokers'][number];
  const count = options.brokers.length;
  const minInSync = count > 1 ? 2 : 1;
  const listen = [`PLAINTEXT://127.0.0.1:${port}`, ...(proxied ? [`PROXIED://127.0.0.1:${proxied.port}`] : [])];
  const advertise = [
    `PLAINTEXT://127.0.0.1:${port}`,
    ...(proxied ? [`PROXIED://127.0.0.1:${proxied.advertised}`] : []),
  ];
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': index + 1,
    'controller.quorum.voters': options.brokers
      .map((broker, at) => `${at + 1}@127.0.0.1:${broker.controllerPort}`)
      .join(),
    listeners: [...listen, `CONTROLLER://127.0.0.1:${controllerPort}`].join(),
    'advertised.listeners': advertise.join(),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logDir,
    // Topics come from `corridor topics apply` only: a misspelt name must fail, not make a topic.
    'auto.create.topics.enable': false,
    'default.replication.factor': count,
    'min.insync.replicas': minInSync,
    'offsets.topic.replication.factor': count,
    'offsets.topic.num.partitions': INTERNAL_PARTITIONS,
    'offsets.topic.segment.bytes': 16_777_216,
    'transaction.state.log.replication.factor': count,
    'transaction.state.log.min.isr': minInSync,
    'transaction.state.log.num.partitions': INTERNAL_PARTITIONS,
    'transaction.state.log.segment.bytes': 16_777_216,
    'share.coordinator.state.topic.replication.factor': count,
    'share.coordinator.state.topic.min.isr': minInSync,
    'share.coordinator.state.topic.num.partitions': 1,
    // A broker that was killed may come back as soon as its old session has ended: 12 s with the defaults.
    'broker.session.timeout.ms': count > 1 ? 3_000 : 2_000,
    'broker.heartbeat.interval.ms': 300,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    // What a killed producer left open holds up read_committed readers until this finds it.
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1_000,
    // A stack that slept for weeks must find its offsets again: a missing offset stops a processor.
    'offsets.retention.minutes': 5_256_000,
    'message.max.bytes': MAX_MESSAGE_BYTES,
    'replica.fetch.max.bytes': MAX_MESSAGE_BYTES,
    // Smaller than the defaults, which are made for a machine of its own.
    'log.segment.bytes': 134_217_728,
    'log.index.size.max.bytes': 2_097_152,
    'log.cleaner.dedupe.buffer.size': 4_194_304,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'queued.max.requests': 200,
    'socket.listen.backlog.size': 256,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
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
  const work = mkdtempSync(`${template}-`);
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

/**
 * Has every group and transaction coordinator loaded before anybody needs one: right after a start they answer
 * NOT_COORDINATOR, which the client does not try again.
 */
async function warmUp(broker: string, signal: AbortSignal): Promise<void> {
  await Promise.all([
    ...onePerPartition('corridor-warm-up-group').map((group) => until(signal, () => probeGroup(broker, group))),
    ...onePerPartition('corridor-warm-up-txn').map((id) => until(signal, () => probeTransactions(broker, id))),
  ]);
}

/** Names of which each falls on another partition of a coordinator's topic. */
function onePerPartition(prefix: string): string[] {
  const found = new Map<number, string>();
  for (let n = 0; found.size < INTERNAL_PARTITIONS; n++) {
    const name = `${prefix}-${n}`;
    const partition = (javaHash(name) & 0x7fffffff) % INTERNAL_PARTITIONS;
    if (!found.has(partition)) found.set(partition, name);
  }
  return [...found.values()];
}

/** String.hashCode of Java. */
function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}
