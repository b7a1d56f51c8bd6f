import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkHolding, MAX_SELECTIONS } from './holding.ts';

const NOW = new Date('2026-11-30T03:00:00Z');
const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
const held = (from: number, to: number | null) => ({ createdAt: ago(from), until: to === null ? null : ago(to) });
const check =
  (...of: ReturnType<typeof held>[]) =>
  () =>
    checkHolding(of, NOW, 'asha');

it('lets who tries and cancels go on, and who keeps letters without asking no longer', () => {
  expect(check()).not.toThrow();
  expect(check(...Array.from({ length: 30 }, (_, n) => held(200 - n, 199 - n)))).not.toThrow();
  expect(check(held(230, 200), held(190, 160), held(150, 120))).not.toThrow();
  const refusal = expect.objectContaining({ code: 'SELECTIONS_HELD' });
  expect(check(held(230, 200), held(190, 160), held(150, 120), held(110, 80))).toThrow(refusal);
  // Beside each other as one after the other, and those that are held still.
  expect(check(held(30, null), held(30, null), held(30, null), held(30, null))).toThrow(refusal);
  expect(check(...Array.from({ length: MAX_SELECTIONS }, () => held(1, 1)))).toThrow(refusal);
});

it('never lets one person hold letters for more than two hours and one more selection', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 }), (minutes) => {
      const selections: ReturnType<typeof held>[] = [];
      for (const each of minutes) {
        try {
          checkHolding(selections, NOW, 'asha');
        } catch {
          continue;
        }
        selections.push(held(each, 0));
      }
      const all = selections.reduce((sum, one) => sum + one.until!.getTime() - one.createdAt.getTime(), 0);
      expect(all).toBeLessThan((120 + 30) * 60_000);
    }),
  );
});
