// Bounded and following reads, read_committed, without a group: fetches from the leaders, positions kept here.

import { backoffMs } from '../../ports/backoff.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Following, LogReader, PartitionRange, RecordBatch } from '../../ports/log.ts';
import { pause } from '../../ports/pause.ts';
import { KAFKA_BACKOFF } from './backoff.ts';
import { type Connections, partitionsOf } from './client.ts';
import { codedError, consumerFaultOf } from './fault.ts';
import { Fetcher } from './fetcher.ts';
import type { Cluster } from './kafkajs/internals.ts';
import { retrying } from './retrying.ts';
import { Signal } from './signal.ts';
import { Source } from './source.ts';

/** Most records given to the callback at once; as many again are fetched ahead per partition. */
const BATCH_RECORDS = 1_000;
const FETCH_BYTES = 1_048_576;
/** A bounded read that gets nothing for this long gives up, ms. */
const STALLED_MS = 60_000;

const READ_UNCOMMITTED = 0;

type FollowOptions = NonNullable<Parameters<LogReader['follow']>[2]>;
type EndsOptions = NonNullable<Parameters<LogReader['ends']>[1]>;
type OnBatch = (batch: RecordBatch) => Promise<void> | void;

interface FollowHooks {
  readonly changed: Signal;
  readonly signal: AbortSignal;
  /** Told of what is read, once the log has said where it begins. */
  readonly begun: (readings: readonly Reading[]) => void;
  /** Everything that was there at the call is given. */
  readonly resolve: () => void;
}

/** One partition's share of a read. */
interface Reading {
  readonly source: Source;
  /** First offset not to read. */
  readonly to: number;
  /** Where the log ended when reading began, for one that has no end. */
  readonly knownEnd?: number;
}

