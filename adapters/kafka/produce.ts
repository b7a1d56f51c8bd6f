// Sending records under a producer id: explicit partitions, one outstanding request per partition, every partition's
// acknowledgement checked. Nothing is tried again here: who calls decides, because only it knows what is safe.

import { CodedError } from '../../ports/fault.ts';
import type { OutputRecord } from '../../ports/log.ts';
import { findLeader } from './client.ts';
import {
  type Broker,
  type Cluster,
  COMPRESSION,
  type ProduceMessage,
  type ProduceResponse,
  type ProduceTopic,
} from './kafkajs/internals.ts';

/** Consecutive records for one partition. */
export interface Chunk {
  readonly topic: string;
  readonly partition: number;
  readonly messages: ProduceMessage[];
}

/** A chunk that may still grow. */
interface Open {
  readonly chunk: Chunk;
  /** Bytes of its first records, of so many of them; what came since is counted at its most. */
  counted: { readonly bytes: number; readonly messages: number };
  atMost: number;
  readonly round: number;
}

export interface ChunkLimits {
  readonly maxSendRecords: number;
  readonly maxSendBytes: number;
}

/** Bytes that a record takes in a request, at most, without its key, value and headers. */
const RECORD_OVERHEAD_BYTES = 24;
const HEADER_OVERHEAD_BYTES = 4;
/** Most bytes that a UTF-16 code unit takes in UTF-8. */
const MAX_UNIT = 3;

type Measure = (value: Buffer | string | null) => number;
const exactly: Measure = (value) =>
  value === null ? 0 : typeof value === 'string' ? Buffer.byteLength(value) : value.length;
/** No less than that: looking at every text takes longer than writing it. */
const atMost: Measure = (value) =>
  value === null ? 0 : typeof value === 'string' ? value.length * MAX_UNIT : value.length;

function recordBytes({ key, value, headers }: OutputRecord, bytesOf: Measure): number {
  let bytes = RECORD_OVERHEAD_BYTES + bytesOf(key) + bytesOf(value);
  for (const name in headers) bytes += HEADER_OVERHEAD_BYTES + name.length + bytesOf(headers[name]!);
  return bytes;
}

/**
 * Splits records into rounds that are sent one after the other: a round holds at most one chunk per partition, and the
 * order of records within each partition is kept over the rounds.
 */
export function roundsOf(records: readonly OutputRecord[], limits: ChunkLimits): Chunk[][] {
  const rounds: Chunk[][] = [];
  const open = new Map<string, Open>();
  let last: Open | undefined; // records of one partition mostly come together
  for (const record of records) {
    const { topic, partition } = record;
    const same = last !== undefined && last.chunk.partition === partition && last.chunk.topic === topic;
    const bytes = recordBytes(record, atMost);
    let current: Open | undefined = same ? last : open.get(`${topic}/${partition}`);
    if (current === undefined || isFull(current, record, bytes, limits)) {
      const round = current === undefined ? 0 : current.round + 1;
      current = { chunk: { topic, partition, messages: [] }, counted: { bytes: 0, messages: 0 }, atMost: 0, round };
      open.set(`${topic}/${partition}`, current);
      rounds[round] ??= [];
      rounds[round].push(current.chunk);
    }
    current.chunk.messages.push(record);
    current.atMost += bytes;
    last = current;
  }
  return rounds;
}

/** Each record is counted exactly once at most, and none where all of them fit at their most. */
function isFull(current: Open, next: OutputRecord, nextAtMost: number, limits: ChunkLimits): boolean {
  const { messages } = current.chunk;
  if (messages.length >= limits.maxSendRecords) return true;
  if (current.atMost + nextAtMost <= limits.maxSendBytes) return false;
  let { bytes } = current.counted;
  for (let at = current.counted.messages; at < messages.length; at++) {
    bytes += recordBytes(messages[at] as OutputRecord, exactly);
  }
  current.counted = { bytes, messages: messages.length };
  current.atMost = bytes;
  return bytes + recordBytes(next, exactly) > limits.maxSendBytes;
}

/** Sequences end at 2^31 - 1 and begin again at 0. */
const SEQUENCE_MODULUS = 2 ** 31;

/** The producer id that the broker gave, and the next sequence of every partition. */
export class ProducerIdentity {
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly #next = new Map<string, number>();

  constructor(producerId: string, producerEpoch: number) {
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
  }

  /** Sequence of the next record of a partition. */
  sequence({ topic, partition }: Chunk): number {
    return this.#next.get(`${topic}/${partition}`) ?? 0;
  }

  /** To be called when a chunk was acknowledged. */
  advance(chunk: Chunk): void {
    const next = (this.sequence(chunk) + chunk.messages.length) % SEQUENCE_MODULUS;
    this.#next.set(`${chunk.topic}/${chunk.partition}`, next);
  }
}

export interface SendOptions {
  readonly compression: keyof typeof COMPRESSION;
  readonly timeoutMs: number;
  /** null: idempotent without a transaction. */
  readonly transactionalId: string | null;
}

/**
 * Sends one round, one request per leader, and advances the sequences when everything is acknowledged. After an error the
 * fate of the round is unknown unless the error says otherwise.
 *
 * What could happen: an answer is lost or a leader moves, and a part of the round is sent again under other sequences, so the
 * broker takes records twice, or drops new ones for old. What stops it: each request is sent once, and whoever calls ends the
 * transaction after an error (ADR 4).
 */
export async function sendRound(
  cluster: Cluster,
  identity: ProducerIdentity,
  round: readonly Chunk[],
  options: SendOptions,
): Promise<void> {
  const byLeader = new Map<Broker, Chunk[]>();
  for (const chunk of round) {
    const leader = await findLeader(cluster, chunk.topic, chunk.partition);
    const chunks = byLeader.get(leader);
    if (chunks === undefined) byLeader.set(leader, [chunk]);
    else chunks.push(chunk);
  }
  const requests = [...byLeader].map(([leader, chunks]) => sendTo(leader, identity, chunks, options));
  const answers = await Promise.allSettled(requests);
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  for (const chunk of round) identity.advance(chunk);
}

async function sendTo(leader: Broker, identity: ProducerIdentity, chunks: readonly Chunk[], options: SendOptions) {
  const response = await leader.produce({
    acks: -1,
    timeout: options.timeoutMs,
    compression: COMPRESSION[options.compression],
    transactionalId: options.transactionalId,
    producerId: identity.producerId,
    producerEpoch: identity.producerEpoch,
    topicData: topicDataOf(identity, chunks),
  });
  assertAcknowledged(response, chunks);
}

function topicDataOf(identity: ProducerIdentity, chunks: readonly Chunk[]): ProduceTopic[] {
  const byTopic = Map.groupBy(chunks, ({ topic }) => topic);
  return [...byTopic].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map((chunk) => ({
      partition: chunk.partition,
      messages: chunk.messages,
      firstSequence: identity.sequence(chunk),
    })),
  }));
}

function assertAcknowledged(response: ProduceResponse, chunks: readonly Chunk[]): void {
  for (const { topic, partition } of chunks) {
    const answer = response.topics
      .find(({ topicName }) => topicName === topic)
      ?.partitions.find((candidate) => candidate.partition === partition);
    if (answer !== undefined && answer.errorCode === 0 && Number(answer.baseOffset) >= 0) continue;
    throw new CodedError('SEND_UNACKNOWLEDGED', `The broker's answer does not cover ${topic}/${partition}.`, {
      faultClass: 'transient-dependency',
      dependency: 'kafka',
    });
  }
}
