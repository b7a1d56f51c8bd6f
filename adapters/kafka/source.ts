// One partition being read: what is buffered of it, where it goes on, and what is wrong with it alone.

import { performance } from 'node:perf_hooks';
import { backoffMs } from '../../ports/backoff.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { LogRecord } from '../../ports/log.ts';
import { type Committed, committedRecords } from './committed-records.ts';
import { UnreadableRecord } from './kafkajs/fetch-response.ts';
import type { FetchedPartition } from './kafkajs/internals.ts';
import { Signal } from './signal.ts';

/** A source that holds this many bytes is not fetched: what was packed well counts as what it is. */
const MAX_BUFFERED_BYTES = 16 * 1_048_576;
/** What cannot be read is fetched so often before it is given up: the fault may be the way's, not the log's. */
const MAX_FETCHES = 3;
/** Longest rest of a partition that met trouble. */
const REST = { firstMs: 50, maxMs: 5_000 };
const NO_BYTES = Buffer.alloc(0);
const LOG_CORRUPT = 'LOG_CORRUPT';
const LOG_UNREADABLE = 'LOG_UNREADABLE';
const NO_SUSPECT = { offset: -1, fetches: 0, since: 0 };

/** Why a partition does not go on. */
export interface ReadStop {
  readonly code: ErrorCode;
  readonly detail: string;
}

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
  /** A batch that failed its checksum, how often it did, and since when; performance.now(). */
  #suspect = NO_SUSPECT;
  /** Fetches in a row that gave nothing although there is something, and since when; performance.now(). */
  #misses = 0;
  #missedSince = 0;
  /** Fetches for which the broker did not know whether the log can be read, since it was last read. */
  #unknowns = 0;
  /** Troubles in a row, and until when they keep it from being fetched; performance.now(). */
  #troubles = 0;
  #restsUntil = 0;
  /** An offset before damage from which the log can be read, also where it cannot be read from its position. */
  soundAt: number | undefined;
  /** Set while the log cannot be read at its position, and nothing that follows can. */
  #readStop: ReadStop | undefined;
  /** Grows with every seek, so that an answer to an older fetch is dropped. */
  #seeks = 0;

  readonly #isGapless: boolean;
  readonly #timeoutMs: number;

  /**
   * Sources may share a signal, for who waits for any of them.
   * @param isGapless see committedRecords
   * @param timeoutMs so long what cannot be read is asked for again before it is given up: a broker in trouble, or one
   *   whose leader moves, can often read it later
   */
  constructor(topic: string, partition: number, { changed = new Signal(), isGapless = false, timeoutMs = 0 } = {}) {
    this.topic = topic;
    this.partition = partition;
    this.changed = changed;
    this.#isGapless = isGapless;
    this.#timeoutMs = timeoutMs;
  }

  get buffered(): number {
    return this.#buffer.length - this.#head;
  }

  /** No more is to be fetched for now. */
  isFull(records: number): boolean {
    return this.buffered >= records || this.#bytes >= MAX_BUFFERED_BYTES;
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
    this.soundAt = undefined;
    this.#wentOn();
  }

  /** The position is not in the log any more. */
  leaveRange(): void {
    this.seek(undefined);
    this.outOfRange = true;
    this.changed.wake();
  }

  /** Not to be fetched for a while: it alone met trouble. */
  get rests(): boolean {
    return performance.now() < this.#restsUntil;
  }

  rest(): void {
    this.#restsUntil = performance.now() + backoffMs(++this.#troubles, REST);
  }

  /** The broker says, or its silence, that the log is damaged here. */
  missed(): void {
    if (this.#misses++ === 0) this.#missedSince = performance.now();
  }

  get isFruitless(): boolean {
    return this.#misses >= MAX_FETCHES;
  }

  /** Whether fetches in vain have gone on for so long that what cannot be read is given up. */
  get mayPass(): boolean {
    return performance.now() - this.#missedSince >= this.#timeoutMs;
  }

  get readStop(): ReadStop | undefined {
    return this.#readStop;
  }

  /** It stands for damage: a read that has an end may pass over it. */
  get isCorrupt(): boolean {
    return this.#readStop?.code === LOG_CORRUPT;
  }

  /**
   * The broker does not know whether it can read the log here. That is not damage: it is never skipped, however long it lasts.
   * It is asked again later, and patience with damage begins anew.
   */
  answerUnknown(): void {
    this.#misses = 0;
    this.#suspect = NO_SUSPECT;
    this.rest();
    if (++this.#unknowns < MAX_FETCHES || this.#readStop?.code === LOG_UNREADABLE) return;
    this.#readStop = {
      code: LOG_UNREADABLE,
      detail:
        `the broker cannot say whether ${this.topic}/${this.partition} can be read at offset ${this.position} ` +
        '(UNKNOWN_SERVER_ERROR): look at its log and disk, or move the leader to another replica. Nothing is passed over, ' +
        'and it goes on by itself as soon as it can be read',
    };
    this.changed.wake();
  }

  /** Nothing that follows can be read either: it is looked at again later, and when there is more. */
  stand(): void {
    this.#misses = 0;
    this.#unknowns = 0;
    this.rest();
    this.#readStop = {
      code: LOG_CORRUPT,
      detail:
        `${this.topic}/${this.partition} cannot be read at offset ${this.position}, and nothing that follows it can yet: ` +
        'move its leader to another replica. As soon as something readable follows, one dead letter names what lies between',
    };
    this.changed.wake();
  }

  #wentOn(): void {
    this.#misses = 0;
    this.#unknowns = 0;
    this.#suspect = NO_SUSPECT;
    this.#troubles = 0;
    this.#restsUntil = 0;
    this.#readStop = undefined;
  }

  /** What lies before an offset cannot be read: one record stands for it. */
  passTo(offset: number): void {
    const firstOffset = this.position!;
    const detail = 'the log cannot be read there';
    const record = new UnreadableRecord({
      code: 'BATCH_CORRUPT',
      detail,
      firstOffset,
      lastOffset: offset - 1,
      bytes: NO_BYTES,
    });
    record.topic = this.topic;
    record.partition = this.partition;
    this.#wentOn();
    this.#push([record], offset, performance.now());
    this.changed.wake();
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
    const committed = committedRecords(this.topic, this.position, fetched, this.#isGapless);
    if (committed.nextOffset > this.position) this.soundAt = undefined;
    this.#take(this.#believed(committed), fetched);
  }

  /** Takes what an answer holds behind damage that was looked at before. False: it holds nothing new. */
  acceptFrom(soundAt: number, fetched: FetchedPartition): boolean {
    const committed = committedRecords(this.topic, this.position!, fetched, this.#isGapless);
    if (committed.nextOffset <= this.position!) return false;
    this.soundAt = soundAt;
    this.#take(committed, fetched);
    return true;
  }

  #take({ records, nextOffset }: Committed, fetched: FetchedPartition): void {
    const now = performance.now();
    this.fetchedAt = now;
    this.lastStableOffset = Number(fetched.lastStableOffset);
    // At its end nothing is amiss either: there is nothing to be read.
    if (nextOffset > this.position! || this.position! >= this.lastStableOffset) this.#wentOn();
    else this.missed();
    this.#push(records, nextOffset, now);
    if (records.length === 0 && nextOffset >= this.lastStableOffset) this.caughtUpAt = now;
    this.changed.wake();
  }

  #push(records: readonly LogRecord[], nextOffset: number, now: number): void {
    if (this.buffered === 0) this.waitingSince = now;
    this.position = nextOffset;
    if (records.length === 0) return;
    this.#buffer = this.#head === 0 ? this.#buffer : this.#buffer.slice(this.#head);
    this.#head = 0;
    for (const record of records) {
      this.#buffer.push(record);
      this.#bytes += record.value?.length ?? 0;
    }
  }

  /** A batch that fails its checksum is fetched again a few times: until then, what follows it waits. */
  #believed(committed: Committed): Committed {
    if (!committed.isDamaged) return committed;
    const at = committed.records.findIndex(({ unreadable }) => unreadable?.code === 'BATCH_CORRUPT');
    if (at === -1) return committed;
    const { firstOffset } = committed.records[at]!.unreadable!;
    const isSame = this.#suspect.offset === firstOffset;
    const fetches = isSame ? this.#suspect.fetches + 1 : 1;
    const since = isSame ? this.#suspect.since : performance.now();
    this.#suspect = { offset: firstOffset, fetches, since };
    if (fetches >= MAX_FETCHES && performance.now() - since >= this.#timeoutMs) return committed;
    if (at === 0) this.rest();
    return { ...committed, records: committed.records.slice(0, at), nextOffset: Math.max(this.position!, firstOffset) };
  }
}
