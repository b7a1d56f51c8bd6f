// What a sink asks of a store: writes that may be repeated, in any order, any number of times.

/** What became of a batch. The counts add up to the number of writes asked for. */
export interface WriteCounts {
  /** Inserted or replaced. */
  readonly written: number;
  /** Already there (insert) or older than what is stored (replace): the expected result of a redelivery. */
  readonly stale: number;
  /** Same id, other content: never expected; an alarm. */
  readonly conflicting: readonly string[];
}

/** A collection that a sink writes to. One round trip for a batch in the usual case. */
export interface IdempotentStore<D extends { readonly _id: string }> {
  insertOnly(documents: readonly D[]): Promise<WriteCounts>;
}

/** A collection of projections, each replaced only by a higher version. */
export interface GuardedStore<D extends { readonly _id: string; readonly version: number }> {
  replaceGuarded(documents: readonly D[]): Promise<WriteCounts>;
}

/** An index, with the query that it is for. */
export interface IndexSpec {
  readonly keys: Readonly<Record<string, 1 | -1>>;
  readonly name: string;
  readonly unique?: boolean;
  readonly partialFilterExpression?: Readonly<Record<string, unknown>>;
  /** The query that needs it; an index without one has no place here. */
  readonly servedQuery: string;
}