export class KafkaReader implements LogReader {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async offsets(topics: readonly string[]): Promise<readonly PartitionRange[]> {
    return retrying(this.#connections, topics, async (cluster) => {
      const starts = await edgeOffsets(cluster, topics, { fromBeginning: true });
      const ends = await edgeOffsets(cluster, topics, { fromBeginning: false });
      return [...ends].map(([key, end]) => ({
        topic: end.topic,
        partition: end.partition,
        from: starts.get(key)?.offset ?? 0,
        to: end.offset,
      }));
    });
  }

  async ends(topics: readonly string[], { unreplicatedToo = false }: EndsOptions = {}) {
    return retrying(this.#connections, topics, async (cluster) => {
      // kafkajs asks for the last stable offset unless told otherwise. The cluster is this call's own.
      Object.assign(cluster, { isolationLevel: READ_UNCOMMITTED });
      if (unreplicatedToo) asDebugger(cluster);
      return [...(await edgeOffsets(cluster, topics, { fromBeginning: false })).values()];
    });
  }

  async offsetsSince(topics: readonly string[], since: number): Promise<readonly PartitionRange[]> {
    return retrying(this.#connections, topics, async (cluster) => {
      const starts = await edgeOffsets(cluster, topics, { fromTimestamp: since });
      const ends = await edgeOffsets(cluster, topics, { fromBeginning: false });
      return [...ends].map(([key, end]) => {
        const from = starts.get(key)?.offset ?? -1;
        // None is so young.
        return { topic: end.topic, partition: end.partition, from: from < 0 ? end.offset : from, to: end.offset };
      });
    });
  }

  async read(ranges: readonly PartitionRange[], onBatch: OnBatch): Promise<void> {
    const changed = new Signal();
    const readings = ranges
      .filter(({ from, to }) => from < to)
      .map(({ topic, partition, from, to }) => ({ source: sourceAt(topic, partition, from, changed), to }));
    let fatal: unknown;
    const fetcher = this.#fetcher(readings, (error) => {
      if (codedError(error).faultClass !== 'transient-dependency') fatal = error;
      changed.wake();
    });
    try {
      let deliveredAt = performance.now();
      for (let open: readonly Reading[] = readings; open.length > 0; ) {
        if (fatal !== undefined) throw codedError(fatal);
        const delivered = await deliver(open, fetcher, onBatch);
        if (delivered) deliveredAt = performance.now();
        else if (performance.now() - deliveredAt >= STALLED_MS) refuseUnreadable(open);
        for (const reading of open) if (isDone(reading)) park(reading.source);
        open = open.filter((reading) => !isDone(reading));
        if (!delivered && open.length > 0) await progressOrTimeout(changed, open);
      }
    } finally {
      await fetcher.stop();
    }
  }

  follow(topics: readonly string[], onBatch: (batch: RecordBatch) => void, options: FollowOptions = {}): Following {
    const stopping = new AbortController();
    const changed = new Signal();
    let known: readonly Reading[] | undefined;
    const { promise: caughtUp, resolve, reject } = Promise.withResolvers<void>();
    const begun = (readings: readonly Reading[]) => {
      known = readings;
    };
    const { signal } = stopping;
    const running = this.#follow(topics, onBatch, options, { changed, signal, begun, resolve }).catch(reject);
    return {
      caughtUp,
      currentAt: () => known && currentAt(known),
      stop: async () => {
        stopping.abort();
        changed.wake();
        await running;
      },
    };
  }

  /** Rejects only before the first record: later faults are told and passed. */
  async #follow(
    topics: readonly string[],
    onBatch: (batch: RecordBatch) => void,
    { fromEnd = false, onFault = () => {} }: FollowOptions,
    { changed, signal, begun, resolve }: FollowHooks,
  ): Promise<void> {
    const ranges = await this.offsets(topics);
    const readings = ranges.map(({ topic, partition, from, to }) => ({
      source: sourceAt(topic, partition, fromEnd ? to : from, changed),
      to,
    }));
    begun(readings);
    const endless = readings.map(({ source, to }) => ({ source, to: Number.POSITIVE_INFINITY, knownEnd: to }));
    const fetcher = this.#fetcher(readings, (error) => onFault(consumerFaultOf(error)));
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#restartWhereCut(readings);
        const delivered = await deliver(endless, fetcher, onBatch);
        failures = 0;
        if (readings.every(isPassed)) resolve();
        if (!delivered && !signal.aborted && !readings.some(({ source }) => source.outOfRange)) await changed.wait();
      } catch (error) {
        onFault(consumerFaultOf(error));
        await pause(backoffMs(++failures, KAFKA_BACKOFF), signal);
      }
    }
    await fetcher.stop();
  }

  /** A follower whose position was deleted (retention, compaction) goes on at the present start of the log. */
  async #restartWhereCut(readings: readonly Reading[]): Promise<void> {
    const cut = readings.filter(({ source }) => source.outOfRange);
    if (cut.length === 0) return;
    const ranges = await this.offsets([...new Set(cut.map(({ source }) => source.topic))]);
    for (const { source } of cut) {
      const range = ranges.find(({ topic, partition }) => topic === source.topic && partition === source.partition);
      source.seek(range?.from ?? 0);
    }
  }

  #fetcher(readings: readonly Reading[], onError: (error: unknown) => void): Fetcher {
    return new Fetcher({
      connections: this.#connections,
      sources: readings.map(({ source }) => source),
      bufferRecords: BATCH_RECORDS,
      maxBytesPerPartition: FETCH_BYTES,
      paceMs: 0,
      onError,
    });
  }
}

/**
 * To a consumer a leader tells the end that all replicas in sync have. To this id of a replica, which the protocol keeps for
 * debugging, it tells its own.
 */
const DEBUGGING_REPLICA = -2;

/** The cluster must be the caller's own. */
function asDebugger(cluster: Cluster): void {
  const findBroker = cluster.findBroker.bind(cluster);
  const asked = async (what: Parameters<Cluster['findBroker']>[0]) => {
    const broker = await findBroker(what);
    const listOffsets = broker.listOffsets.bind(broker);
    return Object.assign(Object.create(broker) as typeof broker, {
      listOffsets: (request: object) => listOffsets({ ...request, replicaId: DEBUGGING_REPLICA }),
    });
  };
  Object.assign(cluster, { findBroker: asked });
}

