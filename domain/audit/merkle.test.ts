// The tree of RFC 6962: the vectors of Certificate Transparency, and what must hold for any tree.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompactRange, EMPTY_ROOT, HashTree, isConsistent, leafHash, rootByInclusion } from './merkle.ts';

const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

function treeOf(leaves: readonly Buffer[]): HashTree {
  const tree = new HashTree();
  for (const leaf of leaves) tree.append(leafHash(leaf));
  return tree;
}

const manyLeaves = (count: number) => Array.from({ length: count }, (_, i) => Buffer.from(`entry ${i}`));

describe('the roots', () => {
  it('are those of the vectors of Certificate Transparency', () => {
    const tree = treeOf(LEAVES.map((leaf) => Buffer.from(leaf, 'hex')));
    const range = CompactRange.empty();
    expect(EMPTY_ROOT.toString('hex')).toBe(ROOTS[0]);
    for (const [size, root] of ROOTS.entries()) {
      expect(tree.rootAt(size).toString('hex')).toBe(root);
      expect(range.root().toString('hex')).toBe(root);
      if (size < LEAVES.length) range.append(leafHash(Buffer.from(LEAVES[size]!, 'hex')));
    }
  });

  it('of a range that was put away and taken up again go on as if nothing had been', () => {
    const leaves = manyLeaves(70);
    const tree = treeOf(leaves);
    let range = CompactRange.empty();
    for (const [i, leaf] of leaves.entries()) {
      range.append(leafHash(leaf));
      const again = CompactRange.of(range.size, range.bytes());
      expect(again?.root()).toEqual(tree.rootAt(i + 1));
      expect(CompactRange.of(range.size + 1, Buffer.concat([range.bytes(), Buffer.alloc(1)]))).toBeUndefined();
      range = again!;
    }
    expect(CompactRange.of(-1, Buffer.alloc(0))).toBeUndefined();
    expect(CompactRange.of(2 ** 53, Buffer.alloc(32))).toBeUndefined();
  });
});

describe('a proof', () => {
  const sizes = fc.integer({ min: 1, max: 130 });
  const tree = treeOf(manyLeaves(130));

  it('of inclusion leads to the root, from this entry alone and at this place alone', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, seed, other) => {
        const index = seed % size;
        const path = tree.inclusionProof(index, size);
        const leaf = leafHash(Buffer.from(`entry ${index}`));
        expect(rootByInclusion(leaf, index, size, path)).toEqual(tree.rootAt(size));
        expect(rootByInclusion(leafHash(Buffer.from('another')), index, size, path)).not.toEqual(tree.rootAt(size));
        const elsewhere = other % size;
        if (elsewhere !== index) expect(rootByInclusion(leaf, elsewhere, size, path)).not.toEqual(tree.rootAt(size));
        expect(rootByInclusion(leaf, size, size, path)).toBeUndefined();
        expect(rootByInclusion(leaf, index, size, [...path, leaf])).toBeUndefined();
      }),
    );
  });

  it('of consistency shows that one tree begins with the other, and nothing else', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.nat(), (one, other, seed) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const proof = tree.consistencyProof(from, to);
        const first = { size: from, root: tree.rootAt(from) };
        const second = { size: to, root: tree.rootAt(to) };
        expect(isConsistent(first, second, proof)).toBe(true);
        expect(isConsistent({ size: 0, root: EMPTY_ROOT }, second, [])).toBe(true);
        const forked = { size: from, root: leafHash(first.root) };
        expect(isConsistent(forked, second, proof)).toBe(false);
        expect(isConsistent(first, { size: to, root: leafHash(second.root) }, proof)).toBe(false);
        if (proof.length === 0) return;
        const spoilt = proof.with(seed % proof.length, leafHash(proof[0]!));
        expect(isConsistent(first, second, spoilt)).toBe(false);
        expect(isConsistent(first, second, proof.slice(1))).toBe(false);
      }),
    );
  });
});
