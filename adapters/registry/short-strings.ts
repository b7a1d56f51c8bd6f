// Writes strings in one pass where avsc 5.7.9 takes two: it measures each string before it copies it. Short ASCII, which
// is what nearly every field here holds, is copied at once; anything else goes the shipped way, if it is well formed. Same bytes, half the time.
import { createRequire } from 'node:module';
import type { TextBuffer } from '../../domain/text/buffer-text.ts';
import { type StringTap, writeStrict } from '../../schemas/strict-strings.ts';

interface TapClass {
  readonly prototype: { writeString(this: StringTap, text: string): void };
}

/** Up to here the length takes one byte. */
const ONE_BYTE = 63;
/** Up to here (two bytes; hashes are 64 characters) this way is the faster one. */
const MAX_CHARACTERS = 128;

const { Tap } = createRequire(import.meta.url)('avsc/lib/utils.js') as { readonly Tap: TapClass };

/** From here on a call is faster than a loop over the characters. */
const CALL = 10;
/** Most bytes that a UTF-16 code unit takes in UTF-8. */
const MAX_UNIT = 3;

function writeShort(this: StringTap, text: string): void {
  const { length } = text;
  const { buf, pos } = this;
  const start = length > ONE_BYTE ? pos + 2 : pos + 1;
  // What was written of a text that is not ASCII is written over.
  if (!(length <= MAX_CHARACTERS && start + length <= buf.length && writeAscii(buf, text, start))) {
    writeStrict.call(this, text);
    return;
  }
  if (length > ONE_BYTE) {
    // Zigzag doubles it; seven bits a byte, the lowest first.
    buf[pos] = ((length * 2) & 0x7f) | 0x80;
    buf[pos + 1] = (length * 2) >> 7;
  } else buf[pos] = length * 2;
  this.pos = start + length;
}

/** Whether the text is ASCII; it is written then. */
function writeAscii(buf: TextBuffer, text: string, start: number): boolean {
  const { length } = text;
  const most = length * MAX_UNIT;
  // With room for whatever it may be, a byte for each unit means ASCII: half of a surrogate pair takes three, too.
  if (length >= CALL && start + most <= buf.length) return buf.utf8Write(text, start, most) === length;
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return false;
    buf[start + at] = code;
  }
  return true;
}

/** Puts the faster way in place, or (false) the shipped one back. For every Avro type of this process. */
export function writeShortStringsFast(enabled = true): void {
  Tap.prototype.writeString = enabled ? writeShort : writeStrict;
}
