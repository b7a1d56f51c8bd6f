// What becomes of each record of a batch, as one result to commit: outputs, retries, dead letters, and how far it got.
// The same for processors and sinks; they differ in `run`.

import { type BackoffLimits, backoffMs, DEPENDENCY_BACKOFF } from '../../ports/backoff.ts';
import type { Controls } from '../../ports/controls.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { BatchHandler, BatchResult, LogRecord, OutputRecord, RecordBatch } from '../../ports/log.ts';
import type { RecordSkips } from '../../ports/record-skips.ts';
import type { ReplayClaims } from '../../ports/replay-claims.ts';
import { requireRings } from '../../ports/seals.ts';
import type { Cause } from '../../processors/contract.ts';
import { refusal } from '../../processors/discard.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { replayTopic } from '../../topics/recovery.ts';
import { type Fault, faultOf } from '../fault.ts';
import { offsetCheck, type WasHandled } from '../progress/offset-check.ts';
import { topicToken } from '../progress/proven-progress.ts';
import type { DeadLetterBreaker } from '../retries-and-dead-letters/breaker.ts';
import { dueRecordsOf } from '../retries-and-dead-letters/due-records.ts';
import { RefusedBatches } from '../retries-and-dead-letters/refused-batches.ts';
import { withoutRepeatedReplays } from '../retries-and-dead-letters/replays.ts';
import { Blockage } from './blocked-head.ts';
import { createJudges, type DispositionOptions, type Judged } from './dispositions.ts';
import type { HostObserver } from './host.ts';
import { type AcceptedRecord, type InboundRecord, inboundReader } from './inbound-records.ts';
import type { Outcome, Run } from './isolate.ts';
import { noteAfter, withoutRepeats } from './repeats.ts';
import { discardReasonOf } from './run-processor.ts';
import { type WalkEnd, type Walked, walk } from './walk.ts';
import { witnessedIsolation } from './witnesses.ts';

export interface BatchHandlerOptions extends DispositionOptions {
  readonly reads: readonly TopicName[];
  readonly chainPartitions: number;
  readonly breaker: DeadLetterBreaker;
  readonly backoff?: BackoffLimits;
  readonly observer: HostObserver;
  /** Whether its outputs show that this record, or a later one, was handled. Absent: it may run again at any time. */
  readonly wasHandled?: WasHandled;
  /** What people have paused; absent: nothing can be. */
  readonly controls?: Pick<Controls, 'pauseOf'>;
  /** Claims on the letters that are replayed; absent: what it does may run again at any time. */
  readonly replayClaims?: ReplayClaims;
  /** What two persons let it skip; absent: nothing. */
  readonly skips?: RecordSkips | undefined;
  /** Whether it ends what operators discard. Absent: such a record is put aside again, and nothing is done by it. */
  readonly discards?: boolean;
  /** One outcome per item, in order. Throws as described in isolate.ts. */
  readonly run: (items: readonly AcceptedRecord[]) => Promise<readonly Outcome[]>;
}

/** How soon a partition that was paused by a person goes on after it is resumed, ms. */
const PAUSED_LOOK_MS = 250;

type Then = BatchResult['then'];
const CONTINUE: Then = { do: 'continue' };

function batchResult(
  doneThrough: number | undefined,
  outputs: readonly OutputRecord[],
  then: Then,
  note?: string,
): BatchResult {
  return { doneThrough, outputs, then, ...(note === undefined ? {} : { note }) };
}

/** The handler of a consumer of `inputTopics(owner, reads)`. It throws for nothing that a record or dependency did. */
export function createBatchHandler(options: BatchHandlerOptions): BatchHandler {
  requireRings(options.rings, options.reads);
  const batches = new Batches(options);
  return (batch) => batches.handle(batch);
}

/** The way of each batch, over what is kept of those before it. */
class Batches {
  readonly #options: BatchHandlerOptions;
  readonly #judges: ReturnType<typeof createJudges>;
  readonly #read: ReturnType<typeof inboundReader>;
  readonly #lostOffset: ReturnType<typeof offsetCheck>;
  readonly #isolated: ReturnType<typeof witnessedIsolation<AcceptedRecord>>;
  readonly #dueRecords: ReturnType<typeof dueRecordsOf>;
  readonly #outages: PartitionOutages;
  readonly #refusals = new RefusedBatches();
  readonly #blockage: Blockage;
  /** How often the processor or sink was asked and answered. */
  #passes = 0;

