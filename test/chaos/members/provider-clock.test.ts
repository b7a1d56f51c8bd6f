import { expect, it } from 'vitest';
import { seeded } from '../../../samples/random.ts';
import { faultPlan, wrongTime } from '../../../simulator/injected-faults.ts';
import { clockFault, withWrongClock } from './provider-clock.ts';

const HOUR_MS = 3_600_000;
const NOW = 1_790_000_000_000;

it('comes in every way, wrong by more than an hour', () => {
  const faults = Array.from({ length: 8 }, (_, index) => clockFault(index, seeded(index)));
  expect(new Set(faults.map(({ how }) => how))).toEqual(new Set(['ahead', 'behind', 'jumps', 'backward']));
  for (const { how, ...fault } of faults) {
    const rule = faultPlan.parse(withWrongClock({ how, ...fault })).rules.find(({ id }) => id === 'clock-query')!;
    if (rule.kind !== 'clock') throw new Error('it is no clock');
    const shiftMs = wrongTime(rule, NOW + 1_000, NOW) - NOW;
    expect(Math.abs(shiftMs)).toBeGreaterThan(HOUR_MS - 2_000);
    expect(shiftMs < 0).toBe(how === 'behind');
    expect(rule.probability < 1).toBe(how === 'jumps');
    expect(wrongTime(rule, NOW + 2_000, NOW) - NOW < shiftMs).toBe(how === 'backward');
  }
});
