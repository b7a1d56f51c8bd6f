// avsc believes what it reads: an array that claims two billion items is read item by item past the end of the record, a
// block of a negative size sends it back to where it was, a number of a hundred bytes is no number. Here nothing claimed
// goes beyond the bytes that are left. It holds for every Avro type of this process, also for what is only skipped.
import { createRequire } from 'node:module';
import avro from 'avsc';

interface Tap {
  readonly buf: Uint8Array;
  pos: number;
  /** Items of arrays and maps claimed so far. */
  items: number;
  readInt(): number;
  readLong(): number;
  readBoolean(): boolean;
  readString(): string | undefined;
  skipString(): void;
}
interface InnerType {
  _read(tap: Tap): unknown;
  _skip(tap: Tap): void;
}

/** Most items of all arrays and maps of one record together. */
export const MAX_ITEMS = 65_536;
const MAX_INT_BYTES = 5;
const MAX_LONG_BYTES = 10;
const INT = 2 ** 31;

/** avsc's own classes; its types say nothing of them. */
const { Tap } = createRequire(import.meta.url)('avsc/lib/utils.js') as {
  readonly Tap: { readonly prototype: Tap };
};
const classes = avro.types as unknown as Record<'ArrayType' | 'MapType', { readonly prototype: InnerType }>;

function refuse(what: string): never {
  throw new Error(what);
}

/** A long as avsc reads it, in ten bytes at most; of 64 bits, as the format says, and not beyond the end. */
function readLong(this: Tap): number {
  const { buf } = this;
  let at = this.pos;
  let byte = buf[at++]!;
  let low = byte & 0x7f;
  if (byte & 0x80) {
    byte = buf[at++]!;
    low |= (byte & 0x7f) << 7;
    if (byte & 0x80) {
      byte = buf[at++]!;
      low |= (byte & 0x7f) << 14;
      if (byte & 0x80) {
        byte = buf[at++]!;
        low |= (byte & 0x7f) << 21;
        if (byte & 0x80) return readRest(this, at, low);
      }
    }
  }
  this.pos = at;
  return (low >> 1) ^ -(low & 1);
}

/** What is longer than four bytes, in floating point: an integer would overflow. Exact up to 2^53, halved as it is read. */
function readRest(tap: Tap, from: number, low: number): number {
  const { buf } = tap;
  let value = low >>> 1;
  let unit = 2 ** 27;
  for (let at = from, left = MAX_LONG_BYTES - 4; left > 0; left--) {
    const byte = buf[at++]!;
    value += (byte & 0x7f) * unit;
    unit *= 128;
    if (byte & 0x80) continue;
    if (left === 1 && byte > 1) break; // more than 64 bits
    tap.pos = at;
    return low & 1 ? -value - 1 : value;
  }
  return refuse('a number of more than 64 bits');
}

function readInt(this: Tap): number {
  const from = this.pos;
  const value = this.readLong();
  if (this.pos - from > 4 && (this.pos - from > MAX_INT_BYTES || value >= INT || value < -INT)) {
    return refuse('a number of more than 32 bits');
  }
  return value;
}

function readBoolean(this: Tap): boolean {
  const byte = this.buf[this.pos++]!;
  return byte > 1 ? refuse('a boolean that is neither 0 nor 1') : byte === 1;
}

function skipSized(this: Tap): void {
  const size = this.readLong();
  if (!(size >= 0 && size <= this.buf.length - this.pos)) refuse('a length beyond the end');
  this.pos += size;
}

/** The items of a block, of which `claimed` are told. Its size in bytes follows when that is negative. */
function itemsOf(tap: Tap, claimed: number): number {
  const items = Math.abs(claimed);
  tap.items += items;
  // An item takes a byte at least, all but those without content: these have the same bound.
  if (tap.items > MAX_ITEMS || tap.items > tap.buf.length) refuse('more items than there can be');
  return items;
}

/** Where a block must end; undefined where it does not say. */
function endOf(tap: Tap, claimed: number): number | undefined {
  if (claimed > 0) return undefined;
  const size = tap.readLong();
  if (!(size >= 0 && size <= tap.buf.length - tap.pos)) refuse('a block beyond the end');
  return tap.pos + size;
}

function checkEnd(tap: Tap, end: number | undefined): void {
  if (tap.pos > tap.buf.length) refuse('truncated');
  if (end !== undefined && tap.pos !== end) refuse('a block of another size than it says');
}

function readArray(this: { readonly itemsType: InnerType }, tap: Tap): unknown[] {
  const values: unknown[] = [];
  for (let claimed = tap.readLong(); claimed !== 0; claimed = tap.readLong()) {
    const end = endOf(tap, claimed);
    for (let left = itemsOf(tap, claimed); left > 0; left--) values.push(this.itemsType._read(tap));
    checkEnd(tap, end);
  }
  return values;
}

function readMap(this: { readonly valuesType: InnerType }, tap: Tap): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (let claimed = tap.readLong(); claimed !== 0; claimed = tap.readLong()) {
    const end = endOf(tap, claimed);
    for (let left = itemsOf(tap, claimed); left > 0; left--) {
      entries.push([tap.readString() ?? '', this.valuesType._read(tap)]);
    }
    checkEnd(tap, end);
  }
  return Object.fromEntries(entries);
}

function skipBlocks(tap: Tap, skipItem: () => void): void {
  for (let claimed = tap.readLong(); claimed !== 0; claimed = tap.readLong()) {
    const end = endOf(tap, claimed);
    for (let left = itemsOf(tap, claimed); left > 0; left--) skipItem();
    checkEnd(tap, end);
  }
}

function skipArray(this: { readonly itemsType: InnerType }, tap: Tap): void {
  skipBlocks(tap, () => this.itemsType._skip(tap));
}

function skipMap(this: { readonly valuesType: InnerType }, tap: Tap): void {
  skipBlocks(tap, () => {
    tap.skipString();
    this.valuesType._skip(tap);
  });
}

/** Puts the bounds in place, for all of avsc. To be called before the first resolver is made: it keeps what it finds. */
export function boundReads(): void {
  Object.assign(Tap.prototype, {
    items: 0,
    readLong,
    readInt,
    readBoolean,
    skipLong: readLong,
    skipInt: readInt,
    skipBoolean: readBoolean,
    skipBytes: skipSized,
    skipString: skipSized,
  });
  Object.assign(classes.ArrayType.prototype, { _read: readArray, _skip: skipArray });
  Object.assign(classes.MapType.prototype, { _read: readMap, _skip: skipMap });
}