  constructor(options: BatchHandlerOptions) {
    const { owner, observer } = options;
    this.#options = options;
    this.#judges = createJudges(options);
    this.#read = inboundReader(options);
    this.#lostOffset = offsetCheck(owner, options.wasHandled);
    this.#dueRecords = dueRecordsOf(owner);
    this.#outages = partitionOutages(observer, options.backoff);
    const run: Run<AcceptedRecord> = async (items) => {
      const outcomes = await options.run(items);
      this.#passes++;
      return outcomes;
    };
    this.#isolated = witnessedIsolation(run);
    this.#blockage = new Blockage({
      ...{ owner, run, skips: options.skips },
      passes: () => this.#passes,
      failures: (batch) => this.#outages.inARow(batch),
    });
  }

  async handle(batch: RecordBatch): Promise<BatchResult> {
    const { owner, clock, controls, observer } = this.#options;
    const paused = controls?.pauseOf(owner, batch.partition);
    if (paused) return batchResult(undefined, [], { do: 'pause', forMs: PAUSED_LOOK_MS, ...paused });
    const refused = this.#refusals.of(batch);
    const offered = { ...batch, records: batch.records.slice(0, refused?.records) };
    const { due, wakeAt } = this.#dueRecords(offered, clock.now());
    const later: Then = wakeAt === undefined ? CONTINUE : notDue(wakeAt - clock.now());
    if (due.length === 0) return batchResult(undefined, [], later);
    observer.batch(batch.topic, due.length);
    let inboundRecords: readonly InboundRecord[];
    try {
      const lost = await this.#lostOffset(batch, due[0]!);
      if (lost) return batchResult(undefined, [], this.#stop(batch, lost));
      inboundRecords = await this.#readOf(batch, due, refused?.guilty);
    } catch (error) {
      return batchResult(undefined, [], this.#afterFault(batch, faultOf(error)));
    }
    return this.#decided(batch, inboundRecords, later);
  }

  /** @param later what to do after a batch that came through */
  async #decided(batch: RecordBatch, inboundRecords: readonly InboundRecord[], later: Then): Promise<BatchResult> {
    const { judge, skipped } = this.#judges;
    const accepted = acceptedOf(inboundRecords);
    const isolation = await this.#blockage.divided(batch, accepted, await this.#isolated(batch, accepted));
    const skip = await this.#blockage.skippedHead(batch, inboundRecords[0]!, accepted, isolation);
    if (skip) return this.#committable(batch, passed(skipped(batch, inboundRecords[0]!, skip)), CONTINUE);
    const { breaker } = this.#options;
    return this.#committable(batch, walk(batch, inboundRecords, isolation, { judge, breaker }), later);
  }

  /** The records that are due, with those refused that were handled before. */
  async #readOf(batch: RecordBatch, due: readonly LogRecord[], guilty: ErrorCode | undefined) {
    const { owner, clock, discards, replayClaims: claims, sealsRecovery } = this.#options;
    let inboundRecords = await this.#read({ ...batch, records: due });
    if (!discards) inboundRecords = inboundRecords.map(withoutDiscard);
    if (claims && batch.topic === replayTopic(owner)) {
      inboundRecords = await withoutRepeatedReplays(inboundRecords, { owner, claims, now: clock.now() });
    }
    if (guilty) inboundRecords = inboundRecords.map((inbound) => condemn(inbound, guilty));
    return sealsRecovery ? withoutRepeats(inboundRecords, batch.note) : inboundRecords;
  }

  #committable(batch: RecordBatch, { outputs, judged, doneThrough, end }: Walked, later: Then): BatchResult {
    const { owner, observer, sealsRecovery } = this.#options;
    const then = end.kind === 'through' ? later : this.#afterEnd(batch, end);
    if (end.kind === 'through') this.#outages.over(batch);
    report(observer, judged);
    // Of what is done alone: what the breaker takes back will be handled, and must not pass for a repeat then.
    const note =
      sealsRecovery && doneThrough !== undefined
        ? noteAfter(batch.note, topicToken(owner, batch.topicId ?? batch.topic), judged)
        : undefined;
    return batchResult(doneThrough, outputs, then, note);
  }

  #afterEnd(batch: RecordBatch, end: Exclude<WalkEnd, { kind: 'through' }>): Then {
    return end.kind === 'stop' ? this.#stop(batch, end.cause, end.inbound) : this.#afterFault(batch, end.fault);
  }

  /** Down or slow: this partition pauses, longer each time. Fatal: the consumer stops. */
  #afterFault(batch: RecordBatch, fault: Fault): Then {
    return fault.faultClass === 'fatal' ? this.#stop(batch, fault) : this.#outages.met(batch, fault);
  }

  #stop(batch: RecordBatch, cause: Cause, inbound?: InboundRecord): Then {
    this.#options.observer.stopped(batch.topic, batch.partition, cause, inbound);
    return { do: 'stop', code: cause.code, detail: cause.detail };
  }
}

