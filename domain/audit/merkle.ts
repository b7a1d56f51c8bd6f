// The Merkle tree of RFC 6962 over the audit log: hashes, its state in O(log n), proofs, and what checks them. Pure.
import { createHash } from 'node:crypto';

export const HASH_BYTES = 32;
const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part);
  return sum.digest();
};

/** The hash of an entry: SHA-256 over a zero byte and its bytes. */
export const leafHash = (entry: Uint8Array): Buffer => sha256(LEAF, entry);
const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(NODE, left, right);
/** The root of no entries. */
export const EMPTY_ROOT: Buffer = sha256();

/** The root over the roots of perfect subtrees, the largest first. */
function joined(subtrees: readonly Buffer[]): Buffer {
  if (subtrees.length === 0) return EMPTY_ROOT;
  return subtrees.reduceRight((right, left) => nodeHash(left, right));
}

const isWhole = (size: number): boolean => Number.isSafeInteger(size) && size >= 0;

/** How many perfect subtrees there are over so many entries: one for each 1 of the number in binary. */
const subtreesOf = (size: number): number => [...size.toString(2)].filter((digit) => digit === '1').length;

/** All of a tree that is needed to go on: the roots of its perfect subtrees, from left to right. */
export class CompactRange {
  #size: number;
  readonly #subtrees: Buffer[];

  private constructor(size: number, subtrees: Buffer[]) {
    this.#size = size;
    this.#subtrees = subtrees;
  }

  static empty(): CompactRange {
    return new CompactRange(0, []);
  }

