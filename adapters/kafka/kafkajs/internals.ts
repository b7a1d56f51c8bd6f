// The parts of kafkajs that this adapter builds on. kafkajs has had no release since 2023 and types only its public face,
// so the version is pinned, checked at load, and the shapes used here are written down.
// Why its wire layer alone, and what its producer and consumer do wrong: docs/adr/0004-kafkajs-wire-layer.md
import { createRequire } from 'node:module';
import { CodedError } from '../../../ports/fault.ts';

const require = createRequire(import.meta.url);

/** The one version whose internals are known here. */
export const KAFKAJS_VERSION = '2.2.4';

/** Throws KAFKAJS_VERSION unless the installed kafkajs is the one this adapter was written and tested against. */
export function assertKafkaJsVersion(installed: string): void {
  if (installed === KAFKAJS_VERSION) return;
  throw new CodedError(
    'KAFKAJS_VERSION',
    `kafkajs ${installed} is installed, ${KAFKAJS_VERSION} is required: its internals are used. Run npm ci.`,
    { faultClass: 'fatal', dependency: 'kafka' },
  );
}
assertKafkaJsVersion((require('kafkajs/package.json') as { version: string }).version);

export interface WireEncoder {
  readonly buffer: Buffer;
  size(): number;
  writeInt8(value: number): WireEncoder;
  writeInt16(value: number): WireEncoder;
  writeInt32(value: number): WireEncoder;
  writeInt64(value: number | string | bigint): WireEncoder;
  writeBoolean(value: boolean): WireEncoder;
  writeString(value: string | null): WireEncoder;
  writeBytes(value: Buffer | string | null): WireEncoder;
  writeBuffer(value: Buffer): WireEncoder;
  writeArray(value: readonly unknown[], type?: string): WireEncoder;
  writeUVarInt(value: number): WireEncoder;
  writeUVarIntString(value: string | null): WireEncoder;
  writeUVarIntArray(value: readonly unknown[], type?: string): WireEncoder;
}
export interface WireDecoder {
  buffer: Buffer;
  offset: number;
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readBoolean(): boolean;
  readString(): string | null;
  readBytes(length?: number): Buffer | null;
  readArray<T>(reader: (decoder: WireDecoder) => T): T[];
  readArrayAsync<T>(reader: (decoder: WireDecoder) => Promise<T>): Promise<T[]>;
  readUVarInt(): number;
  readUVarIntString(): string | null;
  readUVarIntArray<T>(reader: (decoder: WireDecoder) => T): T[] | null;
  canReadBytes(length: number): boolean;
  forward(length: number): void;
}

/** What is encoded and written: kafkajs's Encoder, or a buffer with its size. */
export interface EncodedRequest {
  readonly buffer: Buffer;
  size(): number;
}
export interface WireRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  readonly expectResponse?: () => boolean;
  encode(): Promise<EncodedRequest>;
}
export interface WireResponse<T> {
  decode(raw: Buffer): Promise<T>;
  parse(data: T): Promise<T>;
}
export interface WireCall<T> {
  readonly request: WireRequest;
  readonly response: WireResponse<T>;
  readonly requestTimeout?: number;
  readonly logResponseError?: boolean;
}

/** A message handed to the produce encoder. */
export interface ProduceMessage {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, string | Buffer | null | readonly (string | Buffer)[]>> | undefined;
  readonly timestamp?: string | number | undefined;
}
export interface ProducePartition {
  readonly partition: number;
  readonly firstSequence: number;
  readonly messages: readonly ProduceMessage[];
}
export interface ProduceTopic {
  readonly topic: string;
  readonly partitions: readonly ProducePartition[];
}
export interface ProduceRequest {
  readonly acks: number;
  readonly timeout: number;
  readonly compression: number;
  readonly transactionalId: string | null | undefined;
  readonly producerId: string | number;
  readonly producerEpoch: number;
  readonly topicData: readonly ProduceTopic[];
}
export interface ProduceResponse {
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly baseOffset: string;
      readonly logAppendTime: string;
    }[];
  }[];
}

export interface BatchContext {
  readonly firstOffset: string | number;
  readonly lastOffsetDelta: number;
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
}
/** A record of a fetch response; kafkajs gives offset and timestamp as strings, the patched decoder as numbers. */
export interface FetchedMessage {
  readonly offset: string | number;
  readonly timestamp: string | number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | readonly Buffer[] | null | undefined>>;
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
}
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}
export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly abortedTransactions: readonly AbortedTransaction[];
  readonly messages: readonly FetchedMessage[] & { nextOffset?: number; unreadable?: boolean; fault?: unknown };
}
export interface FetchResponse {
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
}

export interface OffsetsOfTopic {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string; readonly metadata?: string }[];
}

export interface GroupMember {
  readonly memberId: string;
  readonly memberMetadata: Buffer;
}
export interface JoinedGroup {
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly GroupMember[];
}

