// A compacted topic as a map: read to its end before the first record that needs it, then followed.

import { type Clock, systemClock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import type { ConsumerFault, Log, LogRecord, RecordBatch } from '../../ports/log.ts';
import { type Rings, requireRings, sealFlaw } from '../../ports/seals.ts';
import type { TopicName, TopicValues } from '../../topics/catalogue.ts';
import { contractOf } from '../../topics/catalogue.ts';
import type { TopicContract } from '../../topics/contract.ts';
import { followTopic } from '../follow-topic.ts';
import type { TableHealth } from './host.ts';

export interface Table<V> {
  readonly topic: string;
  /** Resolves when the table holds everything that was in the topic at the call. May be called again after a failure. */
  start(): Promise<void>;
  get(key: string): V | undefined;
  entries(): IterableIterator<readonly [string, V]>;
  /** Rises with every change: cheap to compare, for what is derived from the table. */
  readonly version: number;
  /** Append time (ms) of the newest record taken in; undefined while there is none. How stale the table is. */
  readonly newestAt: number | undefined;
  /** Rejects with NEWER_SCHEMA when a record was written by a newer program. */
  readonly failed: Promise<never>;
  health(): TableHealth;
  stop(): Promise<void>;
}

export interface TableOptions<T extends TopicName> {
  readonly topic: T;
  readonly log: Log;
  readonly codec: Codec;
  readonly rings: Rings;
  readonly clock?: Clock;
  /** Told of each fault of the log, or of the registry, that keeps the table from being read on. Must not throw. */
  readonly onFault?: (fault: ConsumerFault) => void;
}

/**
 * Follows a compacted topic. Undecodable records, and those that their issuer has not sealed, are counted and skipped: the
 * last good value of their key stays. So are copies of earlier records, where the contract can tell.
 */
export function createTable<T extends TopicName>(options: TableOptions<T>): Table<TopicValues[T]> {
  type V = TopicValues[T];
  const { topic, log, codec, rings, clock = systemClock } = options;
  requireRings(rings, [topic]);
  if (contractOf(topic)?.cleanup !== 'compact') throw new Error(`${topic} is not compacted: it cannot be a table`);
  const { orderOf } = contractOf(topic) as unknown as TopicContract<T, V>;
  const values = new Map<string, V>();
  const orders = new Map<string, number>();
  let version = 0;
  let newestAt: number | undefined;
  let undecodable = 0;
  let lastSkipped: TableHealth['lastSkipped'];
  let unproven = 0;
  let outdated = 0;
  let caughtUp = false;
  let lastFault: TableHealth['lastFault'];
  const follower = followTopic({
    topic,
    log,
    codec,
    clock,
    take,
    onFault(fault) {
      lastFault = { code: fault.code, detail: fault.detail, at: clock.now() };
      options.onFault?.(fault);
    },
  });

  async function take({ records }: RecordBatch): Promise<void> {
    const proven = records.filter((record) => {
      if (record.unreadable) {
        skip(record, record.unreadable.code);
        return false;
      }
      const code = sealFlaw(rings, topic, record);
      if (code) disbelieve(record, code);
      return code === undefined;
    });
    const decoded = await follower.decode(proven.map(({ value }) => value));
    proven.forEach((record, i) => {
      const key = record.key?.toString('utf8');
      newestAt = Math.max(newestAt ?? 0, record.timestamp);
      if (key === undefined) {
        skip(record, 'KEY_MISSING');
        return;
      }
      if (record.value === null) {
        values.delete(key);
        orders.delete(key);
        version++;
        return;
      }
      const result = decoded[i];
      if (result?.ok) {
        keep(key, result.value, record);
        return;
      }
      skip(record, result?.code ?? 'UNDECODABLE_AVRO');
      if (result?.kind === 'newer-schema')
        follower.fail(new CodedError('NEWER_SCHEMA', result.detail, { faultClass: 'fatal' }));
    });
  }

  /** The latest value of a key counts; a copy of an earlier record does not. */
  function keep(key: string, value: V, { partition, offset, timestamp }: LogRecord): void {
    const order = orderOf?.(value, timestamp) ?? 0;
    if (order < (orders.get(key) ?? Number.NEGATIVE_INFINITY)) {
      outdated++;
      lastSkipped = { partition, offset, code: 'RECORD_OUTDATED' };
      return;
    }
    values.set(key, value);
    orders.set(key, order);
    version++;
  }

  /** The last good value of its key stays. */
  function skip({ partition, offset }: LogRecord, code: ErrorCode): void {
    undecodable++;
    lastSkipped = { partition, offset, code };
  }

  function disbelieve({ partition, offset }: LogRecord, code: ErrorCode): void {
    unproven++;
    lastSkipped = { partition, offset, code };
  }

  return {
    topic,
    async start() {
      if (caughtUp) return;
      await follower.start();
      caughtUp = true;
    },
    get: (key) => values.get(key),
    entries: () => values.entries(),
    get version() {
      return version;
    },
    get newestAt() {
      return newestAt;
    },
    failed: follower.failed,
    health: () => ({
      name: topic,
      entries: values.size,
      caughtUp,
      newestAt,
      undecodable,
      unproven,
      ...(outdated > 0 && { outdated }),
      ...(lastSkipped && { lastSkipped }),
      ...(lastFault && { lastFault }),
    }),
    stop: () => follower.stop(),
  };
}
