import { expect, it } from 'vitest';
import { changedBasis } from './replay.ts';

const THEN = { build: 'a1', lists: 'OFAC-1 UN-7 UK-3', rules: 'r1' };

it.each([
  [{ ...THEN, build: 'b2' }, 'the build changed from a1 to b2'],
  [{ ...THEN, lists: 'OFAC-2 UN-7 UK-3' }, 'the lists in force changed from OFAC-1 to OFAC-2'],
  [{ ...THEN, lists: 'UN-7 UK-3' }, 'the lists in force changed from OFAC-1 to none'],
  [{ ...THEN, rules: 'r2' }, 'the rules (corridors, limits, what a transfer must say) changed from r1 to r2'],
])('what voids an approval is named, with what it was and is', (now, said) => {
  expect(changedBasis(THEN, now)).toBe(`since it was tried ${said}. Select the letters again, try them and ask anew`);
});

it('all that changed is named, whatever parts there are, in bounded words; and nothing where nothing has', () => {
  expect(changedBasis(THEN, { ...THEN })).toBeUndefined();
  const all = changedBasis(THEN, { build: 'b2', other: 'x'.repeat(900) })!;
  expect(all).toContain('the build changed');
  expect(all).toContain('the lists in force changed');
  expect(all).toContain('other changed from none');
  expect(all.length).toBeLessThan(700);
});
