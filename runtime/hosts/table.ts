// A compacted topic as a map: read to its end before the first record that needs it, then followed.

import { type Clock, systemClock } from '../../ports/clock.ts';
import type { Codec, DecodeResult } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import type { ConsumerFault, Log, LogRecord } from '../../ports/log.ts';
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
  /**
   * The moment (performance.now, ms) at which the table last held, as far as the log could tell, everything that is in the topic;
   * undefined: it does not now, or nobody knows.
   */
  currentAt(): number | undefined;
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
  /** Called with each fault of the log, or of the registry, that keeps the table from being read on. Must not throw. */
  readonly onFault?: (fault: ConsumerFault) => void;
  /** Told of each record that is taken in, and (with `flaw`) of each that its issuer has not sealed. Must not throw. */
  readonly onRecord?: (record: LogRecord, flaw?: ErrorCode) => void;
}

/**
 * Follows a compacted topic. Undecodable records, and those that their issuer has not sealed, are counted and skipped: the
 * last good value of their key stays. So are copies of earlier records, where the contract can tell.
 */
export function createTable<T extends TopicName>(options: TableOptions<T>): Table<TopicValues[T]> {
  const { topic, log, codec, rings, clock = systemClock } = options;
  requireRings(rings, [topic]);
  if (contractOf(topic)?.cleanup !== 'compact') throw new Error(`${topic} is not compacted: it cannot be a table`);
  const contents = new Contents<T>(topic, rings, options.onRecord);
  let caughtUp = false;
  let lastFault: TableHealth['lastFault'];
  const follower = followTopic({
    topic,
    log,
    codec,
    clock,
    async take({ records }) {
      const proven = contents.provenOf(records);
      const newer = contents.take(proven, await follower.decode(proven.map(({ value }) => value)));
      if (newer !== undefined) follower.fail(new CodedError('NEWER_SCHEMA', newer, { faultClass: 'fatal' }));
    },
    onFault(fault) {
      lastFault = { code: fault.code, detail: fault.detail, at: clock.now() };
      options.onFault?.(fault);
    },
  });

  return {
    topic,
    async start() {
      if (caughtUp) return;
      await follower.start();
      caughtUp = true;
    },
    get: (key) => contents.values.get(key),
    entries: () => contents.values.entries(),
    get version() {
      return contents.version;
    },
    get newestAt() {
      return contents.newestAt;
    },
    currentAt: () => (caughtUp ? follower.currentAt() : undefined),
    failed: follower.failed,
    health: () => ({ name: topic, caughtUp, ...contents.health(), ...(lastFault && { lastFault }) }),
    stop: () => follower.stop(),
  };
}

type Skipped = TableHealth['lastSkipped'];

/** What is known of each key, and what was passed over. */
class Contents<T extends TopicName> {
  readonly values = new Map<string, TopicValues[T]>();
  version = 0;
  newestAt: number | undefined;
  readonly #topic: T;
  readonly #rings: Rings;
  readonly #onRecord: TableOptions<T>['onRecord'];
  readonly #orderOf: TopicContract<T, TopicValues[T]>['orderOf'];
  readonly #keyOf: TopicContract<T, TopicValues[T]>['keyOf'];
  readonly #firstCounts: boolean;
  readonly #orders = new Map<string, number>();
  #lastSkipped: Skipped;
  #undecodable = 0;
  #unproven = 0;
  #outdated = 0;

  constructor(topic: T, rings: Rings, onRecord: TableOptions<T>['onRecord']) {
    this.#topic = topic;
    this.#rings = rings;
    this.#onRecord = onRecord;
    const contract = contractOf(topic) as unknown as TopicContract<T, TopicValues[T]>;
    this.#orderOf = contract.orderOf;
    this.#keyOf = contract.keyOf;
    this.#firstCounts = contract.firstCounts === true;
  }

  /** Those of them that can be read, and that their issuer has sealed. */
  provenOf(records: readonly LogRecord[]): readonly LogRecord[] {
    return records.filter((record) => {
      if (record.unreadable) {
        this.#skip(record, record.unreadable.code);
        return false;
      }
      const code = sealFlaw(this.#rings, this.#topic, record);
      if (code === undefined) return true;
      this.#unproven++;
      this.#lastSkipped = skipped(record, code);
      this.#onRecord?.(record, code);
      return false;
    });
  }

  /** @returns why nothing is known any more: what a newer program wrote; undefined: all of it was taken in or passed over */
  take(proven: readonly LogRecord[], decoded: readonly DecodeResult<TopicValues[T]>[]): string | undefined {
    let newer: string | undefined;
    for (const [index, record] of proven.entries()) {
      const result = decoded[index];
      const key = record.key?.toString('utf8');
      this.newestAt = Math.max(this.newestAt ?? 0, record.timestamp);
      if (key === undefined) this.#skip(record, 'KEY_MISSING');
      else if (record.value === null && this.#isTaken(key)) this.#passOver(record);
      else if (record.value === null) this.#erase(key);
      else if (result?.ok && this.#keyOf(result.value) !== key) this.#skip(record, 'KEY_MISMATCH');
      else if (result?.ok) this.#keep(key, result.value, record);
      else {
        this.#skip(record, result?.code ?? 'UNDECODABLE_AVRO');
        if (result?.kind === 'newer-schema') newer ??= result.detail;
      }
    }
    return newer;
  }

  health(): Omit<TableHealth, 'name' | 'caughtUp' | 'lastFault'> {
    return {
      entries: this.values.size,
      newestAt: this.newestAt,
      undecodable: this.#undecodable,
      unproven: this.#unproven,
      ...(this.#outdated > 0 && { outdated: this.#outdated }),
      ...(this.#lastSkipped && { lastSkipped: this.#lastSkipped }),
    };
  }

  /** The latest value of a key counts, or the first; a copy of an earlier record does not. */
  #keep(key: string, value: TopicValues[T], record: LogRecord): void {
    const order = this.#orderOf?.(value, record.timestamp) ?? 0;
    if (order < (this.#orders.get(key) ?? Number.NEGATIVE_INFINITY) || this.#isTaken(key)) {
      this.#passOver(record);
      return;
    }
    this.values.set(key, value);
    this.#orders.set(key, order);
    this.version++;
    this.#onRecord?.(record);
  }

  #isTaken(key: string): boolean {
    return this.#firstCounts && this.values.has(key);
  }

  #passOver(record: LogRecord): void {
    this.#outdated++;
    this.#lastSkipped = skipped(record, 'RECORD_OUTDATED');
  }

  #erase(key: string): void {
    this.values.delete(key);
    this.#orders.delete(key);
    this.version++;
  }

  /** The last good value of its key stays. */
  #skip(record: LogRecord, code: ErrorCode): void {
    this.#undecodable++;
    this.#lastSkipped = skipped(record, code);
  }
}

const skipped = ({ partition, offset }: LogRecord, code: ErrorCode): Skipped => ({ partition, offset, code });
