/**
 * Hash keys under which a word is found although it is misspelt: its folded form with up to one or two letters left
 * out (two words within that many edits share one), its consonants, its letters in alphabetical order.
 */
import { isVowelCode } from './fold.ts';
import type { Spelling } from './token.ts';

/** Words from this many folded letters on are found with two edits, shorter ones with one. */
const TWO_EDITS_FROM = 7;
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

/**
 * Which two letters are worth leaving out together. Words of seven letters may differ by a vowel and a consonant, not by
 * two consonants unless one is a silent h; where they differ by two vowels, their consonants find them.
 */
function isPairWorthwhile(a: number, b: number, length: number): boolean {
  if (length > TWO_EDITS_FROM || a === SILENT || b === SILENT) return true;
  return isVowelCode(a) + isVowelCode(b) === 1;
}

const SILENT = 7; // h

/** The folded word itself and with letters left out: `most` of them. */
function foldKeys(codes: Uint8Array, most: 0 | 1 | 2, salt: number, sink: KeySink): void {
  const length = Math.min(codes.length, MAX_LENGTH);
  const hash = prefixesOf(codes, length);
  sink(mixed(hash, length, salt));
  if (most === 0 || length < ONE_EDIT_FROM) return;
  for (let i = 0; i < length; i += 1) {
    if (i > 0 && codes[i] === codes[i - 1]) continue;
    const rest = Math.imul(hash - prefix[i + 1]!, INVERSE);
    sink(mixed((prefix[i]! + rest) | 0, length - 1, salt));
    if (most === 1 || length < TWO_EDITS_FROM) continue;
    for (let j = i + 1; j < length; j += 1) {
      if (!isPairWorthwhile(codes[i]!, codes[j]!, length)) continue;
      const middle = Math.imul(prefix[j]! - prefix[i + 1]!, INVERSE);
      const tail = Math.imul(hash - prefix[j + 1]!, INVERSE_TWICE);
      sink(mixed((prefix[i]! + middle + tail) | 0, length - 2, salt));
    }
  }
}

/** Keys of a listed word. `joined`: two words read as one, found with one letter left out at most.
 * `sameScript`: a word without vowels that only names without vowels are compared with. */
export function keysOfListed(word: Spelling, joined: boolean, sameScript: boolean, sink: KeySink): void {
  foldKeys(word.codes, word.digits ? 0 : joined ? 1 : 2, SALT_FOLD, sink);
  if (word.digits) return;
  if (word.skeleton !== 0) sink(mixed(word.skeleton, 0, SALT_SKELETON));
  sink(mixed(word.pattern, 0, SALT_PATTERN));
  if (joined) return;
  if (word.text.length >= ANAGRAM_FROM) sink(mixed(word.letters, word.text.length, SALT_LETTERS));
  if (word.abjad !== 0 && !sameScript) sink(mixed(word.abjad, 0, word.writing === 'poor' ? ~SALT_ABJAD : SALT_ABJAD));
}

/** Keys under which a word of a query may find listed words. */
export function keysOfQuery(word: Spelling, joined: boolean, sink: KeySink): void {
  foldKeys(word.codes, word.digits || joined ? 0 : 2, SALT_FOLD, sink);
  if (word.digits) return;
  if (word.skeleton !== 0) sink(mixed(word.skeleton, 0, SALT_SKELETON));
  sink(mixed(word.pattern, 0, SALT_PATTERN));
  if (joined) return;
  if (word.text.length >= ANAGRAM_FROM) sink(mixed(word.letters, word.text.length, SALT_LETTERS));
  if (word.abjad !== 0) sink(mixed(word.abjad, 0, word.writing === 'poor' ? SALT_ABJAD : ~SALT_ABJAD));
}

/** From hash keys to the numbers filed under them: open addressing over typed arrays. */
export class KeyTable {
  readonly #mask: number;
  /** Per slot: key, start, end (0: the slot is free) and nothing, so that one cache line answers a probe. */
  readonly #slots: Int32Array;
  /** One bit per hash: most keys of a query are not there, and this small table says so. */
  readonly #filter: Uint32Array;
  readonly #filterMask: number;
  readonly values: Int32Array;

  /** @param pairs key * 2^20 + value, in any order; values below 2^20 */
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
    while (size < unique * 1.4) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int32Array(size * SLOT);
    this.#filter = new Uint32Array(Math.max(32, (size * FILTER_BITS_PER_SLOT) / 32));
    this.#filterMask = this.#filter.length * 32 - 1;
    this.values = new Int32Array(pairs.length);
    let slot = 0;
    before = -1;
    for (let at = 0; at < pairs.length; at += 1) {
      const pair = pairs[at]!;
      const key = Math.floor(pair / VALUES);
      this.values[at] = pair - key * VALUES;
      if (key !== before) {
        slot = this.#free(key);
        this.#slots[slot] = key | 0;
        this.#slots[slot + 1] = at;
        const bit = (key >>> 3) & this.#filterMask;
        this.#filter[bit >>> 5]! |= 1 << (bit & 31);
        before = key;
      }
      this.#slots[slot + 2] = at + 1;
    }
  }

  #free(key: number): number {
    let slot = key & this.#mask;
    while (this.#slots[slot * SLOT + 2] !== 0) slot = (slot + 1) & this.#mask;
    return slot * SLOT;
  }

  /** Where the key is filed, -1 when it is not. */
  find(key: number): number {
    const bit = (key >>> 3) & this.#filterMask;
    if ((this.#filter[bit >>> 5]! & (1 << (bit & 31))) === 0) return -1;
    let slot = key & this.#mask;
    while (this.#slots[slot * SLOT + 2] !== 0) {
      if (this.#slots[slot * SLOT] === (key | 0)) return slot * SLOT;
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  startOf(slot: number): number {
    return this.#slots[slot + 1]!;
  }

  endOf(slot: number): number {
    return this.#slots[slot + 2]!;
  }

  get bytes(): number {
    return this.#slots.byteLength + this.#filter.byteLength + this.values.byteLength;
  }
}

const SLOT = 4;
const FILTER_BITS_PER_SLOT = 8;
/** Values of a `KeyTable` are below this. */
export const VALUES = 2 ** 20;
