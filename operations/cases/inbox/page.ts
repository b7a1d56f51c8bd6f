// A page of the inbox: those that were asked for, the first due first. Pure.

import type { Money } from '../../../domain/money/money.ts';
import { CodedError } from '../../../ports/fault.ts';
import { isSamePerson } from '../../four-eyes/second-person.ts';
import { compare, cursorAfter, placeIn } from './cursor.ts';
import { CASE_KINDS, type CaseKind, INBOX_STAGES, type InboxStage, type QueuedCase } from './row.ts';

export const MAX_PAGE = 200;

/** What is asked for; what is left out does not matter. */
export interface InboxFilter {
  readonly kind?: CaseKind | undefined;
  readonly stage?: InboxStage | undefined;
  /** Id of a corridor. */
  readonly corridor?: string | undefined;
  /** Opened before this, ms since 1970. */
  readonly openedBefore?: number | undefined;
  /** Cases of this person; null: of nobody. */
  readonly assignedTo?: string | null | undefined;
}

export interface PageTerms {
  readonly filter: InboxFilter;
  /** Rows, at most `MAX_PAGE`. */
  readonly limit: number;
  /** `next` of the page before; undefined: the first page. */
  readonly after?: string | undefined;
}

export interface Page {
  readonly cases: readonly QueuedCase[];
  /** Cursor of the next page; null: this is the last. */
  readonly next: string | null;
  /** Of all that match, on whichever page. */
  readonly total: { readonly cases: number; readonly money: readonly Money[]; readonly withoutAmount: number };
}

/** Kinds that a filter leaves. */
export const kindsWanted = ({ kind, stage }: InboxFilter): readonly CaseKind[] =>
  CASE_KINDS.filter((each) => (kind ?? each) === each && (stage === undefined || kindOfStage(stage) === each));

const kindOfStage = (stage: InboxStage): CaseKind => {
  if (stage === 'PAYOUT') return 'PAYOUT';
  return stage === 'RESCREENING' ? 'CUSTOMER' : 'HOLD';
};

/** @throws CodedError OPTION_INVALID for a page that is no whole number from 1 to `MAX_PAGE`, or a stage that there is not */
export function checkTerms({ filter, limit }: PageTerms): void {
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE)) {
    throw new CodedError('OPTION_INVALID', `a page has from 1 to ${MAX_PAGE} rows`);
  }
  if (filter.kind !== undefined && !CASE_KINDS.includes(filter.kind)) {
    throw new CodedError('OPTION_INVALID', `the kind must be one of ${CASE_KINDS.join(', ')}`);
  }
  if (filter.stage !== undefined && !INBOX_STAGES.includes(filter.stage)) {
    throw new CodedError('OPTION_INVALID', `the stage must be one of ${INBOX_STAGES.join(', ')}`);
  }
}

/** @throws CodedError CURSOR_INVALID */
export function pageOf(queue: readonly QueuedCase[], { filter, limit, after }: PageTerms): Page {
  const place = after === undefined ? undefined : placeIn(after, filter);
  const matching = queue.filter((each) => isWanted(each, filter)).sort(compare);
  const rest = place ? matching.filter((each) => compare(each, place) > 0) : matching;
  const cases = rest.slice(0, limit);
  const last = cases.at(-1);
  const next = last && rest.length > limit ? cursorAfter(last, filter) : null;
  return { cases, next, total: totalOf(matching) };
}

function isWanted(queued: QueuedCase, { kind, stage, corridor, openedBefore, assignedTo }: InboxFilter): boolean {
  if (kind !== undefined && queued.kind !== kind) return false;
  if (stage !== undefined && queued.stage !== stage) return false;
  if (corridor !== undefined && queued.corridor !== corridor) return false;
  if (openedBefore !== undefined && queued.openedAt >= openedBefore) return false;
  if (assignedTo === undefined) return true;
  if (assignedTo === null || queued.assigned === null) return assignedTo === null && queued.assigned === null;
  return isSamePerson(queued.assigned.by, assignedTo);
}

/** A transfer with two cases counts once. */
function totalOf(cases: readonly QueuedCase[]): Page['total'] {
  const amounts = new Map(cases.map(({ transferId, amount }) => [transferId, amount]));
  const sums = new Map<string, bigint>();
  let withoutAmount = 0;
  for (const amount of amounts.values()) {
    if (amount) sums.set(amount.currency, (sums.get(amount.currency) ?? 0n) + amount.minor);
    else withoutAmount += 1;
  }
  const money = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([currency, minor]) => ({ minor, currency }));
  return { cases: cases.length, money, withoutAmount };
}