/** The first record of a batch, which is all that becomes of it now. */
const passed = (judged: Judged): Walked => ({
  outputs: judged.outputs,
  judged: [judged],
  doneThrough: judged.inbound.record.offset,
  end: { kind: 'through' },
});

/** What has no rejections must not take the order to make one for a replay. */
const withoutDiscard = (inbound: InboundRecord): InboundRecord =>
  inbound.refusal || discardReasonOf(inbound) === undefined
    ? inbound
    : { ...inbound, refusal: { kind: 'unacceptable', ...refusal('what is handled here may have been paid') } };

const notDue = (forMs: number): Then => ({
  do: 'pause',
  forMs: Math.max(1, forMs),
  code: 'RETRY_NOT_DUE',
  detail: 'the next retry is not due yet',
});

const condemn = (inbound: InboundRecord, code: ErrorCode): InboundRecord => ({
  ...inbound,
  refusal: { kind: 'unacceptable', code, detail: 'the broker refused what this record gave rise to' },
});

/** Those that are handed to the processor: none from the first on at which everything stops. */
function acceptedOf(inboundRecords: readonly InboundRecord[]): readonly AcceptedRecord[] {
  const stopAt = inboundRecords.findIndex(({ refusal }) => refusal?.kind === 'stop');
  const reachable = stopAt === -1 ? inboundRecords : inboundRecords.slice(0, stopAt);
  return reachable.filter((inbound): inbound is AcceptedRecord => inbound.refusal === undefined);
}

type PartitionOutages = ReturnType<typeof partitionOutages>;

/** Counts the failures in a row of each input partition, and says how long it pauses. */
function partitionOutages(observer: HostObserver, limits: BackoffLimits = DEPENDENCY_BACKOFF) {
  const failures = new Map<string, number>();
  const keyOf = ({ topic, partition }: RecordBatch) => `${topic}/${partition}`;
  return {
    met(batch: RecordBatch, fault: Fault): Then {
      const inARow = (failures.get(keyOf(batch)) ?? 0) + 1;
      failures.set(keyOf(batch), inARow);
      observer.dependencyDown(batch.topic, batch.partition, fault);
      return { do: 'pause', forMs: backoffMs(inARow, limits), code: fault.code, detail: fault.detail };
    },
    inARow: (batch: RecordBatch): number => failures.get(keyOf(batch)) ?? 0,
    over(batch: RecordBatch): void {
      if (failures.delete(keyOf(batch))) observer.dependencyBack(batch.topic, batch.partition);
    },
  };
}

/** Tells the observer what became of the records of a batch. */
function report(observer: HostObserver, judged: readonly Judged[]): void {
  const counts = new Map<string, number>();
  for (const { inbound, disposition, cause, deadLetter } of judged) {
    const key = `${disposition} ${inbound.source.topic}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (deadLetter) observer.deadLetter(inbound, cause!, deadLetter);
    if (disposition === 'dropped') observer.dropped(inbound, cause!);
  }
  for (const [key, count] of counts) {
    const [disposition, topic] = key.split(' ') as [Judged['disposition'], string];
    observer.records(topic, disposition, count);
  }
}
