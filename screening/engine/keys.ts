/**
 * Hash keys under which a word is found although it is misspelt: its folded form with up to one or two letters left
 * out (two words within that many edits share one), its consonants, its letters in alphabetical order.
 */
import { abjadKey, isVowelCode } from './fold.ts';
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
  return h ^ (h >>> 16);
}

/** Keys of one word, filled by `keysOfListed` and `keysOfQuery` and overwritten by the next word. */
export const keys = new Int32Array(1 + MAX_LENGTH + (MAX_LENGTH * (MAX_LENGTH - 1)) / 2 + 8);
let filled = 0;

function put(hash: number, length: number, salt: number): void {
  keys[filled] = mixed(hash, length, salt);
  filled += 1;
}

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
const J_BIT = 1 << 9; // of a mask of letters

/** The folded word with one letter left out. */
function oneLeftOut(codes: Uint8Array, length: number, hash: number): void {
  for (let i = 0; i < length; i += 1) {
    if (i > 0 && codes[i] === codes[i - 1]) continue;
    put((prefix[i]! + Math.imul(hash - prefix[i + 1]!, INVERSE)) | 0, length - 1, SALT_FOLD);
  }
}

function twoLeftOut(codes: Uint8Array, length: number, hash: number): void {
  for (let i = 0; i < length; i += 1) {
    if (i > 0 && codes[i] === codes[i - 1]) continue;
    for (let j = i + 1; j < length; j += 1) {
      if (!isPairWorthwhile(codes[i]!, codes[j]!, length)) continue;
      const middle = Math.imul(prefix[j]! - prefix[i + 1]!, INVERSE);
      const tail = Math.imul(hash - prefix[j + 1]!, INVERSE_TWICE);
      put((prefix[i]! + middle + tail) | 0, length - 2, SALT_FOLD);
    }
  }
}

/** How many of the keys filled last find words with one letter changed; those behind them find words with two. */
export let keysOfOneEdit = 0;

/** The word as it is comes first, then one letter left out, the other keys, two letters left out. Returns how many. */
function fill(word: Spelling, leftOut: 0 | 1 | 2, others: boolean, abjadSalt: number): number {
  const { codes } = word;
  const length = Math.min(codes.length, MAX_LENGTH);
  const hash = prefixesOf(codes, length);
  filled = 0;
  put(hash, length, SALT_FOLD);
  keysOfOneEdit = 1;
  if (word.digits) return filled;
  if (leftOut > 0 && length >= ONE_EDIT_FROM) oneLeftOut(codes, length, hash);
  if (word.skeleton !== 0) put(word.skeleton, 0, SALT_SKELETON);
  put(word.pattern, 0, SALT_PATTERN);
  if (others && word.text.length >= ANAGRAM_FROM) put(word.letters, word.text.length, SALT_LETTERS);
  if (word.abjad !== 0 && abjadSalt !== 0) {
    put(word.abjad, 0, abjadSalt);
    if (word.writing === 'poor' && (word.mask & J_BIT) !== 0) put(abjadKey(codes, true), 0, abjadSalt);
  }
  keysOfOneEdit = filled;
  if (leftOut > 1 && length >= TWO_EDITS_FROM) twoLeftOut(codes, length, hash);
  return filled;
}

/**
 * Keys of a listed word. `joined`: two words read as one, found with one letter left out at most. `sameScript`: a word
 * without vowels that only names without vowels are compared with.
 */
export function keysOfListed(word: Spelling, joined: boolean, sameScript: boolean): number {
  return fill(word, joined ? 1 : 2, !joined, sameScript ? 0 : word.writing === 'poor' ? ~SALT_ABJAD : SALT_ABJAD);
}

/** Keys under which a word of a query may find listed words. */
export function keysOfQuery(word: Spelling, joined: boolean): number {
  return fill(word, joined ? 1 : 2, !joined, word.writing === 'poor' ? SALT_ABJAD : ~SALT_ABJAD);
}

