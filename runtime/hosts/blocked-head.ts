// Whether a partition cannot get past its first record, whether that is this record's doing, and whether it may be skipped.
import type { RecordBatch } from '../../ports/log.ts';
import { within } from '../../ports/pause.ts';
import { type ApprovedSkip, type RecordSkips, recordDigest, type SkippableRecord } from '../../ports/record-skips.ts';
import type { Cause } from '../../processors/contract.ts';
import type { Fault } from '../fault.ts';
import type { AcceptedRecord, InboundRecord } from './inbound-records.ts';
import type { Isolated, Outcome, Run } from './isolate.ts';

/** Why the first record of a batch is not passed. */
interface Blocked {
  readonly cause: Cause;
  /** It says so of itself (a newer schema, a stage that stops): nobody need look whether others go through. */
  readonly isItsOwn: boolean;
}

/** Failures in a row of a partition before its batch is divided to find the record that a dependency fails on. */
const MIN_FAILURES_TO_DIVIDE = 3;
/** How often in a row a record must fail alone before it is skipped. */
const TRIES_ALONE = 3;

/** Undefined: it is passed, or put aside. */
function blockedHead(head: InboundRecord, { outcomes, fault }: Isolated): Blocked | undefined {
  const { refusal } = head;
  if (refusal) return refusal.kind === 'stop' ? { cause: refusal, isItsOwn: true } : undefined;
  const [outcome] = outcomes;
  if (outcome?.kind === 'stop') return { cause: outcome.cause, isItsOwn: true };
  if (outcome !== undefined || fault === undefined) return undefined;
  return { cause: { code: fault.code, detail: fault.detail }, isItsOwn: false };
}

/**
 * Whether a fault is this record's alone: it fails time and again by itself, and another one goes through, now or since it was first
 * met. Where nothing goes through, a dependency is at fault, and the record can be handled later. What runs here runs again
 * anyway, which is safe because what it does outside is idempotent.
 */
async function isItsOwnFault(
  head: AcceptedRecord,
  others: readonly AcceptedRecord[],
  run: Run<AcceptedRecord>,
  othersPassed: () => boolean,
): Promise<boolean> {
  for (let tries = 0; tries < TRIES_ALONE; tries++) if (await goesThrough(head, run)) return false;
  if (othersPassed()) return true;
  const [next] = others;
  return next !== undefined && (await goesThrough(next, run));
}

/**
 * Of a batch that a dependency fails: what comes before the record that it fails on, so that this one becomes the first of the
 * partition, where people can see it and deal with it. Nothing, where the first record alone fails too: that is an outage, or the
 * record itself, and costs one run.
 */
async function upToTheFault(
  items: readonly AcceptedRecord[],
  fault: Fault,
  run: Run<AcceptedRecord>,
): Promise<Isolated> {
  const outcomes: Outcome[] = [];
  let rest = items;
  for (let size = 1; rest.length > 1; size = Math.max(1, rest.length >> 1)) {
    const some = rest.slice(0, size);
    try {
      outcomes.push(...(await run(some)));
      rest = rest.slice(size);
    } catch {
      if (outcomes.length === 0) break;
      rest = some;
    }
  }
  return { outcomes, fault };
}

async function goesThrough(record: AcceptedRecord, run: Run<AcceptedRecord>): Promise<boolean> {
  try {
    await run([record]);
    return true;
  } catch {
    return false;
  }
}

/** How long the store is waited for, ms: a partition that waits for that very store is not held up by the question. */
const LOOKUP_MS = 2_000;

/** A store that is away lets nothing be skipped; what blocks the record is told as ever. */
async function approvedSkip(skips: RecordSkips, record: SkippableRecord): Promise<ApprovedSkip | undefined> {
  let found: ApprovedSkip | undefined;
  const asked = skips.approved(record).then(
    (approved) => {
      found = approved;
    },
    () => undefined,
  );
  await within(LOOKUP_MS, asked);
  return found;
}

/** The first record of a batch is skipped: what it could not be passed for, and who let it. */
export interface HeadSkip {
  readonly cause: Cause;
  readonly skip: ApprovedSkip;
}

export interface BlockageOptions {
  readonly owner: string;
  readonly run: Run<AcceptedRecord>;
  /** Absent: nothing is skipped, and no batch is divided. */
  readonly skips: RecordSkips | undefined;
  /** Runs that came through so far, of any partition. */
  readonly passes: () => number;
  /** Failures in a row of a partition. */
  readonly failures: (batch: RecordBatch) => number;
}

/** What keeps the partitions of one consumer from going on, and what is done about it. */
export class Blockage {
  readonly #options: BlockageOptions;
  /** The record that each partition cannot get past, and how many runs had come through when it was first met. */
  readonly #met = new Map<string, { readonly offset: number; readonly passes: number }>();

  constructor(options: BlockageOptions) {
    this.#options = options;
  }

  /** Where a dependency fails a batch time and again, those before the record that it fails on go through. */
  async divided(batch: RecordBatch, accepted: readonly AcceptedRecord[], isolation: Isolated): Promise<Isolated> {
    const { skips, failures, run } = this.#options;
    const { outcomes, fault } = isolation;
    if (!skips || failures(batch) < MIN_FAILURES_TO_DIVIDE) return isolation;
    if (fault?.faultClass !== 'transient-dependency' || outcomes.length > 0 || accepted.length < 2) return isolation;
    return upToTheFault(accepted, fault, run);
  }

  /** The skip of the first record, where the partition cannot get past it and two persons have let it be skipped. */
  async skippedHead(
    { topic, partition: number }: RecordBatch,
    head: InboundRecord,
    accepted: readonly AcceptedRecord[],
    isolation: Isolated,
  ): Promise<HeadSkip | undefined> {
    const { owner, skips, run, passes } = this.#options;
    const partition = `${topic}/${number}`;
    const blocked = skips && blockedHead(head, isolation);
    if (!blocked) {
      this.#met.delete(partition);
      return undefined;
    }
    const { record, topicId } = head;
    const since = this.#firstMet(partition, record.offset);
    const place = { owner, topic: record.topic, topicId, partition: record.partition, offset: record.offset };
    const skip = await approvedSkip(skips, { ...place, digest: recordDigest(record) });
    if (!skip) return undefined;
    const [self, ...others] = accepted;
    if (!blocked.isItsOwn && !(await isItsOwnFault(self!, others, run, () => passes() > since))) return undefined;
    const begun = await skips.begin(skip).catch(() => false);
    return begun ? { cause: blocked.cause, skip } : undefined;
  }

  /** How many runs had come through when this record was first met. */
  #firstMet(partition: string, offset: number): number {
    const known = this.#met.get(partition);
    if (known?.offset === offset) return known.passes;
    const passes = this.#options.passes();
    this.#met.set(partition, { offset, passes });
    return passes;
  }
}
