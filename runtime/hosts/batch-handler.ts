// What becomes of each record of a batch, as one result to commit: outputs, retries, dead letters, and how far it got.
// The same for processors and sinks; they differ in `run`.

import { type BackoffLimits, backoffMs, DEPENDENCY_BACKOFF } from '../../ports/backoff.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { BatchHandler, BatchResult, LogRecord, OutputRecord, RecordBatch } from '../../ports/log.ts';
import { recordMaker } from '../../ports/records.ts';
import type { ReplayClaims } from '../../ports/replay-claims.ts';
import { type Rings, requireRings, ringOf, sealedRecovery } from '../../ports/seals.ts';
import type { Cause } from '../../processors/contract.ts';
import { deadLetterMark } from '../../processors/lifecycle.ts';
import type { Stage } from '../../schemas/types.generated.ts';
import { transferLifecycle } from '../../topics/boundary.ts';
import { contractOf, type TopicName } from '../../topics/catalogue.ts';
import { deadLetterId, markId } from '../../topics/dead-letter-id.ts';
import { headerInteger, RECOVERY_HEADER } from '../../topics/headers.ts';
import { RETRY_TIERS, replayTopic, retryTopic } from '../../topics/recovery.ts';
import { type Fault, faultOf } from '../fault.ts';
import { ProgressNote } from '../progress/progress-notes.ts';
import { noteStanding, topicToken } from '../progress/proven-progress.ts';
import { type BreakerVerdict, breakerEntry, type DeadLetterBreaker } from '../retries-and-dead-letters/breaker.ts';
import {
  type DeadLetterClass,
  deadLetterRecord,
  type RecoveryTerms,
  type RetryPolicy,
  retryRecord,
  tierFor,
  tierForWait,
} from '../retries-and-dead-letters/recovery-records.ts';
import { RefusedBatches } from '../retries-and-dead-letters/refused-batches.ts';
import { withoutRepeatedReplays } from '../retries-and-dead-letters/replays.ts';
import type { HostObserver } from './host.ts';
import {
  type AcceptedRecord,
  type InboundRecord,
  inboundReader,
  placeOf,
  provenCauseOf,
  type Refusal,
} from './inbound-records.ts';
import { type Isolated, isolate, type Outcome, type Run } from './isolate.ts';

export interface BatchHandlerOptions {
  readonly app: string;
  /** Processor or sink. */
  readonly owner: string;
  readonly reads: readonly TopicName[];
  readonly codec: Codec;
  readonly chainPartitions: number;
  readonly clock: Clock;
  readonly retry: RetryPolicy;
  readonly breaker: DeadLetterBreaker;
  readonly backoff?: BackoffLimits;
  readonly observer: HostObserver;
  /** Stage that the mark of a dead letter names; absent: dead letters stop no transfer, and none is marked. */
  readonly marks?: Stage;
  readonly rings: Rings;
  /** Whether what it puts aside is sealed by stages, and its replays by operators; not so for what has ids of its own. */
  readonly sealsRecovery: boolean;
  /** Whether its outputs show that this record, or a later one, was handled. Absent: it may run again at any time. */
  readonly wasHandled?: (input: { readonly topicId: string; readonly first: LogRecord }) => Promise<boolean>;
  /** Claims on the letters that are replayed; absent: what it does may run again at any time. */
  readonly replayClaims?: ReplayClaims;
  /** One outcome per item, in order. Throws as described in isolate.ts. */
  readonly run: (items: readonly AcceptedRecord[]) => Promise<readonly Outcome[]>;
}

interface Judged {
  readonly inbound: InboundRecord;
  readonly disposition: 'done' | 'retry' | 'wait' | 'dropped' | 'dead-letter';
  readonly outputs: readonly OutputRecord[];
  readonly cause?: Cause;
  readonly deadLetter?: DeadLetterClass;
}

const idOf = ({ topic, topicId = topic }: RecordBatch) => topicId;
const partitionOf = ({ topic, partition }: RecordBatch) => `${topic}/${partition}`;

/** How often a batch in which nothing comes through is tried before its first record is condemned: over a minute. */
const MAX_TRIES_WITHOUT_WITNESS = 10;

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

