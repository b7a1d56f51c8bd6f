// The kept rates of one pair and source, in the order of the log: each is newer than the one before, or another one of its instant.

/** Ids of one instant that are remembered: as many as the writer remembers. */
const MAX_IDS = 1_000;

export interface PairRow {
  readonly id: string;
  /** When it was observed, but never later than the broker took it, ms. */
  readonly order: number;
  readonly observedAt: number;
  readonly appendedAt: number;
}

export interface Awaiting {
  readonly appendedAt: number;
  newestBefore: number | undefined;
}

export class PairRows<R extends Awaiting> {
  #ids = new Map<string, number>();
  #newest: number | undefined;
  readonly #awaiting: R[] = [];
  #answered = 0;

  /** A rate whose row may be missing, in the order of the log: it learns what was kept before it. */
  await(rate: R): void {
    this.#awaiting.push(rate);
  }

  /** @returns whether it is newer than what was there, or another one of that instant */
  add({ id, order, observedAt, appendedAt }: PairRow): boolean {
    this.#answer((rate) => rate.appendedAt < appendedAt);
    if (this.#newest !== undefined && (order < this.#newest || this.#ids.has(id))) return false;
    this.#newest = order;
    // Of one that is dated ahead each copy has another order: what may come again goes by when it was observed.
    const still = [...this.#ids].filter(([, observed]) => observed >= order).slice(1 - MAX_IDS);
    this.#ids = new Map([...still, [id, observedAt]]);
    return true;
  }

  /** All that there is has been added. */
  close(): void {
    const answered = this.#answered;
    this.#answer(() => true);
    this.#answered = answered;
  }

  #answer(isBefore: (rate: R) => boolean): void {
    for (
      let next = this.#awaiting[this.#answered];
      next !== undefined && isBefore(next);
      next = this.#awaiting[this.#answered]
    ) {
      next.newestBefore = this.#newest;
      this.#answered++;
    }
  }
}
