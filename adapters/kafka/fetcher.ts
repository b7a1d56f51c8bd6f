// Fetches partitions into small buffers, ahead of whoever takes from them. One long poll per leader; a partition whose
// buffer is full is left out, so memory is bounded and a slow partition never holds up the others.
// kafkajs's own loop waits for every partition of a broker before it fetches again: docs/adr/0004-kafkajs-wire-layer.md
import { backoffMs } from '../../ports/backoff.ts';
import { pause } from '../../ports/pause.ts';
import { KAFKA_BACKOFF } from './backoff.ts';
import { type Connections, connectCluster, discardCluster, leaderOf } from './client.ts';
import { brokerErrorType } from './fault.ts';
import type { PartitionRefused } from './kafkajs/fetch-response.ts';
import {
  type Broker,
  type Cluster,
  createErrorFromCode,
  type FetchedPartition,
  type FetchResponse,
  READ_COMMITTED,
} from './kafkajs/internals.ts';
import { Signal } from './signal.ts';
import type { Source } from './source.ts';
import { CORRUPT_MESSAGE, OFFSET_OUT_OF_RANGE, stepOver, UNKNOWN_SERVER_ERROR } from './step-over.ts';

/** How long the broker may hold a fetch when nothing is there. */
const LONG_POLL_MS = 500;
/** The same when nothing has come for a while: polls are what consumers at rest cost, here and at the broker. */
const QUIET_POLL_MS = 2_500;
/** After this many empty answers in a row the partition counts as idle; short polls do not count. */
const QUIET_AFTER = 8;
/** The same while partitions wait to be let into the fetch. */
const SHORT_POLL_MS = 10;
const MAX_FETCH_BYTES = 8 * 1_048_576;
/** A step-over takes these for answers. */
const ANSWERS = new Set([0, UNKNOWN_SERVER_ERROR, OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE]);
const STALE_METADATA = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
]);

export interface FetcherOptions {
  readonly connections: Connections;
  readonly sources: readonly Source[];
  /** A source with at least this many records buffered is not fetched. */
  readonly bufferRecords: number;
  /** Most bytes of one partition in one fetch; one larger batch is still delivered. */
  readonly maxBytesPerPartition: number;
  /** How long to wait after a fetch that brought little, ms: a record that comes meanwhile is fetched with the next ones. */
  readonly paceMs: number;
  /** Every error met; the fetcher itself goes on. */
  readonly onError: (error: unknown) => void;
}

