/** A binary heap of keys by the moment at which they are due. */
export class DueQueue {
  readonly #at: number[] = [];
  readonly #keys: string[] = [];

  get size(): number {
    return this.#at.length;
  }

  /** The earliest moment in the queue, in milliseconds since the epoch; null when it is empty. */
  get nextAt(): number | null {
    return this.#at[0] ?? null;
  }

  push(at: number, key: string): void {
    let child = this.#at.length;
    this.#at.push(at);
    this.#keys.push(key);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (this.#at[parent]! <= this.#at[child]!) return;
      this.#swap(parent, child);
      child = parent;
    }
  }

  /** Removes the earliest key when it is due at `now`; null when none is. */
  popDue(now: number): string | null {
    const first = this.#keys[0];
    if (first === undefined || this.#at[0]! > now) return null;
    const last = this.#at.length - 1;
    this.#swap(0, last);
    this.#at.pop();
    this.#keys.pop();
    for (let parent = 0; ; ) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < last && this.#at[child]! < this.#at[least]!) least = child;
      }
      if (least === parent) return first;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #swap(a: number, b: number): void {
    [this.#at[a], this.#at[b]] = [this.#at[b]!, this.#at[a]!];
    [this.#keys[a], this.#keys[b]] = [this.#keys[b]!, this.#keys[a]!];
  }
}
