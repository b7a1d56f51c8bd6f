// Which transfer has the price of which quote, over the runs of verification: a second use is found also where the first one was
// verified before.

/** As it stands in a checkpoint. Times are ms since 1970. */
export interface QuoteUse {
  readonly quoteId: string;
  readonly transferId: string;
  readonly expiresAt: number;
}

/**
 * For so long after a quote has expired its use is carried on, ms. A transfer may come to its price later still (the log took it
 * in time, and it lay), but dispatch pays nothing at a price that has expired.
 */
const KEPT_MS = 86_400_000;

export class QuoteUses {
  readonly #uses: Map<string, QuoteUse>;

  constructor(stored: readonly QuoteUse[] = []) {
    this.#uses = new Map(stored.map((use) => [use.quoteId, use]));
  }

  /** @returns the transfer that had it before; undefined: none, or this one */
  add(use: QuoteUse): string | undefined {
    const first = this.#uses.get(use.quoteId);
    if (first === undefined) this.#uses.set(use.quoteId, use);
    return first === undefined || first.transferId === use.transferId ? undefined : first.transferId;
  }

  /** Those that the next run has to know. @param now ms since 1970 */
  *stored(now: number): Iterable<QuoteUse> {
    for (const use of this.#uses.values()) if (use.expiresAt + KEPT_MS > now) yield use;
  }
}