const classOf = ({ kind }: Refusal): DeadLetterClass =>
  kind === 'undecodable' || kind === 'unproven' || kind === 'repeated' ? kind : 'poison';

/** The note beside the offset of the last of these. */
function noteAfter(note: string | undefined, token: string, judged: readonly Judged[]): string {
  const marks = ProgressNote.from(note);
  for (const { inbound } of judged) {
    const cause = isRepeat(inbound) ? undefined : provenCauseOf(inbound);
    if (cause) marks.raise(cause);
  }
  return `${token} ${marks.text()}`.trimEnd();
}

/** Of a copy on a retry topic the letter is its own: what was put aside first may have another. */
function repeated(inbound: InboundRecord): InboundRecord {
  const { record, topicId, source } = inbound;
  const refused = { ...inbound, received: undefined, refusal: REPEATED };
  return record.topic === source.topic
    ? refused
    : { ...refused, source: { ...source, letterAt: placeOf(record, topicId) } };
}

const isRepeat = ({ refusal }: InboundRecord) => refusal?.kind === 'repeated';

/** Refuses what was handled before by its sealed cause: a copy, or what another run of an earlier stage wrote again. */
function withoutRepeats(inboundRecords: readonly InboundRecord[], marks: ProgressNote): readonly InboundRecord[] {
  return inboundRecords.map((inbound) => {
    const cause = provenCauseOf(inbound);
    if (!cause) return inbound;
    if (!marks.isNew(cause)) return repeated(inbound);
    marks.raise(cause);
    return inbound;
  });
}

const RESUME = 'look with `corridor topics resume`, then stop its processes and run it with --apply';
const OFFSET_LOST: Cause = {
  code: 'OFFSET_LOST',
  detail: `what stands here was handled before: the offset of the group was lost or set back, and nothing is decided twice; ${RESUME}`,
};
const OFFSET_OF_ANOTHER_TOPIC: Cause = {
  code: 'OFFSET_OF_ANOTHER_TOPIC',
  detail: `the topic was deleted and made again, and the offset of the group is of the one before; ${RESUME}`,
};
/** Where no outputs prove how far it came; what it does guards itself against a repeat. */
const ANOTHER_TOPIC_BEGINS: Cause = {
  code: 'OFFSET_OF_ANOTHER_TOPIC',
  detail:
    'the topic was deleted and made again, and the offset of the group is of the one before: stop its processes, and set the offset to the earliest of the topic (kafka-consumer-groups --reset-offsets)',
};

const REPEATED: Refusal = {
  kind: 'repeated',
  code: 'EVENT_REPEATED',
  detail: 'what it was made from, or something later, was handled here before: replay it only if it never was',
};

const condemn = (inbound: InboundRecord, code: ErrorCode): InboundRecord => ({
  ...inbound,
  refusal: { kind: 'unacceptable', code, detail: 'the broker refused what this record gave rise to' },
});

