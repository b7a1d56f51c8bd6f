// What all local Kafka clusters have in common, however their brokers are run.
import { randomBytes } from 'node:crypto';
import { probeGroup, probeTransactions } from '../kafka-probe.ts';
import { probeKafka, until } from '../probes.ts';

export type KafkaSettings = Record<string, string | number | boolean>;

/** The DLQ takes what its source took and 64 KiB of headers; intents of 1 MB must pass. */
const MAX_MESSAGE_BYTES = 2_359_296;
/** Few, because each is a log of its own; more than one, so that coordinators are spread over a cluster. */
const INTERNAL_PARTITIONS = 4;

/** A random id in Kafka's own form: 16 bytes, base64url. */
export function kafkaUuid(): string {
  // One that begins with a dash is taken for an option by Kafka's own tools.
  const text = randomBytes(16).toString('base64url');
  return text.startsWith('-') ? kafkaUuid() : text;
}

/** Broker settings that depend on nothing but the number of brokers. */
export function commonSettings(brokers: number): KafkaSettings {
  const minInSync = brokers > 1 ? 2 : 1;
  return {
    'process.roles': 'broker,controller',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    // Topics come from `corridor topics apply` only: a misspelt name must fail, not make a topic.
    'auto.create.topics.enable': false,
    'default.replication.factor': brokers,
    'min.insync.replicas': minInSync,
    'offsets.topic.replication.factor': brokers,
    'offsets.topic.num.partitions': INTERNAL_PARTITIONS,
    'offsets.topic.segment.bytes': 16_777_216,
    'transaction.state.log.replication.factor': brokers,
    'transaction.state.log.min.isr': minInSync,
    'transaction.state.log.num.partitions': INTERNAL_PARTITIONS,
    'transaction.state.log.segment.bytes': 16_777_216,
    'share.coordinator.state.topic.replication.factor': brokers,
    'share.coordinator.state.topic.min.isr': minInSync,
    'share.coordinator.state.topic.num.partitions': 1,
    // A broker that was killed may come back as soon as its old session has ended: 12 s with the defaults.
    'broker.session.timeout.ms': brokers > 1 ? 3_000 : 2_000,
    'broker.heartbeat.interval.ms': 500,
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
}

/**
 * Resolves when these brokers form a cluster, and every group and transaction coordinator answers: right after a start
 * they say NOT_COORDINATOR, which the client does not try again.
 */
export async function settleKafka(brokers: readonly string[], signal: AbortSignal): Promise<void> {
  await until(signal, () => probeKafka(brokers, brokers.length));
  const first = brokers[0] as string;
  await Promise.all([
    ...onePerPartition('corridor-warm-up-group').map((group) => until(signal, () => probeGroup(first, group))),
    ...onePerPartition('corridor-warm-up-txn').map((id) => until(signal, () => probeTransactions(first, id))),
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
