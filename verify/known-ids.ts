// A set of ids as sorted digests: eight bytes an id.
import { digest } from './digest.ts';
import { grown } from './provider.ts';

export class KnownIds {
  #digests = new Float64Array(1_024);
  #size = 0;
  #sorted = true;

  get size(): number {
    return this.#size;
  }

  add(id: string): void {
    if (this.#size === this.#digests.length) {
      this.#digests = grown(this.#digests, new Float64Array(this.#size * 2));
    }
    this.#digests[this.#size++] = digest(id);
    this.#sorted = false;
  }

  has(id: string): boolean {
    if (!this.#sorted) this.#digests.subarray(0, this.#size).sort();
    this.#sorted = true;
    const wanted = digest(id);
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#digests[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low < this.#size && this.#digests[low] === wanted;
  }
}
