// How many records of a partition are handed over at a time. On a machine that is starved a batch may take longer than this
// member keeps its place in the group: it cannot be committed then, and whoever has the partition next takes the same batch
// in, as late again. Smaller batches get through.

const LEAST = 10;
/** After each batch that got through. */
const GROWTH = 1.25;

export class BatchSize {
  readonly #most: number;
  #records: number;

  constructor(most: number) {
    this.#most = most;
    this.#records = most;
  }

  /** As many records at most. */
  get records(): number {
    return this.#records;
  }

  /** A batch of so many records could not be committed, since this member had lost its place meanwhile. */
  tooLate(count: number): void {
    this.#records = Math.min(this.#most, Math.max(LEAST, Math.floor(Math.min(count, this.#records) / 2)));
  }

  /** A batch was committed. */
  committed(): void {
    this.#records = Math.min(this.#most, Math.ceil(this.#records * GROWTH));
  }
}
