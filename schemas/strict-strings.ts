/**
 * Strings of Avro are UTF-8, and nothing else: avsc 5.7.9 reads other bytes as U+FFFD, so that different bytes mean the
 * same text, and writes halves of surrogate pairs, which no other client reads. Both are errors here, for every Avro type
 * of this process, fields and keys of maps alike.
 */
import { isUtf8 } from 'node:buffer';
import { createRequire } from 'node:module';
import type { TextBuffer } from '../domain/text/buffer-text.ts';

/** Reads and writes the parts of a record, avsc's own. */
export interface StringTap {
  readonly buf: TextBuffer;
  pos: number;
  readLong(): number;
}
interface TapClass {
  readonly prototype: { readString(this: StringTap): string; writeString(this: StringTap, text: string): void };
}

const { Tap } = createRequire(import.meta.url)('avsc/lib/utils.js') as { readonly Tap: TapClass };
const { readString, writeString } = Tap.prototype;
const REPLACEMENT = '\ufffd';

/** A text that is refused: INVALID_UTF8 on the way in, TEXT_NOT_WELL_FORMED on the way out. */
export class TextRefused extends Error {
  readonly code: 'INVALID_UTF8' | 'TEXT_NOT_WELL_FORMED';
  constructor(code: TextRefused['code'], message: string) {
    super(message);
    this.name = 'TextRefused';
    this.code = code;
  }
}

/** Up to here a loop over the bytes is faster than a call. */
const SHORT = 64;

/** Currencies, countries, purposes: a transfer has dozens of codes, nearly always the same, and they are kept. */
const CODE = 4;
const KEPT_BITS = 10;
const codeKeys = new Int32Array(2 ** KEPT_BITS);
const codes: string[] = new Array(2 ** KEPT_BITS).fill('');

/** A text of up to four ASCII characters: one that is kept in its place, or it takes that place. */
function codeIn(buf: StringTap['buf'], from: number, length: number): string {
  let key = length;
  for (let at = from; at < from + length; at += 1) key = (key << 7) | buf[at]!;
  const place = Math.imul(key, 0x9e3779b1) >>> (32 - KEPT_BITS);
  if (codeKeys[place] === key) return codes[place]!;
  const text = buf.latin1Slice(from, from + length);
  codeKeys[place] = key;
  codes[place] = text;
  return text;
}

/** Reads what avsc reads, with one look at the bytes beside: nearly every string is short ASCII, which needs no other. */
function readStrict(this: StringTap): string {
  const length = this.readLong();
  const from = this.pos;
  const end = from + length;
  const { buf } = this;
  // Whatever is no length of this record is for avsc to report.
  if (!(length >= 0 && end <= buf.length)) {
    this.pos = buf.length + 1;
    return '';
  }
  this.pos = end;
  if (length <= SHORT) {
    let bits = 0;
    for (let at = from; at < end; at += 1) bits |= buf[at]!;
    if (bits < 0x80) return length <= CODE ? codeIn(buf, from, length) : buf.latin1Slice(from, end);
  }
  const text = buf.utf8Slice(from, end);
  // Bytes that are no UTF-8 leave a U+FFFD in the text, always.
  if (!text.includes(REPLACEMENT) || isUtf8(buf.subarray(from, end))) return text;
  throw new TextRefused('INVALID_UTF8', 'a string is no UTF-8');
}

/** @throws TextRefused TEXT_NOT_WELL_FORMED for a text that holds half of a surrogate pair */
export function writeStrict(this: StringTap, text: string): void {
  if (!text.isWellFormed()) throw new TextRefused('TEXT_NOT_WELL_FORMED', 'a text holds half of a surrogate pair');
  writeString.call(this, text);
}

/** Puts strict strings in place, or (false) what avsc does. For every Avro type of this process. */
export function strictStrings(enabled = true): void {
  Tap.prototype.readString = enabled ? readStrict : readString;
  Tap.prototype.writeString = enabled ? writeStrict : writeString;
}
strictStrings();
