/**
 * Hash keys under which a word is found although it is misspelt: its folded form with up to one or two letters left
 * out (two words within that many edits share one), its consonants, its letters in alphabetical order.
 */
import type { Spelling } from './token.ts';

/** Words from this many folded letters on are found with two edits, shorter ones with one. */
const TWO_EDITS_FROM = 8;
const ONE_EDIT_FROM = 4;
const ANAGRAM_FROM = 5;

const SALT_FOLD = 0x1b873593;
const SALT_SKELETON = 0x2545f491;
const SALT_PATTERN = 0x6a09e667;
const SALT_LETTERS = 0x3c6ef372;
const SALT_ABJAD = 0x510e527f;

const BASE = 0x01000193;
const INVERSE = inverse(BASE);
const INVERSE_TWICE = Math.imul(INVERSE, INVERSE);
const MAX_LENGTH = 64;
const prefix = new Int32Array(MAX_LENGTH + 1);

/** Inverse of an odd number modulo 2^32, by Newton's iteration. */
function inverse(odd: number): number {
  let x = odd;
  for (let i = 0; i < 5; i += 1) x = Math.imul(x, 2 - Math.imul(odd, x));
  return x;
}

function mixed(hash: number, length: number, salt: number): number {
  let h = hash ^ salt ^ Math.imul(length, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Receives keys; counts them, or looks them up. */
export type KeySink = (key: number) => void;

function prefixesOf(codes: Uint8Array, length: number): number {
  let power = 1;
  let hash = 0;
  for (let at = 0; at < length; at += 1) {
    hash = (hash + Math.imul(codes[at]! + 1, power)) | 0;
    prefix[at + 1] = hash;
    power = Math.imul(power, BASE);
  }
  return hash;
}

/** The folded word itself and with letters left out. */
function foldKeys(codes: Uint8Array, deletions: boolean, salt: number, sink: KeySink): void {
  const length = Math.min(codes.length, MAX_LENGTH);
  const hash = prefixesOf(codes, length);
  sink(mixed(hash, length, salt));
  if (!deletions || length < ONE_EDIT_FROM) return;
  for (let i = 0; i < length; i += 1) {
    if (i > 0 && codes[i] === codes[i - 1]) continue;
    const rest = Math.imul(hash - prefix[i + 1]!, INVERSE);
    sink(mixed((prefix[i]! + rest) | 0, length - 1, salt));
    if (length < TWO_EDITS_FROM) continue;
    for (let j = i + 1; j < length; j += 1) {
      const middle = Math.imul(prefix[j]! - prefix[i + 1]!, INVERSE);
      const tail = Math.imul(hash - prefix[j + 1]!, INVERSE_TWICE);
      sink(mixed((prefix[i]! + middle + tail) | 0, length - 2, salt));
    }
  }
}

function textKey(text: string, salt: number): number {
  let hash = 0;
  let power = 1;
  for (let at = 0; at < text.length; at += 1) {
    hash = (hash + Math.imul(text.charCodeAt(at), power)) | 0;
    power = Math.imul(power, BASE);
  }
  return mixed(hash, text.length, salt);
}

/** Keys of a listed word. `joined`: two words read as one, found by its exact folded form and its consonants. */
export function keysOfListed(word: Spelling, joined: boolean, sink: KeySink): void {
  foldKeys(word.codes, !joined && !word.digits, SALT_FOLD, sink);
  if (word.digits) return;
  if (word.skeleton.length >= 3) sink(textKey(word.skeleton, SALT_SKELETON));
  if (word.pattern !== word.skeleton) sink(textKey(word.pattern, SALT_PATTERN));
  if (joined) return;
  if (word.text.length >= ANAGRAM_FROM) sink(textKey(word.letters, SALT_LETTERS));
  if (word.abjadKey.length >= 1) sink(textKey(word.abjadKey, word.writing === 'poor' ? ~SALT_ABJAD : SALT_ABJAD));
}

/** Keys under which a word of a query may find listed words. */
export function keysOfQuery(word: Spelling, joined: boolean, sink: KeySink): void {
  foldKeys(word.codes, !word.digits && !joined, SALT_FOLD, sink);
  if (word.digits) return;
  if (word.skeleton.length >= 3) sink(textKey(word.skeleton, SALT_SKELETON));
  if (word.pattern !== word.skeleton) sink(textKey(word.pattern, SALT_PATTERN));
  if (joined) return;
  if (word.text.length >= ANAGRAM_FROM) sink(textKey(word.letters, SALT_LETTERS));
  if (word.abjadKey.length < 1) return;
  if (word.writing === 'poor') sink(textKey(word.abjadKey, SALT_ABJAD));
  else sink(textKey(word.abjadKey, ~SALT_ABJAD));
}

/** From hash keys to the numbers filed under them: open addressing over typed arrays. */
export class KeyTable {
  readonly #mask: number;
  readonly #keys: Uint32Array;
  readonly #starts: Int32Array;
  readonly values: Int32Array;

  /** @param pairs key * 2^20 + value, sorted or not; values below 2^20 */
  constructor(pairs: Float64Array) {
    pairs.sort();
    let unique = 0;
    let before = -1;
    for (const pair of pairs) {
      const key = Math.floor(pair / VALUES);
      if (key !== before) unique += 1;
      before = key;
    }
    let size = 1024;
    while (size < unique * 1.6) size *= 2;
    this.#mask = size - 1;
    this.#keys = new Uint32Array(size);
    // Start and end of a key's values lie side by side: one cache line answers a probe.
    this.#starts = new Int32Array(size * 2).fill(-1);
    this.values = new Int32Array(pairs.length);
    let slot = 0;
    before = -1;
    for (let at = 0; at < pairs.length; at += 1) {
      const pair = pairs[at]!;
      const key = Math.floor(pair / VALUES);
      this.values[at] = pair - key * VALUES;
      if (key !== before) {
        slot = this.#free(key);
        this.#keys[slot] = key;
        this.#starts[slot * 2] = at;
        before = key;
      }
      this.#starts[slot * 2 + 1] = at + 1;
    }
  }

  #free(key: number): number {
    let slot = key & this.#mask;
    while (this.#starts[slot * 2]! >= 0) slot = (slot + 1) & this.#mask;
    return slot;
  }

  /** First of the key's values, -1 when there are none; `endOf(slot)` tells where they end. */
  find(key: number): number {
    let slot = key & this.#mask;
    while (this.#starts[slot * 2]! >= 0) {
      if (this.#keys[slot] === key) return slot;
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  startOf(slot: number): number {
    return this.#starts[slot * 2]!;
  }

  endOf(slot: number): number {
    return this.#starts[slot * 2 + 1]!;
  }

  get bytes(): number {
    return this.#keys.byteLength + this.#starts.byteLength + this.values.byteLength;
  }
}

/** Values of a `KeyTable` are below this. */
export const VALUES = 2 ** 20;
