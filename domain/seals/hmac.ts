// HMAC-SHA-256 of short messages. Node's own makes a native object for each message, which costs more than the hashing:
// every transfer bears some twenty seals, and with it they were a third of what the chain takes. Pure.
import { createHmac, hash, type KeyObject } from 'node:crypto';

/** Of SHA-256, in bytes. */
const BLOCK = 64;
const DIGEST = 32;
/** Longer messages go to Node's own, where what they cost is the hashing. */
const MAX_SHORT = 16_384;

/** The key, padded for either hash (RFC 2104, section 2). It holds the key's bytes: it must never be shown. */
interface Pads {
  readonly inner: Uint8Array;
  readonly outer: Uint8Array;
}

const padsOfKeys = new WeakMap<KeyObject, Pads>();
/** Nothing here waits, so one call has ended before the next writes here. */
const message = Buffer.alloc(BLOCK + MAX_SHORT);
const digest = Buffer.alloc(BLOCK + DIGEST);

/** HMAC-SHA-256 (RFC 2104) of these parts, one after the other, in base64url: 43 characters. A string counts as UTF-8. */
export function hmacSha256(key: KeyObject, parts: readonly (string | Uint8Array)[]): string {
  let length = 0;
  for (const part of parts) length += Buffer.byteLength(part);
  if (length > MAX_SHORT) return hmacOfLong(key, parts);
  const { inner, outer } = padsOf(key);
  message.set(inner);
  let at = BLOCK;
  for (const part of parts) {
    if (typeof part === 'string') {
      at += message.write(part, at, 'utf8');
    } else {
      message.set(part, at);
      at += part.length;
    }
  }
  digest.set(outer);
  // As text and back: the digest in a buffer of its own would cost as much as the hashing.
  digest.write(hash('sha256', message.subarray(0, at), 'binary'), BLOCK, 'latin1');
  return hash('sha256', digest, 'base64url');
}

function hmacOfLong(key: KeyObject, parts: readonly (string | Uint8Array)[]): string {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest('base64url');
}

function padsOf(key: KeyObject): Pads {
  const known = padsOfKeys.get(key);
  if (known) return known;
  const bytes = key.export();
  const block = Buffer.alloc(BLOCK);
  block.set(bytes.length > BLOCK ? hash('sha256', bytes, 'buffer') : bytes);
  const pads = { inner: block.map((byte) => byte ^ 0x36), outer: block.map((byte) => byte ^ 0x5c) };
  padsOfKeys.set(key, pads);
  return pads;
}
