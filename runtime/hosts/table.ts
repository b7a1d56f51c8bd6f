// A compacted topic as a map: read to its end before the first record that needs it, then followed.

import { backoffMs, DEPENDENCY_BACKOFF } from '../../ports/backoff.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Log, LogRecord, RecordBatch } from '../../ports/log.ts';
import { type Rings, requireRings, sealFlaw } from '../../ports/seals.ts';
import type { TopicName, TopicValues } from '../../topics/catalogue.ts';
import { contractOf } from '../../topics/catalogue.ts';
import type { TopicContract } from '../../topics/contract.ts';
import { faultOf } from '../fault.ts';
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
  const stopping = new AbortController();
  let version = 0;
  let newestAt: number | undefined;
  let undecodable = 0;
  let lastSkipped: TableHealth['lastSkipped'];
  let unproven = 0;
  let outdated = 0;
  let caughtUp = false;
  let taken: Promise<void> = Promise.resolve();
  let following: ReturnType<ReturnType<Log['reader']>['follow']> | undefined;
  let fail!: (error: unknown) => void;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);

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
    const decoded = await decodePatiently(proven);
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
      if (result?.kind === 'newer-schema') fail(new CodedError('NEWER_SCHEMA', result.detail, { faultClass: 'fatal' }));
    });
  }

  /** The latest value of a key counts; a copy of an earlier record is none. */
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

  async function decodePatiently(records: readonly LogRecord[]) {
    const bytes = records.map((record) => record.value);
    for (let failures = 1; ; failures++) {
      try {
        return await codec.decode(topic, bytes);
      } catch (error) {
        if (stopping.signal.aborted || faultOf(error).faultClass !== 'transient-dependency') throw error;
        await clock.sleep(backoffMs(failures, DEPENDENCY_BACKOFF), stopping.signal);
      }
    }
  }

  return {
    topic,
    async start() {
      if (caughtUp) return;
      await codec.load([topic]);
      following ??= log.reader().follow([topic], (batch) => {
        taken = taken.then(() => take(batch)).catch(fail);
      });
      try {
        await following.caughtUp;
      } catch (error) {
        // A follower that could not begin never will: the next start makes another.
        await following.stop();
        following = undefined;
        throw error;
      }
      await Promise.race([taken, failed]);
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
    failed,
    health: () => ({
      name: topic,
      entries: values.size,
      caughtUp,
      newestAt,
      undecodable,
      unproven,
      ...(outdated > 0 && { outdated }),
      ...(lastSkipped && { lastSkipped }),
    }),
    async stop() {
      stopping.abort();
      await following?.stop();
    },
  };
}
