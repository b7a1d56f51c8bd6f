// Whether it pays to wait for more records.

/** Time constant of the average, ms. */
const MEMORY_MS = 1_000;

/** Records per millisecond on one partition, averaged over about the last second. */
export class ArrivalRate {
  #perMs = 0;
  #lastAt = performance.now();

  /** Counts records taken now. */
  add(records: number, now = performance.now()): void {
    const elapsed = Math.max(now - this.#lastAt, 0.001);
    const weight = 1 - Math.exp(-elapsed / MEMORY_MS);
    this.#perMs += (records / elapsed - this.#perMs) * weight;
    this.#lastAt = now;
  }

  /** `lingerMs` when at least one more record is to be expected within it, else 0: at rest nobody gains by waiting. */
  worthwhile(lingerMs: number, now = performance.now()): number {
    const faded = this.#perMs * Math.exp(-(now - this.#lastAt) / MEMORY_MS);
    return faded * lingerMs >= 1 ? lingerMs : 0;
  }
}