/** Fetches a set of sources until it is stopped. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #stopped = new AbortController();
  /** Woken when a source gets room or is moved. */
  readonly #room = new Signal();
  readonly #running: Promise<void>;
  /** Resolves when it is stopped: nobody waits for a fetch that is given up. */
  readonly #given: Promise<void>;
  #cluster: Cluster | undefined;

  constructor(options: FetcherOptions) {
    this.#options = options;
    const { signal } = this.#stopped;
    this.#given = new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#running = options.sources.length === 0 ? Promise.resolve() : this.#run();
  }

  /** To be called when a source was moved or records were taken from it. */
  wake(): void {
    this.#room.wake();
  }

  /** Ends at once: fetches in flight are given up with their connections. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#room.wake();
    if (this.#cluster) discardCluster(this.#cluster);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    const topics = [...new Set(this.#options.sources.map(({ topic }) => topic))];
    let failures = 0;
    while (!signal.aborted) {
      const cluster = this.#options.connections.cluster();
      this.#cluster = cluster;
      try {
        await connectCluster(cluster, topics);
        while (!signal.aborted) {
          await this.#fetchWith(cluster, () => {
            failures = 0;
          });
        }
      } catch (error) {
        if (signal.aborted) break;
        this.#options.onError(error);
        await pause(backoffMs(++failures, KAFKA_BACKOFF), signal);
      } finally {
        discardCluster(cluster);
      }
    }
  }

  /** Runs one loop per leader until the first of them ends: leaders have changed, or something broke. */
  async #fetchWith(cluster: Cluster, onSuccess: () => void): Promise<void> {
    let over = false;
    const current = () => !over && !this.#stopped.signal.aborted;
    const loops = [...leadersOf(cluster, this.#options.sources)].map(([nodeId, sources]) =>
      this.#fetchFrom(cluster, nodeId, sources, current, onSuccess),
    );
    // Loops left behind end with their fetch. What they still deliver is harmless: a source takes only what is new to it.
    for (const loop of loops) loop.catch(() => {});
    await Promise.race([...loops, this.#given]).finally(() => {
      over = true;
    });
  }

  async #fetchFrom(
    cluster: Cluster,
    nodeId: number,
    sources: readonly Source[],
    current: () => boolean,
    onSuccess: () => void,
  ): Promise<void> {
    let empty = 0;
    const hasRoom = (source: Source) =>
      source.position !== undefined && !source.rests && !source.isFull(this.#options.bufferRecords);
    while (current()) {
      if (!sources.some(hasRoom)) {
        await this.#room.wait(LONG_POLL_MS);
        continue;
      }
      const broker = await cluster.findBroker({ nodeId });
      const wanted = sources.filter(hasRoom); // a source may have been moved while the broker was looked for
      if (wanted.length === 0) continue;
      const held = sources.some(
        (source) => !source.parked && !source.outOfRange && !source.rests && !wanted.includes(source),
      );
      const asked = wanted.map((source) => ({ source, seeks: source.seeks }));
      const longest = empty < QUIET_AFTER ? LONG_POLL_MS : QUIET_POLL_MS;
      const request = {
        isolationLevel: READ_COMMITTED,
        maxWaitTime: held ? SHORT_POLL_MS : longest,
        minBytes: 1,
        maxBytes: MAX_FETCH_BYTES,
        topics: requestOf(wanted, this.#options.maxBytesPerPartition),
      };
      try {
        const { responses } = await fetchAll(broker, request);
        let messages = 0;
        let isStale = false;
        for (const { topicName, partitions } of responses) {
          for (const fetched of partitions) {
            messages += fetched.messages.length;
            isStale = this.#deliver(asked, topicName, fetched) || isStale;
          }
        }
        empty = messages === 0 && !held ? empty + 1 : 0;
        for (const { source } of asked) if (source.isFruitless) await this.#stepOver(broker, source);
        if (isStale) return await refresh(cluster);
        onSuccess();
        // A broker answers as soon as there is anything, and every answer costs both sides the same, whatever is in it.
        const little = messages > 0 && messages < this.#options.bufferRecords / 4;
        if (little && this.#options.paceMs > 0) await this.#room.wait(this.#options.paceMs);
      } catch (error) {
        await recover(cluster, asked, error);
        return;
      }
    }
  }

  /**
   * Takes one partition's part of an answer. What is wrong with it is told, and its own trouble: the others go on.
   * @returns whether its leader is another one now
   * @throws what no consumer may go on with
   */
  #deliver(asked: readonly Asked[], topic: string, fetched: FetchedPartition): boolean {
    const { partition, errorCode, messages } = fetched;
    const found = asked.find(({ source }) => source.topic === topic && source.partition === partition);
    if (found === undefined || found.seeks !== found.source.seeks) return false;
    const { source, seeks } = found;
    if (errorCode === 0 && messages.fault === undefined) {
      source.accept(fetched, seeks);
      return false;
    }
    const error = Object.assign(errorCode === 0 ? asError(messages.fault) : createErrorFromCode(errorCode), {
      topic,
      partition,
    });
    if (errorCode === CORRUPT_MESSAGE) source.missed();
    else if (errorCode === UNKNOWN_SERVER_ERROR) {
      source.answerUnknown();
      this.#options.onError(error);
    } else if (errorCode === OFFSET_OUT_OF_RANGE) source.leaveRange();
    else if (isStaleMetadata(error)) return true;
    else this.#putOff(source, error);
    return false;
  }

  #putOff(source: Source, error: unknown): void {
    source.rest();
    this.#options.onError(error);
  }

  async #stepOver(broker: Broker, source: Source): Promise<void> {
    const { topic, partition } = source;
    const alone = async (fetchOffset: number, maxBytes = MAX_FETCH_BYTES) => {
      const partitions = [{ partition, fetchOffset, maxBytes }];
      const request = { isolationLevel: READ_COMMITTED, maxWaitTime: 0, minBytes: 0, maxBytes };
      const { responses } = await fetchAll(broker, { ...request, topics: [{ topic, partitions }] });
      const fetched = responses[0]!.partitions[0]!;
      const { errorCode, messages } = fetched;
      if (messages.fault !== undefined) throw asError(messages.fault);
      if (ANSWERS.has(errorCode)) return fetched;
      throw Object.assign(createErrorFromCode(errorCode), { topic, partition });
    };
    try {
      await stepOver(source, alone);
    } catch (error) {
      if (brokerErrorType(error) === undefined || isStaleMetadata(error)) throw error;
      this.#putOff(source, error);
    }
  }
}

type FetchRequest = Parameters<Broker['fetch']>[0];

/** The whole answer, also where it has an error for some of the partitions. */
async function fetchAll(broker: Broker, request: FetchRequest): Promise<FetchResponse> {
  try {
    return await broker.fetch(request);
  } catch (error) {
    const { answer } = error as PartitionRefused;
    if (answer === undefined) throw error;
    return answer;
  }
}

const isStaleMetadata = (error: unknown) => STALE_METADATA.has(brokerErrorType(error) ?? '');

const asError = (fault: unknown): Error => (fault instanceof Error ? fault : new Error(String(fault)));

async function refresh(cluster: Cluster): Promise<void> {
  await pause(SHORT_POLL_MS);
  await cluster.refreshMetadata();
}

function leadersOf(cluster: Cluster, sources: readonly Source[]): Map<number, Source[]> {
  const leaders = new Map<number, Source[]>();
  for (const source of sources) {
    const nodeId = leaderOf(cluster, source.topic, source.partition);
    if (nodeId === undefined) {
      throw Object.assign(new Error(`${source.topic}/${source.partition} has no leader`), {
        name: 'KafkaJSBrokerNotFound',
      });
    }
    const led = leaders.get(nodeId);
    if (led === undefined) leaders.set(nodeId, [source]);
    else led.push(source);
  }
  return leaders;
}

function requestOf(sources: readonly Source[], maxBytes: number) {
  const topics = new Map<string, { partition: number; fetchOffset: number; maxBytes: number }[]>();
  for (const { topic, partition, position } of sources) {
    const partitions = topics.get(topic) ?? [];
    partitions.push({ partition, fetchOffset: position!, maxBytes });
    topics.set(topic, partitions);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

interface Asked {
  readonly source: Source;
  readonly seeks: number;
}

/** Marks the one partition that is out of range, or looks for new leaders; anything else is thrown on. */
async function recover(cluster: Cluster, asked: readonly Asked[], error: unknown): Promise<void> {
  const { topic, partition } = error as { topic?: string; partition?: number };
  const type = brokerErrorType(error);
  if (type === 'OFFSET_OUT_OF_RANGE') {
    const found = asked.find(({ source }) => source.topic === topic && source.partition === partition);
    if (found === undefined) throw error;
    if (found.seeks === found.source.seeks) found.source.leaveRange();
    return;
  }
  if (!isStaleMetadata(error)) throw error;
  await refresh(cluster);
}