  /** @returns undefined when there cannot be such a range */
  static of(size: number, subtrees: Buffer): CompactRange | undefined {
    if (!isWhole(size) || subtrees.length !== HASH_BYTES * (size === 0 ? 0 : subtreesOf(size))) return undefined;
    const count = subtrees.length / HASH_BYTES;
    const parts = Array.from({ length: count }, (_, i) => subtrees.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
    return new CompactRange(size, parts);
  }

  get size(): number {
    return this.#size;
  }

  /** Takes in the hash of the next entry. */
  append(leaf: Buffer): void {
    let hash = leaf;
    for (let count = this.#size; count % 2 === 1; count = (count - 1) / 2) hash = nodeHash(this.#subtrees.pop()!, hash);
    this.#subtrees.push(hash);
    this.#size += 1;
  }

  root(): Buffer {
    return joined(this.#subtrees);
  }

  /** What `of` takes. */
  bytes(): Buffer {
    return Buffer.concat(this.#subtrees);
  }

  clone(): CompactRange {
    return new CompactRange(this.#size, [...this.#subtrees]);
  }
}

/** The largest power of two below a number of at least 2. */
function splitOf(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Entries from one place up to another, over which a hash of a proof is made. */
export type HashRange = readonly [from: number, to: number];

/** What the hashes of an audit path are over, in their order (RFC 6962, 2.1.1). */
export function inclusionRanges(index: number, size: number): readonly HashRange[] {
  const path: HashRange[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      path.push([middle, to]);
      to = middle;
    } else {
      path.push([from, middle]);
      from = middle;
    }
  }
  return path.reverse();
}

/** What the hashes of a consistency proof are over, in their order (RFC 6962, 2.1.2); none for 0 and for the same. */
export function consistencyRanges(first: number, size: number): readonly HashRange[] {
  if (first === 0 || first === size) return [];
  const path: HashRange[] = [];
  let [from, to, isWholeSubtree] = [0, size, true];
  while (to !== first) {
    const middle = from + splitOf(to - from);
    if (first <= middle) {
      path.push([middle, to]);
      to = middle;
    } else {
      path.push([from, middle]);
      from = middle;
      isWholeSubtree = false;
    }
  }
  if (!isWholeSubtree) path.push([from, to]);
  return path.reverse();
}

/** The hashes over ranges that have no entry in common, from one pass over the log: O(log n) hashes each, however long it is. */
export class RangeHashes {
  readonly #ranges: readonly { readonly from: number; readonly to: number; readonly hashes: CompactRange }[];

  constructor(ranges: readonly HashRange[]) {
    this.#ranges = ranges.map(([from, to]) => ({ from, to, hashes: CompactRange.empty() }));
  }

  /** Takes in the hash of an entry; they come in the order of the log. */
  take(index: number, leaf: Buffer): void {
    this.#ranges.find(({ from, to }) => from <= index && index < to)?.hashes.append(leaf);
  }

  /** In the order of the ranges; undefined: an entry of one of them has not come. */
  hashes(): readonly Buffer[] | undefined {
    const isWhole = this.#ranges.every(({ from, to, hashes }) => hashes.size === to - from);
    return isWhole ? this.#ranges.map(({ hashes }) => hashes.root()) : undefined;
  }
}

/** A whole tree in memory, 64 bytes an entry: it gives proofs. */
export class HashTree {
  /** By level, the roots of all perfect subtrees of 2^level entries. */
  readonly #levels: Buffer[][] = [[]];

  get size(): number {
    return this.#levels[0]!.length;
  }

  append(leaf: Buffer): void {
    let hash = leaf;
    for (let level = 0; ; level++) {
      if (level === this.#levels.length) this.#levels.push([]);
      const row = this.#levels[level]!;
      row.push(hash);
      if (row.length % 2 === 1) return;
      hash = nodeHash(row.at(-2)!, hash);
    }
  }

  /** The root over the first `size` entries. */
  rootAt(size: number): Buffer {
    return size === 0 ? EMPTY_ROOT : this.#hashOf(0, size);
  }

  /** The audit path of an entry in the tree of the first `size` entries (RFC 6962, 2.1.1). */
  inclusionProof(index: number, size: number): readonly Buffer[] {
    return inclusionRanges(index, size).map(([from, to]) => this.#hashOf(from, to));
  }

  /** Shows that the tree of `size` entries begins with that of `first` (RFC 6962, 2.1.2); empty for 0 and for the same. */
  consistencyProof(first: number, size: number): readonly Buffer[] {
    return consistencyRanges(first, size).map(([from, to]) => this.#hashOf(from, to));
  }

  /** The hash over the entries from `from` up to `to`; `from` stands where a subtree of that size can begin. */
  #hashOf(from: number, to: number): Buffer {
    const count = to - from;
    const level = Math.round(Math.log2(count));
    if (2 ** level === count) return this.#levels[level]![from / count]!;
    const middle = from + splitOf(count);
    return nodeHash(this.#hashOf(from, middle), this.#hashOf(middle, to));
  }
}

/** The root that an audit path leads to; undefined when it cannot be a path of this entry (RFC 9162, 2.1.3.2). */
export function rootByInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  path: readonly Buffer[],
): Buffer | undefined {
  if (!isWhole(index) || !isWhole(size) || index >= size) return undefined;
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0 || sibling.length !== HASH_BYTES) return undefined;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 ? hash : undefined;
}

interface Head {
  readonly size: number;
  readonly root: Buffer;
}

/** Whether a proof shows that the later tree begins with the earlier one (RFC 9162, 2.1.4.2). */
export function isConsistent(first: Head, second: Head, proof: readonly Buffer[]): boolean {
  if (!isWhole(first.size) || !isWhole(second.size) || first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root);
  if (first.size === 0) return proof.length === 0 && first.root.equals(EMPTY_ROOT);
  if (proof.some((hash) => hash.length !== HASH_BYTES)) return false;
  let [node, last] = [first.size - 1, second.size - 1];
  while (node % 2 === 1) [node, last] = [(node - 1) / 2, Math.floor(last / 2)];
  const path = node === 0 ? [first.root, ...proof] : [...proof];
  const begin = path.shift();
  if (begin === undefined) return false;
  let [old, young] = [begin, begin];
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      [old, young] = [nodeHash(sibling, old), nodeHash(sibling, young)];
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      young = nodeHash(young, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && old.equals(first.root) && young.equals(second.root);
}
