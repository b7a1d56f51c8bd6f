// HMAC-SHA-256 of short messages. Node's own makes a native object for each message, which costs more than the hashing:
// every transfer bears some twenty seals, and with it they were a third of what the chain takes. Pure.
import { createHmac, hash, type KeyObject } from 'node:crypto';
import type { TextBuffer } from '../text/buffer-text.ts';

/** Of SHA-256, in bytes. */
const BLOCK = 64;
const DIGEST = 32;
/** Longer messages go to Node's own, where what they cost is the hashing. */
const MAX_SHORT = 16_384;
/** Most bytes that a UTF-16 code unit takes in UTF-8. */
const MAX_UNIT = 3;
/** Most characters of a head. */
const MAX_HEAD = 1_024;
/** Where the parts of a message begin: the padded key and the head are written before them, when the lengths are known. */
const PARTS_AT = BLOCK + MAX_HEAD;

/** The key, padded for either hash (RFC 2104, section 2). It holds the key's bytes: it must never be shown. */
interface Pads {
  readonly inner: Uint8Array;
  /** With room for the digest behind it. Nothing here waits, so one call has ended before the next writes there. */
  readonly outer: TextBuffer;
}

/** What stands before the parts, in ASCII, by their lengths in bytes: `3,0,12`. */
export type HeadOf = (lengths: string) => string;

const padsOfKeys = new WeakMap<KeyObject, Pads>();
/** Nothing here waits, so one call has ended before the next writes here. */
const message = Buffer.alloc(PARTS_AT + MAX_SHORT) as TextBuffer;
const noHead: HeadOf = () => '';

/**
 * HMAC-SHA-256 (RFC 2104) of a head and these parts, one after the other, in base64url: 43 characters. A string counts as
 * UTF-8. Without `headOf` there is no head.
 */
export function hmacSha256(key: KeyObject, parts: readonly (string | Uint8Array)[], headOf: HeadOf = noHead): string {
  let most = 0;
  for (const part of parts) most += typeof part === 'string' ? part.length * MAX_UNIT : part.length;
  if (most > MAX_SHORT) return hmacOfLong(key, parts, headOf);
  let at = PARTS_AT;
  let lengths = '';
  for (const part of parts) {
    let length = part.length;
    if (typeof part === 'string') length = message.utf8Write(part, at, part.length * MAX_UNIT);
    else message.set(part, at);
    at += length;
    lengths = lengths === '' ? `${length}` : `${lengths},${length}`;
  }
  const head = headOf(lengths);
  if (head.length > MAX_HEAD) return hmacOfLong(key, parts, headOf);
  const { inner, outer } = padsOf(key);
  const headAt = PARTS_AT - head.length;
  message.set(inner, headAt - BLOCK);
  message.latin1Write(head, headAt, head.length);
  // As text and back: the digest in a buffer of its own would cost as much as the hashing.
  outer.latin1Write(hash('sha256', message.subarray(headAt - BLOCK, at), 'binary'), BLOCK, DIGEST);
  return hash('sha256', outer, 'base64url');
}

function hmacOfLong(key: KeyObject, parts: readonly (string | Uint8Array)[], headOf: HeadOf): string {
  const mac = createHmac('sha256', key);
  mac.update(headOf(parts.map((part) => Buffer.byteLength(part)).join(',')));
  for (const part of parts) mac.update(part);
  return mac.digest('base64url');
}

function padsOf(key: KeyObject): Pads {
  const known = padsOfKeys.get(key);
  if (known) return known;
  const bytes = key.export();
  const block = Buffer.alloc(BLOCK);
  block.set(bytes.length > BLOCK ? hash('sha256', bytes, 'buffer') : bytes);
  const outer = Buffer.alloc(BLOCK + DIGEST) as TextBuffer;
  outer.set(block.map((byte) => byte ^ 0x5c));
  const pads = { inner: block.map((byte) => byte ^ 0x36), outer };
  padsOfKeys.set(key, pads);
  return pads;
}
