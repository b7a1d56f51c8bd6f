// Writes from outside the chain: idempotent, explicit partitions, acknowledged by all in-sync replicas.

import { backoffMs } from '../../ports/backoff.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogWriter, OutputRecord } from '../../ports/log.ts';
import { pause } from '../../ports/pause.ts';
import { KAFKA_BACKOFF } from './backoff.ts';
import { type Connections, connectCluster, discardCluster } from './client.ts';
import { brokerErrorType, codedError } from './fault.ts';
import type { Cluster } from './kafkajs/internals.ts';
import { type Chunk, ProducerIdentity, roundsOf, sendRound } from './produce.ts';

/** Most records taken from the queue at once, over all partitions. */
const CYCLE_RECORDS = 5_000;
/** After these the broker has not appended, or has and will recognise the same sequence again: the round may be re-sent. */
const RESEND = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'KAFKA_STORAGE_ERROR',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
]);

/** One call of `send`. */
interface Ticket {
  readonly records: readonly OutputRecord[];
  resolve(): void;
  reject(error: CodedError): void;
}

export class KafkaWriter implements LogWriter {
  readonly #connections: Connections;
  readonly #name: string;
  #cluster: Cluster | undefined;
  #identity: ProducerIdentity | undefined;
  #queue: Ticket[] = [];
  #pumping: Promise<void> | undefined;
  #closed = false;
  /** Calls are sent one by one after a refusal, so that it hits only the call that holds the refused record. */
  #oneByOne = false;

  constructor(connections: Connections, name: string) {
    this.#connections = connections;
    this.#name = name;
  }

  /**
   * Writes the records; calls made meanwhile share requests. Rejects with RECORD_TOO_LARGE or RECORD_INVALID when the
   * broker refuses one of them, with WRITE_UNKNOWN when some may or may not be in the log, with a fatal code when access
   * is denied. Records of one partition keep their order within a call.
   */
  async send(records: readonly OutputRecord[]): Promise<void> {
    if (this.#closed) throw new CodedError('WRITER_CLOSED', `Writer ${this.#name} is closed.`);
    if (records.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#queue.push({ records, resolve, reject });
      this.#pumping ??= this.#pump().finally(() => {
        this.#pumping = undefined;
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pumping;
    this.#discard();
  }

  async #pump(): Promise<void> {
    await Promise.resolve(); // calls made in the same turn go together
    while (this.#queue.length > 0) {
      const tickets = this.#nextTickets();
      try {
        const rounds = roundsOf(
          tickets.flatMap(({ records }) => records),
          this.#connections.settings,
        );
        for (const round of rounds) await this.#sendSurely(round);
        for (const ticket of tickets) ticket.resolve();
        if (this.#queue.length === 0) this.#oneByOne = false;
      } catch (error) {
        this.#discard();
        const coded = codedError(error);
        this.#reject(tickets, coded);
        // Whoever closes must not wait for each that is left to be tried in turn.
        if (this.#closed) for (const { reject } of this.#queue.splice(0)) reject(unknownFate(coded));
      }
    }
  }

  #nextTickets(): Ticket[] {
    let records = 0;
    let count = 0;
    do records += this.#queue[count++]!.records.length;
    while (!this.#oneByOne && count < this.#queue.length && records < CYCLE_RECORDS);
    return this.#queue.splice(0, count);
  }

  #reject(tickets: readonly Ticket[], error: CodedError): void {
    const refused = error.faultClass === 'poison';
    if (refused) this.#oneByOne = true;
    // Which of several calls held the refused record is not known, and the others' records may have been written.
    const shown = error.faultClass === 'fatal' || (refused && tickets.length === 1) ? error : unknownFate(error);
    for (const ticket of tickets) ticket.reject(shown);
  }

  /** Sends one round until it is acknowledged or time is up: the same sequences, so the broker drops what it has. */
  async #sendSurely(round: readonly Chunk[]): Promise<void> {
    const { settings } = this.#connections;
    const deadline = performance.now() + settings.writeTimeoutMs;
    const options = {
      compression: settings.compression,
      timeoutMs: settings.requestTimeoutMs,
      transactionalId: null,
    };
    for (let failures = 1; ; failures++) {
      try {
        const { cluster, identity } = await this.#ready(round);
        return await sendRound(cluster, identity, round, options);
      } catch (error) {
        const type = brokerErrorType(error);
        const { code } = codedError(error);
        const again = type === undefined ? code === 'KAFKA_UNAVAILABLE' || code === 'KAFKA_CLIENT' : RESEND.has(type);
        if (!again || performance.now() > deadline) throw error;
        this.#disconnect();
      }
      await pause(backoffMs(failures, KAFKA_BACKOFF));
    }
  }

  /** Connections and a producer id. The id outlives connections: it is what makes sending again safe. */
  async #ready(round: readonly Chunk[]): Promise<{ cluster: Cluster; identity: ProducerIdentity }> {
    const cluster = this.#cluster ?? this.#connections.cluster();
    this.#cluster = cluster;
    await connectCluster(cluster, [...new Set(round.map(({ topic }) => topic))]);
    if (this.#identity === undefined) {
      const broker = await cluster.brokerPool.findConnectedBroker();
      const { producerId, producerEpoch } = await broker.initProducerId({
        transactionalId: undefined,
        transactionTimeout: this.#connections.settings.transactionTimeoutMs,
      });
      this.#identity = new ProducerIdentity(producerId, producerEpoch);
    }
    return { cluster, identity: this.#identity };
  }

  #disconnect(): void {
    if (this.#cluster !== undefined) discardCluster(this.#cluster);
    this.#cluster = undefined;
  }

  #discard(): void {
    this.#disconnect();
    this.#identity = undefined;
  }
}

function unknownFate(cause: CodedError): CodedError {
  return new CodedError('WRITE_UNKNOWN', `Records may or may not have been written: ${cause.message}`, {
    faultClass: 'transient-dependency',
    dependency: 'kafka',
    cause,
  });
}
