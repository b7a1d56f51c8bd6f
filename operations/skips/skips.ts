// Skips as people ask for them and consumers do them: asked for by one, let through by another, done by the consumer itself when
// it comes to the record and cannot get past it, and settled by what the log says came of it.
import type { Money } from '../../domain/money/money.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import type { LogRecord } from '../../ports/log.ts';
import { type RecordSkips, skipSubject } from '../../ports/record-skips.ts';
import { canonicalJson, hashOfAct } from '../approvals/acts.ts';
import { allToDo } from '../approvals/all-to-do.ts';
import type { Approval } from '../approvals/approval.ts';
import { askForApproval } from '../approvals/approvals.ts';
import type { Approvals } from '../approvals/ports.ts';
import type { Audit } from '../audit/audit.ts';
import type { SkipApprovals, SkipLog } from './ports.ts';
import { checkTarget, contentOf, isSkipApproved, type SkipContent, type SkipTarget, skipSummary } from './skip.ts';

/** Approvals of one record that are looked at. */
const MAX_OF_RECORD = 20;

export interface SkipAsking extends SkipTarget {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
}

export interface SkipComponents {
  readonly approvals: Approvals;
  readonly log: SkipLog;
  readonly operators: KeyRing;
  /** What the producer instructed in a record of this topic; null: not known. */
  readonly amountOf: (record: LogRecord) => Promise<Money | null>;
  /** Whether it is known to be true: this process has the keys of stages. */
  readonly proves: boolean;
}

/**
 * Asks a second person to let a consumer skip the record at which it stands.
 * @throws DomainError PERSON_INVALID
 * @throws CodedError SKIP_TARGET_UNKNOWN, SKIP_NOT_AT_HEAD, REASON_MISSING
 */
export async function askForSkip(parts: SkipComponents, asking: SkipAsking): Promise<Approval> {
  checkTarget(asking);
  const { owner, topic, partition, id, by, reason, at } = asking;
  const point = await parts.log.standingPoint(owner, topic, partition);
  const amount = point.head ? await parts.amountOf(point.head) : null;
  const content = contentOf(asking, point, amount, parts.proves);
  const subject = skipSubject(content);
  const text = canonicalJson(content);
  return askForApproval(
    parts.approvals,
    {
      ...{ id, act: 'records.skip', subject, content: text, hash: hashOfAct('records.skip', subject, text) },
      ...{ summary: skipSummary(content), by, reason, at },
    },
    parts.operators,
  );
}

/** Skips as consumers ask for them. */
export function recordSkips(
  store: Pick<SkipApprovals, 'ofSubject' | 'begin' | 'clock'>,
  operators: KeyRing,
  now: () => Date,
): RecordSkips {
  return {
    async approved(record) {
      const found = await store.ofSubject('records.skip', skipSubject(record), MAX_OF_RECORD);
      if (found.length === 0) return undefined;
      const at = await store.clock(now());
      const approval = found.find((each) => isSkipApproved(operators, each, record, at));
      if (!approval) return undefined;
      return { approvalId: approval._id, askedBy: approval.askedBy, approvedBy: approval.decided!.by };
    },
    begin: async ({ approvalId }) => store.begin(approvalId, await store.clock(now())),
  };
}

/**
 * Ends the skips whose consumer has come past their record: EXECUTED where its dead letter bears the skip, FAILED where the
 * consumer has handled the record itself. What was not begun in time expires like any approval.
 * One look at the log for all of them.
 * @returns how many were ended
 */
export async function settleSkips(
  store: Pick<SkipApprovals, 'toDo' | 'end'>,
  log: SkipLog,
  at: Date,
  audit: Pick<Audit, 'note'>,
): Promise<number> {
  const approved: Approval[] = [];
  for await (const page of allToDo(store, 'records.skip')) approved.push(...page);
  const open = approved.flatMap(({ _id, content, askedAt }) => {
    const place = contentIn(content);
    return place ? [{ ...place, approvalId: _id, since: askedAt }] : [];
  });
  const positions = await log.positions(open);
  const passed = open.filter(({ offset }, i) => (positions[i] ?? 0) > offset);
  if (passed.length === 0) return 0;
  const skipped = await log.skipped(passed);
  let ended = 0;
  for (const { approvalId, owner, topic, partition, offset } of passed) {
    const isSkipped = skipped.has(approvalId);
    const detail = isSkipped
      ? `${owner} has skipped offset ${offset} of ${topic}/${partition}: it is in ${owner}.dlq`
      : `${owner} has handled offset ${offset} of ${topic}/${partition} itself: nothing was skipped`;
    const end = isSkipped ? ({ at, detail } as const) : ({ at, detail, code: 'SKIP_NOT_NEEDED' } as const);
    if (!(await store.end(approvalId, ['APPROVED'], isSkipped ? 'EXECUTED' : 'FAILED', end))) continue;
    ended++;
    audit.note([
      {
        who: { subject: owner, roles: [], credential: 'SYSTEM' },
        action: 'records.skip',
        on: { kind: 'approvals', id: approvalId, isKnown: true },
        ...(isSkipped ? { outcome: 'DONE' } : { outcome: 'FAILED', reasonCode: 'SKIP_NOT_NEEDED' }),
      },
    ]);
  }
  return ended;
}

/** Undefined: somebody else wrote it into the database. */
function contentIn(content: string | null | undefined): SkipContent | undefined {
  try {
    const found = JSON.parse(content ?? '') as SkipContent;
    const isWhole = [found.owner, found.topic, found.topicId].every((each) => typeof each === 'string');
    const isPlace = Number.isSafeInteger(found.partition) && Number.isSafeInteger(found.offset);
    if (!isWhole || !isPlace) return undefined;
    checkTarget(found);
    return found;
  } catch {
    return undefined;
  }
}