/** The handler of a consumer of `inputTopics(owner, reads)`. It throws for nothing that a record or dependency did. */
export function createBatchHandler(options: BatchHandlerOptions): BatchHandler {
  const { owner, codec, clock, observer, breaker } = options;
  const group = groupId(options.app, owner);
  const make = recordMaker({ owner, codec, rings: options.rings, writes: options.marks ? [transferLifecycle] : [] });
  requireRings(options.rings, options.reads);
  if (options.sealsRecovery) for (const issuer of ['stages', 'operators'] as const) ringOf(options.rings, issuer);
  const arrivalsOf = inboundReader(options);
  /** Failures in a row of each input partition. */
  const failures = new Map<string, number>();
  const refusals = new RefusedBatches();
  /** Places before which the outputs were looked through. */
  const looked = new Set<string>();
  /** Runs that came through, and how many had when a partition's head was first suspected without a witness. */
  let passes = 0;
  const suspectedAt = new Map<
    string,
    { readonly offset: number; readonly passes: number; readonly attempts: number }
  >();
  const run: Run<AcceptedRecord> = async (items) => {
    const outcomes = await options.run(items);
    passes++;
    return outcomes;
  };
  const retryDelays = new Map(RETRY_TIERS.map(({ delayMs }, tier) => [retryTopic(owner, tier), delayMs]));

  return async (batch) => {
    const refused = refusals.of(batch);
    const { due, wakeAt } = dueRecords({ ...batch, records: batch.records.slice(0, refused?.records) });
    const later: Then = wakeAt === undefined ? CONTINUE : notDue(wakeAt);
    if (due.length === 0) return batchResult(undefined, [], later);
    observer.batch(batch.topic, due.length);
    let inboundRecords: readonly InboundRecord[];
    try {
      const lost = await lostOffset(batch, due[0]!);
      if (lost) return batchResult(undefined, [], stop(batch, lost));
      inboundRecords = await arrivalsOf({ ...batch, records: due });
      inboundRecords = await withoutReplayed(batch, inboundRecords);
      if (refused?.guilty) inboundRecords = inboundRecords.map((inbound) => condemn(inbound, refused.guilty!));
    } catch (error) {
      return batchResult(undefined, [], afterFault(batch, faultOf(error)));
    }
    if (options.sealsRecovery) inboundRecords = withoutRepeats(inboundRecords, ProgressNote.from(batch.note));
    const stopAt = inboundRecords.findIndex((inbound) => inbound.refusal?.kind === 'stop');
    const reachable = stopAt === -1 ? inboundRecords : inboundRecords.slice(0, stopAt);
    const accepted = reachable.filter((inbound): inbound is AcceptedRecord => inbound.refusal === undefined);
    const result = assemble(batch, inboundRecords, await isolated(batch, accepted));
    return result.then === CONTINUE ? batchResult(result.doneThrough, result.outputs, later, result.note) : result;
  };

  /** Why this batch must not be handled: the offset that it follows is not where the stage had come to. */
  async function lostOffset(batch: RecordBatch, first: LogRecord): Promise<Cause | undefined> {
    const topicId = idOf(batch);
    const standing = noteStanding(batch.note, topicToken(owner, topicId));
    if (standing === 'foreign') return options.wasHandled ? OFFSET_OF_ANOTHER_TOPIC : ANOTHER_TOPIC_BEGINS;
    if (!options.wasHandled) return undefined;
    const place = `${partitionOf(batch)}/${first.offset}`;
    if (standing === 'own' || looked.has(place)) return undefined;
    if (await options.wasHandled({ topicId, first })) return OFFSET_LOST;
    looked.add(place);
    return undefined;
  }

  async function withoutReplayed(
    { topic }: RecordBatch,
    inboundRecords: readonly InboundRecord[],
  ): Promise<readonly InboundRecord[]> {
    const claims = options.replayClaims;
    if (!claims || topic !== replayTopic(owner)) return inboundRecords;
    return withoutRepeatedReplays(inboundRecords, { owner, claims, now: clock.now() });
  }

  /** An error that nobody coded is held against a record only when others came through meanwhile, here or elsewhere. */
  async function isolated(batch: RecordBatch, accepted: readonly AcceptedRecord[]): Promise<Isolated> {
    const key = partitionOf(batch);
    const { offset } = batch.records[0]!;
    const known = suspectedAt.get(key);
    const { passes: since, attempts } = known?.offset === offset ? known : { passes, attempts: 0 };
    const result = await isolate(accepted, run, {
      othersPassed: () => passes > since,
      patienceOver: attempts >= MAX_TRIES_WITHOUT_WITNESS,
    });
    if (result.fault?.known === false) suspectedAt.set(key, { offset, passes: since, attempts: attempts + 1 });
    else suspectedAt.delete(key);
    return result;
  }

  /** Records of a retry tier wait in order of their time: those at the head that are due, and when the next one is. */
  function dueRecords(batch: RecordBatch): { due: readonly LogRecord[]; wakeAt: number | undefined } {
    const delayMs = retryDelays.get(batch.topic);
    if (delayMs === undefined) return { due: batch.records, wakeAt: undefined };
    const now = clock.now();
    const dueAt = (record: LogRecord) =>
      // No header can hold up a tier for longer than its delay.
      Math.min(headerInteger(record.headers, RECOVERY_HEADER.retryDueAt) ?? 0, record.timestamp + delayMs);
    const first = batch.records.findIndex((record) => dueAt(record) > now);
    if (first === -1) return { due: batch.records, wakeAt: undefined };
    return { due: batch.records.slice(0, first), wakeAt: dueAt(batch.records[first]!) };
  }

  function notDue(wakeAt: number): Then {
    const forMs = Math.max(1, wakeAt - clock.now());
    return { do: 'pause', forMs, code: 'RETRY_NOT_DUE', detail: 'the next retry is not due yet' };
  }

  /** Walks the records in order until the first that must not be passed. */
  function assemble(
    batch: RecordBatch,
    inboundRecords: readonly InboundRecord[],
    { outcomes, fault }: Isolated,
  ): BatchResult {
    const outputs: OutputRecord[] = [];
    let doneThrough: number | undefined;
    let next = 0;
    // Where the present run of dead letters began: it is not written when it opens the breaker.
    let run: { outputs: number; judged: number; doneThrough: number | undefined } | undefined;
    const judged: Judged[] = [];
    const here = partitionOf(batch);
    const result = (then: Then): BatchResult => {
      report(judged);
      // Of what is done alone: what the breaker takes back will be handled, and must not pass for a repeat then.
      const note =
        options.sealsRecovery && doneThrough !== undefined
          ? noteAfter(batch.note, topicToken(owner, idOf(batch)), judged)
          : undefined;
      return batchResult(doneThrough, outputs, then, note);
    };

    for (const inbound of inboundRecords) {
      if (inbound.refusal?.kind === 'stop') return result(stop(batch, inbound.refusal));
      const outcome: Outcome | undefined = inbound.refusal ? undefined : outcomes[next++];
      if (!inbound.refusal && outcome === undefined) return result(afterFault(batch, fault!));
      if (outcome?.kind === 'stop') return result(stop(batch, outcome.cause, inbound));
      const verdict = judge(batch, inbound, outcome);
      if (verdict.deadLetter) {
        const before = { outputs: outputs.length, judged: judged.length, doneThrough };
        run ??= before;
        const opened = alone(inboundRecords, outcomes)
          ? breaker.open('none of the records at hand goes through since the processor was started again')
          : count(batch, inbound, verdict.deadLetter);
        if (opened) {
          const keep = opened.reason === 'run' ? run : before;
          outputs.length = keep.outputs;
          judged.length = keep.judged;
          doneThrough = keep.doneThrough;
          return result(stop(batch, { code: 'DLQ_BREAKER_OPEN', detail: opened.detail }));
        }
      } else {
        run = undefined;
        breaker.record(here, inbound.record.offset, 'fine');
      }
      for (const output of verdict.outputs) outputs.push(output);
      doneThrough = inbound.record.offset;
      judged.push(verdict);
    }
    recovered(batch);
    return result(CONTINUE);
  }

  /** After a restart of a breaker that had opened: nothing went through yet, and nothing of this batch does. */
  function alone(inboundRecords: readonly InboundRecord[], outcomes: readonly Outcome[]): boolean {
    if (!breaker.unproven) return false;
    if (inboundRecords.some(({ refusal, source }) => refusal && contractOf(source.topic)?.kind === 'intent'))
      return false;
    return outcomes.every(({ kind }) => kind === 'poison' || kind === 'dead-letter');
  }

  function report(judged: readonly Judged[]): void {
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

  function judge(batch: RecordBatch, inbound: InboundRecord, outcome: Outcome | undefined): Judged {
    const { refusal } = inbound;
    if (refusal?.kind === 'dropped') return { inbound, disposition: 'dropped', outputs: [], cause: refusal };
    if (refusal) return deadLetter(batch, inbound, refusal, classOf(refusal));
    if (outcome === undefined) throw new Error('an accepted record has no outcome');
    switch (outcome.kind) {
      case 'done':
        return { inbound, disposition: 'done', outputs: outcome.outputs };
      case 'poison':
        return deadLetter(batch, inbound, outcome.fault, 'poison', outcome.fault.stack);
      case 'retry':
        return retry(batch, inbound, outcome.cause);
      case 'wait':
        return wait(batch, inbound, outcome.untilMs, outcome.cause);
      default:
        return deadLetter(batch, inbound, outcome.cause, 'refused');
    }
  }

  function recoveryTerms(batch: RecordBatch, inbound: InboundRecord, cause: Cause, attempts: number): RecoveryTerms {
    return { owner, group, inbound, partition: batch.partition, cause, now: clock.now(), attempts };
  }

  function aside(record: OutputRecord): OutputRecord {
    return options.sealsRecovery ? sealedRecovery(options.rings, record) : record;
  }

  function retry(batch: RecordBatch, inbound: InboundRecord, cause: Cause): Judged {
    const attempts = inbound.source.attempts + 1;
    const tier = tierFor(attempts, options.retry);
    if (tier === undefined) return deadLetter(batch, inbound, cause, 'exhausted');
    const dueAt = clock.now() + RETRY_TIERS[tier]!.delayMs;
    const record = retryRecord(recoveryTerms(batch, inbound, cause, attempts), tier, dueAt);
    return { inbound, disposition: 'retry', outputs: [aside(record)], cause };
  }

  function wait(batch: RecordBatch, inbound: InboundRecord, untilMs: number, cause: Cause): Judged {
    const tier = tierForWait(untilMs, clock.now());
    const record = retryRecord(recoveryTerms(batch, inbound, cause, inbound.source.attempts), tier, untilMs, true);
    return { inbound, disposition: 'wait', outputs: [aside(record)], cause };
  }

  function deadLetter(
    batch: RecordBatch,
    inbound: InboundRecord,
    cause: Cause,
    deadLetterClass: DeadLetterClass,
    stack = '',
  ): Judged {
    const lost = recoveryTerms(batch, inbound, cause, inbound.source.attempts + 1);
    const outputs = [aside(deadLetterRecord(lost, deadLetterClass, stack))];
    const mark = markOf(lost);
    if (mark) outputs.push(mark);
    return { inbound, disposition: 'dead-letter', outputs, cause, deadLetter: deadLetterClass };
  }

  /** The DEAD_LETTERED record for analytics, when the dead letter stops a transfer. */
  function markOf(lost: RecoveryTerms): OutputRecord | undefined {
    const { received, source } = lost.inbound;
    if (!received || options.marks === undefined) return undefined;
    const id = markId(deadLetterId({ owner, source }));
    const mark = { eventId: id, occurredAt: lost.now, stage: options.marks, code: lost.cause.code };
    const record = deadLetterMark(source.topic, received.value, mark);
    if (!record) return undefined;
    return make(transferLifecycle.name, record, { partition: lost.partition, eventId: id });
  }

  function count(batch: RecordBatch, inbound: InboundRecord, deadLetterClass: DeadLetterClass): BreakerVerdict {
    const fromOutside = contractOf(inbound.source.topic)?.kind === 'intent';
    const entry = breakerEntry(deadLetterClass, fromOutside);
    return breaker.record(partitionOf(batch), inbound.record.offset, entry);
  }

  /** Down or slow: this partition pauses, longer each time. Fatal: the consumer stops. */
  function afterFault(batch: RecordBatch, fault: Fault): Then {
    if (fault.faultClass === 'fatal') return stop(batch, fault);
    const key = partitionOf(batch);
    const inARow = (failures.get(key) ?? 0) + 1;
    failures.set(key, inARow);
    observer.dependencyDown(batch.topic, batch.partition, fault);
    const forMs = backoffMs(inARow, options.backoff ?? DEPENDENCY_BACKOFF);
    return { do: 'pause', forMs, code: fault.code, detail: fault.detail };
  }

  function recovered(batch: RecordBatch): void {
    if (failures.delete(partitionOf(batch))) observer.dependencyBack(batch.topic, batch.partition);
  }

  function stop(batch: RecordBatch, cause: Cause, inbound?: InboundRecord): Then {
    observer.stopped(batch.topic, batch.partition, cause, inbound);
    return { do: 'stop', code: cause.code, detail: cause.detail };
  }
}
