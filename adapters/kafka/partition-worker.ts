// Works one input partition for as long as this member owns it: take over, gather a batch, hand it over, commit, again.
// Any error leads back to the start, where the committed offset says what really happened.

import { backoffMs } from '../../ports/backoff.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError, isCoded, thrownText } from '../../ports/fault.ts';
import type {
  BatchResult,
  ConsumerFault,
  ConsumerOptions,
  LogRecord,
  OutputRecord,
  PartitionProgress,
} from '../../ports/log.ts';
import { pause } from '../../ports/pause.ts';
import { ArrivalRate } from './arrival-rate.ts';
import { KAFKA_BACKOFF } from './backoff.ts';
import type { BatchSize } from './batch-size.ts';
import { type Committer, missingOffset, NEW_PARTITION_TIMEOUT_MS, type Ownership } from './commit.ts';
import { UnknownTopicDeadline } from './error-deadlines.ts';
import { codedError, consumerFaultOf, FatalConsumerFault, verdictOf } from './fault.ts';
import type { Fetcher } from './fetcher.ts';
import type { Source } from './source.ts';

/** Before a batch that its handler refuses is handed in again. */
const HANDLER_BACKOFF = { firstMs: 20, maxMs: 10_000 };
/** Before a batch of which the handler did nothing is handed in again. */
const STALL_BACKOFF = { firstMs: 50, maxMs: 5_000 };
const IDLE_CHECK_MS = 5_000;
/** How long the end of a partition counts as known after a fetch. */
const END_KNOWN_MS = 30_000;

export interface WorkerOptions {
  readonly consumer: ConsumerOptions;
  readonly ownership: Ownership;
  readonly committer: Committer;
  readonly source: Source;
  readonly fetcher: () => Fetcher;
  readonly idleCommitMs: number;
  /** Of this partition; it outlives the worker. */
  readonly batchSize: BatchSize;
  /** Resolves when an earlier worker of the same partition is done. */
  readonly after: Promise<void>;
  readonly onFault: (fault: ConsumerFault) => void;
  /** The consumer must end. */
  readonly onFatal: (fault: FatalConsumerFault) => void;
  /** Asks the group whether this member's generation is still the current one. */
  readonly confirmMembership: () => Promise<boolean>;
}