/** From hash keys to the numbers filed under them: open addressing over typed arrays. */
export class KeyTable {
  readonly #mask: number;
  /**
   * Per slot the key and what is filed under it: 0 for a free slot, the number + 1 when there is one, else where its
   * list begins in `lists`, negative. Most keys have one number, which is then found in one line of cache.
   */
  readonly #slots: Int32Array;
  /** One bit per hash: most keys of a query are not there, and this small table says so. */
  readonly #filter: Uint32Array;
  readonly #filterMask: number;
  /** Length of a list, then its numbers. */
  readonly lists: Int32Array;

  /** @param pairs key * 2^20 + value, in any order; keys unsigned, values below 2^20 */
  constructor(pairs: Float64Array) {
    pairs.sort();
    let unique = 0;
    let listed = 1;
    for (let at = 0; at < pairs.length; ) {
      const next = endOfRun(pairs, at);
      unique += 1;
      if (next - at > 1) listed += next - at + 1;
      at = next;
    }
    let size = 64;
    while (size < unique * 1.4) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int32Array(size * SLOT);
    this.#filter = new Uint32Array((size * FILTER_BITS_PER_SLOT) / 32);
    this.#filterMask = this.#filter.length * 32 - 1;
    this.lists = new Int32Array(listed);
    let free = 1;
    for (let at = 0; at < pairs.length; ) {
      const next = endOfRun(pairs, at);
      const key = Math.floor(pairs[at]! / VALUES) | 0;
      const slot = this.#free(key);
      this.#slots[slot] = key;
      this.#slots[slot + 1] = next - at > 1 ? -free : valueIn(pairs[at]!) + 1;
      if (next - at > 1) {
        this.lists[free++] = next - at;
        for (let i = at; i < next; i += 1) this.lists[free++] = valueIn(pairs[i]!);
      }
      const bit = (key >>> 3) & this.#filterMask;
      this.#filter[bit >>> 5]! |= 1 << (bit & 31);
      at = next;
    }
  }

  #free(key: number): number {
    let slot = key & this.#mask;
    while (this.#slots[slot * SLOT + 1] !== 0) slot = (slot + 1) & this.#mask;
    return slot * SLOT;
  }

  /** What is filed under the key: 0 for nothing, one number + 1, or where its list begins, negative. */
  find(key: number): number {
    const bit = (key >>> 3) & this.#filterMask;
    if ((this.#filter[bit >>> 5]! & (1 << (bit & 31))) === 0) return 0;
    return this.#filedUnder(key);
  }

  /** Writes to `out` those of the first keys that may be there, and returns how many. */
  mayHold(keysToFind: Int32Array, count: number, out: Int32Array): number {
    const filter = this.#filter;
    const mask = this.#filterMask;
    let kept = 0;
    for (let at = 0; at < count; at += 1) {
      const key = keysToFind[at]!;
      const bit = (key >>> 3) & mask;
      out[kept] = key;
      kept += (filter[bit >>> 5]! >>> (bit & 31)) & 1;
    }
    return kept;
  }

  /** Writes to `out` what is filed under the first keys, and returns how many of them there are. */
  findAll(keysToFind: Int32Array, count: number, out: Int32Array): number {
    let found = 0;
    for (let at = 0; at < count; at += 1) {
      const filed = this.#filedUnder(keysToFind[at]!);
      out[found] = filed;
      found += filed === 0 ? 0 : 1;
    }
    return found;
  }

  #filedUnder(key: number): number {
    const slots = this.#slots;
    let slot = key & this.#mask;
    let filed = slots[slot * SLOT + 1]!;
    while (filed !== 0 && slots[slot * SLOT] !== key) {
      slot = (slot + 1) & this.#mask;
      filed = slots[slot * SLOT + 1]!;
    }
    return filed;
  }

  get bytes(): number {
    return this.#slots.byteLength + this.#filter.byteLength + this.lists.byteLength;
  }
}

const SLOT = 2;
const FILTER_BITS_PER_SLOT = 4;
/** Values of a `KeyTable` are below this. */
export const VALUES = 2 ** 20;

const valueIn = (pair: number): number => pair - Math.floor(pair / VALUES) * VALUES;

function endOfRun(pairs: Float64Array, from: number): number {
  const end = (Math.floor(pairs[from]! / VALUES) + 1) * VALUES;
  let at = from + 1;
  while (at < pairs.length && pairs[at]! < end) at += 1;
  return at;
}
