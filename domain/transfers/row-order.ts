// Which of two lifecycle rows of one transfer is the later one: the one rule, by which the latest row is told everywhere.

/** What the order goes by. */
export interface OrderedRow {
  readonly eventId: string;
  readonly sequence: number;
  readonly state: string;
  /** ms since 1970. */
  readonly occurredAt: number;
}

/** Where a row stands: a mark repeats the sequence of the transition before it, and stands between that and the next. */
export const placeOf = ({ sequence, state }: Pick<OrderedRow, 'sequence' | 'state'>): number =>
  sequence * 2 + (state === 'DEAD_LETTERED' ? 1 : 0);

/**
 * Negative: `a` is the earlier one. The highest sequence is the latest; of one sequence the mark; of two marks the one that
 * was made later, then the one with the greater id. Neither offsets nor append times decide, so that whoever has the rows of a
 * transfer, in whatever order, tells the same.
 */
export function compareRows(a: OrderedRow, b: OrderedRow): number {
  const byPlace = placeOf(a) - placeOf(b) || a.occurredAt - b.occurredAt;
  if (byPlace !== 0 || a.eventId === b.eventId) return byPlace;
  return a.eventId < b.eventId ? -1 : 1;
}

/** The later of two; of two that are equal the first. */
export const laterOf = <R extends OrderedRow>(known: R | undefined, row: R): R =>
  known === undefined || compareRows(known, row) < 0 ? row : known;