export class PartitionWorker {
  /** Resolves with true when the partition was taken over for the first time, with false when it will not be. */
  readonly ready: Promise<boolean>;
  readonly #options: WorkerOptions;
  readonly #rate = new ArrivalRate();
  /** Aborted when the worker must end; ends every wait. */
  readonly #ending = new AbortController();
  #markReady: (takenOver: boolean) => void = () => {};
  /** Records handed in that were not done, to be handed in first. */
  #carry: LogRecord[] = [];
  #underWay: readonly LogRecord[] = [];
  /** Records that were handed over and are not committed. */
  #uncommitted = 0;
  #position: number;
  #committed = 0;
  /** What stands beside the committed offset. */
  #note = '';
  #topicId: string | undefined;
  #committedAt = performance.now();
  #paused: PartitionProgress['paused'];
  /** Why the batch to come was handed in before and not committed. */
  #failed: { readonly code: ErrorCode; readonly attempts: number } | undefined;
  /** When it last found nothing to do; monotonic ms. */
  #restedAt = 0;
  readonly #unknownTopic = new UnknownTopicDeadline();
  /** Since when the offset of a partition that was added is waited for; monotonic ms. */
  #awaitedSince: number | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#position = 0;
    this.ready = new Promise((resolve) => {
      this.#markReady = resolve;
    });
  }

  /** Id of the topic as it was taken over; undefined before that. */
  get topicId(): string | undefined {
    return this.#topicId;
  }

  get topic(): string {
    return this.#options.ownership.topic;
  }

  /** A batch of it was handed over, and is not committed yet. */
  get hasBatch(): boolean {
    return this.#uncommitted > 0;
  }

  /** Ends after the batch that is being handled. */
  drain(): void {
    this.#ending.abort();
    this.#options.source.changed.wake();
  }

  progress(): PartitionProgress {
    const { source, ownership } = this.#options;
    const idle = this.#underWay.length === 0 && this.#carry.length === 0 && source.buffered === 0;
    const position = idle ? Math.max(this.#position, source.position ?? 0) : this.#position;
    // Without a fresh answer from the broker nobody knows that there is nothing to do: that must not look like rest.
    const unknown = performance.now() - source.fetchedAt > END_KNOWN_MS ? 1 : 0;
    return {
      topic: ownership.topic,
      partition: ownership.partition,
      position,
      lag: Math.max(unknown, source.lastStableOffset - position),
      // A partition that has rested for hours is not stalled the moment a record comes.
      lastProgressAt: Math.max(this.#committedAt, idle ? source.caughtUpAt : this.#restedAt),
      paused: this.#paused ?? source.readStop,
      ...(unknown > 0 && { isEndUnknown: true }),
    };
  }

  get #live(): boolean {
    return !this.#ending.signal.aborted && this.#options.ownership.stillOurs();
  }

  /** Runs until drained, revoked or fatally failed. Never throws. */
  async run(): Promise<void> {
    await this.#options.after;
    let failures = 0;
    while (this.#live) {
      try {
        await this.#takeOver();
        await this.#work(() => {
          failures = 0;
          this.#failed = undefined;
        });
      } catch (error) {
        await this.#recover(error, ++failures);
      }
    }
    this.#options.source.seek(undefined);
    await this.#options.committer.abandon();
    this.#markReady(false);
  }

  async #takeOver(): Promise<void> {
    const { committer, source, fetcher } = this.#options;
    const { offset, note, topicId } = await committer.open();
    this.#note = note;
    this.#topicId = topicId;
    this.#carry = [];
    this.#position = offset;
    this.#committed = offset;
    this.#committedAt = performance.now();
    this.#paused = undefined;
    this.#awaitedSince = undefined;
    source.parked = false;
    source.seek(offset);
    fetcher().wake();
    this.#markReady(true);
  }

  async #work(onCommitted: () => void): Promise<void> {
    for (let stalled = 0; this.#live; ) {
      const records = await this.#gather();
      if (records.length === 0) continue;
      this.#underWay = records;
      this.#uncommitted = records.length;
      const result = await this.#handle(records);
      this.#underWay = [];
      const done = checkedResult(result, records);
      this.#carry = records.slice(done);
      if (done > 0) {
        await this.#commit(result.outputs, records[done - 1]!.offset + 1, result.note);
        this.#options.batchSize.committed();
        onCommitted();
        stalled = 0;
      }
      this.#uncommitted = 0;
      if (result.then.do === 'stop') throw new FatalConsumerFault(result.then.code, result.then.detail);
      if (result.then.do === 'pause') await this.#pauseFor(result.then);
      else if (done === 0) await pause(backoffMs(++stalled, STALL_BACKOFF), this.#ending.signal);
    }
  }

  async #handle(records: readonly LogRecord[]): Promise<BatchResult> {
    const { topic, partition } = this.#options.ownership;
    const { handler } = this.#options.consumer;
    try {
      return await handler({
        topic,
        partition,
        records,
        note: this.#note,
        ...(this.#topicId === undefined ? {} : { topicId: this.#topicId }),
        ...(this.#failed === undefined ? {} : { failed: this.#failed }),
      });
    } catch (error) {
      this.#underWay = [];
      if (isCoded(error)) throw error;
      throw new CodedError('HANDLER_FAILED', thrownText(error), { faultClass: 'poison', cause: error });
    }
  }

  async #commit(outputs: readonly OutputRecord[], handled: number, note = this.#note): Promise<void> {
    const { committer, source, consumer, ownership } = this.#options;
    // With nothing left to handle, what lies between the last record and the fetch position are transaction markers.
    const idle = this.#carry.length === 0 && source.buffered === 0;
    const offset = idle ? Math.max(handled, source.position ?? 0) : handled;
    const startedAt = performance.now();
    const joined = await committer.commit(outputs, offset, note === '' ? undefined : note);
    this.#note = note;
    this.#position = this.#committed = offset;
    this.#committedAt = performance.now();
    const { topic, partition } = ownership;
    const durationMs = this.#committedAt - startedAt;
    consumer.onCommit?.({ topic, partition, outputs: outputs.length, joined, durationMs });
  }

  async #pauseFor({ forMs, code, detail }: { forMs: number; code: ErrorCode; detail: string }): Promise<void> {
    this.#paused = { code, detail };
    this.#options.source.parked = true;
    await pause(forMs, this.#ending.signal);
    this.#options.source.parked = false;
    this.#paused = undefined;
    this.#committedAt = performance.now(); // a declared pause is no lack of progress
  }

  /** Waits for records and, when load is low, for a few more of them. Empty: look again whether to go on. */
  async #gather(): Promise<LogRecord[]> {
    const { source, fetcher, consumer, batchSize } = this.#options;
    if (source.outOfRange) throw this.#outOfRange();
    const room = batchSize.records - this.#carry.length;
    if (this.#carry.length === 0 && source.buffered === 0) {
      this.#restedAt = performance.now();
      await this.#idle();
      return [];
    }
    if (this.#carry.length === 0 && source.buffered < batchSize.records) {
      const leftMs = source.waitingSince + this.#rate.worthwhile(consumer.lingerMs) - performance.now();
      if (leftMs > 0) {
        await source.changed.wait(Math.ceil(leftMs));
        return [];
      }
    }
    const taken = room > 0 ? source.take(room) : [];
    this.#rate.add(taken.length);
    if (taken.length > 0) fetcher().wake();
    const records = [...this.#carry, ...taken];
    this.#carry = [];
    this.#position = records[0]!.offset;
    return records;
  }

  /** Nothing to do: waits, and now and then commits a position that moved over markers only. */
  async #idle(): Promise<void> {
    const { source, idleCommitMs } = this.#options;
    const position = source.position ?? 0;
    if (position > this.#committed && performance.now() - this.#committedAt > idleCommitMs) {
      await this.#commit([], position);
      return;
    }
    await source.changed.wait(Math.min(IDLE_CHECK_MS, idleCommitMs));
  }

  /** After any error: nothing of this owner's state is trusted any more. */
  async #recover(error: unknown, failures: number): Promise<void> {
    const { ownership, committer, source, onFault, onFatal, confirmMembership, batchSize } = this.#options;
    const verdict = verdictOf(error);
    const hasLostItsPlace = !ownership.stillOurs() || verdict === 'fenced' || verdict === 'not-member';
    if (hasLostItsPlace && this.#uncommitted > 0) batchSize.tooLate(this.#uncommitted);
    this.#uncommitted = 0;
    const { topic, partition } = ownership;
    const { code, faultClass, dependency } = codedError(error);
    this.#underWay = [];
    this.#carry = [];
    this.#failed = { code, attempts: failures };
    source.seek(undefined);
    source.parked = true;
    await committer.abandon();
    if (!this.#live) return;
    if (verdict === 'fatal') return this.#fail(onFatal, fatalFault(error));
    const exhausted = this.#unknownTopic.passed(error) ?? this.#offsetMissing(code);
    if (exhausted !== undefined) return this.#fail(onFatal, exhausted);
    onFault(consumerFaultOf(error, { topic, partition }));
    if ((verdict === 'fenced' || verdict === 'not-member') && !(await confirmMembership())) return this.#ending.abort();
    if (code === 'KAFKA_UNAVAILABLE') this.#paused = { code, detail: 'waiting for the broker' };
    // A broken client is no declared pause: the watch ends a process that gets no further.
    if (code === 'CLIENT_BUG') this.#paused = undefined;
    if (code === 'OFFSET_AWAITED') this.#paused = { code, detail: 'new partition: run `corridor topics apply`' };
    const limits = faultClass === 'poison' || dependency !== 'kafka' ? HANDLER_BACKOFF : KAFKA_BACKOFF;
    await pause(backoffMs(failures, limits), this.#ending.signal);
  }

  /** A partition that was added waits for its offset, but not for ever. */
  #offsetMissing(code: ErrorCode): FatalConsumerFault | undefined {
    if (code !== 'OFFSET_AWAITED') return undefined;
    this.#awaitedSince ??= performance.now();
    const { groupId, topic, partition } = this.#options.ownership;
    const isOver = performance.now() - this.#awaitedSince > NEW_PARTITION_TIMEOUT_MS;
    return isOver ? missingOffset(groupId, topic, partition) : undefined;
  }

  #fail(onFatal: (fault: FatalConsumerFault) => void, fault: FatalConsumerFault): void {
    onFatal(fault);
    this.#ending.abort();
  }

  /** What could happen: records are passed over that nobody handled. What stops it: no offset is chosen by itself (ADR 4). */
  #outOfRange(): FatalConsumerFault {
    const { topic, partition } = this.#options.ownership;
    return new FatalConsumerFault(
      'OFFSET_OUT_OF_RANGE',
      `Offset ${this.#position} of ${topic}/${partition} is not in the log: records were deleted before they were handled, ` +
        'or the topic was made anew. Find out which before any offset is set by hand.',
    );
  }
}

/** How many records of the batch are done. Throws HANDLER_CONTRACT when the result contradicts itself. */
function checkedResult(result: BatchResult, records: readonly LogRecord[]): number {
  const { doneThrough, outputs } = result;
  if (doneThrough === undefined) {
    if (outputs.length === 0) return 0;
    throw contract('outputs without a position would be written again');
  }
  const index = records.findIndex(({ offset }) => offset === doneThrough);
  if (index === -1) throw contract(`offset ${doneThrough} is not in the batch`);
  return index + 1;
}

function contract(detail: string): CodedError {
  return new CodedError('HANDLER_CONTRACT', `The batch handler broke its contract: ${detail}.`, {
    faultClass: 'fatal',
  });
}

function fatalFault(error: unknown): FatalConsumerFault {
  if (error instanceof FatalConsumerFault) return error;
  const { code, message } = codedError(error);
  return new FatalConsumerFault(code, message, error);
}
