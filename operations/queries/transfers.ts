// Transfers by where they stand and since when, page by page, with what they come to by currency. The view that they are read
// from holds no personal data, so there is no name to mask.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import type { Money } from '../../domain/money/money.ts';
import { CodedError } from '../../ports/fault.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { Gaps, type Missing } from './gaps.ts';
import { pageCursor, pagePlace } from './page-cursor.ts';
import type { CurrencyTotal, TransferFilter, TransferTotals, TransferViews } from './ports.ts';

export const MAX_TRANSFERS_OF_PAGE = 200;
/** Transfers that sums are made of, the latest first. */
export const MAX_TRANSFERS_SUMMED = 200_000;

export interface TransfersQuery {
  readonly state?: string | undefined;
  /** Id of a corridor. */
  readonly corridor?: string | undefined;
  /** Nothing has happened to them since; ms since 1970. */
  readonly unchangedSince?: number | undefined;
  /** Rows, at most `MAX_TRANSFERS_OF_PAGE`. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  /** For tests. */
  readonly maxSummed?: number;
}

export interface TransferRow {
  readonly transferId: string;
  readonly state: string;
  /** The stage that made the state. */
  readonly stage: string;
  /** When anything happened to it last. */
  readonly since: Date;
  readonly requestedAt: Date;
  /** Id of the corridor; null: there is none between its currencies. */
  readonly corridor: string | null;
  /** What the producer instructed; null: the view has no such row of it yet. */
  readonly instructed: Money | null;
  /** What the sender pays, fees included; null: never priced. */
  readonly debit: Money | null;
  /** What the beneficiary gets; null: never priced. */
  readonly credit: Money | null;
  readonly reasonCodes: readonly string[];
}

export interface TransferList {
  readonly rows: readonly TransferRow[];
  readonly next: string | null;
  /** Of all that match, on whichever page: debits of those that are priced, what was instructed of the others. */
  readonly total: {
    readonly transfers: number;
    readonly money: readonly Money[];
    readonly withoutAmount: number;
  };
  /** False: `missing` says what the sums lack. */
  readonly complete: boolean;
  readonly missing: readonly Missing<'TOTALS'>[];
}

/**
 * A page, the one that changed last first. Two round trips: the page and the sums.
 * @throws CodedError OPTION_INVALID, CURSOR_INVALID, and what the store says when the page cannot be read
 */
export async function listTransfers(
  { views, corridors }: { readonly views: TransferViews & TransferTotals; readonly corridors: CorridorBook },
  query: TransfersQuery,
): Promise<TransferList> {
  const { state, corridor, unchangedSince, limit, after, maxSummed = MAX_TRANSFERS_SUMMED } = query;
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_TRANSFERS_OF_PAGE))
    throw new CodedError('OPTION_INVALID', `a page has from 1 to ${MAX_TRANSFERS_OF_PAGE} rows`);
  const filter = filterOf(query, corridors);
  const question = { list: 'transfers', state, corridor, unchangedSince };
  const place = after === undefined ? undefined : pagePlace(question, after);
  const gaps = new Gaps<'TOTALS'>();
  const [found, totals] = await Promise.all([
    // One more than asked for says whether there is a next page.
    views.list(filter, place && { updatedAt: place.at, transferId: place.id }, limit + 1),
    gaps.read('TOTALS', undefined, () => views.totals(filter, maxSummed)),
  ]);
  if (totals?.isCut) gaps.cut('TOTALS', `more than ${maxSummed} match: the sums are of those that changed last`);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const next = last && found.length > limit ? pageCursor(question, { at: last.updatedAt, id: last._id }) : null;
  return {
    rows: page.map((transfer) => rowOf(transfer, corridors)),
    next,
    total: sumsOf(totals?.byCurrency ?? []),
    complete: gaps.missing.length === 0,
    missing: gaps.missing,
  };
}

/** What is said of sums: money by currency, and how many are not in it. Pure. */
export function sumsOf(byCurrency: readonly CurrencyTotal[]): TransferList['total'] {
  const sum = (of: (each: CurrencyTotal) => number) => byCurrency.reduce((all, each) => all + of(each), 0);
  return {
    transfers: sum(({ transfers }) => transfers),
    money: byCurrency
      .filter(({ transfers, withoutAmount }) => transfers > withoutAmount)
      .map(({ currency, minor }) => ({ minor, currency }))
      .sort((a, b) => (a.currency < b.currency ? -1 : 1)),
    withoutAmount: sum(({ withoutAmount }) => withoutAmount),
  };
}

function filterOf({ state, corridor: id, unchangedSince }: TransfersQuery, book: CorridorBook): TransferFilter {
  const corridor = id === undefined ? undefined : book.corridors.find((each) => each.id === id);
  if (id !== undefined && corridor === undefined) {
    const known = book.corridors.map((each) => each.id).join(', ');
    throw new CodedError('OPTION_INVALID', `there is no corridor of this id; there are: ${known}`);
  }
  return {
    ...(state === undefined ? {} : { state }),
    ...(corridor ? { currencies: { source: corridor.source.currency, target: corridor.target.currency } } : {}),
    ...(unchangedSince === undefined ? {} : { olderThan: new Date(unchangedSince) }),
  };
}

function rowOf(transfer: TransferDocument, corridors: CorridorBook): TransferRow {
  const { sourceCurrency, targetCurrency, debitMinor, creditMinor, requestedAt } = transfer;
  return {
    transferId: transfer._id,
    state: transfer.state,
    stage: transfer.stage,
    since: transfer.updatedAt,
    requestedAt: new Date(Number(requestedAt)),
    corridor: corridors.between(sourceCurrency, targetCurrency)?.id ?? null,
    instructed: instructedIn(transfer),
    debit: debitMinor === null ? null : { minor: BigInt(debitMinor), currency: sourceCurrency },
    credit: creditMinor === null ? null : { minor: BigInt(creditMinor), currency: targetCurrency },
    reasonCodes: transfer.reasonCodes,
  };
}

/** What the producer instructed. Rows of before the view had it lack both. */
export function instructedIn({
  instructedMinor,
  instructedCurrency,
}: Partial<Pick<TransferDocument, 'instructedMinor' | 'instructedCurrency'>>): Money | null {
  const isKnown = instructedMinor !== undefined && instructedMinor !== null && Boolean(instructedCurrency);
  return isKnown ? { minor: BigInt(instructedMinor), currency: instructedCurrency! } : null;
}
