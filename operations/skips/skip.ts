// Skipping the one record that a consumer cannot get past: what is asked for, and whether that is what was approved. Only the
// record at which the consumer stands, so a position moves forward, by one record, and never beyond the end. Pure.
import { formatMoney } from '../../domain/money/currencies.ts';
import type { Money } from '../../domain/money/money.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import { recordDigest, type SkippableRecord, skipSubject } from '../../ports/record-skips.ts';
import { consumers, topology } from '../../processors/topology.ts';
import { HEADER, headerText } from '../../topics/headers.ts';
import { inputTopics } from '../../topics/recovery.ts';
import { hashOfAct } from '../approvals/acts.ts';
import { type Approval, isContentApproved } from '../approvals/approval.ts';
import type { StandingPoint } from './ports.ts';

const MAX_ID = 200;

/** What is approved: the record, and what people were shown of it. */
export interface SkipContent extends SkippableRecord {
  readonly transferId: string | null;
  readonly eventType: string | null;
  /** When it was written, ms since 1970. */
  readonly appendedAt: number;
  /** What the producer instructed, minor units as text; null: not known. */
  readonly amount: { readonly minor: string; readonly currency: string } | null;
  /** False: asked for where nobody can tell a true record from a forged one, so this is what the record says of itself. */
  readonly isProven?: false;
}

export interface SkipTarget {
  readonly owner: string;
  readonly topic: string;
  readonly partition: number;
  /** Of the record as the person has seen it. */
  readonly offset: number;
}

/** Everything that handles records one by one, with its input topics. */
const INPUTS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({ ...topology, ...consumers }).map(([owner, { reads }]) => [
    owner,
    inputTopics(
      owner,
      reads.map(({ name }) => name),
    ),
  ]),
);

/** @throws CodedError SKIP_TARGET_UNKNOWN */
export function checkTarget({ owner, topic }: Pick<SkipTarget, 'owner' | 'topic'>): void {
  const topics = INPUTS.get(owner);
  if (topics === undefined)
    throw new CodedError(
      'SKIP_TARGET_UNKNOWN',
      `there is no consumer of this name; there are: ${[...INPUTS.keys()].join(', ')}`,
    );
  if (!topics.includes(topic))
    throw new CodedError('SKIP_TARGET_UNKNOWN', `${owner} does not read this topic; it reads ${topics.join(', ')}`);
}

/**
 * What is to be approved: the record at which the consumer stands, and no other.
 * @param isProven whether what the record says was checked
 * @throws CodedError SKIP_TARGET_UNKNOWN, SKIP_NOT_AT_HEAD
 */
export function contentOf(
  target: SkipTarget,
  point: StandingPoint,
  amount: Money | null,
  isProven = true,
): SkipContent {
  const { owner, topic, partition, offset } = target;
  const { head, topicId, position } = point;
  checkTarget(target);
  const at = `${topic}/${partition}`;
  if (position === undefined) {
    const detail = `the group of ${owner} has no offset for ${at}: see \`corridor topics plan\``;
    throw new CodedError('SKIP_NOT_AT_HEAD', detail);
  }
  if (head === undefined)
    throw new CodedError('SKIP_NOT_AT_HEAD', `${owner} has handled all that stands in ${at}: there is nothing to skip`);
  if (head.offset !== offset) {
    const detail = `${owner} stands before offset ${head.offset} of ${at}, and only that record can be skipped`;
    throw new CodedError('SKIP_NOT_AT_HEAD', detail);
  }
  const text = (found: string | undefined) => (found === undefined ? null : safeText(found, MAX_ID) || null);
  return {
    ...{ owner, topic, topicId, partition, offset, digest: recordDigest(head) },
    transferId: text(head.key?.toString('utf8')),
    eventType: text(headerText(head.headers, HEADER.eventType)),
    appendedAt: head.timestamp,
    amount: amount && { minor: amount.minor.toString(), currency: amount.currency },
    ...(!isProven && { isProven }),
  };
}

/** What would be done, in lines for whoever decides. */
export function skipLines(content: SkipContent): readonly string[] {
  const { owner, topic, partition, offset, transferId, eventType, appendedAt, amount, isProven } = content;
  const sum = amount ? formatMoney({ minor: BigInt(amount.minor), currency: amount.currency }) : 'an unknown amount';
  const money = isProven === false ? `${sum} by what it says itself` : sum;
  return [
    `${owner} skips offset ${offset} of ${topic}/${partition}: ${eventType ?? 'a record'} of ${transferId ?? 'no transfer'}, ${money}, written ${new Date(appendedAt).toISOString()}`,
    `the record goes to ${owner}.dlq, its transfer is marked, and the position moves behind it, in one transaction of ${owner}`,
    'nothing is skipped if it can be handled after all, or while nothing else goes through either',
  ];
}

export const skipSummary = (content: SkipContent): string => skipLines(content)[0]!;

/** What a skip was asked for. @throws CodedError EVIDENCE_CHANGED when the database says something else by now */
export function askedContent({ _id, act, subject, hash, content }: Approval): SkipContent {
  if (act === 'records.skip' && typeof content === 'string' && hashOfAct(act, subject, content) === hash)
    return JSON.parse(content) as SkipContent;
  throw new CodedError('EVIDENCE_CHANGED', `${_id} is not, or no longer, what was asked for: ask anew`);
}

/** Whether two persons have let exactly this record be skipped, and it is not too late to begin. */
export function isSkipApproved(operators: KeyRing, approval: Approval, record: SkippableRecord, at: Date): boolean {
  const { act, state, subject, begunAt, expiresAt } = approval;
  if (act !== 'records.skip' || state !== 'APPROVED' || subject !== skipSubject(record)) return false;
  if (!begunAt && at.getTime() >= expiresAt.getTime()) return false;
  if (!isContentApproved(operators, approval)) return false;
  const content = JSON.parse(approval.content) as SkipContent;
  const names = ['owner', 'topic', 'topicId', 'partition', 'offset', 'digest'] as const;
  return names.every((name) => content[name] === record[name]);
}
