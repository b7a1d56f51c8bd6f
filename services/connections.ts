// Connections that services and commands share, made from the configuration. Opened when first used, closed together.
import { readFileSync } from 'node:fs';
import type { WatchOptions } from '../adapters/client-watch.ts';
import { createLog } from '../adapters/kafka/log.ts';
import type { KafkaOptions } from '../adapters/kafka/options.ts';
import { connectMongo, FIRST_WAIT_MS, type MongoConnection, type SentCommand } from '../adapters/mongo/client.ts';
import { openStores } from '../adapters/mongo/migrations/index.ts';
import { registryCodec } from '../adapters/registry/codec.ts';
import type { RegistryOptions } from '../adapters/registry/options.ts';
import type { Codec } from '../ports/codec.ts';
import { CodedError } from '../ports/fault.ts';
import type { Log } from '../ports/log.ts';
import type { Config } from '../runtime/config/config.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { INTENT_MAX_MESSAGE_BYTES } from '../topics/contract.ts';
import { unsafeKafka, unsafeSwitches } from './unsafe-switches/unsafe.ts';

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

export interface ConnectionsOptions {
  /** Called with every command that is sent to MongoDB. */
  readonly onDatabase?: (sent: SentCommand) => void;
  /**
   * How long the database is waited for at the first try, ms. Each try that failed doubles it: what tries again for ever says
   * early that the database is away, and comes through on a machine that is too slow for a short wait.
   */
  readonly firstWaitMs?: number;
  /**
   * Watches the connection to the database for a driver that is broken for ever. Who asks next is connected anew, and who
   * holds the old one is told by `databaseLost`.
   */
  readonly watch?: WatchOptions;
  /** Called with migrations that may be applied while the process works. */
  readonly onOlderStores?: (detail: string) => void;
  /** For migrations alone: the stores are taken as they are. Otherwise they must go together with this code. */
  readonly anyStores?: true;
}

const MAX_WAIT_MS = 30_000;

/** Connections of one process. */
export class Connections {
  readonly config: Config;
  readonly #clientId: string;
  readonly #options: ConnectionsOptions;
  readonly #closing = new AbortController();
  #waitMs: number;
  #log: Log | undefined;
  #codec: Codec | undefined;
  #mongo: Promise<MongoConnection> | undefined;
  #lost = lossOfOne();

  constructor(config: Config, clientId: string, options: ConnectionsOptions = {}) {
    this.config = config;
    this.#clientId = clientId;
    this.#options = options;
    this.#waitMs = options.firstWaitMs ?? FIRST_WAIT_MS;
  }

  get log(): Log {
    this.#log ??= createLog(kafkaOptions(this.config, this.#clientId));
    return this.#log;
  }

  get codec(): Codec {
    this.#codec ??= registryCodec(registryOptions(this.config));
    return this.#codec;
  }

  /**
   * The database. Throws MONGO_UNAVAILABLE when it does not answer in time, STORES_NEWER or STORES_TOO_OLD when this code may
   * not work on what is in it, and STOPPING after `close`.
   */
  async db(): Promise<MongoConnection['db']> {
    if (this.#closing.signal.aborted) throw new CodedError('STOPPING', 'the connections were closed');
    this.#mongo ??= this.#connect();
    return (await this.#mongo).db;
  }

  /** Rejects with MONGO_CLIENT_BROKEN when the connection that `db` answers with now is of no more use; never resolves. */
  get databaseLost(): Promise<never> {
    return this.#lost.promise;
  }

  #connect(): Promise<MongoConnection> {
    const connecting = this.#open((fault) => this.#lose(connecting, fault));
    connecting.catch(() => {
      if (this.#mongo !== connecting) return;
      // The next caller tries again, with more patience.
      this.#mongo = undefined;
      this.#waitMs = Math.min(2 * this.#waitMs, MAX_WAIT_MS);
    });
    return connecting;
  }

  /** Whoever asks from now on is connected anew. What waits for the old one ends with it. */
  #lose(connection: Promise<MongoConnection>, fault: CodedError): void {
    if (this.#mongo === connection) this.#mongo = undefined;
    const { reject } = this.#lost;
    this.#lost = lossOfOne();
    reject(fault);
    void connection.then(
      (lost) => lost.close(),
      () => undefined,
    );
  }

  async #open(onBroken: (fault: CodedError) => void): Promise<MongoConnection> {
    const { uri, database } = this.config.mongo;
    const { onDatabase: onCommand, onOlderStores, anyStores, watch } = this.#options;
    const connection = await connectMongo({
      uri,
      database,
      firstWaitMs: this.#waitMs,
      signal: this.#closing.signal,
      ...(onCommand ? { onCommand } : {}),
      ...(watch ? { watch, onBroken } : {}),
    });
    if (anyStores) return connection;
    try {
      const pending = await openStores(connection.db);
      if (pending.length > 0) onOlderStores?.(`${pending.join(', ')}: run \`corridor migrate apply\` when it suits`);
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#log?.close();
    const mongo = await this.#mongo?.catch(() => undefined);
    await mongo?.close();
  }
}

/** Rejects with the first of these losses. Nobody need wait for it. */
export function firstLoss(losses: readonly Promise<never>[]): Promise<never> {
  const first = Promise.race(losses);
  first.catch(() => undefined);
  return first;
}

function lossOfOne(): PromiseWithResolvers<never> {
  const loss = Promise.withResolvers<never>();
  loss.promise.catch(() => undefined);
  return loss;
}
