// Looks of one stage into its own outputs, one after the other: whether a record that stands behind an offset without a note
// was handled before. All of them share what was read, so the outputs are read through once, and then only what came since.

import type { Clock } from '../../ports/clock.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogReader, LogRecord, PartitionRange } from '../../ports/log.ts';
import { within } from '../../ports/pause.ts';
import { sourceOf } from '../../topics/cause.ts';
import { evidenceTopics, type Producing, raiseProven } from './proven-progress.ts';

/** Clocks of brokers may be so far apart, ms. */
const MAX_SKEW_MS = 300_000;
/** A batch waits for so long at once, ms; then its partition pauses and asks again. */
const TIMEOUT_MS = 3_000;
/** An answer that nobody came for is good for so long, ms: longer than the longest pause. */
const KEPT_MS = 60_000;

/** What a stage asks: the first record behind an offset, and the id of its topic. */
interface Asked {
  readonly topicId: string;
  readonly first: LogRecord;
}

interface Look {
  readonly answer: Promise<boolean>;
  endedAt?: number;
}

/** Ends a read: what was looked for is found. */
const FOUND = Symbol('found');

const idOf = ({ topic, partition }: PartitionRange) => `${topic}/${partition}`;

export class OutputLookup {
  readonly #reader: LogReader;
  readonly #producing: Producing;
  readonly #clock: Clock;
  /** The highest offset that is proven to be handled, by source and partition. */
  readonly #proven = new Map<string, number>();
  /** Outputs were read from this time on, up to these offsets. */
  #since = Number.POSITIVE_INFINITY;
  readonly #readTo = new Map<string, number>();
  /** Under way, or not asked for again yet, by place. */
  readonly #lookup = new Map<string, Look>();
  /** From when on those that wait need the outputs. */
  readonly #wanted = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(reader: LogReader, producing: Producing, clock: Clock) {
    this.#reader = reader;
    this.#producing = producing;
    this.#clock = clock;
  }

  /**
   * Whether the outputs show that this record, or a later one of its partition, was handled.
   *
   * @throws CodedError, LOOKING_AT_OUTPUTS when that takes longer: ask again, and meet the answer
   */
  async wasHandled({ topicId, first }: Asked): Promise<boolean> {
    const place = `${sourceOf(this.#producing.owner, topicId)}/${first.partition}`;
    const key = `${place}/${first.offset}`;
    const look = this.#lookFor(key, place, first);
    try {
      if (!(await within(TIMEOUT_MS, look.answer, this.#clock))) throw stillLooking();
      this.#lookup.delete(key);
      return await look.answer;
    } catch (error) {
      if (look.endedAt !== undefined) this.#lookup.delete(key);
      throw error;
    }
  }

  /** Ends the read that is under way, and begins no other. */
  stop(): void {
    this.#isStopped = true;
  }

  #lookFor(key: string, place: string, first: LogRecord): Look {
    const known = this.#lookup.get(key);
    if (known && (known.endedAt === undefined || this.#clock.now() - known.endedAt < KEPT_MS)) return known;
    // An output is never older than its input. What is unreadable has no time: then all of them are read.
    this.#wanted.set(key, Math.max(0, first.timestamp - MAX_SKEW_MS));
    const answer = this.#last.then(() => this.#look(key, place, first.offset));
    const look: Look = { answer };
    const ended = () => {
      look.endedAt = this.#clock.now();
      this.#wanted.delete(key);
    };
    this.#last = answer.then(ended, ended);
    this.#lookup.set(key, look);
    return look;
  }

  async #look(key: string, place: string, offset: number): Promise<boolean> {
    const isHandled = () => (this.#proven.get(place) ?? -1) >= offset;
    if (isHandled()) return true;
    if (this.#isStopped) throw stillLooking();
    const isCovered = this.#wanted.get(key)! >= this.#since;
    const since = isCovered ? this.#since : Math.min(...this.#wanted.values());
    const topics = evidenceTopics(this.#producing);
    const ranges = isCovered ? await this.#unread(topics) : await this.#reader.offsetsSince(topics, since);
    try {
      await this.#reader.read(ranges, ({ records }) => {
        raiseProven(this.#proven, records, this.#producing);
        if (isHandled()) throw FOUND;
        if (this.#isStopped) throw stillLooking();
      });
    } catch (error) {
      if (error === FOUND) return true;
      throw error;
    }
    this.#since = since;
    for (const range of ranges) this.#readTo.set(idOf(range), range.to);
    return false;
  }

  /** What has come since the last look: another process may have worked the place meanwhile. */
  async #unread(topics: readonly string[]): Promise<readonly PartitionRange[]> {
    const ranges = await this.#reader.offsets(topics);
    return ranges.map((range) => {
      const readTo = this.#readTo.get(idOf(range)) ?? 0;
      // A topic that was made again begins anew.
      return readTo > range.to ? range : { ...range, from: Math.max(range.from, readTo) };
    });
  }
}

function stillLooking(): CodedError {
  const message =
    'reading what this stage has written, since nothing was noted beside its offset: it goes on by itself';
  return new CodedError('LOOKING_AT_OUTPUTS', message, { faultClass: 'transient-dependency', dependency: 'kafka' });
}