export interface Broker {
  readonly nodeId: number;
  readonly connectionPool: { readonly host: string; readonly port: number; send<T>(call: WireCall<T>): Promise<T> };
  readonly versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>> | null;
  isConnected(): boolean;
  disconnect(): Promise<void>;
  listOffsets(request: object): Promise<unknown>;
  produce(request: ProduceRequest): Promise<ProduceResponse>;
  fetch(request: {
    isolationLevel: number;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number; fetchOffset: number; maxBytes: number }[];
    }[];
  }): Promise<FetchResponse>;
  findGroupCoordinator(request: {
    groupId: string;
    coordinatorType: number;
  }): Promise<{ coordinator: { nodeId: number; host: string; port: number } }>;
  initProducerId(request: {
    transactionalId: string | undefined;
    transactionTimeout: number;
  }): Promise<{ producerId: string; producerEpoch: number }>;
  addPartitionsToTxn(request: {
    transactionalId: string;
    producerId: string;
    producerEpoch: number;
    topics: readonly { topic: string; partitions: readonly number[] }[];
  }): Promise<unknown>;
  addOffsetsToTxn(request: {
    transactionalId: string;
    producerId: string;
    producerEpoch: number;
    groupId: string;
  }): Promise<unknown>;
  endTxn(request: {
    transactionalId: string;
    producerId: string;
    producerEpoch: number;
    transactionResult: boolean;
  }): Promise<unknown>;
  offsetCommit(request: {
    groupId: string;
    groupGenerationId: number;
    memberId: string;
    topics: readonly OffsetsOfTopic[];
  }): Promise<unknown>;
  joinGroup(request: {
    groupId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    memberId: string;
    groupProtocols: readonly { name: string; metadata: Buffer }[];
  }): Promise<JoinedGroup>;
  syncGroup(request: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
  }): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
}

export interface PartitionMetadata {
  readonly partitionId: number;
  readonly leader: number | null;
}
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findBroker(node: { nodeId: number }): Promise<Broker>;
  findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[];
  fetchTopicsOffset(
    topics: readonly ({ topic: string; partitions: readonly { partition: number }[] } & (
      | { fromBeginning: boolean }
      | { fromTimestamp: number }
    ))[],
  ): Promise<readonly OffsetsOfTopic[]>;
  readonly brokerPool: {
    readonly metadata: { readonly controllerId: number } | null;
    /** By node id. */
    readonly brokers: Readonly<Record<string, unknown>>;
    findConnectedBroker(): Promise<Broker>;
  };
}

export interface KafkaJsLogger {
  namespace(name: string, level?: number): KafkaJsLogger;
}
export interface ClusterOptions {
  readonly logger: KafkaJsLogger;
  readonly socketFactory: unknown;
  readonly brokers: readonly string[];
  readonly ssl: unknown;
  readonly sasl: unknown;
  readonly clientId: string;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
  readonly metadataMaxAge: number;
  readonly allowAutoTopicCreation: boolean;
  readonly maxInFlightRequests: number | null;
  readonly isolationLevel: number;
  readonly retry: RetryOptions;
}
export interface RetryOptions {
  readonly initialRetryTime: number;
  readonly maxRetryTime: number;
  readonly multiplier: number;
  readonly factor: number;
  readonly retries: number;
}

export const ClusterClass = require('kafkajs/src/cluster') as new (options: ClusterOptions) => Cluster;
export const Encoder = require('kafkajs/src/protocol/encoder') as new (size?: number) => WireEncoder;
export const Decoder = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => WireDecoder;
export const createSocketFactory = require('kafkajs/src/network/socketFactory') as () => unknown;
export const { createLogger, LEVELS } = require('kafkajs/src/loggers') as {
  createLogger(options: { level: number; logCreator: (level: number) => (entry: LogEntry) => void }): KafkaJsLogger;
  LEVELS: { NOTHING: number; ERROR: number; WARN: number; INFO: number; DEBUG: number };
};
export interface LogEntry {
  readonly namespace: string;
  readonly level: number;
  readonly label: string;
  readonly log: { readonly message: string; readonly [extra: string]: unknown };
}
export const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode(code: number): Error & { type: string; code: number };
};
export const { MemberMetadata, MemberAssignment } = require('kafkajs/src/consumer/assignerProtocol') as {
  MemberMetadata: {
    encode(metadata: { version: number; topics: readonly string[]; userData?: Buffer }): Buffer;
    decode(buffer: Buffer): { version: number; topics: string[]; userData: Buffer | null };
  };
  MemberAssignment: {
    encode(assignment: { version: number; assignment: Readonly<Record<string, readonly number[]>> }): Buffer;
    decode(buffer: Buffer): { version: number; assignment: Record<string, number[]> } | null;
  };
};
export const COORDINATOR = { group: 0, transaction: 1 } as const;
export const READ_COMMITTED = 1;
export const COMPRESSION = { none: 0, gzip: 1, zstd: 4 } as const;
