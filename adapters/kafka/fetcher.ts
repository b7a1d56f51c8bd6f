// Fetches partitions into small buffers, ahead of whoever takes from them. One long poll per leader; a partition whose
// buffer is full is left out, so memory is bounded and a slow partition never holds up the others.
import { performance } from 'node:perf_hooks';
import type { LogRecord } from '../../runtime/ports/log.ts';
import { backoffMs, pause } from './backoff.ts';
import { type Connections, connectCluster, discardCluster, leaderOf } from './client.ts';
import { type Committed, committedRecords } from './committed-records.ts';
import { brokerErrorType } from './errors.ts';
import { type Cluster, type FetchedPartition, READ_COMMITTED } from './kafkajs/internals.ts';
import { Signal } from './signal.ts';

/** How long the broker may hold a fetch when nothing is there. */
const LONG_POLL_MS = 500;
/** The same when nothing has come for a while: polls are what consumers at rest cost, here and at the broker. */
const QUIET_POLL_MS = 2_500;
/** So many empty answers in a row are a while; short polls are none. */
const QUIET_AFTER = 8;
/** The same while partitions wait to be let into the fetch. */
const SHORT_POLL_MS = 10;
const MAX_FETCH_BYTES = 8 * 1_048_576;
/** A source that holds this many bytes is not fetched: what was packed well counts as what it is. */
const MOST_BUFFERED_BYTES = 16 * 1_048_576;
/** A batch that fails its checksum is fetched so often before it is given up: the fault may be the way's, not the log's. */
const MOST_FETCHES = 3;
const STALE_METADATA = new Set([
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'REPLICA_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
]);

/** One partition being read. */
export class Source {
  readonly topic: string;
  readonly partition: number;
  /** Woken when records arrive, the partition turns out to be at its end, or it can't be read. */
  readonly changed: Signal;
  /** Next offset to fetch; undefined: not to be fetched. */
  position: number | undefined;
  /** Offset after the last record that read_committed may see, as last told by the broker. */
  lastStableOffset = 0;
  /** performance.now() of the last fetch that found nothing new. */
  caughtUpAt = 0;
  /** performance.now() of the last fetch that was answered. */
  fetchedAt = Number.NEGATIVE_INFINITY;
  /** Set when the position does not exist in the log any more. */
  outOfRange = false;
  /** True while nobody will take records for a while: it is no reason to poll fast. */
  parked = false;
  /** performance.now() when the oldest buffered record arrived. */
  waitingSince = 0;
  #buffer: LogRecord[] = [];
  #head = 0;
  #bytes = 0;
  /** A batch that failed its checksum, and how often it did. */
  #suspect = { offset: -1, fetches: 0 };
  /** Grows with every seek, so that an answer to an older fetch is dropped. */
  #seeks = 0;

  /** Sources may share a signal, for who waits for any of them. */
  constructor(topic: string, partition: number, changed = new Signal()) {
    this.topic = topic;
    this.partition = partition;
    this.changed = changed;
  }

  get buffered(): number {
    return this.#buffer.length - this.#head;
  }

  /** No more is to be fetched for now. */
  isFull(records: number): boolean {
    return this.buffered >= records || this.#bytes >= MOST_BUFFERED_BYTES;
  }

  get seeks(): number {
    return this.#seeks;
  }

  /** Reads on from an offset; whatever is buffered is dropped. */
  seek(offset: number | undefined): void {
    this.#seeks++;
    this.#buffer = [];
    this.#head = 0;
    this.#bytes = 0;
    this.position = offset;
    this.outOfRange = false;
  }

  /** Takes up to `most` records, in order. */
  take(most: number): LogRecord[] {
    const records = this.#buffer.slice(this.#head, this.#head + most);
    this.#head += records.length;
    for (const { value } of records) this.#bytes -= value?.length ?? 0;
    if (this.#head === this.#buffer.length) {
      this.#buffer = [];
      this.#head = 0;
    }
    return records;
  }

