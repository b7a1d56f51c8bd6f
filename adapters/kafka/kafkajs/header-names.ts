// Names of record headers. Producers use few, so their strings are kept instead of made anew for every record.

interface Known {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** A power of two. Two names that share a slot take it from each other, which costs time only. */
const SLOTS = 512;
const MAX_KEPT_BYTES = 64;
const known = new Array<Known | undefined>(SLOTS).fill(undefined);

/** The UTF-8 text that stands at `from` up to `to`. */
export function headerNameAt(bytes: Buffer, from: number, to: number): string {
  const size = to - from;
  if (size === 0 || size > MAX_KEPT_BYTES) return bytes.toString('utf8', from, to);
  const slot = (size * 37 + bytes[from]! * 5 + bytes[to - 1]!) & (SLOTS - 1);
  const found = known[slot];
  if (found !== undefined && found.bytes.length === size && isAt(found.bytes, bytes, from)) return found.name;
  const name = bytes.toString('utf8', from, to);
  known[slot] = { bytes: new Uint8Array(bytes.subarray(from, to)), name };
  return name;
}

function isAt(wanted: Uint8Array, bytes: Buffer, from: number): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (wanted[index] !== bytes[from + index]) return false;
  }
  return true;
}

/**
 * An empty set of headers. It inherits nothing, since a producer may name a header `__proto__` or `constructor`; and it is made
 * by a constructor, since what `Object.create(null)` makes is a hash table, which is large and slow.
 */
export const Headers = function Headers() {} as unknown as new () => Record<string, Buffer | undefined>;
Headers.prototype = Object.create(null);