type Edge = { readonly fromBeginning: boolean } | { readonly fromTimestamp: number };

async function edgeOffsets(cluster: Cluster, topics: readonly string[], edge: Edge) {
  const asked = topics.map((topic) => ({
    topic,
    ...edge,
    partitions: partitionsOf(cluster, topic).map((partition) => ({ partition })),
  }));
  const offsets = new Map<string, { topic: string; partition: number; offset: number }>();
  for (const { topic, partitions } of await cluster.fetchTopicsOffset(asked)) {
    for (const { partition, offset } of partitions) {
      offsets.set(`${topic}/${partition}`, { topic, partition, offset: Number(offset) });
    }
  }
  return offsets;
}

function sourceAt(topic: string, partition: number, offset: number, changed: Signal): Source {
  const source = new Source(topic, partition, { changed });
  source.seek(offset);
  return source;
}

/** Nothing before `to` is left to deliver. */
const isDone = ({ source, to }: Reading) => source.position === undefined || isPassed({ source, to });
const isPassed = ({ source, to }: Reading) => source.buffered === 0 && (source.position ?? 0) >= to;

/** When the broker last said that nothing follows what was delivered of each; undefined: of one it has not, or something does. */
function currentAt(readings: readonly Reading[]): number | undefined {
  const isAtEnd = ({ source }: Reading) => source.buffered === 0 && (source.position ?? -1) >= source.lastStableOffset;
  const at = Math.min(...readings.map(({ source }) => source.fetchedAt));
  return readings.every(isAtEnd) && Number.isFinite(at) ? at : undefined;
}

/** A source that is at its end takes no part in fetches. */
function park(source: Source): void {
  source.seek(undefined);
  source.parked = true;
}

/** Gives every source's buffered records to the callback, one batch a source; false when there were none. */
async function deliver(readings: readonly Reading[], fetcher: Fetcher, onBatch: OnBatch): Promise<boolean> {
  let delivered = false;
  for (const { source, to, knownEnd: upTo = to } of readings) {
    if (source.outOfRange) throw outOfRange(source);
    // A read has an end: what is damaged up to there is told, and not waited for.
    if (source.isCorrupt && (source.position ?? to) < upTo) source.passTo(upTo);
    const taken = source.take(BATCH_RECORDS);
    if (taken.length === 0) continue;
    delivered = true;
    fetcher.wake();
    const records = taken.at(-1)!.offset < to ? taken : taken.filter(({ offset }) => offset < to);
    if (records.length < taken.length) source.seek(to);
    if (records.length > 0) await onBatch({ topic: source.topic, partition: source.partition, records });
  }
  return delivered;
}

function outOfRange({ topic, partition }: Source): CodedError {
  const message = `${topic}/${partition}: the log no longer holds the offset asked for; read from its present start.`;
  return new CodedError('READ_OUT_OF_RANGE', message, { faultClass: 'poison', dependency: 'kafka' });
}

/** @throws when nothing comes because the broker cannot tell whether it can read its log: that is no end of a read */
function refuseUnreadable(open: readonly Reading[]): void {
  const readStop = open.find(({ source }) => source.readStop)?.source.readStop;
  if (!readStop) return;
  const fault = { faultClass: 'transient-dependency', dependency: 'kafka' } as const;
  throw new CodedError(readStop.code, `${readStop.detail}.`, fault);
}

async function progressOrTimeout(changed: Signal, open: readonly Reading[]): Promise<void> {
  const positions = () => open.map(({ source }) => `${source.position}/${source.buffered}`).join();
  const before = positions();
  const startedAt = performance.now();
  while (positions() === before && !open.some(({ source }) => source.outOfRange)) {
    const leftMs = startedAt + STALLED_MS - performance.now();
    if (leftMs <= 0) {
      throw new CodedError('READ_STALLED', `The log gave nothing for ${STALLED_MS} ms.`, {
        faultClass: 'transient-dependency',
        dependency: 'kafka',
      });
    }
    await changed.wait(leftMs);
    return;
  }
}
