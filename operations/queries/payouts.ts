// Payouts by phase, page by page, with what they come to. Unknown outcomes above all: no case may stand for one yet, and money
// may have moved.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import type { Money } from '../../domain/money/money.ts';
import type { Payout, PayoutPhase } from '../../payouts/payout.ts';
import type { RequestCodec } from '../../payouts/ports.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError, isCoded } from '../../ports/fault.ts';
import type { PayoutRequested } from '../../schemas/types.generated.ts';
import { maskedName, type Sight } from '../access/masking.ts';
import { Gaps, type Missing } from './gaps.ts';
import { pageCursor, pagePlace } from './page-cursor.ts';
import type { ListedPayout, PayoutLists } from './ports.ts';
import { type Tally, Tallying } from './tally.ts';

export const PAYOUT_PHASES = [
  ...(['NEW', 'SUBMITTING', 'ACCEPTED', 'OUTCOME_UNKNOWN', 'PAID', 'FAILED', 'EXPIRED', 'RETURNED'] as const),
] satisfies readonly PayoutPhase[];
export const MAX_PAYOUTS_OF_PAGE = 200;
/** Payouts that sums are made of, the longest unchanged first. */
export const MAX_PAYOUTS_SUMMED = 5_000;

export interface PayoutsQuery {
  readonly phase: PayoutPhase;
  /** Rows, at most `MAX_PAYOUTS_OF_PAGE`. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  /** What of names may be seen; masked unless said otherwise. */
  readonly sight?: Sight;
  /** For tests. */
  readonly maxSummed?: number;
}

export interface PayoutRow {
  readonly payoutId: string;
  readonly phase: PayoutPhase;
  /** When it changed last. */
  readonly since: Date;
  readonly provider: string | null;
  /** Attempts that were ever begun. */
  readonly attempts: number;
  /** What the producer instructed; null: not known. */
  readonly instructed: Money | null;
  /** What the beneficiary gets. */
  readonly credit: Money | null;
  readonly corridor: string | null;
  readonly names: { readonly sender: string; readonly beneficiary: string } | null;
  /** Codes of its open cases. */
  readonly openCases: readonly string[];
  /** Why nothing else in the row is believed. */
  readonly flaw: ErrorCode | null;
}

export interface PayoutList {
  readonly rows: readonly PayoutRow[];
  readonly next: string | null;
  /** Instructed amounts of all in the phase, on whichever page. */
  readonly total: Tally;
  /** False: `missing` says what the sums lack. */
  readonly complete: boolean;
  readonly missing: readonly Missing<'TOTALS'>[];
}

export interface PayoutListSources {
  readonly payouts: PayoutLists;
  readonly requests: Pick<RequestCodec, 'decode'>;
  readonly corridors: CorridorBook;
}

/**
 * A page, the longest unchanged first.
 * @throws CodedError OPTION_INVALID, CURSOR_INVALID, and what the store says when the page cannot be read
 */
export async function listPayouts(sources: PayoutListSources, query: PayoutsQuery): Promise<PayoutList> {
  const { phase, limit, after, sight = 'masked' } = query;
  if (!PAYOUT_PHASES.includes(phase))
    throw new CodedError('OPTION_INVALID', `the phase must be one of ${PAYOUT_PHASES.join(', ')}`);
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAYOUTS_OF_PAGE))
    throw new CodedError('OPTION_INVALID', `a page has from 1 to ${MAX_PAYOUTS_OF_PAGE} rows`);
  const question = { list: 'payouts', phase };
  const place = after === undefined ? undefined : pagePlace(question, after);
  const gaps = new Gaps<'TOTALS'>();
  const [found, total] = await Promise.all([
    sources.payouts.inPhase(phase, place, limit + 1),
    summedPayouts(sources, phase, gaps, query.maxSummed),
  ]);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const requests = await requestsOf(sources.requests, page);
  return {
    rows: page.map((each, index) => rowOf(each, requests[index], { phase, sight, corridors: sources.corridors })),
    next: last && found.length > limit ? pageCursor(question, { at: last.changedAt, id: last.payoutId }) : null,
    total: total.tally,
    complete: gaps.missing.length === 0,
    missing: gaps.missing,
  };
}

export interface SummedPayouts {
  readonly tally: Tally;
  /** When the longest unchanged one changed last; null: there is none, or it is not known. */
  readonly oldestAt: Date | null;
  /** Those without an open case: nobody sees them in the inbox. */
  readonly withoutCase: number;
}

/** What the payouts of a phase come to. Reads `most` of them at the most; what it could not read stands in the gaps. */
export async function summedPayouts<Source extends string>(
  { payouts, requests }: Pick<PayoutListSources, 'payouts' | 'requests'>,
  phase: PayoutPhase,
  gaps: Gaps<Source | 'TOTALS'>,
  most = MAX_PAYOUTS_SUMMED,
  source: Source | 'TOTALS' = 'TOTALS',
): Promise<SummedPayouts> {
  const found = await gaps.read(source, [], () => payouts.inPhase(phase, undefined, most + 1));
  if (found.length > most)
    gaps.cut(source, `more than ${most} payouts are ${phase}: the sums are of those that changed longest ago`);
  const summed = found.slice(0, most);
  const known = await gaps.read(source, [], () => requestsOf(requests, summed));
  const tallying = new Tallying();
  for (const index of summed.keys()) tallying.add(known[index]?.instruction.instructedAmount ?? null);
  return {
    tally: tallying.tally,
    oldestAt: summed[0]?.changedAt ?? null,
    withoutCase: summed.filter(({ payout }) => !payout || openCodes(payout).length === 0).length,
  };
}

/** What each was asked to pay; undefined where nobody who writes payouts has asked for it. */
function requestsOf(
  requests: PayoutListSources['requests'],
  payouts: readonly ListedPayout[],
): Promise<readonly (PayoutRequested | undefined)[]> {
  return Promise.all(
    payouts.map(async ({ payout }) => {
      if (!payout) return undefined;
      try {
        return (await requests.decode([payout.requested]))[0];
      } catch (error) {
        if (isCoded(error) && error.code === 'REQUEST_UNREADABLE') return undefined;
        throw error;
      }
    }),
  );
}

const openCodes = ({ cases }: Payout): readonly string[] =>
  cases.filter(({ closedAt }) => closedAt === null).map(({ code }) => code);

interface Shown {
  readonly phase: PayoutPhase;
  readonly sight: Sight;
  readonly corridors: CorridorBook;
}

function rowOf(
  { payoutId, changedAt, payout }: ListedPayout,
  request: PayoutRequested | undefined,
  { phase, sight, corridors }: Shown,
): PayoutRow {
  const row = { payoutId, phase, since: changedAt };
  const unknown = { instructed: null, credit: null, corridor: null, names: null };
  if (!payout) return { ...row, ...unknown, provider: null, attempts: 0, openCases: [], flaw: 'PAYOUT_FORGED' };
  const { provider, attempts } = payout;
  const of = { ...row, provider, attempts: attempts.length, openCases: openCodes(payout) };
  if (!request) return { ...of, ...unknown, flaw: 'REQUEST_UNREADABLE' };
  const { instruction, price, parties } = request;
  const people = 'corridor.Parties' in parties ? parties['corridor.Parties'] : undefined;
  return {
    ...of,
    instructed: instruction.instructedAmount,
    credit: price?.credit ?? null,
    corridor: corridors.between(instruction.sourceCurrency, instruction.targetCurrency)?.id ?? null,
    names: people
      ? { sender: maskedName(people.debtor.name, sight), beneficiary: maskedName(people.creditor.name, sight) }
      : null,
    flaw: null,
  };
}
