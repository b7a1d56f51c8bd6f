// Records are encoded one after another into a slab; one that does not fit begins a new slab.
import type { Type } from 'avsc';

const SLAB_BYTES = 262_144;

export class Slab {
  readonly #size: number;
  readonly #headerBytes: number;
  #bytes: Buffer;
  #used = 0;

  /** @param headerBytes room left free before each record @param size bytes of a slab; a larger record gets one of its own */
  constructor(headerBytes: number, size = SLAB_BYTES) {
    this.#headerBytes = headerBytes;
    this.#size = size;
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Room for the header, then the value. Undefined when its size changes while it is written. */
  encode(type: Type, value: unknown): Buffer | undefined {
    const start = this.#used;
    if (start + this.#headerBytes < this.#bytes.length) {
      const end = type.encode(value, this.#bytes, start + this.#headerBytes);
      if (end >= 0) return this.#take(start, end);
    }
    for (let size = this.#size, tries = 0; tries < 2; tries++) {
      this.#bytes = Buffer.allocUnsafeSlow(size);
      const end = type.encode(value, this.#bytes, this.#headerBytes);
      if (end >= 0) return this.#take(0, end);
      size -= end; // a negative end says how many bytes are missing
    }
    return undefined;
  }

  #take(start: number, end: number): Buffer {
    this.#used = end;
    return this.#bytes.subarray(start, end);
  }
}
