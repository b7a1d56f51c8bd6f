import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countsFrom, versionAt } from './versions.ts';

const version = (number: number, from: number) => ({ version: number, from });

it('counts by the highest version that has begun', () => {
  const versions = [version(3, 300), version(2, 200), version(1, 100)];
  expect([99, 100, 250, 300].map((at) => versionAt(versions, at)?.version)).toEqual([undefined, 1, 2, 3]);
});

it('passes over a version that was to begin later than the one after it', () => {
  const versions = [version(3, 150), version(2, 200), version(1, 100)];
  expect([149, 150, 199, 201].map((at) => versionAt(versions, at)?.version)).toEqual([1, 3, 3, 3]);
});

it('never counts what came before the version did, whatever it says', () => {
  expect([countsFrom(100, 200), countsFrom(300, 200)]).toEqual([200, 300]);
});

it('never goes back: what is taken later is counted by no lower version', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { maxLength: 20 }), fc.nat(1_000), fc.nat(1_000), (froms, one, other) => {
      const versions = froms.map((from, at) => version(at + 1, from)).reverse();
      const [first, then] = [Math.min(one, other), Math.max(one, other)];
      const [before, after] = [versionAt(versions, first)?.version ?? 0, versionAt(versions, then)?.version ?? 0];
      expect(after).toBeGreaterThanOrEqual(before);
    }),
  );
});
