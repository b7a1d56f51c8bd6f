// Connections that commands and services share, made from the configuration. Opened when first used, closed together.
import { readFileSync } from 'node:fs';
import { createLog } from '../adapters/kafka/log.ts';
import type { KafkaOptions } from '../adapters/kafka/options.ts';
import { connectMongo, type MongoConnection, type SentCommand } from '../adapters/mongo/client.ts';
import { type RegistryOptions, registryCodec } from '../adapters/registry/codec.ts';
import { type Config, loadConfig } from '../runtime/config/config.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Codec } from '../runtime/ports/codec.ts';
import type { Log } from '../runtime/ports/log.ts';
import { INTENT_MAX_MESSAGE_BYTES } from '../topics/contract.ts';
import { unsafeKafka, unsafeSwitches } from './compose/unsafe.ts';
import { commandEnvironment } from './environment.ts';

/** The configuration of a command: the environment, with a running local stack filling in its URLs. */
export const commandConfig = (): Config => loadConfig(commandEnvironment());

/** How the registry is reached. */
export function registryOptions({ registry }: Config): RegistryOptions {
  const { url, username, password } = registry;
  return { url, ...(username && password ? { auth: { username, password } } : {}) };
}

/** How the log is reached; `clientId` names this process to the brokers. */
export function kafkaOptions(config: Config, clientId: string): KafkaOptions {
  const { brokers, ssl, sslCaFile, saslMechanism, saslUsername, saslPassword, ...rest } = config.kafka;
  return {
    brokers,
    appName: config.appName,
    clientId,
    compression: rest.compression,
    maxUnpackedBytes: rest.maxUnpackRatio * INTENT_MAX_MESSAGE_BYTES,
    sessionTimeoutMs: rest.sessionTimeoutMs,
    transactionTimeoutMs: rest.transactionTimeoutMs,
    failpoint,
    unsafe: unsafeKafka(unsafeSwitches()),
    ...(ssl ? { ssl: sslCaFile ? { ca: readFileSync(sslCaFile) } : true } : {}),
    ...(saslMechanism && saslUsername && saslPassword
      ? { sasl: { mechanism: saslMechanism, username: saslUsername, password: saslPassword } }
      : {}),
  };
}

/** Connections of one process. */
export class Connections {
  readonly config: Config;
  readonly #clientId: string;
  readonly #onDatabase: ((sent: SentCommand) => void) | undefined;
  #log: Log | undefined;
  #codec: Codec | undefined;
  #mongo: Promise<MongoConnection> | undefined;

  /** `onDatabase` is told of every command that is sent to MongoDB. */
  constructor(config: Config, clientId: string, onDatabase?: (sent: SentCommand) => void) {
    this.config = config;
    this.#clientId = clientId;
    this.#onDatabase = onDatabase;
  }

  get log(): Log {
    this.#log ??= createLog(kafkaOptions(this.config, this.#clientId));
    return this.#log;
  }

  get codec(): Codec {
    this.#codec ??= registryCodec(registryOptions(this.config));
    return this.#codec;
  }

  /** The database. Throws MONGO_UNAVAILABLE when it does not answer in time. */
  async db(): Promise<MongoConnection['db']> {
    const { uri, database } = this.config.mongo;
    const onCommand = this.#onDatabase;
    this.#mongo ??= connectMongo({ uri, database, ...(onCommand ? { onCommand } : {}) });
    const connecting = this.#mongo;
    connecting.catch(() => {
      // The next caller tries again.
      if (this.#mongo === connecting) this.#mongo = undefined;
    });
    return (await connecting).db;
  }

  async close(): Promise<void> {
    await this.#log?.close();
    const mongo = await this.#mongo?.catch(() => undefined);
    await mongo?.close();
  }
}

/** Runs a command with connections, and closes them whatever happens. */
export async function withConnections<T>(use: (connections: Connections) => Promise<T>): Promise<T> {
  const connections = new Connections(commandConfig(), 'corridor-cli');
  try {
    return await use(connections);
  } finally {
    await connections.close();
  }
}