  /** Adds what a fetch returned; ignores it when the source was moved meanwhile. */
  accept(fetched: FetchedPartition, seeks: number): void {
    if (seeks !== this.#seeks || this.position === undefined) return;
    const { records, nextOffset } = this.#believed(committedRecords(this.topic, this.position, fetched), fetched);
    const now = performance.now();
    if (this.buffered === 0) this.waitingSince = now;
    this.fetchedAt = now;
    this.lastStableOffset = Number(fetched.lastStableOffset);
    this.position = nextOffset;
    if (records.length > 0) {
      this.#buffer = this.#head === 0 ? this.#buffer : this.#buffer.slice(this.#head);
      this.#head = 0;
      for (const record of records) {
        this.#buffer.push(record);
        this.#bytes += record.value?.length ?? 0;
      }
    } else if (nextOffset >= this.lastStableOffset) this.caughtUpAt = now;
    this.changed.wake();
  }

  /** A batch that fails its checksum is fetched again a few times: until then, what follows it waits. */
  #believed(committed: Committed, { messages }: FetchedPartition): Committed {
    if (messages.unreadable !== true) return committed;
    const at = committed.records.findIndex(({ unreadable }) => unreadable?.code === 'BATCH_CORRUPT');
    if (at === -1) return committed;
    const { firstOffset } = committed.records[at]!.unreadable!;
    const fetches = this.#suspect.offset === firstOffset ? this.#suspect.fetches + 1 : 1;
    this.#suspect = { offset: firstOffset, fetches };
    if (fetches >= MOST_FETCHES) return committed;
    return { records: committed.records.slice(0, at), nextOffset: Math.max(this.position!, firstOffset) };
  }
}

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
  #cluster: Cluster | undefined;

  constructor(options: FetcherOptions) {
    this.#options = options;
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
        await pause(backoffMs(++failures), signal);
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
    await Promise.race(loops).finally(() => {
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
    const hasRoom = (source: Source) => source.position !== undefined && !source.isFull(this.#options.bufferRecords);
    while (current()) {
      if (!sources.some(hasRoom)) {
        await this.#room.wait(LONG_POLL_MS);
        continue;
      }
      const broker = await cluster.findBroker({ nodeId });
      const wanted = sources.filter(hasRoom); // a source may have been moved while the broker was looked for
      if (wanted.length === 0) continue;
      const held = sources.some((source) => !source.parked && !source.outOfRange && !wanted.includes(source));
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
        const { responses } = await broker.fetch(request);
        let messages = 0;
        for (const { topicName, partitions } of responses) {
          for (const fetched of partitions) messages += deliver(asked, topicName, fetched);
        }
        empty = messages === 0 && !held ? empty + 1 : 0;
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

/** @returns how many messages there were, markers included */
function deliver(asked: readonly Asked[], topic: string, fetched: FetchedPartition): number {
  const found = asked.find(({ source }) => source.topic === topic && source.partition === fetched.partition);
  found?.source.accept(fetched, found.seeks);
  return fetched.messages.length;
}

/** Marks the one partition that is out of range, or looks for new leaders; anything else is thrown on. */
async function recover(cluster: Cluster, asked: readonly Asked[], error: unknown): Promise<void> {
  const { topic, partition } = error as { topic?: string; partition?: number };
  const type = brokerErrorType(error);
  if (type === 'OFFSET_OUT_OF_RANGE') {
    const found = asked.find(({ source }) => source.topic === topic && source.partition === partition);
    if (found === undefined) throw error;
    if (found.seeks !== found.source.seeks) return;
    found.source.seek(undefined);
    found.source.outOfRange = true;
    found.source.changed.wake();
    return;
  }
  if (type === undefined || !STALE_METADATA.has(type)) throw error;
  await pause(SHORT_POLL_MS);
  await cluster.refreshMetadata();
}
