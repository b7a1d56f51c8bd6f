// What the composition root tells the Kafka adapter.
import type { ConnectionOptions } from 'node:tls';
import { isForTrials } from '../../ports/environment.ts';
import { type Failpoint, NO_FAILPOINT } from '../../ports/failpoint.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogFailpoint } from '../../ports/log-failpoints.ts';
import type { PatchName } from './kafkajs/patches.ts';

/** SASL as kafkajs takes it; the password never reaches a log line. */
export type SaslOptions =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'oauthbearer';
      readonly oauthBearerProvider: () => Promise<{ readonly value: string }>;
    };

/**
 * Takes a guarantee away, so that the crash harness can prove that it would notice. Refused unless CORRIDOR_ENV is
 * development or test and CORRIDOR_UNSAFE_FOR_TESTS is 1.
 */
export interface UnsafeForTests {
  /** Commits offsets after the transaction rather than inside it: a kill between the two duplicates a batch. */
  readonly offsetsOutsideTransaction?: boolean;
  /** The previous owner of a partition is neither fenced nor stopped by the group: a frozen one doubles a batch. */
  readonly noFencing?: boolean;
  /** A topic is known by its name alone: one that is made again repeats the positions of the one before it. */
  readonly topicsByName?: boolean;
}

export interface KafkaOptions {
  /** `host:port` of one or more brokers to start from. */
  readonly brokers: readonly string[];
  /** First part of every group id and transactional id. Frozen: changing it starts a new application. */
  readonly appName: string;
  /** Names this process in the broker's logs and quotas. */
  readonly clientId: string;
  readonly ssl?: ConnectionOptions | boolean;
  readonly sasl?: SaslOptions;
  /** Compression of what is written. */
  readonly compression?: 'none' | 'gzip' | 'zstd';
  /** After this long without a heartbeat the group gives a member's partitions away, ms. */
  readonly sessionTimeoutMs?: number;
  /**
   * How long a rebalance waits for the batches that its members have in hand, ms; default: three sessions. What takes longer
   * is handled again. The other members wait for as long, and so does a join whose connection is half open.
   */
  readonly rebalanceTimeoutMs?: number;
  /** How long the broker lets a transaction stay open before it aborts it, ms: it blocks readers that long at most. */
  readonly transactionTimeoutMs?: number;
  /** How long a request may stay unanswered before the connection is given up, ms. */
  readonly requestTimeoutMs?: number;
  /** How long a writer tries to get records acknowledged before it says that their fate is unknown, ms. */
  readonly writeTimeoutMs?: number;
  /** Most records in one produce request per partition. */
  readonly maxSendRecords?: number;
  /** Most bytes (before compression) in one produce request per partition: below the topic's max.message.bytes. */
  readonly maxSendBytes?: number;
  /** Most bytes that a compressed batch that is read may unpack to; for the whole process. */
  readonly maxUnpackedBytes?: number;
  /** How long what a broker cannot read, or fails its checksum, is asked for again before it becomes a dead letter, ms. */
  readonly unreadableTimeoutMs?: number;
  /** Whether batches of several partitions may share a transaction: see joint-commits.ts. */
  readonly jointCommits?: boolean;
  /** How often an idle partition commits a position that moved over transaction markers only, ms. */
  readonly idleCommitMs?: number;
  /** How often partition counts and leaders are looked up again, ms. */
  readonly metadataMaxAgeMs?: number;
  /** Which changes to kafkajs are applied; default: all, or the list in CORRIDOR_KAFKAJS_PATCHES. */
  readonly patches?: readonly PatchName[];
  /** Where the client's own diagnostics go; they hold no record content. Default: nowhere. */
  readonly log?: (level: 'error' | 'warn' | 'info' | 'debug', message: string, fields: Record<string, unknown>) => void;
  /** Called between side effects that follow each other; see ports/log-failpoints.ts. For the crash harness. */
  readonly failpoint?: Failpoint<LogFailpoint>;
  readonly unsafe?: UnsafeForTests;
}

/** The options with every default filled in. */
export interface Settings extends Required<Omit<KafkaOptions, 'ssl' | 'sasl' | 'patches' | 'log' | 'unsafe'>> {
  readonly ssl: KafkaOptions['ssl'];
  readonly sasl: KafkaOptions['sasl'];
  readonly log: NonNullable<KafkaOptions['log']>;
  readonly unsafe: Required<UnsafeForTests>;
}

const SILENT = () => {};

/** Fills in the defaults; throws UNSAFE_REFUSED when a guarantee is to be taken away outside tests. */
export function settingsOf(options: KafkaOptions, env: NodeJS.ProcessEnv = process.env): Settings {
  const unsafe = {
    offsetsOutsideTransaction: options.unsafe?.offsetsOutsideTransaction ?? false,
    noFencing: options.unsafe?.noFencing ?? false,
    topicsByName: options.unsafe?.topicsByName ?? false,
  };
  refuseUnsafe(unsafe, env);
  const sessionTimeoutMs = options.sessionTimeoutMs ?? 10_000;
  return {
    brokers: options.brokers,
    appName: options.appName,
    clientId: options.clientId,
    ssl: options.ssl,
    sasl: options.sasl,
    compression: options.compression ?? 'none',
    sessionTimeoutMs,
    rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 3 * sessionTimeoutMs,
    transactionTimeoutMs: options.transactionTimeoutMs ?? 10_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 15_000,
    writeTimeoutMs: options.writeTimeoutMs ?? 30_000,
    maxSendRecords: options.maxSendRecords ?? 1_000,
    maxSendBytes: options.maxSendBytes ?? 900_000,
    maxUnpackedBytes: options.maxUnpackedBytes ?? 32 * 1_048_576,
    unreadableTimeoutMs: options.unreadableTimeoutMs ?? 30_000,
    jointCommits: options.jointCommits ?? true,
    idleCommitMs: options.idleCommitMs ?? 600_000,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 60_000,
    log: options.log ?? SILENT,
    failpoint: options.failpoint ?? NO_FAILPOINT,
    unsafe,
  };
}

/** What a topic is known by: the broker's id of it. */
export const topicIdentity = ({ unsafe }: Settings, name: string, topicId: string): string =>
  unsafe.topicsByName ? name : topicId;

function refuseUnsafe(unsafe: Required<UnsafeForTests>, env: NodeJS.ProcessEnv): void {
  if (!Object.values(unsafe).includes(true)) return;
  if (isForTrials(env) && env['CORRIDOR_UNSAFE_FOR_TESTS'] === '1') return;
  throw new CodedError(
    'UNSAFE_REFUSED',
    'unsafe switches take delivery guarantees away and are for the crash harness only: remove them.',
    { faultClass: 'fatal', dependency: 'kafka' },
  );
}
