// The log on Kafka: what composition roots create and hand to the runtime as a `Log`.
import type {
  ConsumerOptions,
  Log,
  LogAdmin,
  LogConsumer,
  LogReader,
  LogTransactions,
  LogWriter,
} from '../../ports/log.ts';
import { KafkaAdmin } from './admin.ts';
import { Connections } from './client.ts';
import { KafkaConsumer } from './consumer.ts';
import { boundUnpackedBytes } from './kafkajs/fetch-response.ts';
import { applyPatches } from './kafkajs/patches.ts';
import { type KafkaOptions, settingsOf } from './options.ts';
import { KafkaReader } from './reader.ts';
import { KafkaTransactions } from './transactions.ts';
import { KafkaWriter } from './writer.ts';

/** Longest wait for consumers that `close` finds still running, ms. */
const CLOSE_DEADLINE_MS = 10_000;

/** Creates the log. Nothing is connected until something is consumed, written or read. */
export function createLog(options: KafkaOptions): Log {
  applyPatches(options.patches);
  const settings = settingsOf(options);
  boundUnpackedBytes(settings.maxUnpackedBytes);
  return new KafkaLog(new Connections(settings));
}

class KafkaLog implements Log {
  readonly #connections: Connections;
  readonly #consumers = new Set<KafkaConsumer>();
  readonly #writers = new Set<KafkaWriter>();
  readonly #admins = new Set<KafkaAdmin>();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async consume(options: ConsumerOptions): Promise<LogConsumer> {
    const consumer = new KafkaConsumer(this.#connections, options);
    this.#consumers.add(consumer);
    const forget = () => this.#consumers.delete(consumer);
    consumer.ended.then(forget, forget);
    consumer.start();
    return consumer;
  }

  async writer(name: string): Promise<LogWriter> {
    const writer = new KafkaWriter(this.#connections, name);
    this.#writers.add(writer);
    return writer;
  }

  async transactions(transactionalId: string, topic: string): Promise<LogTransactions> {
    return KafkaTransactions.takeOver(this.#connections, transactionalId, topic);
  }

  reader(): LogReader {
    return new KafkaReader(this.#connections);
  }

  async admin(): Promise<LogAdmin> {
    const admin = new KafkaAdmin(this.#connections);
    this.#admins.add(admin);
    return admin;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.stop(CLOSE_DEADLINE_MS)));
    await Promise.all([...this.#writers].map((writer) => writer.close()));
    // One that a fault kept from being closed would keep the process alive.
    await Promise.all([...this.#admins].map((admin) => admin.close()));
  }
}
